"""BatchNorm's worked example: four numbers of two features, before and after."""

import numpy as np
from matplotlib.figure import Figure

from lockstep.records.kinds.experiment import ExperimentRecord
from lockstep.text import Message, message
from reports.facts import apart
from reports.figures.curves import APART
from reports.figures.notebook.arrays import apart_by, batchnorm
from reports.rails import lay, rails, separate
from reports.style import COLOURS, INK, SOFT, WIDTH, styled

NAME = "batchnorm"
KIND = "svg"


def applies(record: ExperimentRecord) -> bool:
    return batchnorm(record) is not None


def arrays(record: ExperimentRecord) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    known = batchnorm(record)
    assert known is not None, "applies() is asked first"
    return known


def finding(record: ExperimentRecord) -> Message:
    before, ours, theirs = arrays(record)
    with np.errstate(invalid="ignore"):  # of what blew up
        deviation = ours.std(axis=1)
    return message(
        "figure.batchnorm.found", before=once(before.mean(axis=1)), after=once(ours.mean(axis=1)),
        deviation=once(deviation, 6), sides=apart_by(float(apart(ours, theirs).max())),
    )  # fmt: skip


def once(values: np.ndarray, digits: int = 2) -> list[str]:
    """Each once, as rounded; a mean of -1e-17 is 0."""
    texts = [f"{value:.{digits}f}".rstrip("0").rstrip(".") for value in values + 0.0]
    return list(dict.fromkeys("0" if text in ("-0", "") else text for text in texts))


def read(record: ExperimentRecord) -> Message:
    return message("figure.batchnorm.read")


@styled
def draw(record: ExperimentRecord) -> Figure:
    before, ours, theirs = arrays(record)
    figure = Figure(figsize=(WIDTH, 3.9))
    grid = figure.subplots(2, len(before), sharey="row", sharex=True, squeeze=False, height_ratios=(2.4, 1))
    distance = apart(ours, theirs)
    scale = rails(distance)
    samples = np.arange(1, before.shape[1] + 1)
    for feature, (above, below) in enumerate(grid.T):
        above.axhline(0, color=SOFT, linewidth=0.8)
        above.plot(samples, before[feature], "s", color=SOFT, markersize=6, label="x")
        ring = {"markersize": 10, "markerfacecolor": "none", "markeredgewidth": 2}
        above.plot(samples, ours[feature], "o", color=COLOURS["ours"], label="x̂ NumPy", **ring)
        above.plot(
            samples, theirs[feature], "x", color=COLOURS["theirs"], markersize=7, markeredgewidth=2, label="x̂ PyTorch"
        )
        for sample, value in zip(samples, ours[feature], strict=True):
            above.annotate(
                f"{value:.8f}", (sample, value), xytext=(0, -15), textcoords="offset points", ha="center", size=8
            )
        above.set_title(f"j = {feature + 1}", weight="bold")
        above.margins(y=0.22)
        lay(below, scale)
        separate(below, samples.astype(float), scale.place(distance[feature]), color=INK, linewidth=5)
        below.set_xlabel("i")
        below.set_xticks(samples)
        below.set_xlim(0.4, samples.size + 0.6)
    grid[1][0].set_ylabel(APART)
    figure.legend(*grid[0][0].get_legend_handles_labels(), loc="outside upper right", borderaxespad=0, ncols=3)
    return figure


def table(record: ExperimentRecord) -> dict[str, np.ndarray]:
    before, ours, theirs = arrays(record)
    features, samples = before.shape
    places = {"j": np.repeat(np.arange(1, features + 1), samples), "i": np.tile(np.arange(1, samples + 1), features)}
    values = {"before": before.ravel(), "ours": ours.ravel(), "theirs": theirs.ravel()}
    return places | values | {"abs_difference": apart(ours, theirs).ravel()}
