"""Training on real data with every optimizer: loss and held-back accuracy of both sides."""

from matplotlib.figure import Figure

from lockstep.record import Record
from reports import facts
from reports.figures.curves import over_difference
from reports.figures.notebook.arrays import curves, farthest
from reports.style import WIDTH, headed, styled
from reports.words import listed, number

NAME = "digits"
READ = (
    "Coloured: NumPy, its last value in the legend. Thin black dashes: PyTorch, from the same start, with the same "
    "batches and masks. Below: how far they are apart."
)
TRACES = ("loss", "accuracy")


def applies(record: Record) -> bool:
    return bool(curves(record, "digits", "accuracy")) and bool(curves(record, "digits", "loss"))


def finding(record: Record) -> str:
    accuracy = curves(record, "digits", "accuracy")
    order = sorted(accuracy, key=lambda curve: -facts.last(curve.numpy))
    ends = listed([f"{curve.name} {100 * facts.last(curve.numpy):.1f} %" for curve in order])
    apart = max(float(facts.apart(curve.numpy[-1:], curve.torch[-1:])[0]) for curve in accuracy)
    sides = f"PyTorch's end at most {100 * apart:.1f} points away" if apart else "PyTorch's end at the same"
    loss = farthest((curve.numpy, curve.torch) for curve in curves(record, "digits", "loss"))
    return f"accuracy after {len(accuracy[0].x)} steps: {ends}; {sides}, the losses are at most {number(loss)} apart"


@styled
def draw(record: Record) -> Figure:
    """Loss on the left, accuracy on the right."""
    figure = Figure(figsize=(WIDTH, 5.2))
    grid = figure.subplots(2, 2, sharex=True, height_ratios=(2.2, 1))
    for (above, below), what in zip(grid.T, TRACES, strict=True):
        over_difference(above, below, curves(record, "digits", what, first=1), log=what == "loss")
        above.set_ylabel({"loss": "loss of the batch", "accuracy": "accuracy, held back"}[what])
        below.set_xlabel("step")
        above.legend(ncols=1 if what == "accuracy" else 2)
    headed(figure, finding(record), record["title"])
    return figure
