"""The size of the first layer's weights, with and without regularisation."""

import numpy as np
from matplotlib.figure import Figure

from lockstep.records.kinds.experiment import ExperimentRecord
from lockstep.text import Message, message
from reports.facts import apart
from reports.figures.curves import APART
from reports.figures.notebook.arrays import NAMES, apart_by, ends, norms
from reports.rails import lay, rails, separate
from reports.style import COLOURS, INK, PAPER, WIDTH, drawable, styled

NAME = "weights"
KIND = "svg"
PLAIN = NAMES["nb/regular"]["none"]


def applies(record: ExperimentRecord) -> bool:
    return bool(norms(record))


def finding(record: ExperimentRecord) -> Message:
    lengths = norms(record)
    base, sides = lengths.get(PLAIN), apart_by(float(apart(*np.array(list(lengths.values())).T).max()))
    if base is None or len(lengths) == 1:
        return message("figure.weights.alone", sides=sides)
    changes = {name: f"{100 * (ours / base[0] - 1):+.0f} %" for name, (ours, _) in lengths.items() if name != PLAIN}
    return message("figure.weights.found", changes=ends(changes), sides=sides)


def read(record: ExperimentRecord) -> Message:
    return message("figure.weights.read")


@styled
def draw(record: ExperimentRecord) -> Figure:
    lengths = norms(record)
    figure = Figure(figsize=(WIDTH, 3.9))
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(2.4, 1))
    places = np.arange(len(lengths))
    ours, theirs = np.array(list(lengths.values())).T
    heights = [np.where(np.isfinite(values), values, 0.0) for values in (ours, theirs)]  # what blew up has no bar
    above.bar(places - 0.18, heights[0], 0.34, color=COLOURS["ours"], label="NumPy")
    above.bar(
        places + 0.18, heights[1], 0.34, color=PAPER, edgecolor=COLOURS["theirs"], hatch="///", linewidth=0.8,
        label="PyTorch",
    )  # fmt: skip
    for shift, values, tops in ((-0.18, ours, heights[0]), (0.18, theirs, heights[1])):
        for place, value, top in zip(places, values, tops, strict=True):
            above.text(place + shift, top, f"{value:.4f}", ha="center", va="bottom", size=8.5)
    above.set_ylim(0, 1.18 * max(*heights[0], *heights[1]) or 1.0)
    above.set_ylabel("‖W₁‖")
    above.set_xticks(places, [drawable(name) for name in lengths])
    above.tick_params(axis="x", labelbottom=True, length=0)
    figure.legend(*above.get_legend_handles_labels(), loc="outside upper right", borderaxespad=0, ncols=2)
    distance = apart(ours, theirs)
    scale = rails(distance)
    lay(below, scale)
    separate(below, places.astype(float), scale.place(distance), color=INK, linewidth=5)
    below.set_ylabel(APART)
    return figure


def table(record: ExperimentRecord) -> dict[str, np.ndarray]:
    lengths = norms(record)
    ours, theirs = np.array(list(lengths.values())).T
    return {"curve": np.array(list(lengths)), "ours": ours, "theirs": theirs, "abs_difference": apart(ours, theirs)}
