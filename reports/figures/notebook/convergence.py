"""The optimizers' losses on Rosenbrock's valley."""

import numpy as np
from matplotlib.figure import Figure

from lockstep.records.kinds.experiment import ExperimentRecord
from lockstep.text import Message, message
from reports.figures.curves import Curve, columns, over_difference
from reports.figures.notebook.arrays import curves, ends, sides
from reports.rails import by_step
from reports.style import WIDTH, styled

NAME = "convergence"
KIND = "svg"
HEIGHTS = (185.0, 80.0)


def losses(record: ExperimentRecord) -> list[Curve]:
    return curves(record, "nb/optim", "loss")


def applies(record: ExperimentRecord) -> bool:
    return bool(losses(record))


def finding(record: ExperimentRecord) -> Message:
    curves = sorted(losses(record), key=lambda curve: curve.ours[-1])
    lowest_first = ends({curve.name: f"{curve.ours[-1]:.3g}" for curve in curves})
    return message("figure.convergence.found", steps=len(curves[0].x) - 1, ends=lowest_first, sides=sides(curves))


def read(record: ExperimentRecord) -> Message:
    return message("figure.convergence.read")


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
