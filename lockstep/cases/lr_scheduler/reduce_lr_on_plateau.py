"""Cases of lr_scheduler.reduce_lr_on_plateau."""

from lockstep.cases import Bad
from lockstep.cases.lr_scheduler import Schedule

# falls by less and less, then rests, rises and falls again: improvements around a share of 1e-3 and of 1e-2
FALLING = (
    *(2.0, 1.5, 1.2, 1.195, 1.19499, 1.1949, 1.194, 1.19, 1.19, 1.21, 1.2, 1.19, 1.18, 1.1799, 1.1798, 1.1797, 1.17),
    *(
        1.3,
        1.25,
        1.24,
        1.23,
        1.22,
        1.21,
        1.2,
        1.1,
        1.09,
        1.0899,
        1.0898,
        1.0897,
        1.0896,
        1.0895,
        1.0,
        1.1,
        1.1,
        1.1,
        1.1,
    ),
    *(1.1, 1.1, 1.1, 1.1),
)
RISING = tuple(3.0 - metric for metric in FALLING)
FAR_BELOW = tuple(metric - 3.0 for metric in FALLING)
LARGE = tuple(100.0 * metric for metric in FALLING)

CASES = [
    Schedule("no patience", metrics=FALLING, patience=0),
    Schedule("patience of two", metrics=FALLING, patience=2, threshold=1e-3),
    Schedule("defaults", metrics=(1.0,), steps=60),
    Schedule("larger is better", metrics=RISING, mode="max", patience=2),
    Schedule("a threshold that is a number", metrics=FALLING, threshold_mode="abs", threshold=0.01, patience=1),
    Schedule(
        "larger is better, by a number", metrics=RISING, mode="max", threshold_mode="abs", threshold=0.01, patience=1
    ),
    Schedule("large metrics, and a share of them", metrics=LARGE, threshold=1e-2, patience=1),
    Schedule("below 0", metrics=FAR_BELOW, patience=1, threshold=1e-2),
    Schedule("cooldown", metrics=FALLING, patience=1, cooldown=3, factor=0.5),
    Schedule("a floor", metrics=FALLING, patience=0, factor=0.3, min_lr=0.001),
    Schedule("too little to change", metrics=FALLING, patience=0, factor=0.5, lrs=(1e-7,)),
    Schedule("groups of their own", lrs=(0.1, 0.003), metrics=FALLING, patience=1, factor=0.3, min_lr=(0.001, 0.0005)),
    Schedule("resumed", metrics=FALLING, patience=2, cooldown=2, factor=0.5, resumed=13),
    Schedule(
        "resumed by the other side", metrics=FALLING, patience=2, cooldown=2, factor=0.5, resumed=13, crossed=True
    ),
]

BAD = [
    Bad("factor 1", (ValueError, "Factor should be < 1.0."), factor=1.0),
    Bad("a mode that there is not", (ValueError, "mode best is unknown!"), mode="best"),
    Bad("a threshold of another kind", (ValueError, "threshold mode share is unknown!"), threshold_mode="share"),
    Bad("two min_lr for one group", (ValueError, "expected 1 min_lrs, got 2"), min_lr=[0.1, 0.2]),
]

RUNS = ["no patience", "cooldown", "groups of their own", "resumed"]
WALKED = {"no patience": 8}
CLIMBED = {}  # the same to the bit already
