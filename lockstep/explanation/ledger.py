"""The ledger of one step: the lines of the formula beside the operations that PyTorch really ran.

PyTorch's side is recorded live, from its own parameters and state; lockstep/explanation/matching.py finds a line among
what it ran.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from lockstep.cases import Case
from lockstep.errors import BadValue
from lockstep.explanation.ladder import advance, rewritten
from lockstep.explanation.matching import (
    Evaluated,
    Line,
    kept,
    lines_of,
    matched,
    recording,
    result_of,
    rewriting,
    updated,
)
from lockstep.explanation.walk import Walk, walk
from lockstep.numerics import formats
from lockstep.numerics.difference import compare, ulp_distance
from lockstep.records.walk import WalkedLine
from lockstep.subjects.registry import asked, find
from lockstep.subjects.side import Pair, Quantities, Side, copied
from lockstep.subjects.subject import Request
from lockstep.text import ENGLISH, Message, Voice, message
from lockstep.text.names import place
from lockstep.text.rows import padded

ROUNDINGS = {name: message(f"ledger.{name}") for name in ("plain", "fused", "kernels", "paper")}


@dataclasses.dataclass(frozen=True)
class Entry:
    """A line of the ledger.

    line, equation, source: its name, its LaTeX, the line of code. index: the element shown, the first that differs.
    ours, theirs: its value. operations: (name, value) of each operation that PyTorch ran for it, in order. shown:
    PyTorch shows the line.
    differing, elements, ulp: between the sides, over the whole tensor; nothing where it is not shown.
    """

    line: str
    equation: str
    source: str
    index: tuple[int, ...]
    ours: float
    theirs: float | None
    operations: tuple[tuple[str, float | None], ...]
    shown: bool
    differing: int = 0
    elements: int = 0
    ulp: float = 0.0


@dataclasses.dataclass(frozen=True)
class Ledger:
    """One stage of a step, line by line. first: the first line that differs, or None. operations: all that ran."""

    label: str
    step: int
    stage: str
    rounding: str
    dtype: str
    entries: tuple[Entry, ...]
    first: str | None
    operations: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """The ledger in plain data."""
        return dataclasses.asdict(self)

    def state(self, entry: Entry) -> Message:
        """What is said of an entry: not shown, identical, or how far apart."""
        if not entry.shown:
            return message("ledger.not-shown")
        if not entry.differing:
            return message("ledger.identical")
        apart = message("ledger.apart", ulp=entry.ulp, differing=entry.differing, elements=entry.elements)
        return message("ledger.first", apart=apart) if entry.line == self.first else apart

    def __str__(self) -> str:
        return self.told()

    def told(self, voice: Voice = ENGLISH) -> str:
        """What a person reads of it, in a language."""
        yours, pytorch = (padded(voice(f"row.{side}"), 8) for side in ("yours", "pytorch"))
        held = formats.named(self.dtype)
        numbers = [number for entry in self.entries for number in (entry.ours, *(made for _, made in entry.operations))]
        width = max(len(held.text(number)) for number in numbers if number is not None)
        stage, rounding = self.stage, ROUNDINGS[self.rounding]
        lines = [voice("ledger.title", label=self.label, step=self.step, stage=stage, rounding=rounding)]
        for entry in self.entries:
            lines.append(f"  {place(entry.line, entry.index):<24} {voice.say(self.state(entry))}")
            lines.append(f"    {yours} {held.text(entry.ours):<{width}} {entry.source}")
            for name, value in entry.operations:
                text = "" if value is None else held.text(value)
                lines.append(f"    {pytorch} {text:<{width}} {name}")
        return "\n".join(lines)


def ledger(
    subject: str,
    *,
    step: int = 1,
    case: str | Case | None = None,
    problem: Any = None,
    dtype: str | None = None,
    seed: int = 0,
    path: str | None = None,
    tensor: str | None = None,
    rounding: str = "fused",
    hyperparameters: Mapping[str, Any] | None = None,
    ours: type | None = None,
) -> list[Ledger]:
    """One step of both sides from PyTorch's own state, line by line; a ledger a stage.

    Arguments:
        subject, case, problem, dtype, seed, path, hyperparameters: as for `lockstep.run`.
        step: which, from 1.
        tensor: of an optimizer, which parameter; of a network, which layer; the first if None.
        rounding: "plain" (NumPy's own), "fused" (as this CPU's kernels contract and add up), "kernels" (PyTorch's
            kernel for every primitive that has one), all in PyTorch's order; or "paper", the lines of the paper's.
        ours: a class in place of the reference's, with the same `ORDERS`.

    Raises:
        ValueError: for anything that makes no sense, before a step is taken.
    """
    if rounding not in ROUNDINGS:
        raise BadValue(message("error.rounding", known=", ".join(ROUNDINGS), given=rounding))
    request = asked(subject, case, dtype, path, seed, step, problem=problem, hyperparameters=hyperparameters)
    return ledgers(request, tensor, rounding, ours)


def ledgers(request: Request, tensor: str | None, rounding: str, ours: type | None = None) -> list[Ledger]:
    """The last step of what is asked for, a ledger a stage; `ours` in place of the reference's class."""
    pair = request.pair(ours)
    title, count, dtype = request.beside(pair).label, request.steps, request.dtype
    if rounding == "paper":
        return of_walk(walk(pair, count, tensor), title, dtype)
    mine, theirs = rewritten(pair, rewriting(pair, rounding)), pair.theirs()
    for earlier in range(1, count):
        advance(mine, earlier)
        advance(theirs, earlier)
    evaluated: list[Evaluated] = []
    mine.watch(lambda formula, lines, _: evaluated.append((formula, kept(lines))))
    made, ran = [], []
    for stage in theirs.stages:
        before = copied(theirs.read())
        mine.write(before)
        name = ""
        if stage == "update":
            name = updated(theirs, tensor)
            mine.only(name)
            theirs.only(name)
            ran.clear()
        evaluated.clear()
        ran += [operation for operation in recording(theirs, stage, count) if not operation.silent]
        mine.advance(stage, count)
        if evaluated:
            lines = lines_of(evaluated, before["grad"][name].shape if stage == "update" else None)
            entries, used = written(pair, stage, lines, ran, before, mine, theirs)
            first = next((entry.line for entry in entries if entry.differing), None)
            names = tuple(operation.name for operation in ran[:used])
            made.append(Ledger(title, count, stage, rounding, dtype, tuple(entries), first, names))
            del ran[:used]  # what a network's later stages ran is recorded with its first
        else:
            ran.clear()
    return made


def of_walk(found: Walk, title: str, dtype: str) -> list[Ledger]:
    """The last step of a walk as ledgers, one a stage."""
    return [
        Ledger(
            label=title,
            step=len(found.steps),
            stage=stage.stage,
            rounding="paper",
            dtype=dtype,
            entries=tuple(as_entry(row, stage.equations.get(row.line, "")) for row in stage.lines),
            first=stage.first,
            operations=stage.operations,
        )
        for stage in found.steps[-1]
    ]


def as_entry(row: WalkedLine, equation: str) -> Entry:
    """A line of a ledger; its code on one line."""
    return Entry(
        line=row.line,
        equation=equation,
        source=" ".join(row.code.split()),
        index=row.index,
        ours=row.ours,
        theirs=row.theirs,
        operations=tuple((operation.name, operation.value) for operation in row.operations),
        shown=row.shown,
        differing=row.differing,
        elements=row.elements,
        ulp=row.ulp,
    )


def written(
    pair: Pair,
    stage: str,
    lines: list[Line],
    operations: list[Any],
    before: Quantities,
    mine: Side,
    theirs: Side,
) -> tuple[list[Entry], int]:
    """Each line beside PyTorch's value of it and the operations since the line before; and how many those are."""
    entries, done = [], 0
    for line, match in zip(lines, matched(stage, lines, operations, before, mine, theirs), strict=True):
        ran = [] if match.place is None else operations[done : match.place + 1]
        done = max(done, done if match.place is None else match.place + 1)
        entries.append(entry(line, pair.equations.get(line.name, ""), match.value, ran))
    return entries, done if stage != "update" else len(operations)


def entry(line: Line, equation: str, value: np.ndarray | None, ran: list[Any]) -> Entry:
    ours = np.asarray(line.value, order="C")
    apart = None if value is None or value.dtype != ours.dtype else compare(ours, np.asarray(value, order="C"))
    place = 0
    if value is not None and apart is not None and apart.differing:
        place = int(np.argmax(ulp_distance(ours.reshape(-1), np.ascontiguousarray(value).reshape(-1)) > 0))
    results = [result_of(one, line, value) for one in ran]
    return Entry(
        line=line.name,
        equation=equation,
        source=line.source,
        index=tuple(int(k) for k in np.unravel_index(place, ours.shape)) if ours.size else (),
        ours=float(ours.reshape(-1)[place]) if ours.size else float("nan"),
        theirs=float(value.reshape(-1)[place]) if value is not None and value.size else None,
        operations=tuple(
            (one.name, float(result.reshape(-1)[place]) if result is not None and result.size else None)
            for one, result in zip(ran, results, strict=True)
        ),
        shown=value is not None,
        differing=apart.differing if apart else 0,
        elements=apart.elements if apart else 0,
        ulp=apart.ulp if apart else 0.0,
    )


def operations(subject: str) -> dict[str, list[str]]:
    """What PyTorch runs for a subject: "CLASS or PATH: STAGE" to ATen's names, in order, in a plain second step.

    Kept as a snapshot, it tells when another PyTorch takes another way.
    """
    found = find(subject)
    classes = {found.family.class_name(case): case for case in reversed(found.cases.CASES)}
    return {
        f"{name or path or found.path}: {one.stage}": list(one.operations)
        for name, case in classes.items()
        for path in found.family.paths(found, case)
        for one in ledger(subject, step=2, case=case, path=path)
    }
