"""Causes of lr_scheduler.constant_lr."""

from lockstep.cases.lr_scheduler import Schedule
from lockstep.causes.cause import First, Scenario
from lockstep.causes.lr_scheduler import Slip
from lockstep.causes.tables import table

SCENARIOS = [
    Scenario(Schedule("a fraction for a while", factor=0.3, total_iters=6, steps=12)),
]

CAUSES = table(
    "lr_scheduler.constant_lr",
    SCENARIOS,
    [
        Slip(
            id="schedule-one-ahead",
            words="at-the-end",
            lines={"over": "last_epoch + 1 >= total_iters"},
            formula=r"o = [t + 1 \ge T]",
            seen="pytorch/pytorch#20124",
            shows="a fraction for a while",
            first=First(6, "lr"),
        ),
        Slip(
            id="schedule-one-behind",
            words="at-the-end",
            lines={"over": "last_epoch > total_iters"},
            formula=r"o = [t > T]",
            shows="a fraction for a while",
            first=First(7, "lr"),
        ),
        Slip(
            id="warm-up-never-ends",
            lines={"over": "False"},
            formula=r"o = 0",
            shows="a fraction for a while",
            first=First(7, "lr"),
        ),
        Slip(
            id="warm-up-upside-down",
            lines={"over": "last_epoch < total_iters"},
            formula=r"o = [t < T]",
            shows="a fraction for a while",
            first=First(1, "lr"),
        ),
        Slip(
            id="factor-added",
            lines={"lr": "base_lr + factor - 1"},
            formula=r"\eta_t = \eta_0 + c_t - 1",
            shows="a fraction for a while",
            first=First(1, "lr"),
        ),
        Slip(
            id="factor-compounds",
            lines={"lr": "lr * factor"},
            formula=r"\eta_t = \eta_{t-1}\,c_t",
            shows="a fraction for a while",
            first=First(2, "lr"),
        ),
        Slip(
            id="factor-value",
            variant="0.1",
            arguments={"factor": "start"},
            free={"start": 0.1},
            formula=r"c = 0.1",
            shows="a fraction for a while",
            first=First(1, "lr"),
        ),
    ],
)
