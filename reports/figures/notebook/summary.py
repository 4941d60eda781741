"""The notebook's summary in four panels, each with the difference of the sides below it."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lockstep.record import Record
from reports.facts import apart
from reports.figures.curves import over_difference
from reports.figures.notebook.arrays import batchnorm, curves, farthest, pairs
from reports.rails import lay, rails
from reports.style import GREY, INK, NUMPY, TORCH, WIDTH, drawable, headed, styled
from reports.words import number

NAME = "summary"
READ = (
    "The notebook's four panels: losses of the optimizers, of the regularised networks, the weights' distribution, "
    "BatchNorm's effect. Filled: NumPy. Black dashes, outlines or crosses: PyTorch. Below each: how far they are apart."
)
BINS = 30


def applies(record: Record) -> bool:
    return all(
        (
            curves(record, "nb/optim", "loss"),
            curves(record, "nb/regular", "losses"),
            histograms(record),
            batchnorm(record),
        )
    )


def histograms(record: Record) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """The notebook compares the weights without regularisation and with L2."""
    found = pairs(record, "nb/regular", "W1")
    return {name: (ours.ravel(), theirs.ravel()) for name, (ours, theirs) in found.items() if name in ("none", "L2")}


def finding(record: Record) -> str:
    parts = {
        "losses of the optimizers": farthest((c.numpy, c.torch) for c in curves(record, "nb/optim", "loss")),
        "of training": farthest((c.numpy, c.torch) for c in curves(record, "nb/regular", "losses")),
        "weights": farthest(histograms(record).values()),
        "BatchNorm": farthest([(batchnorm(record) or ())[1:]]),
    }
    return "NumPy against PyTorch, at most: " + ", ".join(f"{name} {number(value)}" for name, value in parts.items())


@styled
def draw(record: Record) -> Figure:
    figure = Figure(figsize=(WIDTH, 8.2))
    grid = figure.subplots(4, 2, height_ratios=(2.2, 0.9, 2.2, 0.9))
    for column, (chapter, what) in enumerate((("nb/optim", "loss"), ("nb/regular", "losses"))):
        above, below = grid[0][column], grid[1][column]
        over_difference(above, below, curves(record, chapter, what), log=True)
        above.set_title(
            {"nb/optim": "optimizers, loss", "nb/regular": "regularisation, training loss"}[chapter],
            weight="bold",
            color=GREY,
        )
        above.legend(ncols=2)
        below.set_xlabel("step")
    distribution(grid[2][0], grid[3][0], histograms(record))
    normalised(grid[2][1], grid[3][1], *(batchnorm(record) or ()))
    headed(figure, finding(record), record["title"])
    return figure


def distribution(above: Axes, below: Axes, found: dict[str, tuple[np.ndarray, np.ndarray]]) -> None:
    """Histograms of the weights over common bins, and every weight's difference, sorted."""
    edges = np.histogram_bin_edges(np.concatenate([np.concatenate(pair) for pair in found.values()]), BINS).tolist()
    styles = ((NUMPY["color"], None), ("#E69F00", "///"))
    scale = rails(*(apart(ours, theirs) for ours, theirs in found.values()))
    lay(below, scale)
    for (name, (ours, theirs)), (colour, hatch), marker in zip(found.items(), styles, "os", strict=False):
        above.hist(
            ours, edges, alpha=0.6, color=colour, hatch=hatch, edgecolor="white", linewidth=0.4, label=drawable(name)
        )
        above.hist(theirs, edges, histtype="step", color=INK, linestyle="--", linewidth=0.9)
        distance = np.sort(apart(ours, theirs))
        below.plot(np.arange(1, len(distance) + 1), scale.place(distance), marker, color=colour, markersize=2.5)
    above.set_title("first layer's weights, how many", weight="bold", color=GREY)
    above.legend()
    below.set_xlabel("weight, by its difference")
    below.set_title("|NumPy - PyTorch|", color=GREY, size=8.5)


def normalised(above: Axes, below: Axes, before: np.ndarray, ours: np.ndarray, theirs: np.ndarray) -> None:
    """Boxes before and after, PyTorch's values as crosses, and every value's difference."""
    columns, labels, places = [], [], np.arange(1, 2 * len(before) + 1)
    for feature, (x, y) in enumerate(zip(before, ours, strict=True), start=1):
        columns += [x, y]
        labels += [f"{feature}: before", f"{feature}: after"]
    above.boxplot(columns, positions=places, widths=0.5, medianprops={"color": NUMPY["color"], "linewidth": 2})
    distance = apart(ours, theirs)
    scale = rails(distance)
    lay(below, scale)
    for feature, values in enumerate(theirs):
        above.plot(np.full(values.size, 2 * feature + 2), values, "x", color=TORCH["color"], markersize=6)
        below.plot(np.full(values.size, 2 * feature + 2), scale.place(distance[feature]), "D", color=INK, markersize=3)
    above.set_xticks(places, labels)
    below.set_xlim(*above.get_xlim())
    below.set_xticks(places, labels)
    above.set_title("BatchNorm, values of each feature", weight="bold", color=GREY)
    below.set_title("|NumPy - PyTorch|", color=GREY, size=8.5)
