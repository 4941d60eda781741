"""Cases of gradients.clip_grad_norm."""

from math import inf

from lockstep.cases import Bad
from lockstep.cases.gradients import Gradients

SEVERAL = {"weight": (13, 7), "bias": (5,), "scale": (1,), "image": (2, 3, 4, 5)}

CASES = [
    Gradients("defaults", max_norm=1.0),
    Gradients("nothing to clip", max_norm=1e3),
    Gradients("just above the norm", problem="shrinking", max_norm=1e-3, steps=6),
    Gradients("the sum of magnitudes", max_norm=1.0, norm_type=1.0),
    Gradients("the largest", max_norm=0.5, norm_type=inf),
    Gradients("the smallest", max_norm=0.5, norm_type=-inf),
    Gradients("a cube root", max_norm=1.0, norm_type=3.0),
    Gradients("a norm of order 1/2", max_norm=1.0, norm_type=0.5),
    Gradients("several tensors", shapes=SEVERAL, max_norm=1.0),
    Gradients("one tensor", shapes={"weight": (61,)}, max_norm=1.0),
    Gradients("many numbers", shapes={"weight": (67, 61), "bias": (67,)}, max_norm=1.0, steps=1),
    Gradients("gradients of many sizes", problem="many sizes", max_norm=1.0),
    Gradients("tiny gradients", scale=2.0**-40, max_norm=2.0**-40),
    Gradients("large gradients", scale=2.0**40, max_norm=1.0),
    Gradients("a norm beyond the format", scale=2.0**70, max_norm=1.0, dtypes=("float32",), still=True),
    Gradients("all gradients are 0", problem="normal", zero_from=1, max_norm=1.0, still=True),
    Gradients("max_norm 0", max_norm=0.0, still=True),
]

BAD = [
    Bad("no max_norm", (TypeError, "clip_grad_norm_() missing 1 required positional argument: 'max_norm'")),
]

# What a report shows of it, as lockstep/experiments/selection.py takes it.
RUNS = ["defaults", "several tensors", "the largest"]
WALKED = {"several tensors": 1}
CLIMBED = {"many numbers": None}
