"""Curves of both sides, and below them how far they are apart."""

import itertools
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator

from lockstep.text.numbers import number
from reports import facts
from reports.facts import apart
from reports.figures.ends import End, name_ends
from reports.rails import MOST_POINTS, envelope, lay, rails, trace
from reports.style import CURVES, INK, MARKERS, OURS, PAPER, THEIRS

APART = "|Δ|"  # what is on the axis of every panel of differences; the captions say of what


class Curve(NamedTuple):
    """One quantity on both sides, under a name (empty where there is only one)."""

    name: str
    x: np.ndarray
    ours: np.ndarray
    theirs: np.ndarray


def over_difference(
    above: Axes, below: Axes, curves: Sequence[Curve], heights: tuple[float, float], *, log: bool = False
) -> None:
    """The curves in `above`, |NumPy - PyTorch| in `below` on a log axis with rails, their names at their ends.

    Arguments:
        heights: of the two axes, in points, about.
        log: whether the curves are on a log axis, which they are if all of them are positive.
    """
    values = np.concatenate([[*curve.ours, *curve.theirs] for curve in curves])
    values = values[np.isfinite(values)]
    if log and values.size and values.min() > 0:
        logarithmic(above, values)
    order = sorted(curves, key=roughness, reverse=True)
    for place, curve in enumerate(curves):
        if len(curves) > 1:
            two_of_many(above, curve, place, 3 + [id(one) for one in order].index(id(curve)) / len(curves))
        else:
            above.plot(*envelope(curve.x, curve.ours), label="NumPy", **OURS)
            above.plot(*envelope(curve.x, curve.theirs), label="PyTorch", **THEIRS)
    if len(curves) > 1:
        shades = itertools.cycle(CURVES)
        ends = [End(facts.last(curve.ours), curve.name, shade) for curve, shade in zip(curves, shades, strict=False)]
        name_ends(above, ends, heights[0])
    difference(below, curves)


def logarithmic(axis: Axes, values: np.ndarray) -> None:
    """A log axis whose ticks are read as they stand."""
    axis.set_yscale("log")
    decades = np.log10(values.max() / values.min())
    axis.yaxis.set_major_locator(LogLocator(subs=(1.0,) if decades > 2 else (1.0, 2.0, 5.0)))
    axis.yaxis.set_major_formatter(lambda value, _: number(value))
    axis.minorticks_off()


def roughness(curve: Curve) -> float:
    """How much it goes up and down: rough curves are drawn below smooth ones, which they would cover."""
    return float(np.nansum(np.abs(np.diff(curve.ours[np.isfinite(curve.ours)]))))


def two_of_many(axis: Axes, curve: Curve, place: int, layer: float) -> None:
    """NumPy as a line of its own colour and marker, PyTorch as a dark dash over it, thin where lines are dense."""
    i, dense = place % len(CURVES), len(curve.x) > 500
    axis.plot(
        *envelope(curve.x, curve.ours), color=CURVES[i], linewidth=1.2 if dense else 2.8, zorder=layer,
        **marked(place, min(len(curve.x), MOST_POINTS)),
    )  # fmt: skip
    axis.plot(
        *envelope(curve.x, curve.theirs),
        color=INK,
        linestyle=(0, (3, 3)),
        linewidth=0.35 if dense else 0.9,
        zorder=layer,
    )


def marked(place: int, count: int) -> dict[str, Any]:
    """A marker a curve, about eight of them, not at the same steps as the other curves'."""
    every = max(1, count // 8)
    return {
        "marker": MARKERS[place % len(MARKERS)], "markersize": 5.5, "markevery": (place * every // 5, every),
        "markeredgecolor": PAPER, "markeredgewidth": 0.5,
    }  # fmt: skip


def difference(axis: Axes, curves: Sequence[Curve]) -> None:
    distances = [apart(curve.ours, curve.theirs) for curve in curves]
    scale = rails(*distances)
    lay(axis, scale)
    for place, (curve, distance) in enumerate(zip(curves, distances, strict=True)):
        lane = 0.7 * (0.5 - (place + 0.5) / len(curves))
        several = marked(place, min(len(curve.x), MOST_POINTS)) | {"markersize": 4} if len(curves) > 1 else {}
        colour = CURVES[place % len(CURVES)] if several else INK
        trace(axis, curve.x, distance, scale, lane, color=colour, linewidth=1.0, **several)
    axis.set_ylabel(APART)


def columns(curves: Sequence[Curve], index: str = "t") -> dict[str, np.ndarray]:
    """The curves as a table, one below the other."""
    ours, theirs = np.concatenate([c.ours for c in curves]), np.concatenate([c.theirs for c in curves])
    table = {index: np.concatenate([c.x for c in curves]), "ours": ours, "theirs": theirs}
    names = {"curve": np.concatenate([np.full(len(c.x), c.name) for c in curves])} if len(curves) > 1 else {}
    return names | table | {"abs_difference": apart(ours, theirs)}
