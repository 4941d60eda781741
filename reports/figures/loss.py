"""Loss and accuracy of both sides, with the difference in a panel below."""

import numpy as np
from matplotlib.figure import Figure

from lockstep.records.kinds.run import RunRecord
from lockstep.text import Message, message
from reports import facts
from reports.figures.curves import Curve, columns, over_difference
from reports.rails import by_step
from reports.style import WIDTH, styled

NAME = "loss"
KIND = "svg"
TRACES = {"loss": "L", "accuracy": "%"}
HEIGHTS = (170.0, 78.0)


def traces(record: RunRecord) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    known = {name: facts.sides(record, f"trace/{name}") for name in TRACES}
    return {name: pair for name, pair in known.items() if pair is not None}


def applies(record: RunRecord) -> bool:
    return "loss" in traces(record) and record.steps > 1


def finding(record: RunRecord) -> Message:
    traced = traces(record)
    distance = facts.apart(*traced["loss"])
    values = {"steps": record.steps, "loss": ends(record), "end": facts.last(distance), "most": distance.max()}
    if not (distance > 0).any():
        return message("figure.loss.equal", steps=record.steps, loss=ends(record))
    first = int(np.argmax(distance > 0)) + 1
    return message(f"figure.loss.{'apart' if values['end'] else 'together'}", first=first, **values)


def ends(record: RunRecord) -> Message:
    """Where the loss ends on both sides, and the accuracy if there is one."""
    said = {}
    for name, pair in traces(record).items():
        ours, theirs = (written(name, facts.last(values)) for values in pair)
        said[name] = message(f"figure.loss.{'both' if ours == theirs else 'each'}", ours=ours, theirs=theirs)
    return message("figure.loss.accurate", **said) if "accuracy" in said else said["loss"]


def written(name: str, value: float) -> str:
    return f"{100 * value:.1f} %" if name == "accuracy" else f"{value:.4g}"


def read(record: RunRecord) -> Message:
    beside = "beside" if "accuracy" in traces(record) else "alone"
    return message("figure.loss.read", what=message(f"figure.loss.{beside}"))


def decades(values: np.ndarray) -> float:
    """How many powers of ten positive values span; none if one is not positive."""
    finite = values[np.isfinite(values)]
    return float(np.log10(finite.max() / finite.min())) if finite.size and finite.min() > 0 else 0.0


@styled
def draw(record: RunRecord) -> Figure:
    """A column a trace, the difference of the sides below it."""
    traced = traces(record)
    figure = Figure(figsize=(WIDTH, 3.9))
    grid = figure.subplots(2, len(traced), sharex=True, squeeze=False, height_ratios=HEIGHTS)
    for column, (name, (ours, theirs)) in enumerate(traced.items()):
        above, below = grid[:, column]
        scale = 100 if name == "accuracy" else 1
        curve = Curve("", np.arange(1, len(ours) + 1), scale * ours, scale * theirs)
        over_difference(above, below, [curve], HEIGHTS, log=name == "loss" and decades(ours) > 1.5)
        above.set_ylabel(TRACES[name])
        by_step(below)
    grid[0][0].legend(loc="best")
    return figure


def table(record: RunRecord) -> dict[str, np.ndarray]:
    curves = [Curve(name, np.arange(1, len(a) + 1), a, b) for name, (a, b) in traces(record).items()]
    return columns(curves)
