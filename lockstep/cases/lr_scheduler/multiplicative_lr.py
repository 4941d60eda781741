"""Cases of lr_scheduler.multiplicative_lr."""

from lockstep.cases import Bad
from lockstep.cases.lr_scheduler import NOT_RESUMED, Schedule, Values

STEADY = Values((0.5, 0.95))  # λ(0) is never asked for
TURNING = Values((9.0, *(1 + 0.2 * (-1) ** epoch / (epoch + 1) for epoch in range(1, 64))))

CASES = [
    Schedule("a power", lr_lambda=STEADY),
    Schedule("up and down", lr_lambda=TURNING),
    Schedule("a function for each group", lrs=(0.1, 0.003), lr_lambda=(STEADY, TURNING)),
    Schedule("one function for all groups", lrs=(0.1, 0.003, 1.0), lr_lambda=TURNING),
    Schedule("for long", lr_lambda=Values((1.0, 0.99)), steps=200),
    Schedule("constant", lr_lambda=Values((1.0,))),
    Schedule("resumed", lr_lambda=TURNING, resumed=13),
    Schedule("resumed by the other side", lr_lambda=TURNING, resumed=13, crossed=True),
]

BAD = [
    Bad("two functions for one group", (ValueError, "Expected 1 lr_lambdas, but got 2"), lr_lambda=[STEADY] * 2),
    Bad("no function", (TypeError, "lr_lambda should be a function, but got float"), lr_lambda=0.9),
    Bad("a later epoch without the first learning rates", (KeyError, NOT_RESUMED), lr_lambda=STEADY, last_epoch=3),
]

RUNS = ["a power", "for long", "a function for each group", "resumed"]
WALKED = {"up and down": 5}
CLIMBED = {"for long": None}
