"""Times things in turns, so that what slows the machine down slows them all down."""

import time
from collections.abc import Callable, Iterator
from typing import NamedTuple


class Row(NamedTuple):
    """One line of the table: ours against another's, as they were measured, and the bound that was stated."""

    what: str
    ours: str
    other: str
    theirs: str
    found: str
    stated: str
    kept: bool


def fastest(work: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Seconds each of `work` takes, the least of `rounds`, after one that does not count: others only add to it."""
    times: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(rounds + 1):
        for name, do in work.items():
            start = time.perf_counter()
            do()
            times[name].append(time.perf_counter() - start)
    return {name: min(taken[1:]) for name, taken in times.items()}


def compared(
    what: str, work: dict[str, Callable[[], object]], bounds: dict[str, float], rounds: int = 9
) -> Iterator[Row]:
    """A row for each of the others: how many times as fast ours, the first of `work`, is.

    `bounds` has the least that is stated for another; one that is not in it is measured for information.
    """
    taken = fastest(work, rounds)
    first = next(iter(work))
    for other in list(work)[1:]:
        ratio = taken[other] / taken[first]
        stated = bounds.get(other)
        yield Row(
            what=what,
            ours=f"{taken[first] * 1e3:.1f} ms",
            other=other,
            theirs=f"{taken[other] * 1e3:.1f} ms",
            found=f"{ratio:.2f} x",
            stated="" if stated is None else f">= {stated:g} x",
            kept=stated is None or ratio >= stated,
        )
