"""BatchNorm's worked example: four numbers of two features, before and after."""

import numpy as np
from matplotlib.figure import Figure

from lockstep.record import Record
from reports.facts import apart
from reports.figures.notebook.arrays import batchnorm
from reports.rails import lay, rails
from reports.style import GREY, INK, NUMPY, TORCH, WIDTH, headed, styled
from reports.words import number

NAME = "batchnorm"
READ = "Squares: before. Dots: after, NumPy. Crosses: after, PyTorch. Below: how far the two results are apart."


def applies(record: Record) -> bool:
    return batchnorm(record) is not None


def finding(record: Record) -> str:
    before, ours, theirs = arrays(record)
    same = float(apart(ours, theirs).max())
    sides = f"NumPy and PyTorch at most {number(same)} apart" if same else "equal on both sides to the last bit"
    inputs = listed_values(before.mean(axis=1))
    means, deviations = listed_values(ours.mean(axis=1)), listed_values(ours.std(axis=1), 6)
    return f"means {inputs} become {means}, deviation {deviations}; {sides}"


def arrays(record: Record) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    found = batchnorm(record)
    assert found is not None, "applies() is asked first"
    return found


def listed_values(values: np.ndarray, digits: int = 2) -> str:
    """Each once, as rounded; a mean of -1e-17 is 0."""
    texts = [f"{value:.{digits}f}".rstrip("0").rstrip(".") for value in values + 0.0]
    return " and ".join(dict.fromkeys("0" if text in ("-0", "") else text for text in texts))


@styled
def draw(record: Record) -> Figure:
    before, ours, theirs = arrays(record)
    figure = Figure(figsize=(WIDTH, 4.4))
    grid = figure.subplots(2, len(before), sharey="row", sharex=True, squeeze=False, height_ratios=(2.2, 1))
    distance = apart(ours, theirs)
    scale = rails(distance)
    samples = np.arange(1, before.shape[1] + 1)
    for feature, (above, below) in enumerate(grid.T):
        above.axhline(0, color=GREY, linewidth=0.8)
        above.plot(samples, before[feature], "s", color=GREY, markersize=7, label="before")
        above.plot(samples, ours[feature], "o", color=NUMPY["color"], markersize=9, label="after, NumPy")
        above.plot(
            samples, theirs[feature], "x", color=TORCH["color"], markersize=7, markeredgewidth=2, label="after, PyTorch"
        )
        for sample, value in zip(samples, ours[feature], strict=True):
            above.annotate(
                f"{value:.8f}", (sample, value), xytext=(0, -14), textcoords="offset points", ha="center", size=8
            )
        above.set_title(f"feature {feature + 1}", color=GREY, weight="bold")
        above.margins(y=0.2)
        lay(below, scale)
        below.plot(samples, scale.place(distance[feature]), "D", color=INK)
        below.set_xlabel("sample")
        below.set_xticks(samples)
        below.set_xlim(0.4, samples.size + 0.6)
    grid[0][0].set_ylabel("value")
    grid[1][0].set_ylabel("|NumPy - PyTorch|")
    grid[0][0].legend(loc="upper left", ncols=3)
    headed(figure, finding(record), record["title"])
    return figure
