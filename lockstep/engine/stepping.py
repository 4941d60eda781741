"""Steps two sides together, free and resynchronised, and keeps what a verdict needs."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from lockstep.engine.guard import (
    PYTORCH,
    YOURS,
    Broken,
    Movement,
    check_dtypes,
    check_memory,
    check_names,
    check_start,
    dtypes,
)
from lockstep.engine.series import Series, differences, heat_row, summarise
from lockstep.numerics import formats
from lockstep.numerics.bounded import Bounded, OrdersDisagree, Undecided
from lockstep.numerics.difference import Difference
from lockstep.numerics.snapshot import Snapshot
from lockstep.numerics.verdict import Breakage, Finding, Judgement, Verdict, judge, worst
from lockstep.subjects.side import Bounds, Pair, Side
from lockstep.text import message

RUNS = (message("side.free"), message("side.resynchronised"))
KEPT = 32  # elements kept on either side of the worst one at the first difference


@dataclasses.dataclass
class Outcome:
    """Everything one run found, before it becomes a record."""

    steps: int
    drift: Series
    defect: Series
    verdict: Verdict = Verdict.IDENTICAL
    lines: dict[str, str] = dataclasses.field(default_factory=dict[str, str])  # quantity to its line of the formula
    equations: dict[str, str] = dataclasses.field(default_factory=dict[str, str])
    broken: Breakage | None = None
    first_difference: Finding | None = None  # the first step at which a bit differs after one step
    evidence: Finding | None = None  # the first step with the run's verdict
    closest_call: Finding | None = None  # the largest share of an allowance used
    first_drift: int | None = None
    window: dict[str, np.ndarray] = dataclasses.field(default_factory=dict[str, np.ndarray])
    traces: dict[str, np.ndarray] = dataclasses.field(default_factory=dict[str, np.ndarray])
    verdicts: dict[str, Verdict] = dataclasses.field(default_factory=dict[str, Verdict])  # quantity to its worst
    sides: dict[str, Side] = dataclasses.field(
        default_factory=dict[str, Side]
    )  # the free ones, as the last step left them

    @property
    def used(self) -> float:
        """The largest share of its allowance that any element used."""
        return self.closest_call.used if self.closest_call else 0.0


def run_pair(
    pair: Pair,
    steps: int,
    on_step: Callable[[int], Any] | None = None,
    *,
    judge_every: int = 1,
    drift_every: int = 1,
) -> Outcome:
    """Run `pair` for `steps` steps in both modes at once.

    Arguments:
        pair: both sides and their arbiter.
        steps: how many.
        on_step: called with the number of each finished step.
        judge_every: resynchronise and judge the first step and every so-manyth; between them the free runs
            alone go on, and the defect's series hold NaN.
        drift_every: compare the free runs after the first step, every so-manyth and the last; between them the
            drift's series hold NaN. Loss and path are traced at every step.

    Three sides walk: theirs on its own way; a free one of ours on its own way, whose difference is the
    drift; and a resynchronised one of ours, which before every stage takes over their quantities, and
    whose difference after the stage is the defect.
    """
    outcome = Outcome(steps, Series(steps), Series(steps), lines=dict(pair.lines), equations=dict(pair.equations))
    try:
        theirs, free, synced = pair.theirs(), pair.ours(), pair.ours()
        check_start(free.read(), theirs.read())
        check_memory(synced.read(), theirs.read())
        check_memory(free.read(), synced.read(), RUNS)
        movements = [Movement(name, side.moving, side.read()) for name, side in ((YOURS, free), (PYTORCH, theirs))]
        outcome.sides = {"ours": free, "theirs": theirs}
        tracer = Tracer(steps, free, theirs)
        for step in range(1, steps + 1):
            judged = step == 1 or step % judge_every == 0
            if judged or step % drift_every == 0 or step == steps:
                step_all(pair, step, theirs, free, synced if judged else None, outcome)
                note_drift(step, free.read(), theirs.read(), outcome)
            else:
                take_step(step, theirs, free)
            for stage in () if judged else getattr(synced, "unmissed", ()):
                synced.advance(stage, step)
            for movement, side in zip(movements, (free, theirs), strict=True):
                if movement.start:
                    movement.watch(side.read())
            tracer.note(step, outcome)
            if on_step:
                on_step(step)
        for movement in movements if not pair.still else ():
            movement.check()
        if not pair.still and not any(np.nansum(columns["elements"]) for columns in outcome.defect.columns.values()):
            raise Broken("nothing-compared", message("broken.not-one"))
    except Broken as broken:
        outcome.verdict = Verdict.BROKEN
        outcome.broken = Breakage(id=broken.cause, message=broken.said)
    except OrdersDisagree as disagreement:
        outcome.verdict = Verdict.BROKEN
        outcome.broken = Breakage(id="orders-disagree", message=disagreement.said)
    return outcome


class Tally:
    """One quantity over all stages of a step."""

    def __init__(self):
        self.parts: dict[str, Difference] = {}
        self.judged: list[Judgement] = []
        self.bands: list[float] = []
        self.rows: list[np.ndarray] = []


def take_step(step: int, *sides: Side) -> None:
    """One step of each side, without measuring anything."""
    for side in sides:
        for stage in side.stages:
            side.advance(stage, step)


def step_all(pair: Pair, step: int, theirs: Side, free: Side, synced: Side | None, outcome: Outcome) -> None:
    """One step of all sides; with `synced`, compared stage by stage."""
    tallies: dict[str, Tally] = {}
    sides = [(PYTORCH, theirs), (YOURS, free), *([(YOURS, synced)] if synced else [])]
    kinds = [dtypes(side.read()) for _, side in sides]
    after: list[Snapshot] = []
    for stage in theirs.stages:
        before = theirs.read().copy() if synced else Snapshot()
        if synced:
            synced.write(before)
        for _, side in sides:
            side.advance(stage, step)
        if synced or stage == theirs.stages[-1]:
            after = [side.read() for _, side in sides]
            for (name, _), before_it, now in zip(sides, kinds, after, strict=True):
                check_dtypes(name, before_it, now)
        if synced:
            ours, other = made(theirs, stage, after[-1]), made(theirs, stage, after[0])
            check_names(ours, other)
            compare_stage(pair, stage, step, before, ours, other, tallies, outcome)
    for quantity, tally in tallies.items():
        note_quantity(step, quantity, tally, outcome)
    if synced:
        check_memory(after[-1], after[0])
        check_memory(after[1], after[-1], RUNS)


def note_drift(step: int, ours: Snapshot, other: Snapshot, outcome: Outcome) -> None:
    """How far the free runs are apart after a step."""
    check_names(ours, other)
    check_memory(ours, other)
    for quantity in ours:
        parts = differences(ours[quantity], other[quantity])
        summary = summarise(parts)
        outcome.drift.note(step, quantity, summary)
        if summary.differing:
            rows = [
                heat_row(np.asarray(ours[quantity][name]), np.asarray(other[quantity][name]), part)
                for name, part in parts.items()
            ]
            outcome.drift.warm(step, quantity, rows)
            outcome.first_drift = outcome.first_drift or step


def made(side: Side, stage: str, quantities: Snapshot) -> Snapshot:
    """What `stage` produced of them."""
    return quantities.picked(lambda quantity, name: side.produces(stage, quantity, name))


def compare_stage(
    pair: Pair,
    stage: str,
    step: int,
    before: Snapshot,
    ours: Snapshot,
    theirs: Snapshot,
    tallies: dict[str, Tally],
    outcome: Outcome,
) -> None:
    """The defect of one stage: what one step from the same place makes of it on either side."""
    parts = {quantity: differences(ours[quantity], theirs[quantity]) for quantity in ours}
    differing = any(part.differing for named in parts.values() for part in named.values())
    exact = arbitrated(pair, stage, step, before, ours) if differing and pair.exact else {}
    judged: list[Judgement] = []
    for quantity, named in parts.items():
        tally = tallies.setdefault(quantity, Tally())
        bounds = exact.get(quantity, {})
        line = pair.lines.get(quantity, quantity)
        for name, part in named.items():
            a, b = np.asarray(ours[quantity][name]), np.asarray(theirs[quantity][name])
            tally.rows.append(heat_row(a, b, part))
            if part.differing:
                tally.judged.append(judge(step, quantity, name, line, a, b, bounds.get(name)))
                judged.append(tally.judged[-1])
        tally.parts |= named
        tally.bands += [float(np.max(bound.error)) for bound in bounds.values() if bound.size]
    note_findings(pair, judged, ours, theirs, outcome)


def arbitrated(pair: Pair, stage: str, step: int, before: Snapshot, made: Snapshot) -> Bounds:
    """The exact result and its allowance of all that a stage made; where rounding decides which, nothing is known."""
    assert pair.exact
    try:
        return pair.exact(stage, step, before)
    except Undecided:
        return {
            quantity: {
                name: Bounded(np.full(np.shape(array), np.nan), np.float64, error=np.inf)
                for name, array in named.items()
            }
            for quantity, named in made.items()
        }


def note_quantity(step: int, quantity: str, tally: Tally, outcome: Outcome) -> None:
    outcome.defect.note(
        step,
        quantity,
        summarise(tally.parts),
        used=max((j.used for j in tally.judged), default=0.0),
        undecided=sum(j.undecided for j in tally.judged),
        band=max(tally.bands, default=np.nan),
        nearer_ours=sum(j.nearer_ours for j in tally.judged),
        nearer_theirs=sum(j.nearer_theirs for j in tally.judged),
    )
    if tally.judged:
        outcome.defect.warm(step, quantity, tally.rows)
    before = outcome.verdicts.get(quantity, Verdict.IDENTICAL)
    outcome.verdicts[quantity] = worst([before, *(j.verdict for j in tally.judged)])


def note_findings(pair: Pair, judged: list[Judgement], ours: Snapshot, theirs: Snapshot, outcome: Outcome) -> None:
    """Keep the first difference, the first of the worst verdict, and the closest call."""
    if not judged:
        return
    in_order = sorted(judged, key=lambda j: pair.order.index(j.finding.line) if j.finding.line in pair.order else -1)
    if outcome.first_difference is None:
        outcome.first_difference = in_order[0].finding
        outcome.window.update(window("first_difference", in_order[0].finding, ours, theirs))
    step_verdict = worst(j.verdict for j in judged)
    if outcome.evidence is None or step_verdict.severity > outcome.verdict.severity:
        outcome.verdict = worst([outcome.verdict, step_verdict])
        outcome.evidence = next(j.finding for j in in_order if j.verdict is step_verdict)
        outcome.window.update(window("evidence", outcome.evidence, ours, theirs))
    closest = max(judged, key=lambda j: j.used).finding
    if outcome.closest_call is None or closest.used > outcome.closest_call.used:
        outcome.closest_call = closest


def window(label: str, finding: Finding, ours: Snapshot, theirs: Snapshot) -> dict[str, np.ndarray]:
    """The values of both sides around the element of a finding, in every quantity that has its tensor."""
    flat = int(np.ravel_multi_index(finding.index, finding.shape)) if finding.shape else 0
    around = slice(max(0, flat - KEPT), flat + KEPT + 1)
    return {
        f"{label}/{side}/{quantity}": formats.storable(np.asarray(array).reshape(-1)[around].copy())
        for side, quantities in (("ours", ours), ("theirs", theirs))
        for quantity, name, array in quantities.each()
        if name == finding.tensor
    }


class Tracer:
    """Records what is small enough to keep whole: the loss, and the path of a few parameters."""

    LARGEST_PATH = 4

    def __init__(self, steps: int, free: Side, theirs: Side):
        self.sides = {"ours": free, "theirs": theirs}
        self.steps = steps
        self.note_start(free)

    def note_start(self, free: Side) -> None:
        self.start = self.small(free.read())

    def small(self, quantities: Snapshot) -> np.ndarray | None:
        arrays = [np.asarray(array).reshape(-1) for array in quantities.get("param", {}).values()]
        return np.concatenate(arrays) if 0 < sum(array.size for array in arrays) <= self.LARGEST_PATH else None

    def note(self, step: int, outcome: Outcome) -> None:
        for label, side in self.sides.items():
            for name, value in side.traces().items():
                trace = outcome.traces.setdefault(f"{name}/{label}", np.full(self.steps, np.nan))
                trace[step - 1] = value
            small = None if self.start is None else self.small(side.read())
            if small is not None:
                path = outcome.traces.setdefault(f"path/{label}", np.full((self.steps + 1, small.size), np.nan))
                path[0], path[step] = self.start, small
