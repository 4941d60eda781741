"""Cases of lr_scheduler.constant_lr."""

from lockstep.cases import Bad
from lockstep.cases.lr_scheduler import NOT_RESUMED, Schedule

CASES = [
    Schedule("defaults"),
    Schedule("half", factor=0.5, total_iters=10),
    Schedule("a seventh, whose inverse is rounded", factor=1 / 7, total_iters=7, lrs=(0.3, 0.07, 1e-3)),
    Schedule("groups of their own", lrs=(0.1, 0.003, 1.0), factor=0.3, total_iters=4),
    Schedule("for one epoch", factor=0.1, total_iters=1),
    Schedule("longer than the run", factor=0.1, total_iters=100),
    Schedule("factor 1", factor=1.0),
    Schedule("resumed", factor=0.3, total_iters=20, resumed=13),
    Schedule("resumed by the other side", factor=0.3, total_iters=20, resumed=13, crossed=True),
    Schedule("resumed where it ends", factor=0.3, total_iters=13, resumed=13),
    Schedule("goes on from epoch 7", lrs=(0.1,), last_epoch=7, initial_lrs=(0.1,), factor=0.5),
]

WORDS = "Constant multiplicative factor expected to be between 0 and 1."
BAD = [
    Bad("factor above 1", (ValueError, WORDS), factor=1.5),
    Bad("negative factor", (ValueError, WORDS), factor=-0.1),
    Bad("a later epoch without the first learning rates", (KeyError, NOT_RESUMED), last_epoch=3),
]

RUNS = ["defaults", "a seventh, whose inverse is rounded", "resumed"]
WALKED = {"half": 11}
CLIMBED = {"a seventh, whose inverse is rounded": None}
