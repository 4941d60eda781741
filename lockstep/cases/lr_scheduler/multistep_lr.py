"""Cases of lr_scheduler.multistep_lr."""

from lockstep.cases import Bad
from lockstep.cases.lr_scheduler import NOT_RESUMED, Schedule

CASES = [
    Schedule("two milestones", milestones=(10, 25)),
    Schedule("by a third, which no binary number is", milestones=(5, 8, 30), gamma=1 / 3),
    Schedule("in any order", milestones=(30, 4, 12), gamma=0.7),
    Schedule("a milestone twice", milestones=(6, 6, 20), gamma=0.3),
    Schedule("at once", milestones=(0, 1, 2), gamma=0.9),
    Schedule("as on ImageNet", milestones=(30, 60, 90), steps=120),
    Schedule("every epoch", milestones=tuple(range(1, 201)), gamma=0.97, steps=200),
    Schedule("groups of their own", lrs=(0.1, 0.003, 1.0), milestones=(4, 9), gamma=0.3),
    Schedule("growing", milestones=(3, 7, 9), gamma=1.1),
    Schedule("gamma 0", milestones=(3, 7), gamma=0.0),
    Schedule("no milestone", milestones=()),
    Schedule("resumed", milestones=(5, 20), gamma=0.3, resumed=13),
    Schedule("resumed by the other side", milestones=(5, 20), gamma=0.3, resumed=13, crossed=True),
    Schedule("resumed where it decays", milestones=(5, 15), gamma=0.3, resumed=15),
    Schedule("goes on from epoch 7", lrs=(0.05,), last_epoch=7, initial_lrs=(0.1,), milestones=(5, 12), gamma=0.5),
]

BAD = [
    Bad("a later epoch without the first learning rates", (KeyError, NOT_RESUMED), milestones=(5,), last_epoch=3),
    Bad(
        "no milestones",
        (TypeError, "MultiStepLR.__init__() missing 1 required positional argument: 'milestones'"),
    ),
    Bad("a milestone that is no list", (TypeError, "'int' object is not iterable"), milestones=5),
]

RUNS = ["two milestones", "every epoch", "groups of their own", "resumed"]
WALKED = {"by a third, which no binary number is": 9}
CLIMBED = {"every epoch": None}
