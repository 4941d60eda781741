"""Loss and accuracy of both sides, with the difference in a panel below."""

import numpy as np
from matplotlib.figure import Figure

from lockstep.record import Record
from reports import facts
from reports.figures.curves import Curve, over_difference
from reports.style import WIDTH, headed, styled
from reports.words import count, number

NAME = "loss"
READ = (
    "Above: both sides on their own ways from one start, NumPy as a wide blue line, PyTorch dashed over it. "
    "Below: how far they are apart; the grey rail is zero."
)
TRACES = ("loss", "accuracy")


def traces(record: Record) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    found = {name: facts.sides(record, f"trace/{name}") for name in TRACES}
    return {name: pair for name, pair in found.items() if pair is not None}


def applies(record: Record) -> bool:
    return "loss" in traces(record) and record["steps"] > 1


def finding(record: Record) -> str:
    found = traces(record)
    ours, theirs = found["loss"]
    distance = facts.apart(ours, theirs)
    start = f"after {count(record['steps'], 'step')} the loss is {both(facts.last(ours), facts.last(theirs))}"
    if "accuracy" in found:
        mine, other = (facts.last(values) for values in found["accuracy"])
        start += f", the accuracy {percent(mine)}" + (" on both" if mine == other else f" and {percent(other)}")
    if not (distance > 0).any():
        return f"{start}: equal to the last bit all the way"
    first = int(np.argmax(distance > 0)) + 1
    end, most = number(facts.last(distance)), number(distance.max())
    if not facts.last(distance):
        return f"{start}; the losses end equal, were at most {most} apart, first at step {first}"
    return f"{start}; the losses are {end} apart at the end, {most} at most, first at step {first}"


def decades(values: np.ndarray) -> float:
    """How many powers of ten positive values span; none if one is not positive."""
    finite = values[np.isfinite(values)]
    return float(np.log10(finite.max() / finite.min())) if finite.size and finite.min() > 0 else 0.0


def both(ours: float, theirs: float) -> str:
    """Four digits; one number where they agree in them."""
    ours_text, theirs_text = f"{ours:.4g}", f"{theirs:.4g}"
    return (
        f"{ours_text} on both sides"
        if ours_text == theirs_text
        else f"{ours_text} in NumPy and {theirs_text} in PyTorch"
    )


def percent(value: float) -> str:
    return f"{100 * value:.1f} %"


@styled
def draw(record: Record) -> Figure:
    """A column a trace, the difference of the sides below it."""
    found = traces(record)
    figure = Figure(figsize=(WIDTH, 4.2))
    grid = figure.subplots(2, len(found), sharex=True, squeeze=False, height_ratios=(2.2, 1))
    for column, (name, (ours, theirs)) in enumerate(found.items()):
        steps = np.arange(1, len(ours) + 1)
        over_difference(
            grid[0][column],
            grid[1][column],
            [Curve("", steps, ours, theirs)],
            log=name == "loss" and decades(ours) > 1.5,
        )
        grid[0][column].set_ylabel({"accuracy": "accuracy, held back"}.get(name, name))
        grid[1][column].set_xlabel("step")
    grid[1][0].set_ylabel("difference")
    grid[0][0].legend(loc="best")
    headed(figure, finding(record), facts.label(record))
    return figure
