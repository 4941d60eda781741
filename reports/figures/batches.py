"""What BatchNorm keeps of a batch of n: its variance times n/(n-1), however small n is."""

import numpy as np
from matplotlib.figure import Figure

from lockstep.records.kinds.experiment import ExperimentRecord
from lockstep.text import Message, message
from reports.facts import apart
from reports.figures.notebook.arrays import apart_by
from reports.rails import lay, rails, separate
from reports.style import COLOURS, INK, RULE, SOFT, WIDTH, styled

NAME = "batches"
KIND = "svg"
NAMES = ("size", "ours", "theirs", "biased")


def applies(record: ExperimentRecord) -> bool:
    return all(f"batch/{name}" in record.arrays for name in NAMES)


def series(record: ExperimentRecord) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The sizes; the running variance of both sides, and the batch's own, biased one."""
    size, ours, theirs, biased = (np.asarray(record.arrays[f"batch/{name}"], np.float64) for name in NAMES)
    return size, ours, theirs, biased


def finding(record: ExperimentRecord) -> Message:
    size, ours, theirs, biased = series(record)
    ratio = theirs / biased
    off = float(np.abs(ratio - size / (size - 1)).max())
    first, last = int(np.argmin(size)), int(np.argmax(size))
    return message(
        "figure.batches.found", small=int(size[first]), much=f"{ratio[first]:.6g}", large=int(size[last]),
        little=f"{ratio[last]:.6g}", off=off, sides=apart_by(float(apart(ours, theirs).max())),
    )  # fmt: skip


def read(record: ExperimentRecord) -> Message:
    return message("figure.batches.read")


@styled
def draw(record: ExperimentRecord) -> Figure:
    """The ratio to the batch's own variance by size, with the curve n/(n-1); below, how far the sides are apart."""
    size, ours, theirs, biased = series(record)
    figure = Figure(figsize=(WIDTH, 3.9))
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(2.4, 1))
    n = np.geomspace(size.min(), size.max(), 120)
    above.plot(n, n / (n - 1), **RULE, label="n / (n − 1)")
    above.axhline(1, color=SOFT, linewidth=0.8)
    ring = {"markersize": 9, "markerfacecolor": "none", "markeredgewidth": 2, "linestyle": "none"}
    above.plot(size, ours / biased, "o", color=COLOURS["ours"], label="NumPy", **ring)
    above.plot(
        size, theirs / biased, "x", color=COLOURS["theirs"], markersize=6, markeredgewidth=1.6, label="PyTorch",
        linestyle="none",
    )  # fmt: skip
    for place in (int(np.argmin(size)), int(np.argmax(size))):
        above.annotate(
            f"{theirs[place] / biased[place]:.4g}", (size[place], theirs[place] / biased[place]), xytext=(0, 9),
            textcoords="offset points", ha="center", size=9, weight="bold",
        )  # fmt: skip
    above.set_xscale("log", base=2)
    above.margins(y=0.18)
    above.set_ylabel("σ²ᵣᵤₙ / σ²")
    figure.legend(*above.get_legend_handles_labels(), loc="outside upper right", borderaxespad=0, ncols=3)
    distance = apart(ours, theirs)
    scale = rails(distance)
    lay(below, scale)
    separate(below, size, scale.place(distance), color=INK, linewidth=5)
    below.set_xticks(size, [f"{value:.0f}" for value in size])
    below.minorticks_off()
    below.set_xlim(size.min() / 1.2, size.max() * 1.2)
    below.set_xlabel("n")
    below.set_ylabel("|Δ|")
    return figure


def table(record: ExperimentRecord) -> dict[str, np.ndarray]:
    size, ours, theirs, biased = series(record)
    values = {"n": size, "ours": ours, "theirs": theirs, "biased": biased, "theory": size / (size - 1)}
    return values | {"abs_difference": apart(ours, theirs)}
