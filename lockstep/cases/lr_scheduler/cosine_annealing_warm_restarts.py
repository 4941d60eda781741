"""Cases of lr_scheduler.cosine_annealing_warm_restarts."""

from lockstep.cases import Bad
from lockstep.cases.lr_scheduler import NOT_RESUMED, Schedule

CASES = [
    Schedule("a period of 10", T_0=10),
    Schedule("periods that double", T_0=5, T_mult=2, steps=80),
    Schedule("periods that treble, and a floor", T_0=4, T_mult=3, eta_min=0.002, steps=120),
    Schedule("groups of their own", lrs=(0.1, 0.003, 1.0), T_0=7, T_mult=2, eta_min=1e-4),
    Schedule("every epoch", T_0=1),
    Schedule("up to a ceiling", T_0=12, eta_min=0.5),
    Schedule("longer than the run", T_0=100),
    Schedule("resumed", T_0=6, T_mult=2, resumed=13, paths=("stepped",)),
    Schedule("resumed by the other side", T_0=6, T_mult=2, resumed=13, crossed=True, paths=("stepped",)),
    Schedule("resumed where it restarts", T_0=6, T_mult=2, resumed=18, paths=("stepped",)),
]

BAD = [
    Bad("T_0 of 0", (ValueError, "Expected positive integer T_0, but got 0"), T_0=0),
    Bad("half an epoch", (ValueError, "Expected positive integer T_0, but got 2.5"), T_0=2.5),
    Bad("T_mult of 0", (ValueError, "Expected integer T_mult >= 1, but got 0"), T_0=5, T_mult=0),
    Bad("T_mult of 1.5", (ValueError, "Expected integer T_mult >= 1, but got 1.5"), T_0=5, T_mult=1.5),
    Bad(
        "eta_min of a text",
        (ValueError, "Expected float or int eta_min, but got 0.1 of type <class 'str'>"),
        T_0=5,
        eta_min="0.1",
    ),
    Bad("a later epoch without the first learning rates", (KeyError, NOT_RESUMED), T_0=9, last_epoch=3),
]

RUNS = ["a period of 10", "periods that treble, and a floor", "groups of their own", "resumed"]
WALKED = {"periods that double": 17}
CLIMBED = {}  # the same to the bit already
