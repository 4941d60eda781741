"""The optimizers' paths on Rosenbrock's valley."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lockstep.record import Record
from reports.facts import apart
from reports.figures.curves import COLOURS, MARKERS, Curve, difference
from reports.figures.notebook.arrays import farthest, pairs
from reports.figures.path import LEGEND, contours
from reports.style import GREY, INK, WIDTH, drawable, headed, styled
from reports.words import listed, number

NAME = "paths"
READ = "Coloured: NumPy. Thin black dashes: PyTorch. Star: the optimum. Below: the distance of the two, step by step."


def paths(record: Record) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    return {
        name: pair
        for name, pair in pairs(record, "nb/optim", "path").items()
        if pair[0].ndim == 2 and pair[0].shape[1] == 2
    }


def applies(record: Record) -> bool:
    return bool(paths(record))


def optimum(record: Record) -> tuple[float, float] | None:
    """Where the function is lowest, as the record says."""
    found = record.data.get("optimum")
    return (float(found[0]), float(found[1])) if found is not None else None


def finding(record: Record) -> str:
    found, best = paths(record), optimum(record)
    steps = max(len(ours) for ours, _ in found.values()) - 1
    same = farthest(found.values())
    sides = (
        f"NumPy and PyTorch are never more than {number(same)} apart"
        if same
        else "NumPy and PyTorch take the same paths, bit for bit"
    )
    if best is None:
        return f"{steps} steps: {sides}"
    left = {name: float(np.hypot(*(ours[-1] - best))) for name, (ours, _) in found.items()}
    order = sorted(left, key=lambda name: left[name])
    return (
        f"after {steps} steps {listed([f'{name} has {left[name]:.2f}' for name in order])} left to the optimum; {sides}"
    )


@styled
def draw(record: Record) -> Figure:
    """The whole valley and the part that was walked; below, the distance of the sides."""
    found = paths(record)
    figure = Figure(figsize=(WIDTH, 6.0))
    layout = figure.add_gridspec(2, 2, height_ratios=(2.6, 1))
    whole, near, below = (figure.add_subplot(layout[place]) for place in ((0, 0), (0, 1), (1, slice(None))))
    for axis in (whole, near):
        walked(axis, found)
        axis.set_xlabel("x")
    best = optimum(record)
    if best is not None:
        whole.plot(*best, marker="*", color=INK, markersize=15, linestyle="none", zorder=5, label="optimum")
        whole.annotate("optimum", best, xytext=(8, -12), textcoords="offset points")
    x, y = record.arrays.get("trace/contour/x"), record.arrays.get("trace/contour/y")
    if x is not None and y is not None:
        whole.set_xlim(float(x.min()), float(x.max()))
        whole.set_ylim(float(y.min()), float(y.max()))
    for axis in (whole, near):
        contours(axis, record.arrays, "trace/contour")
    whole.set_ylabel("y")
    whole.set_title("the whole valley", color=GREY, weight="bold")
    near.set_title("where they walked", color=GREY, weight="bold")
    near.legend(loc="best", **LEGEND)
    distances = [np.hypot(*apart(ours, theirs).T) for ours, theirs in found.values()]
    steps = [np.arange(len(distance)) for distance in distances]
    difference(below, [Curve(name, x, d, np.zeros_like(d)) for name, x, d in zip(found, steps, distances, strict=True)])
    below.set_title("distance of NumPy's path and PyTorch's", color=GREY, size=8.5)
    below.set_xlabel("step")
    headed(figure, finding(record), record["title"])
    return figure


def walked(axis: Axes, found: dict[str, tuple[np.ndarray, np.ndarray]]) -> None:
    """NumPy in a colour and marker an optimizer, PyTorch as thin black dashes on it."""
    for place, (name, (ours, theirs)) in enumerate(found.items()):
        i, every = place % len(COLOURS), max(1, len(ours) // 12)
        axis.plot(
            *ours.T, color=COLOURS[i], marker=MARKERS[i], markersize=5, markevery=(place, every), linewidth=1.8,
            markeredgecolor="white", markeredgewidth=0.5, label=drawable(name), zorder=3,
        )  # fmt: skip
        axis.plot(*theirs.T, color=INK, linestyle=(0, (3, 3)), linewidth=0.5, zorder=4)
