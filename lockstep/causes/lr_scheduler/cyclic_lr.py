"""Causes of lr_scheduler.cyclic_lr."""

from typing import Any

from lockstep.cases.lr_scheduler import Schedule
from lockstep.causes.cause import First, Scenario
from lockstep.causes.lr_scheduler import Slip
from lockstep.causes.tables import table

BOUNDS: dict[str, Any] = {"base_lr": 0.01, "max_lr": 0.1}

SCENARIOS = [
    Scenario(Schedule("a triangle, three times", **BOUNDS, step_size_up=5, step_size_down=3, steps=30)),
    Scenario(Schedule("lower each cycle", **BOUNDS, step_size_up=4, mode="triangular2", steps=30)),
    Scenario(Schedule("lower each epoch", **BOUNDS, step_size_up=4, mode="exp_range", gamma=0.9, steps=30)),
]

CAUSES = table(
    "lr_scheduler.cyclic_lr",
    SCENARIOS,
    [
        Slip(
            id="schedule-one-ahead",
            words="throughout",
            arguments={"last_epoch": "last_epoch + 1"},
            formula=r"t \to t + 1",
            seen="pytorch/pytorch#20124",
            shows="a triangle, three times",
            first=First(1, "lr"),
        ),
        Slip(
            id="schedule-one-behind",
            words="throughout",
            arguments={"last_epoch": "max(last_epoch - 1, 0)"},
            formula=r"t \to t - 1",
            shows="a triangle, three times",
            first=First(2, "lr"),
        ),
        Slip(
            id="momentum-not-inverted",
            lines={"momentum": "base_momentum + (max_momentum - base_momentum) * height * scale"},
            formula=r"\mu_t = \mu_0 + (\mu_{\max} - \mu_0)\,h\,a",
            shows="a triangle, three times",
            first=First(1, "momentum"),
        ),
        Slip(
            id="height-added",
            lines={"lr": "base_lr + max_lr * height * scale"},
            formula=r"\eta_t = \eta_0 + \eta_{\max}\,h\,a",
            shows="a triangle, three times",
            first=First(2, "lr"),
        ),
        Slip(
            id="down-as-fast-as-up",
            arguments={"step_size_down": "step_size_up"},
            formula=r"s_d = s_u",
            shows="a triangle, three times",
            first=First(7, "lr"),
        ),
        Slip(
            id="whole-cycle-for-half",
            arguments={"step_size_up": "step_size_up / 2", "step_size_down": "step_size_down / 2"},
            formula=r"s \to s / 2",
            shows="a triangle, three times",
            first=First(2, "lr"),
        ),
        Slip(
            id="scale-of-the-next-cycle",
            lines={"scale": "scale_fn(cycle + 1, last_epoch)"},
            formula=r"a = 2^{-k}",
            shows="lower each cycle",
            first=First(2, "lr"),
        ),
        Slip(
            id="scale-of-the-cycle",
            lines={"scale": "scale_fn(cycle, cycle)"},
            formula=r"a = \gamma^k",
            shows="lower each epoch",
            first=First(3, "lr"),
        ),
        Slip(
            id="scale-ignored",
            lines={"scale": "1.0"},
            formula=r"a = 1",
            shows="lower each cycle",
            first=First(10, "lr"),
        ),
    ],
)
