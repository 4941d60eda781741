"""Cases of lr_scheduler.polynomial_lr."""

from lockstep.cases import Bad
from lockstep.cases.lr_scheduler import NOT_RESUMED, Schedule

CASES = [
    Schedule("defaults"),
    Schedule("a straight line", total_iters=30),
    Schedule("squared", total_iters=25, power=2.0),
    Schedule("as for segmentation", total_iters=300, power=0.9, steps=320),
    Schedule("a root", total_iters=20, power=0.5),
    Schedule("groups of their own", lrs=(0.1, 0.003, 1.0), total_iters=30, power=3.0),
    Schedule("power 0", total_iters=10, power=0.0),
    Schedule("longer than the run", total_iters=100),
    Schedule("resumed", total_iters=30, power=2.0, resumed=13),
    Schedule("resumed by the other side", total_iters=30, power=2.0, resumed=13, crossed=True),
    Schedule("goes on from epoch 4", lrs=(0.05,), last_epoch=4, initial_lrs=(0.1,), total_iters=10),
]

BAD = [Bad("a later epoch without the first learning rates", (KeyError, NOT_RESUMED), last_epoch=3)]

RUNS = ["defaults", "as for segmentation", "groups of their own", "resumed"]
WALKED = {"squared": 5}
CLIMBED = {"as for segmentation": None}
