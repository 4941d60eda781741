"""The matrix: the ladder of every subject, case, dtype and path, under every CPU capability and on one and two threads.

A capability is chosen before PyTorch is loaded, so each configuration runs in processes of its own,
`python -m lockstep.explanation.matrix`: such a one reads its work from its standard input and prints a line a cell.
"""

import contextlib
import dataclasses
import importlib
import itertools
import json
import os
import pathlib
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from lockstep.errors import LockstepError
from lockstep.explanation.ladder import Climb, Replay, climb
from lockstep.numerics.environment import environment
from lockstep.numerics.verdict import Finding
from lockstep.records.record import plain
from lockstep.subjects.registry import asked, find, subjects
from lockstep.subjects.subject import Subject
from lockstep.text import Message, from_json, message
from lockstep.text.names import place

CAPABILITIES = ("default", "avx2")  # besides this CPU's own
THREADS = (1, 2)
PART = 48  # cells that a process works off, which takes a while to begin


class Configuration(NamedTuple):
    """How PyTorch runs. capability: as ATEN_CPU_CAPABILITY takes it. own: it is what this CPU has at most."""

    capability: str
    threads: int
    own: bool

    @property
    def name(self) -> str:
        return f"{self.capability} × {self.threads}"


@dataclasses.dataclass(frozen=True)
class ClimbedCell:
    """One ladder and how it ended.

    rung: the last one. kernels: the primitives that had to be PyTorch's. left: what is left, or nothing.
    machine: the processor it was climbed on.
    """

    subject: str
    case: str
    dtype: str
    path: str | None
    steps: int
    configuration: str
    explained: bool = False
    rung: Message | None = None
    kernels: tuple[str, ...] = ()
    left: Message | None = None
    machine: str = ""

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "ClimbedCell":
        """The cell that `plain` made this of."""
        values: dict[str, Any] = {name: from_json(value) for name, value in data.items()}
        values["kernels"] = tuple(data["kernels"])
        return cls(**values)

    @property
    def label(self) -> str:
        return f"{self.subject}[{', '.join(filter(None, (self.dtype, self.path, self.case, self.configuration)))}]"


@dataclasses.dataclass(frozen=True)
class Matrix:
    """Every cell there is, and the configurations that there are not, each with the reason."""

    cells: list[ClimbedCell]
    absent: dict[str, Message]

    @property
    def explained(self) -> int:
        return sum(cell.explained for cell in self.cells)

    @property
    def passes(self) -> bool:
        """Whether there are cells, and every one is explained."""
        return bool(self.cells) and self.explained == len(self.cells)

    def to_json(self) -> dict[str, Any]:
        return {
            "environment": dataclasses.asdict(environment()),
            "cells": plain(self.cells),
            "absent": {name: str(reason) for name, reason in self.absent.items()},
            "explained": self.explained,
            "total": len(self.cells),
        }


def own_capability() -> str:
    return str(environment().capability).lower()


def configurations() -> list[Configuration]:
    """This CPU's own capability first, then the lesser ones PyTorch can be held to, each on every thread count."""
    own = own_capability()
    return [
        Configuration(capability, threads, capability == own)
        for capability in dict.fromkeys((own, *CAPABILITIES))
        for threads in THREADS
    ]


def cells(only: Sequence[str], configuration: Configuration, steps: int | None = None) -> list[ClimbedCell]:
    """What is to be explained in a configuration.

    Raises:
        ValueError: for a subject that there is not.
    """
    chosen = [find(path) for path in only] or subjects()
    return [
        ClimbedCell(
            subject.path, case.desc, dtype, path, length(subject, case, configuration, steps), configuration.name
        )
        for subject in chosen
        for case in subject.cases.CASES
        for dtype in case.dtypes
        for path in subject.family.paths(subject, case)
    ]


def length(subject: Subject, case, configuration: Configuration, steps: int | None) -> int:
    """How many steps a cell takes; a shorter run of the same kind says the same where only the machine is another."""
    if steps is not None:
        return steps
    return subject.family.steps(case, at_home=configuration.own and configuration.threads == 1)


def parts(whole: list[ClimbedCell]) -> list[list[ClimbedCell]]:
    """What a process works off at a time: cells of one subject, not many; PyTorch's paths of a case stay together."""
    cases = [list(paths) for _, paths in itertools.groupby(whole, lambda cell: (cell.subject, cell.case, cell.dtype))]
    shares: list[list[ClimbedCell]] = []
    for case in cases:
        if shares and shares[-1][0].subject == case[0].subject and len(shares[-1]) + len(case) <= PART:
            shares[-1] += case
        else:
            shares.append(case)
    return shares


def in_process(configuration: Configuration, work: list[ClimbedCell]) -> tuple[list[ClimbedCell], Message | None]:
    """Some cells of one configuration, in a process of its own; or the reason why there are none.

    Raises:
        ChildProcessError: where the process ends before its work.
    """
    threads = {f"{library}_NUM_THREADS": str(configuration.threads) for library in ("OMP", "MKL", "OPENBLAS")}
    root = str(pathlib.Path(__file__).parents[2])
    chosen = {
        "ATEN_CPU_CAPABILITY": configuration.capability,
        "OMP_WAIT_POLICY": "PASSIVE",  # processes share the cores, so a thread that waits had better sleep
        "PYTHONPATH": os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH")))),
    }
    done: list[ClimbedCell] = []
    with subprocess.Popen(
        [sys.executable, "-m", "lockstep.explanation.matrix"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | threads | chosen,
        text=True,
    ) as worker:
        assert worker.stdin
        assert worker.stdout
        with contextlib.suppress(BrokenPipeError):  # of a process that could not even start
            worker.stdin.write(json.dumps([configuration._asdict(), plain(work)]))
            worker.stdin.close()
        for line in worker.stdout:
            said = json.loads(line)
            if "absent" in said:
                return [], from_json(said["absent"])
            done.append(ClimbedCell.from_json(said))
    if len(done) < len(work):
        raise ChildProcessError(str(message("matrix.lost", status=worker.returncode)))
    return done, None


def work_off(stream, out) -> None:
    """In the process: one line a cell, or the reason why there can be none."""
    configuration, work = json.load(stream)
    torch = importlib.import_module("torch")
    has = torch.backends.cpu.get_cpu_capability().lower()
    if has != configuration["capability"]:
        reason = message("matrix.absent", wanted=configuration["capability"], has=has)
        print(json.dumps({"absent": plain(reason)}), file=out, flush=True)
        return
    torch.set_num_threads(configuration["threads"])
    climber = Climber()
    for cell in work:
        print(json.dumps(plain(climber.explained(ClimbedCell.from_json(cell)))), file=out, flush=True)


class Climber:
    """Climbs the ladders of cells, one after the other.

    Where one of PyTorch's paths takes the very steps of the path before it, to the bit, and the formula has the same
    order, it is the same ladder. `latest`: the last that was climbed, of what, and PyTorch's run.
    """

    def __init__(self):
        self.latest: tuple[tuple[Any, ...], Replay, Climb] | None = None

    def explained(self, cell: ClimbedCell) -> ClimbedCell:
        """The cell with its end; an error is one of a cell, not of the matrix."""
        cell = dataclasses.replace(cell, machine=environment().cpu or "")
        try:
            ladder = self.climbed(cell)
        except Exception as error:
            said = error.said if isinstance(error, LockstepError) else str(error)
            return dataclasses.replace(cell, left=message("matrix.raised", error=type(error).__name__, said=said))
        return dataclasses.replace(
            cell, explained=ladder.explained, rung=ladder.rungs[-1].name, kernels=ladder.kernels,
            left=left_over(ladder.left) if ladder.left else None,
        )  # fmt: skip

    def climbed(self, cell: ClimbedCell) -> Climb:
        pair = asked(cell.subject, cell.case, cell.dtype, cell.path).pair()
        what, theirs = (cell.subject, cell.case, cell.dtype, cell.steps, pair.written_like), Replay(pair)
        if self.latest is None or self.latest[0] != what or not theirs.follows(self.latest[1], cell.steps):
            self.latest = what, theirs, climb(pair, cell.steps, thorough=False, theirs=theirs)
        return self.latest[2]


def left_over(finding: Finding) -> Message:
    """The first element that no rewrite explains."""
    return message(
        "matrix.left", step=finding.step, line=finding.line, place=place(finding.tensor, finding.index),
        quantity=finding.quantity, ours=finding.ours_bits, theirs=finding.theirs_bits, ulp=finding.ulp,
    )  # fmt: skip


def tally(explained: Matrix, corner: str = "") -> list[tuple[str, ...]]:
    """A row a subject, a column a configuration: how many cells of how many are explained; `corner` heads the names."""
    columns = list(dict.fromkeys(cell.configuration for cell in explained.cells))
    rows = [(corner, *columns)]
    for subject, named in itertools.groupby(
        sorted(explained.cells, key=lambda cell: cell.subject), lambda c: c.subject
    ):
        counts: dict[str, list[bool]] = {}
        for cell in named:
            counts.setdefault(cell.configuration, []).append(cell.explained)
        texts = [f"{sum(counts[column])}/{len(counts[column])}" if column in counts else "" for column in columns]
        rows.append((subject, *texts))
    return rows


if __name__ == "__main__":
    work_off(sys.stdin, sys.stdout)
