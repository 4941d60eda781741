"""Fast replays: which hypotheses are worth a replay with bounds, and which number a free one must have.

Nothing is decided here. A hypothesis is kept while what it predicts is within `LIMIT` roundings of what was
observed, and a number is solved for until the two meet; `lockstep.diagnosis` then replays what is left on
numbers that carry their error.
"""

import dataclasses
import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from lockstep.causes.cause import Cause
from lockstep.causes.planting import of_shapes
from lockstep.causes.source import BadEdit
from lockstep.diagnose.replay import Observed, observe, planted
from lockstep.numerics import formats
from lockstep.numerics.shapes import Array, Flat, Rows
from lockstep.recordings.recording import Recording

# Roundings, of a number and of its tensor's largest change together, beyond which a hypothesis is dropped. Honest
# runs need tens; the smallest cause of the catalogue makes 1e4 of them in float64.
LIMIT = 1000.0

UNIT = frozenset(
    {"beta1", "beta2", "rho", "alpha", "momentum", "mu", "rate", "rate_at_once"}
)  # free numbers that lie between 0 and 1
COUNTS = frozenset({"every"})  # those that are whole
POINTS, ROUNDS, AHEAD = 33, 12, 3  # of a search: points a round; steps that are looked at after the first to differ

# what a hypothesis raises that makes no sense here: two edits of one line, a division by 0, state that is not there
CANNOT = (BadEdit, ArithmeticError, TypeError, AttributeError)  # the last of a line that the way there does not keep

Hypothesis = tuple[Cause, ...]


def strain(held: Array, predicted: Array, size: float) -> np.ndarray:
    """How far a prediction is off, element by element, in roundings of what was found and of its largest change."""
    room = formats.of(held.dtype).unit * (np.abs(held.astype(np.float64)) + size) + np.finfo(np.float64).tiny
    with np.errstate(all="ignore"):
        apart = np.abs(held - predicted) / room
    agree = (held == predicted) | (np.isnan(held) & np.isnan(predicted))
    return np.where(agree, 0.0, np.where(np.isnan(apart), np.inf, apart))


class Screen:
    """Drops hypotheses that cannot be meant, each on the recording that has dropped most so far.

    Arguments:
        recordings: all that has to be explained, those that drop most expected first.
        fitting: whether a recording is within `LIMIT` roundings of a hypothesis.
    """

    def __init__(self, recordings: Sequence[Recording], fitting: Callable[[Recording, Hypothesis], bool]):
        self.order, self.fitting = list(recordings), fitting

    def keeps(self, causes: Hypothesis) -> bool:
        """Whether every recording is within `LIMIT` roundings of the hypothesis."""
        for place, recording in enumerate(self.order):
            if not self.fitting(recording, causes):
                self.order.insert(0, self.order.pop(place))
                return False
        return True


def fits(recording: Recording, causes: Hypothesis) -> bool:
    """Whether the recording is within `LIMIT` roundings of the hypothesis; False where it cannot be planted."""
    try:
        with np.errstate(all="ignore"):
            return not any(far(one) for one in observe(recording, causes, {}, bounded=False))
    except CANNOT:
        return False


def near_quantities(recording: Recording, causes: Hypothesis) -> set[str]:
    """Which quantities of the recording are within `LIMIT` roundings of the hypothesis throughout."""
    worst: dict[str, float] = {}
    try:
        with np.errstate(all="ignore"):
            for seen in observe(recording, causes, {}, bounded=False):
                worst[seen.quantity] = max(worst.get(seen.quantity, 0.0), largest(seen))
    except CANNOT:
        return set()
    return {quantity for quantity, strained in worst.items() if strained <= LIMIT}


def apart(recording: Recording, causes: Hypothesis) -> float:
    """By how many roundings the recording and the hypothesis differ, at most."""
    try:
        with np.errstate(all="ignore"):
            return max((largest(one) for one in observe(recording, causes, {}, bounded=False)), default=0.0)
    except CANNOT:
        return np.inf


def far(one: Observed) -> bool:
    return largest(one) > LIMIT


def largest(seen: Observed) -> float:
    """The strain of a tensor, where it can be told."""
    if len(seen.predicted) > 1:
        return 0.0  # kept at a scale of its own, which only the replay as a whole can tell
    predicted = np.asarray(seen.predicted[""])
    undefined = np.isnan(seen.found) != np.isnan(predicted)
    if undefined.any() and not undefined.all():
        return 0.0  # the root of what cancelled: a matter of rounding, on either side
    return float(np.max(strain(seen.found, predicted, seen.size), initial=0.0))


# Numbers that are solved for


def solve(recording: Recording, causes: Hypothesis, name: str, until: int, around: float | None = None) -> float | None:
    """The number at which the hypothesis meets the recording, or None where it never comes near.

    Arguments:
        recording: one that the number makes a difference to.
        causes: one of them `opened`, with `name` as its free number.
        name: of the number.
        until: the first step that differs; a few more are looked at.
        around: search near this number only.
    """
    with np.errstate(all="ignore"):  # what is no number is weeded out
        return seek(lambda numbers: curve(recording, causes, name, numbers, until + AHEAD), name, around)


def seek(off_at: Callable[[Flat], Rows], name: str, around: float | None = None) -> float | None:
    """The number at which nothing is off by more than `LIMIT`, or None.

    Arguments:
        off_at: numbers to a row each of by how many roundings each element is off, signed.
        name: of the number. around: as of `solve`.
    """
    grid = around * np.linspace(1 - 1e-3, 1 + 1e-3, POINTS) if around else first_grid(name)
    last = worst = np.inf
    number = float(grid[0])
    for turn in range(ROUNDS):
        off = off_at(grid)
        if turn == 0 and (off == off[0]).all():
            return None  # the number makes no difference here
        cost = np.mean(np.log1p(np.minimum(np.abs(off), 1e300)), axis=1)
        best = int(np.argmin(cost))
        worst = float(np.max(np.abs(off[best]), initial=0.0))
        low, high = max(best - 1, 0), min(best + 1, len(grid) - 1)
        number, spacing = float(grid[best]), float(grid[high] - grid[low]) / (high - low)
        if worst < 1 or spacing <= 2 * np.spacing(number):
            return number
        if turn >= 2 and worst > LIMIT and worst > last / 2:
            return None
        last = worst
        if turn == 0 and around is None:
            grid = np.linspace(grid[low], grid[high], 2 * POINTS - 1)
            continue
        number = descend(number, off[best], (off[high] - off[low]) / (grid[high] - grid[low]))
        number = min(max(number, float(grid[low])), float(grid[high]))
        relative = spacing / abs(number) if number else 1.0
        width = spacing * min(1 / 8, max(10 * relative, 1e-6))
        grid = number + np.linspace(-width, width, POINTS // 2 * 2 + 1)
    return number if worst <= LIMIT else None


def descend(number: float, off: Flat, slope: Flat) -> float:
    """Gauss and Newton's step: where straight lines come nearest to 0, the steepest weighing most."""
    known = np.isfinite(off) & np.isfinite(slope)
    off, slope = off[known], slope[known]
    weight = float(np.sum(slope * slope))
    return number - float(np.sum(off * slope)) / weight if 0 < weight < np.inf else number


def first_grid(name: str) -> np.ndarray:
    """Where to look at first: at counts, from 0 to nearly 1, closest at 1, or six numbers a decade."""
    if name in COUNTS:
        return np.arange(2.0, 67.0)
    return 1 - np.logspace(0, -7, 85) if name in UNIT else np.logspace(-30, 6, 217)


def sensitivity(recording: Recording, causes: Hypothesis, name: str, number: float, until: int) -> float:
    """By how many roundings the recording would differ for a thousandth more of the number."""
    try:
        off = curve(recording, causes, name, np.array([number, number * 1.001]), until + AHEAD)
    except CANNOT:
        return 0.0
    with np.errstate(invalid="ignore"):
        change = np.abs(off[1] - off[0])
    return float(np.max(change[np.isfinite(change)], initial=0.0))


def matters(recording: Recording, cause: Cause) -> bool:
    """Whether any value of the free number of the cause makes a difference to the recording; True if nobody knows."""
    ((name, seen),) = cause.free.items()
    numbers = np.array([seen, seen * 1.001, *first_grid(name)[[0, -1]]])
    try:
        off = curve(recording, (cause.opened(),), name, numbers, len(recording.steps))
    except CANNOT:
        return True
    return bool((off != off[0]).any())


def quantities_felt(recording: Recording, causes: Hypothesis, name: str, number: float) -> set[str]:
    """Which quantities of a layer differ by more than `LIMIT` roundings for a thousandth more of the number."""
    *others, opened = causes
    with np.errstate(all="ignore"):  # a wrong formula may divide by zero
        runs = [
            observe(recording, (*others, opened.solved(**{name: value})), {}, bounded=False)
            for value in (number, number * 1.001)
        ]
        return {
            seen.quantity
            for seen, other in zip(*runs, strict=True)
            if np.any(strain(floats(seen.predicted[""]), floats(other.predicted[""]), seen.size) > LIMIT)
        }


def floats(value: Any) -> np.ndarray:
    """A line as float64, whatever a wrong formula makes of it."""
    return np.asarray(value, np.float64)


def curve(recording: Recording, causes: Hypothesis, name: str, numbers: Flat, steps: int) -> np.ndarray:
    """How far each element of the first `steps` is off for each of the numbers, signed, in roundings."""
    together = recording.holds == "steps" and by_element(planted(recording.subject, "", ())) and not of_shapes(causes)
    made = optimizer_curve if together else one_by_one
    with np.errstate(all="ignore"):
        parts = list(made(recording, causes, f"free_{name}", numbers, steps))
    off = np.concatenate(parts, axis=1) if parts else np.zeros((len(numbers), 0))
    return np.where(np.isnan(off), np.inf, off)


class Grid(np.ndarray):
    """Many numbers where a formula expects one; true where any of them is."""

    def __bool__(self) -> bool:
        return bool(np.asarray(self).any())


class OfEachNumber(np.ndarray):
    """A tensor once for each of many numbers, one a row: what is made of a whole tensor is made of each row."""

    def sum(self, *_: Any, **__: Any) -> Any:
        return np.asarray(self).sum(axis=1, keepdims=True).view(OfEachNumber)

    def mean(self, *_: Any, **__: Any) -> Any:
        return np.asarray(self).mean(axis=1, keepdims=True).view(OfEachNumber)

    def max(self, *_: Any, **__: Any) -> Any:
        return np.asarray(self).max(axis=1, keepdims=True).view(OfEachNumber)


def optimizer_curve(recording: Recording, causes: Hypothesis, name: str, numbers, steps: int) -> Iterator[np.ndarray]:
    """All numbers at once: every tensor is laid out once for each of them."""

    def spread(array):
        return np.tile(np.asarray(array, np.float64).reshape(1, -1), (len(numbers), 1)).view(OfEachNumber)

    kind = planted(recording.subject, "", causes)
    side = kind(
        {name: np.array(array) for name, array in recording.steps[0].before.items()}, **recording.hyperparameters
    )
    side.formula = functools.partial(kind.ORDERS["paper"], **{name: numbers[:, None].view(Grid)})
    fresh = {tensor: dict(entries) for tensor, entries in side.state.items()}
    for key, named in recording.start.items():
        for tensor, array in named.items():
            fresh[tensor][key] = array
    for tensor, entries in fresh.items():
        counts = {key: array for key, array in entries.items() if key in side.STATE and side.STATE[key].kind == "count"}
        side.state[tensor] = counts | {
            key: None if array is None else spread(array) for key, array in entries.items() if key not in counts
        }
    now = recording.hyperparameters
    for step in recording.steps[:steps]:
        for key, value in step.hyperparameters.items():
            if now.get(key) != value:
                side.set(key, value)
        now = step.hyperparameters
        side.params = {tensor: spread(array) for tensor, array in step.before.items()}
        side.step({tensor: None if grad is None else spread(grad) for tensor, grad in step.grads.items()})
        for tensor, held in step.after.items():
            size = np.max(np.abs(held.astype(np.float64) - step.before[tensor]), initial=0)
            yield signed(held, side.params[tensor], size)
        for key, named in step.state.items():
            if key in side.STATE and side.STATE[key].kind != "count" and recording.names.get(key, key) == key:
                for tensor, held in named.items():
                    predicted = side.state[tensor].get(key)
                    if predicted is not None:
                        yield signed(held, predicted, np.max(np.abs(held), initial=0))


def by_element(kind: Any) -> bool:
    """Whether an optimizer's formula is one of single elements, each stepped by itself."""
    return kind.ELEMENTWISE and kind.SPARSE != "alone"


def one_by_one(recording: Recording, causes: Hypothesis, name: str, numbers, steps: int) -> Iterator[np.ndarray]:
    """One number after the other, where the formula is not one of single elements."""
    few = dataclasses.replace(recording, steps=recording.steps[:steps])
    rows = []
    for number in numbers:
        seen = observe(few, causes, {}, bounded=False, free={name: float(number)})
        parts = [signed(one.found, np.asarray(one.predicted[""])[None], one.size) for one in seen]
        rows.append(np.concatenate(parts, axis=1)[0])
    longest = max(map(len, rows))  # of what a number leads elsewhere nothing is known from there on
    yield np.stack([np.pad(row, (0, longest - len(row)), constant_values=np.inf) for row in rows])


def signed(found: Array, predicted: Any, size: float) -> np.ndarray:
    """A row a number: by how many roundings each element is off, upwards or downwards."""
    flat = found.reshape(1, -1)
    rows = np.asarray(predicted, np.float64).reshape(len(predicted), -1)
    return np.copysign(strain(flat, rows, float(size)), rows - flat)


def round_numbers(number: float, name: str) -> list[float]:
    """Numbers near `number` that somebody may have written down, the shortest first; itself last."""
    rounded = []
    for digits in range(1, 7):
        rounded.append(float(f"{number:.{digits}g}"))
        if name in UNIT:
            rounded.append(float(f"{1 - float(f'{1 - number:.{digits}g}'):.12g}"))
    rounded.append(float(np.float32(number)))
    return [*dict.fromkeys(one for one in rounded if abs(one - number) <= 0.1 * abs(number)), number]
