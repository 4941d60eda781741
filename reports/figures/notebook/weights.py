"""The size of the first layer's weights, with and without regularisation."""

import numpy as np
from matplotlib.figure import Figure

from lockstep.record import Record
from reports.figures.notebook.arrays import norms
from reports.rails import lay, rails
from reports.style import GREY, INK, NUMPY, TORCH, WIDTH, drawable, headed, styled
from reports.words import number

NAME = "weights"
READ = "Bars: the Euclidean norm of W1 after training, NumPy plain, PyTorch hatched. Below: how far they are apart."


def applies(record: Record) -> bool:
    return bool(norms(record))


def finding(record: Record) -> str:
    found = norms(record)
    apart = max(abs(ours - theirs) for ours, theirs in found.values())
    sides = f"the sides are at most {number(apart)} apart" if apart else "the same on both sides to the last bit"
    base = found.get("none")
    if base is None or len(found) == 1:
        return f"norm of W1: {sides}"
    changes = [f"{name} {100 * (ours / base[0] - 1):+.0f} %" for name, (ours, _) in found.items() if name != "none"]
    return f"norm of W1 against no regularisation: {', '.join(changes)}; {sides}"


@styled
def draw(record: Record) -> Figure:
    found = norms(record)
    figure = Figure(figsize=(WIDTH, 4.6))
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(2.4, 1))
    places = np.arange(len(found))
    ours, theirs = np.array(list(found.values())).T
    above.bar(places - 0.18, ours, 0.34, color=NUMPY["color"], label="NumPy")
    above.bar(places + 0.18, theirs, 0.34, color="white", edgecolor=TORCH["color"], hatch="///", label="PyTorch")
    for shift, values in ((-0.18, ours), (0.18, theirs)):
        for place, value in zip(places, values, strict=True):
            above.text(place + shift, value, f"{value:.4f}", ha="center", va="bottom", size=8.5, color=INK)
    above.margins(y=0.15)
    above.set_ylabel("norm of W1")
    above.set_xticks(places, [drawable(name) for name in found])
    above.tick_params(labelbottom=True)
    above.legend(loc="upper left", ncols=2)
    distance = np.abs(ours - theirs)
    scale = rails(distance)
    lay(below, scale)
    below.plot(places, scale.place(distance), marker="D", color=INK, linestyle="none")
    below.set_title("|NumPy - PyTorch|", color=GREY, size=8.5)
    headed(figure, finding(record), record["title"])
    return figure
