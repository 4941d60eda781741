"""Cases of gradients.grad_scaler."""

from lockstep.cases import Bad
from lockstep.cases.gradients import Gradients

SMALL = {"weight": (4, 3), "bias": (3,)}

CASES = [
    Gradients("defaults"),
    Gradients("the scale grows", shapes=SMALL, growth_interval=2, steps=6),
    Gradients(
        "a gradient that is not finite", problem="not finite at step 4", shapes=SMALL, growth_interval=3, steps=7
    ),
    Gradients("gradients that vanish unscaled", scale=2.0**-140, dtypes=("float32",)),
    Gradients("a scale that is no power of two", init_scale=3.0, growth_factor=1.5, growth_interval=1, steps=4),
]

BAD = [
    Bad("a scale that does not grow", (AssertionError, "The growth factor must be > 1.0."), growth_factor=1.0),
    Bad("a scale that does not shrink", (AssertionError, "The backoff factor must be < 1.0."), backoff_factor=1.0),
]

# What a report shows of it, as lockstep/experiments/selection.py takes it.
RUNS = ["a gradient that is not finite"]
CLIMBED = {"a scale that is no power of two": None}  # of any other, both sides are the same to the bit already
