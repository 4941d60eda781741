"""Curves of both sides, and below them how far they are apart."""

from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator

from reports.facts import apart
from reports.rails import lay, rails, trace
from reports.style import GREY, INK, NUMPY, TORCH, drawable

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")
MARKERS = ("o", "s", "^", "D", "v", "P")


class Curve(NamedTuple):
    """One quantity on both sides, under a name (empty where there is only one)."""

    name: str
    x: np.ndarray
    numpy: np.ndarray
    torch: np.ndarray


def over_difference(above: Axes, below: Axes, curves: list[Curve], *, log: bool = False) -> None:
    """The curves in `above`, |NumPy - PyTorch| in `below` on a log axis with rails."""
    order = sorted(curves, key=roughness, reverse=True)
    for place, curve in enumerate(curves):
        if len(curves) > 1:
            two_of_many(above, curve, place, 3 + [id(one) for one in order].index(id(curve)) / len(curves))
        else:
            above.plot(curve.x, curve.numpy, label=f"NumPy, ends at {curve.numpy[-1]:.6g}", **NUMPY)
            above.plot(curve.x, curve.torch, label=f"PyTorch, ends at {curve.torch[-1]:.6g}", **TORCH)
    values = np.concatenate([[*curve.numpy, *curve.torch] for curve in curves])
    values = values[np.isfinite(values)]
    if log and values.size and values.min() > 0:
        above.set_yscale("log")
        decades = np.log10(values.max() / values.min())
        above.yaxis.set_major_locator(LogLocator(subs=(1.0,) if decades > 2 else (1.0, 2.0, 5.0)))
        above.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        above.minorticks_off()
    difference(below, curves)


def roughness(curve: Curve) -> float:
    """How much it goes up and down: rough curves are drawn below smooth ones, which they would cover."""
    return float(np.nansum(np.abs(np.diff(curve.numpy[np.isfinite(curve.numpy)]))))


def two_of_many(axis: Axes, curve: Curve, place: int, layer: float) -> None:
    """NumPy as a line of its own colour and marker, PyTorch as a black dash over it, thin where lines are dense."""
    i, dense = place % len(COLOURS), len(curve.x) > 500
    every = max(1, len(curve.x) // 8)
    axis.plot(
        curve.x, curve.numpy, color=COLOURS[i], linewidth=1.8 if dense else 2.8, marker=MARKERS[i], markersize=6,
        markevery=(place * every // 5, every), markeredgecolor="white", markeredgewidth=0.5,
        label=f"{drawable(curve.name)}, {curve.numpy[-1]:.4g}", zorder=layer,
    )  # fmt: skip
    axis.plot(curve.x, curve.torch, color=INK, linestyle=(0, (3, 3)), linewidth=0.45 if dense else 0.9, zorder=layer)


def difference(axis: Axes, curves: list[Curve]) -> None:
    distances = [apart(curve.numpy, curve.torch) for curve in curves]
    scale = rails(*distances)
    lay(axis, scale)
    for place, (curve, distance) in enumerate(zip(curves, distances, strict=True)):
        i, several = place % len(COLOURS), len(curves) > 1
        every = max(1, len(curve.x) // 8)
        named: dict[str, Any] = {"marker": MARKERS[i], "markersize": 4, "markevery": (place * every // 5, every)}
        colour = COLOURS[i] if several else INK
        lane = 0.7 * (0.5 - (place + 0.5) / len(curves))
        trace(axis, curve.x, distance, scale, lane, color=colour, linewidth=1.1, **named if several else {})
    axis.set_title("|NumPy - PyTorch|", color=GREY, size=8.5)
