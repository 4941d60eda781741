"""Cases of lr_scheduler.linear_lr."""

from lockstep.cases import Bad
from lockstep.cases.lr_scheduler import NOT_RESUMED, Schedule

CASES = [
    Schedule("defaults"),
    Schedule("a warm-up", start_factor=0.01, total_iters=20),
    Schedule("a long warm-up", start_factor=1e-3, total_iters=300, steps=320),
    Schedule("down to a tenth", start_factor=1.0, end_factor=0.1, total_iters=30),
    Schedule("down to 0", start_factor=1.0, end_factor=0.0, total_iters=30),
    Schedule("groups of their own", lrs=(0.1, 0.003, 1.0), start_factor=0.3, total_iters=7),
    Schedule("in one epoch", start_factor=0.1, total_iters=1),
    Schedule("longer than the run", start_factor=0.1, total_iters=100),
    Schedule("flat", start_factor=0.5, end_factor=0.5, total_iters=10),
    Schedule("resumed", start_factor=0.1, total_iters=20, resumed=13),
    Schedule("resumed by the other side", start_factor=0.1, total_iters=20, resumed=13, crossed=True),
    Schedule("resumed where it ends", start_factor=0.1, total_iters=13, resumed=13),
    Schedule("goes on when it is over", lrs=(0.1,), last_epoch=7, initial_lrs=(0.1,)),
]

START = "Starting multiplicative factor expected to be greater than 0 and less or equal to 1."
END = "Ending multiplicative factor expected to be between 0 and 1."
BAD = [
    Bad("start_factor 0", (ValueError, START), start_factor=0.0),
    Bad("start_factor above 1", (ValueError, START), start_factor=1.1),
    Bad("negative end_factor", (ValueError, END), end_factor=-0.1),
    Bad("end_factor above 1", (ValueError, END), end_factor=1.1),
    Bad("a later epoch without the first learning rates", (KeyError, NOT_RESUMED), last_epoch=3),
]

RUNS = ["defaults", "a long warm-up", "down to 0", "resumed"]
WALKED = {"a warm-up": 5}
CLIMBED = {"a long warm-up": None, "down to 0": None}
