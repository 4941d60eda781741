"""The optimizers' losses on Rosenbrock's valley."""

from matplotlib.figure import Figure

from lockstep.record import Record
from reports.figures.curves import over_difference
from reports.figures.notebook.arrays import curves, farthest
from reports.style import WIDTH, headed, styled
from reports.words import listed, number

NAME = "convergence"
READ = "Coloured: NumPy, on a log axis as in the notebook. Thin black dashes: PyTorch. Below: how far they are apart."


def applies(record: Record) -> bool:
    return bool(curves(record, "nb/optim", "loss"))


def finding(record: Record) -> str:
    found = curves(record, "nb/optim", "loss")
    order = sorted(found, key=lambda curve: curve.numpy[-1])
    ends = listed([f"{curve.name} {curve.numpy[-1]:.3g}" for curve in order])
    same = farthest((curve.numpy, curve.torch) for curve in found)
    sides = f"at most {number(same)} between the sides" if same else "equal on both sides to the last bit"
    return f"loss after {len(found[0].x) - 1} steps, lowest first: {ends}; {sides}"


@styled
def draw(record: Record) -> Figure:
    figure = Figure(figsize=(WIDTH, 4.8))
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(2.4, 1))
    over_difference(above, below, curves(record, "nb/optim", "loss"), log=True)
    above.set_ylabel("loss")
    below.set_xlabel("step")
    above.legend(ncols=2)
    headed(figure, finding(record), record["title"])
    return figure
