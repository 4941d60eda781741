"""Cases of gradients.accumulation: the first axis of every shape is the batches of a step."""

from lockstep.cases import Bad
from lockstep.cases.gradients import Gradients

SHAPES = {"weight": (3, 4, 3), "bias": (3, 3)}

CASES = [
    Gradients("batches of one size", shapes={"weight": (3, 12)}),
    Gradients("batches of several sizes", shapes=SHAPES, samples=(4, 4, 1)),
    Gradients("batches of several sizes, summed", shapes=SHAPES, samples=(4, 4, 1), reduction="sum"),
    Gradients("one batch", shapes={"weight": (1, 4, 3)}, samples=(7,)),
    Gradients("many batches of many sizes", problem="many sizes", shapes={"weight": (64, 7)}, samples=(3,) * 63 + (1,)),
]

BAD = [
    Bad("an average", (ValueError, "average is not a valid value for reduction"), reduction="average"),
]

# What a report shows of it, as lockstep/experiments/selection.py takes it.
RUNS = ["batches of several sizes"]
