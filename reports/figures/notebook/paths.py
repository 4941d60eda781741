"""The optimizers' paths on Rosenbrock's valley."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from lockstep.records.kinds.experiment import ExperimentRecord
from lockstep.text import Message, message
from reports.facts import apart
from reports.figures.curves import Curve, difference, marked
from reports.figures.notebook.arrays import apart_by, ends, farthest, pairs
from reports.figures.path import LEGEND, contours
from reports.rails import by_step
from reports.style import CURVES, INK, WIDTH, drawable, styled

NAME = "paths"
KIND = "svg"


def paths(record: ExperimentRecord) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    return {
        name: pair
        for name, pair in pairs(record, "nb/optim", "path").items()
        if pair[0].ndim == 2 and pair[0].shape[1] == 2
    }


def applies(record: ExperimentRecord) -> bool:
    return bool(paths(record))


def finding(record: ExperimentRecord) -> Message:
    ways, best = paths(record), record.optimum
    steps, sides = max(len(ours) for ours, _ in ways.values()) - 1, apart_by(farthest(ways.values()))
    if best is None:
        return message("figure.paths.alone", steps=steps, sides=sides)
    left = {name: float(np.hypot(*(ours[-1] - best))) for name, (ours, _) in ways.items()}
    nearest_first = ends({name: f"{left[name]:.2f}" for name in sorted(left, key=lambda name: left[name])})
    return message("figure.paths.found", steps=steps, ends=nearest_first, sides=sides)


def read(record: ExperimentRecord) -> Message:
    return message("figure.paths.read")


@styled
def draw(record: ExperimentRecord) -> Figure:
    """The whole valley and the part that was walked; below, the distance of the sides."""
    ways, best = paths(record), record.optimum
    figure = Figure(figsize=(WIDTH, 5.4))
    layout = figure.add_gridspec(2, 2, height_ratios=(2.6, 1))
    whole, near, below = (figure.add_subplot(layout[place]) for place in ((0, 0), (0, 1), (1, slice(None))))
    for place, (name, pair) in enumerate(ways.items()):
        shade = CURVES[place % len(CURVES)]
        whole.plot(*pair[0].T, color=shade, linewidth=1.0, zorder=3)
        walked(near, drawable(name), pair, place)
    for axis in (whole, near):
        axis.set_xlabel("x")
        axis.grid(visible=False)
    if best is not None:
        whole.plot(*best, marker="*", color=INK, markersize=13, linestyle="none", zorder=5)
    x, y = record.arrays.get("trace/contour/x"), record.arrays.get("trace/contour/y")
    if x is not None and y is not None:
        whole.set_xlim(float(x.min()), float(x.max()))
        whole.set_ylim(float(y.min()), float(y.max()))
    whole.add_patch(window(near))
    for axis in (whole, near):
        contours(axis, record.arrays, "trace/contour")
    whole.set_ylabel("y")
    near.legend(loc="best", **LEGEND)
    difference(below, between(ways))
    by_step(below)
    return figure


def between(ways: dict[str, tuple[np.ndarray, np.ndarray]]) -> list[Curve]:
    """The distance of the sides by step, of every optimizer."""
    distances = {name: np.hypot(*apart(ours, theirs).T) for name, (ours, theirs) in ways.items()}
    return [Curve(name, np.arange(len(far)), far, np.zeros_like(far)) for name, far in distances.items()]


def walked(axis: Axes, name: str, pair: tuple[np.ndarray, np.ndarray], place: int) -> None:
    """NumPy in a colour and marker an optimizer, PyTorch as thin dark dashes on it."""
    ours, theirs = pair
    marks: dict[str, Any] = marked(place, len(ours)) | {"markersize": 5}
    axis.plot(*ours.T, color=CURVES[place % len(CURVES)], linewidth=1.8, label=name, zorder=3, **marks)
    axis.plot(*theirs.T, color=INK, linestyle=(0, (3, 3)), linewidth=0.5, zorder=4)


def window(axis: Axes) -> Rectangle:
    """What the axis shows, as a frame on another one."""
    (left, right), (bottom, top) = axis.get_xlim(), axis.get_ylim()
    size = right - left, top - bottom
    return Rectangle((left, bottom), *size, fill=False, edgecolor=INK, linewidth=0.8, zorder=5)


def table(record: ExperimentRecord) -> dict[str, np.ndarray]:
    ways = paths(record)
    names = np.concatenate([np.full(len(ours), name) for name, (ours, _) in ways.items()])
    steps = np.concatenate([np.arange(len(ours)) for ours, _ in ways.values()])
    points = np.concatenate([np.concatenate(pair, axis=1) for pair in ways.values()]).T
    keys = ("numpy_x", "numpy_y", "torch_x", "torch_y")
    distance = np.concatenate([curve.ours for curve in between(ways)])
    return {"curve": names, "t": steps} | dict(zip(keys, points, strict=True)) | {"distance": distance}
