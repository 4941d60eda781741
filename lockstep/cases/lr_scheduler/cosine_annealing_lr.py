"""Cases of lr_scheduler.cosine_annealing_lr."""

from lockstep.cases import Bad
from lockstep.cases.lr_scheduler import NOT_RESUMED, Schedule

CASES = [
    Schedule("half a period", T_max=40),
    Schedule("a floor", T_max=30, eta_min=0.001),
    Schedule("down and up again", T_max=12, eta_min=0.003),
    Schedule("a long period, and up again", T_max=200, steps=450),
    Schedule("groups of their own", lrs=(0.1, 0.003, 1.0), T_max=25, eta_min=1e-4),
    Schedule("one epoch down, one up", T_max=1, eta_min=0.01),
    Schedule("two epochs down, two up", T_max=2),
    Schedule("up to a ceiling", T_max=30, eta_min=0.5),
    Schedule("a floor that is the ceiling", T_max=30, eta_min=0.1),
    Schedule("longer than the run", T_max=100),
    Schedule("resumed", T_max=30, eta_min=0.001, resumed=13),
    Schedule("resumed by the other side", T_max=30, eta_min=0.001, resumed=13, crossed=True),
    Schedule("resumed at the floor", T_max=13, resumed=14),
    Schedule("goes on from epoch 4", lrs=(0.05,), last_epoch=4, initial_lrs=(0.1,), T_max=10),
]

MISSING = "CosineAnnealingLR.__init__() missing 1 required positional argument: 'T_max'"
BAD = [
    Bad("a later epoch without the first learning rates", (KeyError, NOT_RESUMED), T_max=9, last_epoch=3),
    Bad("no T_max", (TypeError, MISSING)),
]

RUNS = ["half a period", "a long period, and up again", "groups of their own", "resumed"]
WALKED = {"a floor": 5}
CLIMBED = {"a long period, and up again": None, "a floor": None}
