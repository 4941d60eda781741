"""A run walked step by step: every line of the paper's formula on both sides, and the operations PyTorch ran for it.

Before each step our side takes over PyTorch's parameters and state, and works out the lines in the paper's order with
NumPy's plain arithmetic. What PyTorch has of them is looked up by the lines of its own order
(lockstep/explanation/matching.py), on the arithmetic of its kernels, so that they are found by their bits. The two
orders meet in the names of their lines: a line that only the paper has, PyTorch works out inside another one and does
not show; what PyTorch runs for a line that only its own order has belongs to the next line of the paper that it leads
to.
"""

import ast
import functools
import inspect
import textwrap
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np

from lockstep.explanation.ladder import advance, rewritten
from lockstep.explanation.matching import (
    Evaluated,
    Match,
    OurLine,
    kept,
    lines_of,
    matched,
    recording,
    result_of,
    rewriting,
    updated,
    written_as,
)
from lockstep.numerics import formats
from lockstep.numerics.difference import compare
from lockstep.numerics.shapes import Array, OtherArray
from lockstep.numerics.snapshot import Snapshot
from lockstep.records.kinds.walk import Operation, WalkedLine, WalkedStage, first_step
from lockstep.subjects.side import Inspectable, Pair, Side

RESULTS = ("param", "output", "grad_input")  # the quantities that a stage is run for


class Walk(NamedTuple):
    """A walked run: the stages of every step, and order of operations to the text of the functions that state it."""

    steps: list[tuple[WalkedStage, ...]]
    source: dict[str, str]

    @property
    def first_step(self) -> int | None:
        """The first step at which any line differs."""
        return first_step(self.steps)


class Beside(NamedTuple):
    """A line of the paper's order, and what PyTorch has of it and ran for it.

    stage, function: to which it belongs. handed: it is what the function was given, or a line before it.
    """

    stage: str
    function: Callable[..., Any]
    line: OurLine
    value: np.ndarray | None
    their_code: str | None
    ran: list[Any]
    handed: bool


class WatchedSide:
    """One of our sides that is looked at: what it evaluated of late, and which lines were handed on as they came."""

    def __init__(self, side: Inspectable):
        self.side = side
        self.evaluated: list[Evaluated] = []
        self.handed: set[tuple[Callable[..., Any], str]] = set()
        side.watch(self.note)

    def note(self, formula: Callable[..., Any], lines: Any, given: tuple[Any, ...]) -> None:
        function, known = written_as(formula), list(given)
        self.evaluated.append((function, kept(lines)))
        for name, value in lines._asdict().items():
            if value is not None and any(value is one for one in known):
                self.handed.add((function, name))
            known.append(value)

    def advance(self, stage: str, step: int) -> None:
        self.evaluated.clear()
        self.handed.clear()
        self.side.advance(stage, step)

    def functions(self, stage: str) -> list[Callable[..., Any]]:
        """What belongs to a stage, each once; a network's layer goes forward again before it goes back."""
        way = stage.partition(" ")[0]
        known = dict.fromkeys(function for function, _ in self.evaluated)
        return [function for function in known if way not in ("forward", "backward") or half(function) == way]

    def lines(self, stage: str, shape: tuple[int, ...] | None) -> list[tuple[Callable[..., Any], OurLine]]:
        """The lines of a stage, in order, with the function that states each."""
        return [
            (function, line)
            for function in self.functions(stage)
            for line in lines_of([one for one in self.evaluated if one[0] is function], shape)
        ]


class Walker:
    """A run of PyTorch's, of which any step can be gone through line by line.

    Arguments:
        pair: of a subject's case.
        tensor: of an optimizer, which parameter; the first that has a gradient if None.
        rounding: what our lines are worked out with: "paper", NumPy's own arithmetic in the paper's order; or PyTorch's
            order with a rounding of the ladder ("plain", "fused", "kernels").
    """

    def __init__(self, pair: Pair, tensor: str | None = None, rounding: str = "paper"):
        self.pair, self.tensor = pair, tensor
        looked_up = "fused" if pair.written_like == "fused" else "kernels"
        self.guide = WatchedSide(rewritten(pair, rewriting(pair, looked_up if rounding == "paper" else rounding)))
        self.shown = WatchedSide(pair.ours()) if rounding == "paper" else self.guide
        self.theirs, self.looked_into = pair.theirs(), pair.theirs()  # PyTorch's run, and one that is left at a tensor
        self.texts: dict[str, dict[str, None]] = {}

    def ours(self) -> dict[str, WatchedSide]:
        """Order of operations to the side that goes by it."""
        return (
            {"paper": self.shown, self.pair.written_like: self.guide}
            if self.shown is not self.guide
            else {self.pair.written_like: self.guide}
        )

    def skip(self, step: int) -> None:
        """Take a step without a look."""
        for side in (self.theirs, self.looked_into, *(watched.side for watched in self.ours().values())):
            advance(side, step)

    def stages(self, step: int) -> tuple[WalkedStage, ...]:
        """Take a step, from PyTorch's state before it.

        Raises:
            ValueError: for a tensor that there is not, or that has no gradient at this step.
        """
        stages: list[WalkedStage] = []
        ran: list[Any] = []  # what a network's later stages ran is recorded with its first
        ours = self.ours()
        for stage in self.theirs.stages:
            before = self.theirs.read().copy()
            for watched in ours.values():
                watched.side.write(before)
            name = None
            if stage == "update":
                name = updated(self.theirs, self.tensor)
                ran.clear()
                for side in (self.looked_into, *(watched.side for watched in ours.values())):
                    side.only(name)
            self.theirs.advance(stage, step)
            ran += [operation for operation in recording(self.looked_into, stage, step) if not operation.silent]
            for order, watched in ours.items():
                watched.advance(stage, step)
                self.texts.setdefault(order, {}).update(dict.fromkeys(map(text, watched.functions(stage))))
            shape = before["grad"][name].shape if name else None
            found, used = side_by_side(stage, shape, self.shown, self.guide, ran, before, self.looked_into)
            del ran[: used if found else None]
            stages += [staged(self.pair, key, name, list(rows)) for key, rows in groupby(found, lambda row: row.stage)]
        self.looked_into.write(self.theirs.read().copy())  # the tensors that were left out of the update
        return tuple(stages)


def walk(pair: Pair, steps: int, tensor: str | None = None) -> Walk:
    """Walk the first `steps` steps of PyTorch's run, in the paper's order; `pair` and `tensor` as for a Walker.

    Raises:
        ValueError: for a tensor that there is not, or that has no gradient at a step.
    """
    walker = Walker(pair, tensor)
    walked = [walker.stages(step) for step in range(1, steps + 1)]
    return Walk(walked, {order: "\n\n\n".join(known) for order, known in walker.texts.items()})


def half(function: Callable[..., Any]) -> str:
    """Which way a layer's formula goes: backward it is given the lines of the way forward."""
    return "backward" if "lines" in inspect.signature(function).parameters else "forward"


def side_by_side(
    stage: str,
    shape: tuple[int, ...] | None,
    paper: WatchedSide,
    guide: WatchedSide,
    ran: list[Any],
    before: Snapshot,
    theirs: Side,
) -> tuple[list[Beside], int]:
    """The lines of the paper's order, in order, each with what PyTorch has of it and ran; and how much it ran."""
    lines = [line for _, line in guide.lines(stage, shape)]
    matches = matched(stage, lines, ran, before, guide.side, theirs)
    wanted = {line.name: line.value for _, line in paper.lines(stage, shape)}
    values = {
        line.name: fitting(match.value, wanted.get(line.name)) for line, match in zip(lines, matches, strict=True)
    }
    alone = " " not in stage and stage != "loss"  # whose operations are nobody else's
    operations, used = shared_out(lines, matches, list(wanted), ran, to_the_end=alone)
    others = {name: code for function in guide.functions(stage) for name, code in codes(function).items()}
    rows = [
        Beside(
            stage=half(function) if stage == "pass" else stage,
            function=function,
            line=line._replace(source=codes(function).get(line.name, "")),
            value=values.get(line.name),
            their_code=others.get(line.name) if line.name in values else None,
            ran=operations.get(line.name, []),
            handed=(function, line.name) in paper.handed,
        )
        for function, line in paper.lines(stage, shape)
    ]
    return rows, used


def shared_out(
    lines: list[OurLine], matches: list[Match], wanted: Sequence[str], ran: list[Any], *, to_the_end: bool
) -> tuple[dict[str, list[Any]], int]:
    """Each wanted line's operations: those since the wanted line before it, up to its own; and how many that are.

    What comes after the last line's own is its, too, where that goes `to_the_end`.
    """
    by_line: dict[str, list[Any]] = {}
    waiting: list[Any] = []
    done, last = 0, ""
    for line, match in zip(lines, matches, strict=True):
        if match.place is not None:
            waiting += ran[done : match.place + 1]
            done = max(done, match.place + 1)
        if line.name in wanted:
            by_line[line.name], waiting, last = waiting, [], line.name
    if to_the_end and last:
        by_line[last] += waiting + ran[done:]
        done = len(ran)
    return by_line, done


def fitting(value: OtherArray | None, like: Array | None) -> np.ndarray | None:
    """PyTorch's value of a line in the shape that the paper's has; None where they are not of one kind."""
    if value is None or like is None or value.size != like.size or value.dtype != like.dtype:
        return None
    return np.asarray(value, order="C").reshape(like.shape)


def staged(pair: Pair, stage: str, tensor: str | None, rows: list[Beside]) -> WalkedStage:
    """A stage with the element that its lines are read at."""
    place, shape = element(pair, rows)
    return WalkedStage(
        stage=stage,
        tensor=tensor,
        shape=rows[-1].line.value.shape if tensor else None,
        equations=equations(pair, stage, rows),
        lines=tuple(row(entry, at(place, shape, entry)) for entry in rows),
    )


def equations(pair: Pair, stage: str, rows: list[Beside]) -> dict[str, str]:
    """Line to LaTeX: the subject's own, or in a stage of a network its layer's."""
    whole = " " in stage or stage == "loss"
    known = {entry.function: stated(entry.function) if whole else pair.equations for entry in rows}
    return {
        entry.line.name: latex for entry in rows if (latex := known[entry.function].get(entry.line.name)) is not None
    }


def stated(function: Callable[..., Any]) -> Mapping[str, str]:
    """The equations of the class that a formula belongs to."""
    module: Any = inspect.getmodule(function)
    owners = [name for name, kind in vars(module).items() if function in orders_of(kind)]
    return module.EQUATIONS.get(owners[0], module.EQUATIONS)


def orders_of(kind: Any) -> list[Any]:
    return [function for formula in getattr(kind, "ORDERS", {}).values() for function in formula]


def element(pair: Pair, rows: list[Beside]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Where a stage is read, and the shape that goes for.

    It is one in which the first line that differs does, and the result too if there is such a one; else the first
    that differs in the result, else the first. The result is what the stage is run for, or where that is a single
    number, the largest line.
    """
    results = [entry for entry in rows if entry.line.name in (pair.lines.get(name) for name in RESULTS)]
    result = (results or rows)[0]
    if result.line.value.size < 2:
        result = max(rows, key=lambda entry: entry.line.value.size)
    shape = result.line.value.shape
    here = np.ones(shape, bool)
    for entry in (next((entry for entry in rows if differing(entry).any()), result), result):
        both = here & spread(differing(entry), shape)
        here = both if both.any() else here
    place = np.unravel_index(int(np.argmax(here)), shape)
    return tuple(int(k) for k in place), shape


def differing(entry: Beside) -> np.ndarray:
    """Where a line differs between the sides, element by element; nowhere where PyTorch does not show it."""
    ours = np.asarray(entry.line.value, order="C")
    if entry.value is None:
        return np.zeros(ours.shape, bool)
    integers = formats.of(ours.dtype).unsigned
    return (ours.reshape(-1).view(integers) != entry.value.reshape(-1).view(integers)).reshape(ours.shape)


def spread(flags: Array, shape: tuple[int, ...]) -> np.ndarray:
    """Flags of a line for each element of a result that they belong to; none where it is of another kind."""
    try:
        return np.broadcast_to(flags, shape)
    except ValueError:
        return np.zeros(shape, bool)


def first_difference(one: Beside) -> tuple[int, ...] | None:
    """Where a line first differs between the sides."""
    places = np.argwhere(differing(one))
    return tuple(int(k) for k in places[0]) if len(places) else None


def at(place: tuple[int, ...], shape: tuple[int, ...], entry: Beside) -> tuple[int, ...]:
    """The element of a line that belongs to `place` in `shape`; of another kind of line the first that differs."""
    own = entry.line.value.shape
    missing = len(shape) - len(own)
    if missing >= 0 and all(size in (1, whole) for size, whole in zip(own, shape[missing:], strict=True)):
        return tuple(0 if size == 1 else k for size, k in zip(own, place[missing:], strict=True))
    return first_difference(entry) or (0,) * len(own)


def row(entry: Beside, index: tuple[int, ...]) -> WalkedLine:
    ours = np.asarray(entry.line.value, order="C")
    apart, value = None, None
    if entry.value is not None:
        apart, value = compare(ours, entry.value), entry.value[index]
    return WalkedLine(
        line=entry.line.name,
        code=entry.line.source,
        their_code=entry.their_code,
        shape=ours.shape,
        index=index,
        dtype=str(ours.dtype),
        ours=float(ours[index]),
        ours_bits=formats.of(ours.dtype).bits(ours[index]),
        theirs=None if value is None else float(value),
        theirs_bits=None if value is None else formats.of(value.dtype).bits(value),
        operations=tuple(Operation(name=ran.name, value=read(ran, entry, index)) for ran in entry.ran),
        idle=entry.handed and not entry.ran,
        ulp_here=None if value is None else compare(np.reshape(ours[index], 1), np.reshape(value, 1)).ulp,
        differing=apart.differing if apart else 0,
        elements=apart.elements if apart else 0,
        ulp=apart.ulp if apart else 0.0,
        scaled_ulp=apart.scaled_ulp if apart else 0.0,
    )


def read(ran: Any, one: Beside, index: tuple[int, ...]) -> float | None:
    """What an operation made of the element that a line is read at; a single number it made is that for all."""
    result = result_of(ran, one.line, one.value)
    if result is None:
        alone = [made for made in ran.results if made.size == 1]
        return float(alone[0].reshape(-1)[0]) if len(ran.results) == len(alone) == 1 else None
    return float(result[index])


def text(function: Callable[..., Any]) -> str:
    """The function as it stands in its file."""
    return textwrap.dedent(inspect.getsource(function)).rstrip()


@functools.cache
def codes(function: Callable[..., Any]) -> dict[str, str]:
    """Name to the assignment that makes it, as it stands in the file."""
    source = text(function)
    return {
        target.id: textwrap.dedent(" " * node.col_offset + (ast.get_source_segment(source, node) or ""))
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
