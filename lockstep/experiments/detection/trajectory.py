"""Where a cause leads to: the wrong one and PyTorch's, each on its own way through the scenario that brings it out."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from lockstep.causes.cause import Cause, Scenario
from lockstep.causes.planting import plant
from lockstep.explanation.ladder import advance
from lockstep.subjects.registry import asked
from lockstep.subjects.side import Pair, Side

Named = Mapping[str, np.ndarray]


class Trajectory(NamedTuple):
    """Two free runs from one start, read at the element that is furthest apart at the end.

    quantity: which is looked at: the parameters, of a layer what shows the cause first. tensor, index: the element.
    ours, theirs: its value after each step. drift: the largest difference of the quantity after each step; infinite
    where one side is no number.
    """

    dtype: str
    quantity: str
    tensor: str
    index: tuple[int, ...]
    ours: np.ndarray
    theirs: np.ndarray
    drift: np.ndarray


def trajectory(cause: Cause, scenario: Scenario, steps: int, seed: int = 0) -> Trajectory:
    """The wrong one beside PyTorch's for so many steps, in the first dtype in which the cause can show."""
    request = asked(cause.subject, scenario.case, cause.dtypes[0], seed=seed)
    subject = request.subject
    pair = request.pair(plant(subject, [cause], subject.ours(request.case)))
    quantity = looked_at(pair, cause)
    with np.errstate(all="ignore"):  # a wrong formula may divide by zero
        ours, theirs = (way(side, steps, quantity) for side in (pair.ours(), pair.theirs()))
    distances = [apart(one, other) for one, other in zip(ours, theirs, strict=True)]
    drift = np.array([max(float(array.max(initial=0.0)) for array in named.values()) for named in distances])
    tensor, index = furthest(distances[-1] if drift[-1] else distances[int(np.argmax(drift))])
    one, other = (np.array([named[tensor][index] for named in run]) for run in (ours, theirs))
    return Trajectory(request.dtype, quantity, tensor, index, one, other, drift)


def looked_at(pair: Pair, cause: Cause) -> str:
    """The parameters where there are any that move, else the quantity in which the cause shows first."""
    if "param" in pair.lines:
        return "param"
    return next(quantity for quantity, line in pair.lines.items() if line == cause.first.line)


def way(side: Side, steps: int, quantity: str) -> list[Named]:
    """Copies of a quantity after each step."""
    states = []
    for step in range(1, steps + 1):
        advance(side, step)
        states.append({name: np.array(array) for name, array in side.read()[quantity].items()})
    return states


def apart(ours: Named, theirs: Named) -> Named:
    """|ours - theirs|; equal infinities and two NaNs agree, one alone is infinitely far."""
    distances = {}
    for name, array in ours.items():
        other = theirs[name]
        with np.errstate(invalid="ignore"):
            distance = np.abs(array.astype(np.float64) - other)
        agree = (array == other) | (np.isnan(array) & np.isnan(other))
        distances[name] = np.where(agree, 0.0, np.where(np.isnan(distance), np.inf, distance))
    return distances


def furthest(distances: Named) -> tuple[str, tuple[int, ...]]:
    """The tensor and the element of it that is furthest apart."""
    tensor = max(distances, key=lambda name: float(distances[name].max(initial=-1.0)))
    index = np.unravel_index(int(np.argmax(distances[tensor])), distances[tensor].shape)
    return tensor, tuple(int(k) for k in index)
