"""The notebook's summary in four panels, each with the difference of the sides below it."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lockstep.records.kinds.experiment import ExperimentRecord
from lockstep.text import Message, message
from reports.facts import apart
from reports.figures.curves import APART, Curve, over_difference
from reports.figures.notebook.arrays import batchnorm, curves, farthest, pairs
from reports.rails import by_step, lay, rails, separate
from reports.style import COLOURS, CURVES, INK, PAPER, SOFT, WIDTH, drawable, styled

NAME = "summary"
KIND = "svg"
BINS = 30
HEIGHTS = (150.0, 60.0)


def applies(record: ExperimentRecord) -> bool:
    return all((*losses(record), histograms(record), batchnorm(record)))


def losses(record: ExperimentRecord) -> tuple[list[Curve], list[Curve]]:
    return curves(record, "nb/optim", "loss"), curves(record, "nb/regular", "losses", first=1)


def histograms(record: ExperimentRecord) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """The notebook compares the weights without regularisation and with L2."""
    weights = pairs(record, "nb/regular", "W1")
    return {name: (ours.ravel(), theirs.ravel()) for name, (ours, theirs) in weights.items() if name in ("∅", "L2")}


def normalised(record: ExperimentRecord) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    known = batchnorm(record)
    assert known is not None, "applies() is asked first"
    return known


def finding(record: ExperimentRecord) -> Message:
    descent, training = (farthest((c.ours, c.theirs) for c in found) for found in losses(record))
    return message(
        "figure.summary.found", descent=descent, training=training, weights=farthest(histograms(record).values()),
        batchnorm=farthest([normalised(record)[1:]]),
    )  # fmt: skip


def read(record: ExperimentRecord) -> Message:
    return message("figure.summary.read")


@styled
def draw(record: ExperimentRecord) -> Figure:
    figure = Figure(figsize=(WIDTH, 7.2))
    grid = figure.subplots(4, 2, height_ratios=(*HEIGHTS, *HEIGHTS))
    for column, every in enumerate(losses(record)):
        above, below = grid[0][column], grid[1][column]
        over_difference(above, below, every, HEIGHTS, log=True)
        above.set_ylabel("L")
        above.tick_params(labelbottom=False)
        by_step(below)
    distribution(grid[2][0], grid[3][0], histograms(record))
    boxes(grid[2][1], grid[3][1], *normalised(record))
    return figure


def distribution(above: Axes, below: Axes, weights: dict[str, tuple[np.ndarray, np.ndarray]]) -> None:
    """Histograms of the weights over common bins, and every weight's difference, sorted."""
    every = np.concatenate([np.concatenate(pair) for pair in weights.values()])
    edges = np.histogram_bin_edges(every[np.isfinite(every)], BINS).tolist()
    scale = rails(*(apart(ours, theirs) for ours, theirs in weights.values()))
    lay(below, scale)
    for (name, (ours, theirs)), colour, hatch in zip(weights.items(), CURVES, (None, "///"), strict=False):
        filled: dict[str, Any] = {"alpha": 0.6, "color": colour, "hatch": hatch, "edgecolor": PAPER, "linewidth": 0.4}
        above.hist(ours, edges, histtype="stepfilled", label=drawable(name), **filled)
        above.hist(theirs, edges, histtype="step", color=INK, linestyle="--", linewidth=0.9)
        distance = np.sort(apart(ours, theirs))
        separate(below, np.arange(1.0, len(distance) + 1), scale.place(distance), color=colour, linewidth=2.6)
    above.set_xlabel("W₁")
    above.set_ylabel("n")
    above.legend()
    below.set_xlabel("i")
    below.set_ylabel(APART)


def boxes(above: Axes, below: Axes, before: np.ndarray, ours: np.ndarray, theirs: np.ndarray) -> None:
    """Boxes of x and of x̂, PyTorch's values as crosses, and every value's difference."""
    columns, names, places = [], [], np.arange(1, 2 * len(before) + 1)
    for feature, (x, y) in enumerate(zip(before, ours, strict=True), start=1):
        columns += [x[np.isfinite(x)], y[np.isfinite(y)]]
        names += [f"x, j = {feature}", f"x̂, j = {feature}"]
    thin, median = {"color": SOFT, "linewidth": 0.9}, {"color": COLOURS["ours"], "linewidth": 2.4}
    above.boxplot(
        columns, positions=places, widths=0.5, boxprops=thin, whiskerprops=thin, capprops=thin, medianprops=median
    )
    distance = apart(ours, theirs)
    scale = rails(distance)
    lay(below, scale)
    for feature, values in enumerate(theirs):
        x = np.full(values.size, 2.0 * feature + 2)
        above.plot(x, values, "x", color=COLOURS["theirs"], markersize=6)
        separate(below, x, scale.place(distance[feature]), color=INK, linewidth=4)
    for axis in (above, below):
        axis.set_xticks(places, names)
    below.set_xlim(*above.get_xlim())
    below.set_ylabel(APART)


def table(record: ExperimentRecord) -> dict[str, np.ndarray]:
    """Every value of the four panels, one below the other."""
    descent, training = losses(record)
    _, ours, theirs = normalised(record)
    parts = [("optim", c.name, c.ours, c.theirs) for c in descent]
    parts += [("regular", c.name, c.ours, c.theirs) for c in training]
    parts += [("W1", name, *pair) for name, pair in histograms(record).items()]
    parts += [("batchnorm", f"{feature + 1}", ours[feature], theirs[feature]) for feature in range(len(ours))]
    keys = {
        key: np.concatenate([np.full(len(part[2]), part[place]) for part in parts])
        for place, key in enumerate(("panel", "curve"))
    }
    values = {side: np.concatenate([part[place] for part in parts]) for side, place in (("ours", 2), ("theirs", 3))}
    index = np.concatenate([np.arange(len(part[2])) for part in parts])
    return keys | {"i": index} | values | {"abs_difference": apart(values["ours"], values["theirs"])}
