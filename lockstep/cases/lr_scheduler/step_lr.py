"""Cases of lr_scheduler.step_lr."""

from lockstep.cases import Bad
from lockstep.cases.lr_scheduler import NOT_RESUMED, Schedule

CASES = [
    Schedule("defaults", step_size=5),
    Schedule("every epoch", step_size=1, gamma=0.95),
    Schedule("three quarters", step_size=3, gamma=0.75),
    Schedule("a third, which no binary number is", step_size=4, gamma=1 / 3),
    Schedule("as on ImageNet", step_size=30, steps=120),
    Schedule("for long", step_size=2, gamma=0.99, steps=400),
    Schedule("groups of their own", lrs=(0.1, 0.003, 1.0), step_size=4, gamma=0.3),
    Schedule("a group at 0", lrs=(0.1, 0.0), step_size=4, gamma=0.3),
    Schedule("growing", step_size=3, gamma=1.1),
    Schedule("gamma 1", step_size=3, gamma=1.0),
    Schedule("gamma 0", step_size=3, gamma=0.0),
    Schedule("down to nothing", step_size=1, gamma=1e-30),
    Schedule("longer than the run", step_size=100),
    Schedule("resumed", step_size=5, gamma=0.3, resumed=13),
    Schedule("resumed by the other side", step_size=5, gamma=0.3, resumed=13, crossed=True),
    Schedule("resumed where it decays", step_size=5, gamma=0.3, resumed=15),
    Schedule("goes on from epoch 7", lrs=(0.05,), last_epoch=7, initial_lrs=(0.1,), step_size=5, gamma=0.5),
    Schedule("everything at once", lrs=(0.3, 0.007), step_size=3, gamma=0.7, resumed=17, steps=60),
]

BAD = [
    Bad(
        "a later epoch without the first learning rates",
        (KeyError, NOT_RESUMED),
        step_size=5,
        last_epoch=3,
    ),
    Bad("no step_size", (TypeError, "StepLR.__init__() missing 1 required positional argument: 'step_size'")),
    Bad("a misspelt name", (TypeError, "StepLR.__init__() got an unexpected keyword argument 'decay'"), decay=0.1),
]

# What a report shows of it, as lockstep/experiments/selection.py takes it.
RUNS = ["defaults", "for long", "groups of their own", "resumed"]
WALKED = {"three quarters": 7}
CLIMBED = {"for long": None, "groups of their own": None}
