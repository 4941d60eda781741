"""Causes of lr_scheduler.lambda_lr."""

from lockstep.cases.lr_scheduler import Schedule, Values
from lockstep.causes.cause import First, Scenario
from lockstep.causes.lr_scheduler import Slip
from lockstep.causes.tables import table

SCENARIOS = [
    Scenario(Schedule("a function that turns", lr_lambda=Values((1.0, 0.5, 0.8, 0.3, 0.9, 0.2, 0.7)), steps=10)),
]

CAUSES = table(
    "lr_scheduler.lambda_lr",
    SCENARIOS,
    [
        Slip(
            id="schedule-one-ahead",
            words="throughout",
            lines={"factor": "lr_lambda(last_epoch + 1)"},
            formula=r"c_t = \lambda(t + 1)",
            seen="pytorch/pytorch#20124",
            shows="a function that turns",
            first=First(1, "lr"),
        ),
        Slip(
            id="schedule-one-behind",
            words="throughout",
            lines={"factor": "lr_lambda(max(last_epoch - 1, 0))"},
            formula=r"c_t = \lambda(t - 1)",
            shows="a function that turns",
            first=First(2, "lr"),
        ),
        Slip(
            id="factor-compounds",
            lines={"lr": "lr * factor"},
            formula=r"\eta_t = \eta_{t-1}\,c_t",
            shows="a function that turns",
            first=First(3, "lr"),
        ),
        Slip(
            id="factor-for-the-rate",
            lines={"lr": "factor"},
            formula=r"\eta_t = c_t",
            shows="a function that turns",
            first=First(1, "lr"),
        ),
        Slip(
            id="factor-added",
            lines={"lr": "base_lr + factor - 1"},
            formula=r"\eta_t = \eta_0 + c_t - 1",
            shows="a function that turns",
            first=First(1, "lr"),
        ),
    ],
)
