"""`lockstep.explain`: the ladder of one case, and what it returns."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from lockstep.cases import Case
from lockstep.engine.wording import left_over
from lockstep.explanation.ladder import Climb, MeasuredRung, climb
from lockstep.explanation.ledger import ledgers
from lockstep.numerics import probe
from lockstep.numerics.verdict import Finding
from lockstep.records.kinds.explanation import ExplanationRecord
from lockstep.subjects.registry import asked
from lockstep.subjects.subject import Request
from lockstep.text import ENGLISH, Message, Voice
from lockstep.text.rows import columns, padded, padded_left, row


class Explanation:
    """A finished ladder of one case.

    rungs: what was left after each rewrite. explained: whether after the last one nothing was left at any step.
    kernels: the primitives that had to be PyTorch's. left: None, or the first element that is left.
    """

    def __init__(self, request: Request, ladder: Climb):
        self.request = request
        self.rungs: list[MeasuredRung] = ladder.rungs
        self.explained, self.kernels = ladder.explained, ladder.kernels
        self.left: Finding | None = ladder.left

    @property
    def label(self) -> str:
        """Subject, dtype, path and case, on one line."""
        return self.request.label

    @property
    def rerun(self) -> str:
        """The command that runs it again."""
        return self.request.command("explain")

    def drift(self, figure: str = "scaled_ulp") -> dict[str, np.ndarray]:
        """Rung to a value a step: the largest over all quantities."""
        return {str(rung.name): rung.drift(figure) for rung in self.rungs}

    @property
    def record(self) -> ExplanationRecord:
        """What is saved for a report."""
        arrays = {
            f"rung/{number}/{quantity}/{figure}": column
            for number, rung in enumerate(self.rungs)
            for quantity, columns in rung.series.columns.items()
            for figure, column in columns.items()
            if figure in rung.series.FIGURES
        }
        return ExplanationRecord(
            **self.request.header,
            rungs=tuple(rung.recorded for rung in self.rungs),
            explained=self.explained,
            kernels=tuple(self.kernels),
            left=self.left,
            findings=probe.findings(),
            rerun=self.rerun,
            arrays=arrays,
        )

    def to_json(self) -> dict[str, Any]:
        """The ladder in plain data."""
        return self.record.to_json()

    def save(self, path) -> None:
        """Write the record as NAME.json with its arrays beside it, whole or not at all."""
        self.record.save(path)

    def __str__(self) -> str:
        return self.told()

    def told(self, voice: Voice = ENGLISH) -> str:
        """What a person reads of it, in a language."""
        lines = [voice("cli.explained" if self.explained else "cli.not-explained", label=self.label)]
        lines += table([headings(voice), *(rung.row(voice) for rung in self.rungs)])
        if self.kernels and self.explained:
            lines.append(row(voice, "kernels", ", ".join(self.kernels)))
        lines += left_over(self.left, voice) if self.left else []
        return "\n".join([*lines, row(voice, "rerun", self.rerun)])

    def __repr__(self) -> str:
        return f"<{str(self).splitlines()[0]}>"


def first_line(left: Finding, request: Request, ours) -> str:
    """The first line that differs, by the ledger of the step and with PyTorch's kernels; it sees between quantities."""
    tensor = left.tensor if left.stage == "update" else None
    stages = ledgers(dataclasses.replace(request, steps=left.step), tensor, "kernels", ours)
    there = [stage for stage in stages if left.stage in (stage.stage, "pass")]  # both halves of a pass
    return next((stage.first for stage in there if stage.first), left.line)


HEADINGS = ("rung", "differing", "of", "ulp", "first")


def headings(voice: Voice) -> tuple[str, ...]:
    return tuple(voice(f"cli.ladder.{name}") for name in HEADINGS)


def table(rows: list[tuple[str, ...]]) -> list[str]:
    """Columns as wide as what stands in them, numbers to the right."""
    widths = [max(map(columns, column)) for column in zip(*rows, strict=True)]
    return ["  " + "  ".join([padded(name, widths[0]), *map(padded_left, cells, widths[1:])]) for name, *cells in rows]


def explain(
    subject: str,
    *,
    case: str | Case | None = None,
    problem: Any = None,
    steps: int | None = None,
    dtype: str | None = None,
    seed: int = 0,
    path: str | None = None,
    hyperparameters: Mapping[str, Any] | None = None,
    ours: type | None = None,
    thorough: bool = True,
    on_rung: Callable[[Message, int], Any] | None = None,
) -> Explanation:
    """Name the roundings that make the difference to PyTorch, one after the other, until nothing is left.

    Arguments:
        subject, case, problem, steps, dtype, seed, path, hyperparameters: as for `lockstep.run`.
        ours: a class in place of the reference's, with the same `ORDERS`.
        thorough: measure every rung at every step; else break each off at its first difference.
        on_rung: called with the rung at work and the number of each step it has finished.

    Raises:
        ValueError, TypeError: for anything that makes no sense, before a step is taken.
    """
    request = asked(subject, case, dtype, path, seed, steps, problem=problem, hyperparameters=hyperparameters)
    pair = request.pair(ours)
    request = request.beside(pair)
    with np.errstate(over="ignore", invalid="ignore"):  # what overflows is compared bit by bit, as any other number
        ladder = climb(pair, request.steps, on_rung, thorough=thorough)
    if ladder.left:
        line = first_line(ladder.left, request, ours)
        ladder = ladder._replace(left=dataclasses.replace(ladder.left, line=line))
    return Explanation(request, ladder)
