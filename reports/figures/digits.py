"""Training on real data with every optimizer: loss and held-back accuracy of both sides."""

import numpy as np
from matplotlib.figure import Figure

from lockstep.records.kinds.experiment import ExperimentRecord
from lockstep.text import Message, message
from reports import facts
from reports.figures.curves import Curve, columns, over_difference
from reports.figures.notebook.arrays import curves, ends, farthest
from reports.rails import by_step
from reports.style import WIDTH, styled

NAME = "digits"
KIND = "svg"
TRACES = {"loss": "L", "accuracy": "%"}
HEIGHTS = (200.0, 90.0)


def found(record: ExperimentRecord, what: str) -> list[Curve]:
    """The curves; an accuracy in per cent, as it is drawn."""
    scale = 100 if what == "accuracy" else 1
    every = curves(record, "digits", what, first=1)
    return [curve._replace(ours=scale * curve.ours, theirs=scale * curve.theirs) for curve in every]


def applies(record: ExperimentRecord) -> bool:
    return all(found(record, what) for what in TRACES)


def finding(record: ExperimentRecord) -> Message:
    accuracy = sorted(found(record, "accuracy"), key=lambda curve: -facts.last(curve.ours))
    best_first = ends({curve.name: f"{facts.last(curve.ours):.1f} %" for curve in accuracy})
    apart = max(float(facts.apart(curve.ours[-1:], curve.theirs[-1:])[0]) for curve in accuracy)
    sides = message("figure.digits.apart", points=f"{apart:.1f}") if apart else message("figure.digits.equal")
    loss = farthest((curve.ours, curve.theirs) for curve in found(record, "loss"))
    return message("figure.digits.found", steps=len(accuracy[0].x), ends=best_first, sides=sides, loss=loss)


def read(record: ExperimentRecord) -> Message:
    return message("figure.digits.read")


@styled
def draw(record: ExperimentRecord) -> Figure:
    """Loss on the left, accuracy on the right."""
    figure = Figure(figsize=(WIDTH, 4.4))
    grid = figure.subplots(2, 2, sharex=True, height_ratios=HEIGHTS)
    for (above, below), (what, symbol) in zip(grid.T, TRACES.items(), strict=True):
        over_difference(above, below, found(record, what), HEIGHTS, log=what == "loss")
        above.set_ylabel(symbol)
        by_step(below)
    return figure


def table(record: ExperimentRecord) -> dict[str, np.ndarray]:
    tables = {what: columns(found(record, what)) for what in TRACES}
    size = {what: len(table["t"]) for what, table in tables.items()}
    kind = {"quantity": np.repeat(list(size), list(size.values()))}
    return kind | {key: np.concatenate([tables[what][key] for what in TRACES]) for key in tables["loss"]}
