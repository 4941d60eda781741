"""Cases of lr_scheduler.one_cycle_lr."""

from lockstep.cases import Bad
from lockstep.cases.lr_scheduler import Schedule

CASES = [
    Schedule("a cosine", max_lr=0.1, total_steps=40),
    Schedule("a line", max_lr=0.1, total_steps=40, anneal_strategy="linear"),
    Schedule("three phases", max_lr=0.1, total_steps=40, three_phase=True),
    Schedule("three phases in lines", max_lr=0.1, total_steps=40, three_phase=True, anneal_strategy="linear"),
    Schedule("epochs of steps", max_lr=0.1, epochs=5, steps_per_epoch=8),
    Schedule("a long way up", max_lr=0.3, total_steps=200, pct_start=0.45, steps=200),
    Schedule("factors of its own", max_lr=0.1, total_steps=40, div_factor=10.0, final_div_factor=100.0),
    Schedule("without momentum", max_lr=0.1, total_steps=40, cycle_momentum=False),
    Schedule("a momentum of its own", max_lr=0.1, total_steps=40, base_momentum=0.5, max_momentum=0.99),
    Schedule("groups of their own", lrs=(0.1, 0.003), max_lr=(0.1, 0.003), total_steps=40),
    Schedule("one step more than there are", max_lr=0.1, total_steps=40, steps=41),
    Schedule("resumed", max_lr=0.1, total_steps=40, resumed=17),
    Schedule("resumed by the other side", max_lr=0.1, total_steps=40, resumed=17, crossed=True),
]

NOTHING = "You must define either total_steps OR (epochs AND steps_per_epoch)"
LENGTH = "max_lr must have the same length as optimizer.param_groups. max_lr has 2 values, param_groups has 1."
STRATEGY = "anneal_strategy must be one of 'cos' or 'linear', instead got square"
BAD = [
    Bad("no steps", (ValueError, NOTHING), max_lr=0.1),
    Bad("epochs alone", (ValueError, NOTHING), max_lr=0.1, epochs=5),
    Bad("0 steps", (ValueError, "Expected positive integer total_steps, but got 0"), max_lr=0.1, total_steps=0),
    Bad("half a step", (ValueError, "Expected positive integer total_steps, but got 2.5"), max_lr=0.1, total_steps=2.5),
    Bad(
        "0 epochs", (ValueError, "Expected positive integer epochs, but got 0"), max_lr=0.1, epochs=0, steps_per_epoch=5
    ),
    Bad(
        "epochs of 0 steps",
        (ValueError, "Expected positive integer steps_per_epoch, but got 0"),
        max_lr=0.1,
        epochs=5,
        steps_per_epoch=0,
    ),
    Bad(
        "pct_start of 1",
        (ValueError, "Expected float between 0 and 1 pct_start, but got 1"),
        max_lr=0.1,
        total_steps=9,
        pct_start=1,
    ),
    Bad("a strategy that there is not", (ValueError, STRATEGY), max_lr=0.1, total_steps=9, anneal_strategy="square"),
    Bad("two max_lr for one group", (ValueError, LENGTH), max_lr=[0.1, 0.2], total_steps=9),
]

RUNS = ["a cosine", "three phases", "groups of their own", "resumed"]
WALKED = {"a cosine": 20}
CLIMBED = {}  # the same to the bit already
