"""Cases of lr_scheduler.lambda_lr."""

from lockstep.cases import Bad
from lockstep.cases.lr_scheduler import NOT_RESUMED, Schedule, Values

FALLING = Values(tuple(0.95**epoch for epoch in range(64)))
WARMED = Values(tuple(min(1.0, (epoch + 1) / 10) * (epoch + 1) ** -0.5 for epoch in range(64)))

CASES = [
    Schedule("a power", lr_lambda=FALLING),
    Schedule("a warm-up and a root", lr_lambda=WARMED),
    Schedule("a function for each group", lrs=(0.1, 0.003), lr_lambda=(FALLING, WARMED)),
    Schedule("one function for all groups", lrs=(0.1, 0.003, 1.0), lr_lambda=WARMED),
    Schedule("constant", lr_lambda=Values((1.0,))),
    Schedule("up and down", lr_lambda=Values((1.0, 0.5, 2.0, 0.25, 3.0, 1 / 3))),
    Schedule("resumed", lr_lambda=WARMED, resumed=13),
    Schedule("resumed by the other side", lr_lambda=WARMED, resumed=13, crossed=True),
    Schedule("goes on from epoch 4", lrs=(0.05,), last_epoch=4, initial_lrs=(0.1,), lr_lambda=FALLING),
]

BAD = [
    Bad("two functions for one group", (ValueError, "Expected 1 lr_lambdas, but got 2"), lr_lambda=[FALLING] * 2),
    Bad("no function", (TypeError, "'float' object is not callable"), lr_lambda=0.9),
    Bad("a later epoch without the first learning rates", (KeyError, NOT_RESUMED), lr_lambda=FALLING, last_epoch=3),
]

RUNS = ["a power", "a function for each group", "resumed"]
WALKED = {"a warm-up and a root": 5}
CLIMBED = {}  # the same to the bit already
