"""Local against accumulated: what each step adds to the drift, and what the problem makes of it.

A step from PyTorch's own state adds its defect, and a state that differs is carried into the steps after it. What the
steps make by themselves is measured by a run of ours on PyTorch's own gradients: if the problem multiplied nothing, the
drift could be no more than that run's, or than the sum of all defects; where it is more than both, the problem
multiplied. How it does is measured beside it: our own run again, from a start moved by one ulp, element by element up
or down. An element whose ways through the whole run lie as far from each other as they are long on average has no
digit that anybody could be right about: it is ill-conditioned.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from lockstep.cases import Case
from lockstep.errors import BadValue
from lockstep.explanation.ladder import advance
from lockstep.numerics.shapes import Array
from lockstep.records.kinds.growth import SERIES, Growth
from lockstep.subjects.registry import asked
from lockstep.subjects.side import Pair, Side
from lockstep.subjects.subject import Request
from lockstep.text import message

STARTS = 3  # starts beside ours; what the run makes of one could be small by chance
ADDED, MULTIPLIED, ILL = "added by the steps", "multiplied by the problem", "ill-conditioned"


def growth(
    subject: str,
    *,
    case: str | Case | None = None,
    problem: Any = None,
    steps: int | None = None,
    dtype: str | None = None,
    seed: int = 0,
    path: str | None = None,
    hyperparameters: Mapping[str, Any] | None = None,
    on_step: Callable[[int], Any] | None = None,
) -> Growth:
    """Separate the growth of the parameters' drift into what the steps add and what the problem multiplies.

    Arguments:
        subject, case, problem, steps, dtype, seed, path, hyperparameters, on_step: as for `lockstep.run`.

    Raises:
        ValueError, TypeError: for anything that makes no sense, before a step is taken; for a subject without
            parameters that move.
    """
    request = asked(subject, case, dtype, path, seed, steps, problem=problem, hyperparameters=hyperparameters)
    pair = request.pair()
    if "param" not in pair.ours().moving:
        raise BadValue(message("error.no-growth", subject=request.subject.path))
    return measured(pair, request.beside(pair), on_step)


def measured(pair: Pair, request: Request, on_step: Callable[[int], Any] | None) -> Growth:
    """All runs together, step by step."""
    steps = request.steps
    theirs, free, synced, led = pair.theirs(), pair.ours(), pair.ours(), pair.ours()
    beside = [nudged(pair.ours(), request.seed + number) for number in range(STARTS)]
    begin = params(free)
    begins = [params(side) for side in beside]
    start = largest(apart(other, begin) for other in begins)
    drift, alone, defect, spread = (np.zeros(steps) for _ in range(4))
    added = {name: np.zeros(array.shape) for name, array in begin.items()}
    for step in range(1, steps + 1):
        for stage in theirs.stages:
            now = theirs.read().copy()
            synced.write(now)
            synced.advance(stage, step)
            if stage == "update":
                led.write(led.read().copy() | {"grad": now.get("grad", {})})
            led.advance(stage, step)
            theirs.advance(stage, step)
        for side in (free, *beside):
            advance(side, step)
        made = apart(params(synced), params(theirs))
        added = {name: added[name] + made[name] for name in added}
        defect[step - 1] = largest([made])
        drift[step - 1] = largest([apart(params(free), params(theirs))])
        alone[step - 1] = largest([apart(params(led), params(theirs))])
        spread[step - 1] = largest(apart(params(side), params(free)) for side in beside)
        if on_step:
            on_step(step)
    end = params(free)
    drifted, carried = apart(end, params(theirs)), apart(params(led), params(theirs))
    added = {name: np.maximum(added[name], carried[name]) for name in added}
    ill = ill_conditioned([less(end, begin), *(less(params(s), b) for s, b in zip(beside, begins, strict=True))])
    kinds = {
        name: np.where(ill[name], ILL, np.where(drifted[name] <= added[name], ADDED, MULTIPLIED))[drifted[name] > 0]
        for name in end
    }
    worst = furthest(drifted, added, ill)
    return Growth(
        **request.header,
        arrays={f"growth/{name}": of for name, of in zip(SERIES, (drift, alone, defect, spread), strict=True)},
        start=start,
        differing=sum(kind.size for kind in kinds.values()),
        elements=sum(array.size for array in end.values()),
        classes={kind: sum(int((of == kind).sum()) for of in kinds.values()) for kind in (ADDED, MULTIPLIED, ILL)},
        worst=worst,
        worst_added=float(added[worst[0]][worst[1]]) if worst else 0.0,
        ill_conditioned={name: int(flags.sum()) for name, flags in ill.items()},
    )


def ill_conditioned(ways: list[dict[str, Array]]) -> dict[str, np.ndarray]:
    """Where the ways of several runs, alike but for an ulp, lie as far from each other as they are long on average."""
    flags = {}
    for name in ways[0]:
        each_way = np.stack([way[name] for way in ways])
        with np.errstate(invalid="ignore", over="ignore"):
            reach, way = np.ptp(each_way, axis=0), np.abs(each_way.mean(axis=0))
        alike = (each_way == each_way[0]).all(axis=0) | np.isnan(each_way).all(axis=0)
        flags[name] = ~alike & ~(reach < way)
    return flags


def furthest(drifted, added, ill) -> tuple[str, tuple[int, ...], str] | None:
    """The element that drifted furthest, and its kind."""
    tensor = max(drifted, key=lambda name: np.max(drifted[name], initial=0.0))
    if not np.any(drifted[tensor]):
        return None
    place = int(np.argmax(drifted[tensor]))
    index = tuple(int(k) for k in np.unravel_index(place, drifted[tensor].shape))
    kind = ILL if ill[tensor][index] else ADDED if drifted[tensor][index] <= added[tensor][index] else MULTIPLIED
    return tensor, index, kind


def nudged(side: Side, seed: int) -> Side:
    """The side, each of its parameters one ulp up or down."""
    quantities, rng = side.read().copy(), np.random.default_rng(seed)
    for name, array in quantities["param"].items():
        towards = np.where(rng.integers(0, 2, array.shape), np.inf, -np.inf).astype(array.dtype)
        quantities["param"][name] = np.nextafter(array, towards)
    side.write(quantities)
    return side


def params(side: Side) -> dict[str, np.ndarray]:
    return {name: np.array(array, np.float64) for name, array in side.read()["param"].items()}


def less(one: Mapping[str, Array], other: Mapping[str, Array]) -> dict[str, np.ndarray]:
    with np.errstate(invalid="ignore"):
        return {name: array - other[name] for name, array in one.items()}


def apart(one: Mapping[str, Array], other: Mapping[str, Array]) -> dict[str, np.ndarray]:
    """Tensor to the absolute difference of each element; what is no number on one side alone is infinitely far."""
    with np.errstate(invalid="ignore"):
        return {
            name: np.where(
                (array == other[name]) | (np.isnan(array) & np.isnan(other[name])),
                0.0,
                np.nan_to_num(np.abs(array - other[name]), nan=np.inf),
            )
            for name, array in one.items()
        }


def largest(differences) -> float:
    return max((float(np.max(array, initial=0.0)) for named in differences for array in named.values()), default=0.0)
