"""Cases of lr_scheduler.sequential_lr."""

from lockstep.cases import Bad
from lockstep.cases.lr_scheduler import Schedule

WARM_UP = ("LinearLR", {"start_factor": 0.1, "total_iters": 5})
CONSTANT = ("ConstantLR", {"factor": 0.1, "total_iters": 4})
COSINE = ("CosineAnnealingLR", {"T_max": 30, "eta_min": 0.001})
DECAY = ("ExponentialLR", {"gamma": 0.9})

CASES = [
    Schedule("a warm-up, then a cosine", schedulers=(WARM_UP, COSINE), milestones=(5,)),
    Schedule("constant, then a decay", schedulers=(CONSTANT, DECAY), milestones=(4,)),
    Schedule("three", schedulers=(WARM_UP, ("StepLR", {"step_size": 4}), DECAY), milestones=(5, 20)),
    Schedule("a polynomial to end with", schedulers=(DECAY, ("PolynomialLR", {"total_iters": 15})), milestones=(20,)),
    Schedule("restarts in the end", schedulers=(WARM_UP, ("CosineAnnealingWarmRestarts", {"T_0": 6})), milestones=(5,)),
    Schedule("a milestone before the line ends", schedulers=(WARM_UP, DECAY), milestones=(3,)),
    Schedule("groups of their own", lrs=(0.1, 0.003), schedulers=(WARM_UP, COSINE), milestones=(5,)),
    Schedule("one alone", schedulers=(DECAY,), milestones=()),
    Schedule("at once the second", schedulers=(WARM_UP, DECAY), milestones=(0,)),
    Schedule("resumed", schedulers=(WARM_UP, COSINE), milestones=(5,), resumed=13),
    Schedule("resumed by the other side", schedulers=(WARM_UP, COSINE), milestones=(5,), resumed=13, crossed=True),
    Schedule("resumed at the milestone", schedulers=(WARM_UP, COSINE), milestones=(5,), resumed=6),
]

NONE = "SequentialLR expects at least one scheduler, but got no scheduler."
COUNT = (
    "Sequential Schedulers expects number of schedulers provided to be one more than the number of milestone points, "
    "but got number of schedulers 2 and the number of milestones to be equal to 0"
)
BAD = [
    Bad("no schedule", (ValueError, NONE), schedulers=(), milestones=()),
    Bad("no milestone between two", (ValueError, COUNT), schedulers=(WARM_UP, DECAY), milestones=()),
]

RUNS = ["a warm-up, then a cosine", "three", "groups of their own", "resumed"]
WALKED = {"a warm-up, then a cosine": 8}
CLIMBED = {"a warm-up, then a cosine": None}
