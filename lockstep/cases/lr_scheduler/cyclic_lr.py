"""Cases of lr_scheduler.cyclic_lr."""

from typing import Any

from lockstep.cases import Bad
from lockstep.cases.lr_scheduler import Schedule, Values

BOUNDS: dict[str, Any] = {"base_lr": 0.01, "max_lr": 0.1}

CASES = [
    Schedule("a triangle", step_size_up=8, **BOUNDS),
    Schedule("faster down", step_size_up=9, step_size_down=4, **BOUNDS),
    Schedule("half as high each cycle", step_size_up=5, mode="triangular2", steps=60, **BOUNDS),
    Schedule("lower each epoch", step_size_up=7, mode="exp_range", gamma=0.97, steps=60, **BOUNDS),
    Schedule("a late cycle", step_size_up=7, step_size_down=6, steps=400, **BOUNDS),
    Schedule("a function of the cycle", step_size_up=4, scale_fn=Values((0.0, 1.0, 0.7, 0.3, 0.9, 0.1)), **BOUNDS),
    Schedule(
        "a function of the epoch",
        step_size_up=4,
        scale_fn=Values(tuple(0.98**epoch for epoch in range(41))),
        scale_mode="iterations",
        **BOUNDS,
    ),
    Schedule("without momentum", step_size_up=6, cycle_momentum=False, **BOUNDS),
    Schedule("a momentum of its own", step_size_up=6, base_momentum=0.5, max_momentum=0.99, **BOUNDS),
    Schedule(
        "groups of their own",
        lrs=(0.1, 0.003),
        step_size_up=5,
        base_lr=(0.01, 0.0003),
        max_lr=(0.1, 0.003),
        base_momentum=(0.8, 0.7),
        max_momentum=(0.9, 0.95),
    ),
    Schedule("longer than the run", **BOUNDS),
    Schedule("resumed", step_size_up=8, step_size_down=5, mode="exp_range", gamma=0.95, resumed=13, **BOUNDS),
    Schedule(
        "resumed by the other side",
        step_size_up=8,
        step_size_down=5,
        mode="exp_range",
        gamma=0.95,
        resumed=13,
        crossed=True,
        **BOUNDS,
    ),
]

LENGTH = "{0} must have the same length as optimizer.param_groups. {0} has 2 values, param_groups has 1."
BAD = [
    Bad("a mode that there is not", (ValueError, "mode is invalid and scale_fn is None"), mode="square", **BOUNDS),
    Bad("two base_lr for one group", (ValueError, LENGTH.format("base_lr")), base_lr=[0.1, 0.2], max_lr=1.0),
    Bad("two max_lr for one group", (ValueError, LENGTH.format("max_lr")), base_lr=0.1, max_lr=[0.1, 0.2]),
]

RUNS = ["a triangle", "half as high each cycle", "a late cycle", "groups of their own"]
WALKED = {"a triangle": 6}
CLIMBED = {"a late cycle": None}
