"""Both paths over the contours of a function of two variables, coloured by how far they are apart."""

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from lockstep.record import Record
from reports import facts
from reports.rails import Rails, lay, rails
from reports.style import GREY, INK, RULE, TORCH, WIDTH, drawable, headed, styled
from reports.words import count, number

NAME = "path"
READ = (
    "Left: NumPy's steps as dots, coloured by their distance to PyTorch's (hollow: identical), PyTorch's path dashed. "
    "Right: that distance, step by step, in the same colours; the grey rail is zero."
)
LEVELS = 14
LEGEND = {"frameon": True, "framealpha": 0.85, "edgecolor": "none"}


def applies(record: Record) -> bool:
    paths = facts.sides(record, "trace/path")
    return paths is not None and paths[0].shape[1] == 2


def distances(record: Record) -> np.ndarray:
    """The Euclidean distance of the paths, the start included."""
    ours, theirs = record.arrays["trace/path/numpy"], record.arrays["trace/path/torch"]
    parts = facts.apart(np.asarray(ours, np.float64), np.asarray(theirs, np.float64))
    return np.hypot(parts[:, 0], parts[:, 1])


def finding(record: Record) -> str:
    distance = distances(record)
    steps = count(record["steps"], "step")
    if not (distance > 0).any():
        return f"after {steps} the paths are not a bit apart"
    since = f"first apart at step {int(np.argmax(distance > 0))}"
    if not np.isfinite(distance[-1]):
        return f"after {steps} the paths are infinitely far apart; {since}"
    if not distance[-1]:
        return f"after {steps} the paths are together again, at most {number(distance.max())} apart; {since}"
    moved = facts.last(np.hypot(*np.diff(record.arrays["trace/path/numpy"].astype(np.float64), axis=0).T))
    share = f", {number(distance[-1] / moved)} of the last step's length" if moved > 0 else ""
    return f"after {steps} the paths are {number(distance[-1])} apart{share}; {since}"


@styled
def draw(record: Record) -> Figure:
    """Contours with both paths; beside them the distance."""
    ours, theirs = record.arrays["trace/path/numpy"], record.arrays["trace/path/torch"]
    distance = distances(record)
    figure = Figure(figsize=(WIDTH, 4.4))
    left, right = figure.subplots(1, 2, width_ratios=(1.25, 1))
    positive = distance[(distance > 0) & np.isfinite(distance)]
    low, high = (float(positive.min()), float(positive.max())) if positive.size else (1.0, 2.0)
    norm = LogNorm(low, max(high, 2 * low))
    left.plot(theirs[:, 0], theirs[:, 1], **TORCH | {"linewidth": 0.9}, zorder=2, label="PyTorch")
    dots(left, ours[:, 0], ours[:, 1], distance, norm, "NumPy, a dot a step")
    left.plot(*ours[0], marker="s", color=INK, markersize=6, linestyle="none", zorder=6, label="start")
    around(left, ours, record.arrays)
    contours(left, record.arrays, "trace/contour")
    left.set_xlabel("x")
    left.set_ylabel("y")
    left.legend(loc="best", **LEGEND)
    beside(right, distance, norm, rails(distance))
    first = facts.finding(record, "first_difference")
    if first:
        right.axvline(
            first["step"], **RULE, label=f"first difference: step {first['step']}, line {drawable(first['line'])}"
        )
        right.legend(loc="upper left", **LEGEND)
    headed(figure, finding(record), facts.label(record))
    return figure


def beside(axis: Axes, distance: np.ndarray, norm: LogNorm, scale: Rails) -> None:
    lay(axis, scale)
    steps = np.arange(len(distance))
    axis.plot(steps, scale.place(distance), color=GREY, linewidth=0.7, zorder=2)
    dots(axis, steps, scale.place(distance), distance, norm, None)
    axis.set_xlabel("step")
    axis.set_ylabel("distance of the paths")
    end = distance[-1]
    axis.annotate(
        number(end), (len(distance) - 1, float(scale.place(end))), xytext=(0, 8), textcoords="offset points",
        ha="right", size=9.5, weight="bold", color=INK,
    )  # fmt: skip


def dots(axis: Axes, x, y, distance: np.ndarray, norm: LogNorm, label: str | None) -> None:
    """Coloured where the sides are apart, hollow where not a bit differs."""
    equal = distance == 0
    colours = mpl.colormaps["cividis_r"].with_extremes(over="black", bad="black")
    axis.scatter(x[equal], y[equal], s=16, facecolors="white", edgecolors=GREY, linewidths=0.8, zorder=3)
    axis.scatter(
        x[~equal], y[~equal], s=16, c=np.where(np.isinf(distance), norm.vmax or 1.0, distance)[~equal], cmap=colours,
        norm=norm, edgecolors=INK, linewidths=0.3, zorder=3, label=label,
    )  # fmt: skip


def contours(axis: Axes, arrays: dict[str, np.ndarray], prefix: str) -> None:
    """Grey contours of what the axis shows, closer together near the lowest value; none without values."""
    x, y, z = (arrays.get(f"{prefix}/{name}") for name in "xyz")
    if x is None or y is None or z is None:
        return
    x, y = np.meshgrid(x, y) if x.ndim == 1 else (x, y)
    (left, right), (bottom, top) = axis.get_xlim(), axis.get_ylim()
    axis.set_autoscale_on(False)
    inside = (x >= left) & (x <= right) & (y >= bottom) & (y <= top) & np.isfinite(z)
    if not inside.any():
        return
    base, peak = float(z[inside].min()), float(z[inside].max())
    if peak > base:
        levels = base + (peak - base) * np.geomspace(1e-3, 0.9, LEVELS)
        axis.contour(x, y, z, levels=levels, colors="#b9b9b9", linewidths=0.7, zorder=1)


def around(axis: Axes, path: np.ndarray, arrays: dict[str, np.ndarray]) -> None:
    """The window of the contours, widened where the path leaves it, unless it blows up."""
    x, y = arrays.get("trace/contour/x"), arrays.get("trace/contour/y")
    for name, values, limits in (("x", path[:, 0], x), ("y", path[:, 1], y)):
        finite = values[np.isfinite(values)]
        if not finite.size:
            continue
        low, high = float(finite.min()), float(finite.max())
        margin = 0.12 * (high - low) or 0.1
        low, high = low - margin, high + margin
        if limits is not None:
            span = float(np.max(limits) - np.min(limits))
            low, high = max(low, float(np.min(limits)) - span), min(high, float(np.max(limits)) + span)
        (axis.set_xlim if name == "x" else axis.set_ylim)(low, high)
