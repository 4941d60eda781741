"""Cases of lr_scheduler.chained_scheduler."""

from lockstep.cases import Bad
from lockstep.cases.lr_scheduler import Schedule

WARM_UP = ("LinearLR", {"start_factor": 0.1, "total_iters": 5})
CONSTANT = ("ConstantLR", {"factor": 0.1, "total_iters": 20})
DECAY = ("ExponentialLR", {"gamma": 0.9})

CASES = [
    Schedule("a warm-up in a decay", schedulers=(WARM_UP, DECAY)),
    Schedule("constant in a decay", schedulers=(CONSTANT, DECAY)),
    Schedule("three", schedulers=(WARM_UP, ("StepLR", {"step_size": 7}), ("PolynomialLR", {"total_iters": 50}))),
    Schedule("a cosine and a decay", schedulers=(("CosineAnnealingLR", {"T_max": 50}), DECAY)),
    Schedule("groups of their own", lrs=(0.1, 0.003), schedulers=(WARM_UP, DECAY)),
    Schedule("one alone", schedulers=(DECAY,)),
    Schedule("resumed", schedulers=(WARM_UP, DECAY), resumed=13),
    Schedule("resumed by the other side", schedulers=(WARM_UP, DECAY), resumed=13, crossed=True),
]

NONE = "ChainedScheduler expects at least one scheduler to be chained, but got no scheduler."
BAD = [Bad("no schedule", (ValueError, NONE), schedulers=())]

RUNS = ["a warm-up in a decay", "three", "groups of their own", "resumed"]
WALKED = {"a warm-up in a decay": 5}
CLIMBED = {"a warm-up in a decay": None}
