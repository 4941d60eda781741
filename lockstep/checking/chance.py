"""Judges what a layer draws by itself: its masks, by exact counts.

Units that are kept with probability 1 - p, each by itself, make every count below binomial: how many are kept, how many
agree with the unit so many calls, rows, columns or channels further on (each unit in one pair alone), how often two
calls, rows or columns keep equally many, how many units are the same in every call. A count that is rarer than all of
them together may be is no chance.
"""

import dataclasses
import math
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from lockstep.numerics.counts import FALSE_ALARM, log_allowed, log_tail, same_count
from lockstep.numerics.shapes import Stack
from lockstep.text import Message, message

AXES = ("call", "row", "column", "height", "width")  # of masks on top of each other
CHANNELS = ("call", "sample", "channel", "height", "width")


@dataclasses.dataclass(frozen=True)
class Count:
    """So many of so many, where each is one with this probability.

    kind: "rate", "pairs", "totals" or "constant". axis, lag: along which and how far apart pairs are, or what totals
    are of. size: how many units a total is of, or how many calls a unit is the same in.
    """

    kind: str
    p: float
    count: int
    trials: int
    probability: float
    axis: str = ""
    lag: int = 0
    size: int = 0

    @property
    def log_chance(self) -> float:
        """The logarithm of how rare it is, or rarer."""
        return log_tail(self.count, self.trials, self.probability)


class Judged(NamedTuple):
    """counts: all of them. refuted: those that are no chance, the plainest first."""

    counts: list[Count]
    refuted: list[Count]


def judge(masks: Mapping[float, list[Stack]]) -> Judged:
    """All counts of all masks of a check; `masks` are p to stacks (calls first) of 1 and 0."""
    counts = [count for p, stacks in masks.items() for kept in stacks for count in counts_of(p, kept.astype(bool))]
    allowed = log_allowed(max(1, len(counts)))
    return Judged(counts, [count for count in counts if count.log_chance < allowed])


def counts_of(p: float, kept: Stack) -> Iterator[Count]:
    """Of masks drawn one after the other, in the order in which one is the simpler explanation."""
    keep = 1 - p
    yield Count("rate", p, int(kept.sum()), kept.size, keep)
    if keep in (0, 1):
        return
    names = AXES if kept.ndim < 4 else CHANNELS
    alike = keep * keep + p * p
    for axis, name in enumerate(names[: kept.ndim]):
        for lag in range(1, kept.shape[axis] // 2 + 1):
            agree = kept_alike(np.moveaxis(kept, axis, 0), lag)
            yield Count("pairs", p, int(agree.sum()), agree.size, alike, name, lag)
    for axes in ((0,), *((0, axis) for axis in range(1, min(kept.ndim, 3)))):
        totals = kept.sum(axis=tuple(other for other in range(kept.ndim) if other not in axes)).reshape(-1)
        pairs = totals[: totals.size // 2 * 2].reshape(-1, 2)
        size = kept.size // totals.size
        equal = int((pairs[:, 0] == pairs[:, 1]).sum())
        yield Count("totals", p, equal, len(pairs), same_count(size, keep), names[axes[-1]], size=size)
    constant = kept.all(axis=0) | ~kept.any(axis=0)
    always = keep ** len(kept) + p ** len(kept)
    yield Count("constant", p, int(constant.sum()), constant.size, always, size=len(kept))


def kept_alike(kept: Stack, lag: int) -> np.ndarray:
    """Whether units `lag` apart along the first axis are one as the other; each unit is in one pair at most."""
    first = np.arange(len(kept) - lag)
    first = first[first // lag % 2 == 0]
    return kept[first] == kept[first + lag]


def different(judged: Judged) -> tuple[str, Message] | None:
    """What the counts refute, plainly: an id and a message; None where they refute nothing."""
    if not judged.refuted:
        return None
    rates = [count for count in judged.refuted if count.kind == "rate"]
    drawn = [count for count in judged.counts if count.kind == "rate"]
    constant = all(count.count in (0, count.trials) for count in drawn if 0 < count.p < 1)
    shared = [count for count in judged.refuted if count.kind == "pairs" and count.count == count.trials]
    if rates and (constant or not shared):
        return by_rate(rates, drawn)
    first = (shared or judged.refuted)[0]
    values = {"count": first.count, "trials": first.trials, "expected": first.trials * first.probability, "p": first.p}
    rare = {"digits": -first.log_chance / math.log(10)}
    if first.kind == "constant" and first.count < first.trials:
        return "mask-constant", message("chance.constant", calls=first.size, **values)
    if first.kind == "totals":
        return "mask-counted", message(f"chance.totals.{first.axis}", size=first.size, **values, **rare)
    if first.count == first.trials:
        axes = {count.axis for count in shared}
        whole = "channels" if first.axis == "height" and "width" in axes else first.axis
        return "mask-shared", message(f"chance.same.{whole}", **values)
    return "mask-dependent", message(
        "chance.pairs", axis=message(f"chance.axis.{first.axis}"), lag=first.lag, **values, **rare
    )


def by_rate(rates: list[Count], drawn: list[Count]) -> tuple[str, Message]:
    """What a wrong share of kept units is."""
    first = rates[0]
    values = {"count": first.count, "trials": first.trials, "expected": first.trials * first.probability, "p": first.p}
    random = [count for count in drawn if 0 < count.p < 1]
    if random and all(count.count == count.trials for count in random):
        return "nothing-dropped", message("chance.nothing-dropped", **values)
    if random and all(count.count == 0 for count in random):
        return "everything-dropped", message("chance.everything-dropped", **values)
    allowed = log_allowed(len(drawn))
    if all(log_tail(count.count, count.trials, count.p) >= allowed for count in random):
        return "keep-for-drop", message("chance.complement", **values)
    return "drop-rate", message(
        "chance.rate", share=first.count / first.trials, digits=-first.log_chance / math.log(10), **values
    )


def agrees(judged: Judged) -> Message:
    """What rests on counts: how many were kept of how many, and how sure that is.

    apart: how far a share has to be from 1 - p to be missed as rarely as it is accused falsely, by Hoeffding's bound.
    """
    rates = [count for count in judged.counts if count.kind == "rate" and 0 < count.p < 1]
    shares = [
        message(
            "chance.kept", p=count.p, count=count.count, trials=count.trials, expected=count.trials * count.probability
        )
        for count in rates
    ]
    allowed = log_allowed(max(1, len(judged.counts)))
    apart = max((2 * math.sqrt((math.log(2) - allowed) / (2 * count.trials)) for count in rates), default=1.0)
    return message("chance.agrees", kept=shares, counts=len(judged.counts), false=FALSE_ALARM, apart=apart)
