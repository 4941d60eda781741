"""Cases of lr_scheduler.exponential_lr."""

from lockstep.cases import Bad
from lockstep.cases.lr_scheduler import NOT_RESUMED, Schedule

CASES = [
    Schedule("by a twentieth", gamma=0.95),
    Schedule("by a third, which no binary number is", gamma=1 / 3),
    Schedule("for long", gamma=0.99, steps=400),
    Schedule("groups of their own", lrs=(0.1, 0.003, 1.0), gamma=0.9),
    Schedule("growing", gamma=1.1),
    Schedule("gamma 1", gamma=1.0),
    Schedule("gamma 0", gamma=0.0),
    Schedule("down to nothing", gamma=1e-30),
    Schedule("resumed", gamma=0.9, resumed=13),
    Schedule("resumed by the other side", gamma=0.9, resumed=13, crossed=True),
    Schedule("goes on from epoch 1", lrs=(0.025,), last_epoch=1, initial_lrs=(0.1,), gamma=0.5),
]

MISSING = "ExponentialLR.__init__() missing 1 required positional argument: 'gamma'"
BAD = [
    Bad("a later epoch without the first learning rates", (KeyError, NOT_RESUMED), gamma=0.9, last_epoch=3),
    Bad("no gamma", (TypeError, MISSING)),
]

RUNS = ["by a twentieth", "for long", "groups of their own", "resumed"]
WALKED = {"by a twentieth": 3}
CLIMBED = {"for long": None, "groups of their own": None}
