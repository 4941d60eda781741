"""Training with and without regularisation, on the small data set."""

import numpy as np
from matplotlib.figure import Figure

from lockstep.records.kinds.experiment import ExperimentRecord
from lockstep.text import Message, message
from reports.figures.curves import Curve, columns, over_difference
from reports.figures.notebook.arrays import curves, ends, sides
from reports.rails import by_step
from reports.style import WIDTH, styled

NAME = "training"
KIND = "svg"
HEIGHTS = (185.0, 80.0)


def losses(record: ExperimentRecord) -> list[Curve]:
    return curves(record, "nb/regular", "losses", first=1)


def applies(record: ExperimentRecord) -> bool:
    return bool(losses(record))


def finding(record: ExperimentRecord) -> Message:
    curves = losses(record)
    last = ends({curve.name: f"{curve.ours[-1]:.4f}" for curve in curves})
    return message("figure.training.found", steps=len(curves[0].x), ends=last, sides=sides(curves))


def read(record: ExperimentRecord) -> Message:
    return message("figure.training.read")


@styled
def draw(record: ExperimentRecord) -> Figure:
    figure = Figure(figsize=(WIDTH, 4.2))
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=HEIGHTS)
    over_difference(above, below, losses(record), HEIGHTS, log=True)
    above.set_ylabel("L")
    by_step(below)
    return figure


def table(record: ExperimentRecord) -> dict[str, np.ndarray]:
    return columns(losses(record))
