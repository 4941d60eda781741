"""Both paths over the contours of a function of two variables, and how far they are apart."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lockstep.records.kinds.run import RunRecord
from lockstep.text import Message, message
from lockstep.text.numbers import number
from reports import facts
from reports.rails import by_step, lay, rails, trace
from reports.style import INK, OURS, PAPER, RULE, SOFT, THEIRS, WIDTH, drawable, styled

NAME = "path"
KIND = "svg"
LEVELS = 12
LEGEND = {"frameon": True, "framealpha": 0.85, "edgecolor": "none"}


def applies(record: RunRecord) -> bool:
    paths = facts.sides(record, "trace/path")
    return paths is not None and paths[0].shape[1] == 2


def paths(record: RunRecord) -> tuple[np.ndarray, np.ndarray]:
    return tuple(np.asarray(record.arrays[f"trace/path/{side}"], np.float64) for side in ("ours", "theirs"))  # type: ignore[return-value]


def distances(record: RunRecord) -> np.ndarray:
    """The Euclidean distance of the paths, the start included."""
    parts = facts.apart(*paths(record))
    return np.hypot(parts[:, 0], parts[:, 1])


def finding(record: RunRecord) -> Message:
    distance, steps = distances(record), record.steps
    if not (distance > 0).any():
        return message("figure.path.equal", steps=steps)
    first, end = int(np.argmax(distance > 0)), float(distance[-1])
    if not np.isfinite(end):
        return message("figure.path.infinite", steps=steps, first=first)
    if not end:
        return message("figure.path.together", steps=steps, first=first, most=distance.max())
    moved = facts.last(np.hypot(*np.diff(paths(record)[0], axis=0).T))
    if moved > 0:
        return message("figure.path.share", steps=steps, first=first, end=end, share=end / moved)
    return message("figure.path.apart", steps=steps, first=first, end=end)


def read(record: RunRecord) -> Message:
    return message("figure.path.read")


@styled
def draw(record: RunRecord) -> Figure:
    """Contours with both paths; beside them the distance."""
    (ours, theirs), distance = paths(record), distances(record)
    figure = Figure(figsize=(WIDTH, 3.7))
    left, right = figure.subplots(1, 2, width_ratios=(1.25, 1))
    left.plot(ours[:, 0], ours[:, 1], **OURS | {"linewidth": 2.2}, marker="o", markersize=3.2, zorder=3, label="NumPy")
    left.plot(theirs[:, 0], theirs[:, 1], **THEIRS | {"linewidth": 1.1}, zorder=4, label="PyTorch")
    left.plot(*ours[0], marker="s", color=INK, markersize=6, markeredgecolor=PAPER, linestyle="none", zorder=6)
    left.annotate("t = 0", ours[0], xytext=(7, 4), textcoords="offset points", color=INK, zorder=6)
    around(left, ours, record.arrays)
    contours(left, record.arrays, "trace/contour")
    left.set_xlabel("θ₁")
    left.set_ylabel("θ₂")
    left.grid(visible=False)
    left.legend(loc="best", **LEGEND)
    beside(right, distance)
    parted(right, record)
    return figure


def beside(axis: Axes, distance: np.ndarray) -> None:
    """The distance by step, its last value written out."""
    scale, steps = rails(distance), np.arange(len(distance))
    lay(axis, scale)
    trace(axis, steps, distance, scale, color=INK, linewidth=1.2)
    by_step(axis)
    axis.set_ylabel("|Δθ|")
    end = distance[-1]
    axis.annotate(
        number(end), (len(distance) - 1, float(scale.place(end))), xytext=(0, 7), textcoords="offset points",
        ha="right", size=10, weight="bold", color=INK,
    )  # fmt: skip


def parted(axis: Axes, record: RunRecord) -> None:
    """The first difference: a dotted rule with its step and its line."""
    first = record.first_difference
    if not first:
        return
    axis.axvline(first.step, **RULE)
    before = first.step > 0.6 * record.steps
    axis.annotate(
        f"t = {first.step}: {drawable(first.line)}", (first.step, 1), xycoords=("data", "axes fraction"),
        xytext=(-4 if before else 4, -1), textcoords="offset points", ha="right" if before else "left", va="top",
        color=RULE["color"], size=8.5, annotation_clip=False,
    )  # fmt: skip


def contours(axis: Axes, arrays: Mapping[str, np.ndarray], prefix: str) -> None:
    """Contours of what the axis shows, closer together near the lowest value; none without values."""
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
        axis.contour(x, y, z, levels=levels, colors=SOFT, linewidths=0.5, alpha=0.55, zorder=1)


def around(axis: Axes, path: np.ndarray, arrays: Mapping[str, np.ndarray]) -> None:
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


def table(record: RunRecord) -> dict[str, np.ndarray]:
    ours, theirs = paths(record)
    names = ("numpy_1", "numpy_2", "torch_1", "torch_2")
    points = dict(zip(names, np.concatenate([ours, theirs], axis=1).T, strict=True))
    return {"t": np.arange(len(ours))} | points | {"distance": distances(record)}
