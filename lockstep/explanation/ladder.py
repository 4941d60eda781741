"""The ladder: the reference, rewritten one rounding at a time, until not one bit differs from PyTorch's any more.

Every rung replays our side from the same start beside PyTorch, with one rewrite more than the rung before it: the
paper's order, PyTorch's order, multiplications and additions that round once, the order of sums, and then PyTorch's
own kernel for a primitive, one primitive at a time. What is left after a rung is measured at every step.
"""

import dataclasses
import importlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from lockstep.engine.guard import check_names
from lockstep.engine.series import Series, Summary, differences, summarise
from lockstep.numerics import probe
from lockstep.numerics.shapes import Array
from lockstep.numerics.snapshot import Snapshot
from lockstep.numerics.verdict import Finding, differing
from lockstep.records.kinds.explanation import Rung
from lockstep.subjects.side import Inspectable, Pair, Side
from lockstep.text import ENGLISH, Message, Voice, message

PAPER, PYTORCH, FUSED = (message(f"rung.{name}") for name in ("paper", "pytorch", "fused"))


class Rewrite(NamedTuple):
    """One rung's way to round. order: of the formula, None for the paper's. kernels: primitives that are PyTorch's."""

    name: Message
    order: str | None
    ops: Any = None
    kernels: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, kw_only=True)
class MeasuredRung(Rung):
    """A rung with what was measured on it: every figure of every quantity."""

    series: Series

    @property
    def recorded(self) -> Rung:
        """As a record keeps it, the series among its arrays."""
        return Rung(**{field.name: getattr(self, field.name) for field in dataclasses.fields(Rung)})

    def row(self, voice: Voice = ENGLISH) -> tuple[str, ...]:
        """As it stands in a table."""
        first = "" if self.first_step is None else str(self.first_step)
        return (voice.plain(self.name), str(self.differing), str(self.elements), f"{self.max_ulp:.0f}", first)

    def drift(self, figure: str = "scaled_ulp") -> np.ndarray:
        """The largest over all quantities, a value a step; NaN after the step at which the run was broken off."""
        columns = [columns[figure] for columns in self.series.columns.values()]
        return np.fmax.reduce(columns) if columns else np.zeros(self.series.steps)


class Climb(NamedTuple):
    """All rungs of a case.

    explained: the last one closes. kernels: the primitives that had to be PyTorch's, in the order in which they
    occur; where it is not explained, all that were tried. left: what is left, if anything.
    """

    rungs: list[MeasuredRung]
    explained: bool
    kernels: tuple[str, ...]
    left: Finding | None


class Replay:
    """PyTorch's run: taken once, kept step by step, and taken again where it is too long to keep.

    Arguments:
        pair: makes the side.
        budget: bytes that may be kept.
    """

    def __init__(self, pair: Pair, budget: int = 1 << 28):
        self.pair, self.budget = pair, budget
        self.kept: list[Snapshot] = []
        self.side, self.taken = pair.theirs(), 0

    def at(self, step: int) -> Snapshot:
        """Every quantity after `step` steps."""
        if step <= len(self.kept):
            return self.kept[step - 1]
        if step <= self.taken:
            self.side, self.taken = self.pair.theirs(), 0
        while self.taken < step:
            self.taken += 1
            advance(self.side, self.taken)
            if self.taken == len(self.kept) + 1 and self.budget > 0:
                self.kept.append(self.side.read().copy())
                self.budget -= sum(array.nbytes for named in self.kept[-1].values() for array in named.values())
        return self.side.read()

    def follows(self, other: "Replay", steps: int) -> bool:
        """Whether this run is the other one, bit for bit, at every step."""
        return all(contents(self.at(step)) == contents(other.at(step)) for step in range(1, steps + 1))


def contents(quantities: Snapshot) -> list[tuple[Any, ...]]:
    """All there is of them, to the bit."""
    arrays = ((quantity, name, np.asarray(array)) for quantity, name, array in quantities.each())
    return [(quantity, name, array.dtype, array.shape, array.tobytes()) for quantity, name, array in arrays]


def advance(side: Side, step: int) -> None:
    for stage in side.stages:
        side.advance(stage, step)


def climb(
    pair: Pair,
    steps: int,
    on_rung: Callable[[Message, int], Any] | None = None,
    *,
    thorough: bool = True,
    theirs: Replay | None = None,
) -> Climb:
    """Rewrite our side of `pair` until nothing is left, or nothing is left to rewrite.

    Arguments:
        pair: both sides.
        steps: how many.
        on_rung: called with the name of the rung at work and the number of each step it has finished.
        thorough: measure every rung at every step; else break off each at its first difference.
        theirs: PyTorch's run, where it has been taken already.
    """
    theirs = theirs or Replay(pair)
    probed = probe.findings()
    used: list[str] = []
    walked: dict[tuple[str, ...], MeasuredRung] = {}

    def measured(rewrite: Rewrite, whole: bool = thorough) -> MeasuredRung:
        return replay_beside(pair, theirs, rewrite, steps, whole, used, on_rung)

    def with_kernels(names: Sequence[str], whole: bool = thorough) -> MeasuredRung:
        known = walked.get(tuple(names))
        if known is None or (whole and not known.closes):  # to the end it went only if it closed
            known = walked[tuple(names)] = measured(replacing(rewrite, names), whole)
        return known

    rungs = []
    rewrite = Rewrite(PAPER, None)
    for rewrite in orders(pair, probed, used):
        rungs.append(measured(rewrite))
        if rungs[-1].closes:
            return Climb(rungs, True, (), None)
    available = [name for name in used if hasattr(kernels(), name)]
    walked[()] = rungs[-1]
    needed: list[str] = []
    while (parts := with_kernels(needed, whole=False).first_step) is not None:
        apart: set[str] = set()
        beside = beside_kernels(rewrite, available, apart)
        explained = replay_beside(pair, theirs, beside, parts, False, used, on_rung).closes
        # along PyTorch's own way, a primitive that never parted from its kernel may as well be ours
        more = [name for name in available if name in apart]
        if not explained or more == needed:
            rungs.append(measured(beside))
            return Climb(rungs, False, beside.kernels, left(pair, beside, rungs[-1]))
        needed = more
    needed = smallest(needed, lambda names: with_kernels(names, whole=False).closes)
    rungs += [with_kernels(needed[:count]) for count in range(1, len(needed) + 1)]
    return Climb(rungs, True, tuple(needed), None)


def orders(pair: Pair, probed: probe.Findings, used: list[str]) -> Iterable[Rewrite]:
    """The rewrites that need no library of PyTorch's; one that changes nothing the formula uses is left out.

    `used` fills up with the primitives of the formula while the rungs are walked.
    """
    plain = importlib.import_module("reference.arithmetic").PLAIN
    yield Rewrite(PAPER, None)
    yield Rewrite(PYTORCH, pair.written_like, plain)
    fused, ordered = probe.arithmetic(probed, ordered=False), probe.arithmetic(probed)
    if any(rounds_otherwise(plain, fused, name) for name in used):
        yield Rewrite(FUSED, pair.written_like, fused)
    if any(rounds_otherwise(fused, ordered, name) for name in used):
        yield Rewrite(message("rung.sums", threads=probed.machine.threads or 1), pair.written_like, ordered)


def rounds_otherwise(one: Any, other: Any, name: str) -> bool:
    """Whether two arithmetics have another function for a primitive."""
    a, b = getattr(one, name), getattr(other, name)
    return getattr(a, "__func__", a) is not getattr(b, "__func__", b)


def kernels() -> Any:
    return importlib.import_module("torch_impl.arithmetic")


def replacing(rewrite: Rewrite, names: Sequence[str]) -> Rewrite:
    """`rewrite` with PyTorch's own kernel for these primitives, named after the last of them."""
    if not names:
        return rewrite
    ops = rewrite.ops.replacing(**{name: getattr(kernels(), name) for name in names})
    return Rewrite(message("rung.kernel", name=names[-1]), rewrite.order, ops, tuple(names))


def smallest(names: Sequence[str], closes: Callable[[Sequence[str]], bool]) -> list[str]:
    """The smallest part of `names`, which close, that still closes: each is left out that can be."""
    chosen = list(names)
    for name in names:
        fewer = [other for other in chosen if other != name]
        chosen = fewer if closes(fewer) else chosen
    return chosen


def replay_beside(
    pair: Pair,
    theirs: Replay,
    rewrite: Rewrite,
    steps: int,
    whole: bool,
    used: list[str],
    on_rung: Callable[[Message, int], Any] | None = None,
) -> MeasuredRung:
    """Replay our side, rewritten, beside PyTorch's; only up to the first difference unless `whole`."""
    side = rewritten(pair, rewrite, used)
    series, first = Series(steps), None
    differing, elements, ulp = 0, 0, 0.0
    for step in range(1, steps + 1):
        advance(side, step)
        summaries = compared(side.read(), theirs.at(step))
        differing = sum(summary.differing for summary in summaries.values())
        elements = sum(summary.elements for summary in summaries.values())
        ulp = max([ulp, *(summary.ulp for summary in summaries.values())])
        for quantity, summary in summaries.items():
            series.note(step, quantity, summary)
        if on_rung:
            on_rung(rewrite.name, step)
        if differing and first is None:
            first = step
            if not whole:
                break
    return MeasuredRung(
        name=rewrite.name, differing=differing, elements=elements, max_ulp=ulp, first_step=first, series=series
    )


def rewritten(pair: Pair, rewrite: Rewrite, used: list[str] | None = None) -> Inspectable:
    """Our side, following `rewrite`; the primitives it evaluates are added to `used`, in order."""
    side = pair.ours()
    if rewrite.order is not None:
        side.rewrite(rewrite.order, noting(rewrite.ops, [] if used is None else used))
    return side


def left(pair: Pair, rewrite: Rewrite, rung: Rung) -> Finding | None:
    """The first element that differs on a rung: in the first stage that parts, its first line in formula order."""
    if rung.first_step is None:
        return None
    ours, theirs = rewritten(pair, rewrite), pair.theirs()
    for step in range(1, rung.first_step):
        advance(ours, step)
        advance(theirs, step)
    for stage in theirs.stages:
        ours.write(theirs.read().copy())
        ours.advance(stage, rung.first_step)
        theirs.advance(stage, rung.first_step)
        parted = parting(pair, stage, ours.read(), theirs)
        if parted:
            return in_words(pair, rung.first_step, stage, *parted)
    return None


def parting(pair: Pair, stage: str, ours: Snapshot, theirs: Side) -> tuple[str, str, Any, Any] | None:
    """Quantity, tensor and both arrays of the first line at which a stage parts."""
    other = theirs.read()
    apart = [
        (quantity, name, np.asarray(array), np.asarray(other[quantity][name]))
        for quantity, name, array in ours.each()
        if theirs.produces(stage, quantity, name)
        and differences({name: np.asarray(array)}, {name: other[quantity][name]})[name].differing
    ]
    lines = [pair.lines.get(quantity, quantity) for quantity, *_ in apart]
    places = [pair.order.index(line) if line in pair.order else -1 for line in lines]
    return apart[int(np.argmin(places))] if apart else None


def in_words(pair: Pair, step: int, stage: str, quantity: str, tensor: str, ours, theirs) -> Finding:
    places = differing(ours, theirs)
    line = pair.lines.get(quantity, quantity)
    known = {"step": step, "stage": stage, "line": line, "quantity": quantity, "tensor": tensor}
    return Finding.at(int(places[0]), ours, theirs, differing=places.size, **known)


def compared(ours: Snapshot, theirs: Snapshot) -> dict[str, Summary]:
    """Every quantity, over all its tensors."""
    check_names(ours, theirs)
    return {quantity: compared_bits(named, theirs[quantity]) for quantity, named in ours.items()}


def compared_bits(ours: dict[str, Array], theirs: dict[str, Array]) -> Summary:
    """A quantity; what is the same to the bit, as most of it is on the upper rungs, is not measured."""
    if all(np.asarray(array).tobytes() == np.asarray(theirs[name]).tobytes() for name, array in ours.items()):
        return Summary(elements=sum(np.size(array) for array in ours.values()))
    return summarise(differences(ours, theirs))


def beside_kernels(rewrite: Rewrite, names: Sequence[str], apart: set[str]) -> Rewrite:
    """`rewrite` with all of PyTorch's kernels; those that ever part from our primitive are added to `apart`."""

    def both(name: str) -> Callable[..., Any]:
        ours, theirs = getattr(rewrite.ops, name), getattr(kernels(), name)

        def evaluated(*operands, **settings):
            result = theirs(*operands, **settings)
            if name not in apart and np.asarray(ours(*operands, **settings)).tobytes() != result.tobytes():
                apart.add(name)
            return result

        return evaluated

    ops = rewrite.ops.replacing(**{name: both(name) for name in names})
    return Rewrite(message("rung.kernels", count=len(names)), rewrite.order, ops, tuple(names))


def noting(ops: Any, used: list[str]) -> Any:
    """`ops`, which adds the name of each primitive evaluated to `used`, once."""

    def noted(name: str) -> Callable[..., Any]:
        primitive = getattr(ops, name)

        def evaluated(*operands, **settings):
            if name not in used:
                used.append(name)
            return primitive(*operands, **settings)

        return evaluated

    return ops.replacing(**{name: noted(name) for name in primitives(ops)})


def primitives(ops: Any) -> list[str]:
    """The names of an arithmetic's operations, conversions between types left out."""
    arithmetic = importlib.import_module("reference.arithmetic").Arithmetic
    return [
        name for name in vars(arithmetic) if not name.startswith("_") and name not in ("replacing", "wide", "narrow")
    ]
