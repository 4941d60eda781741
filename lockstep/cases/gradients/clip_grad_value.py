"""Cases of gradients.clip_grad_value."""

from lockstep.cases import Bad
from lockstep.cases.gradients import Gradients

CASES = [
    Gradients("defaults", clip_value=0.5),
    Gradients("nothing to clip", clip_value=1e3),
    Gradients("a bound that float32 rounds", clip_value=0.1),
    Gradients("gradients of many sizes", problem="many sizes", clip_value=1e-3),
    Gradients("clip_value 0", clip_value=0.0, still=True),
    Gradients("clip_value below 0", clip_value=-0.5),
]

BAD = [
    Bad("no clip_value", (TypeError, "clip_grad_value_() missing 1 required positional argument: 'clip_value'")),
]

# What a report shows of it, as lockstep/experiments/selection.py takes it.
RUNS = ["defaults"]
WALKED = {"defaults": 1}
CLIMBED = {}  # the same to the bit already
