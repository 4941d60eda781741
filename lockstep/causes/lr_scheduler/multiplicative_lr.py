"""Causes of lr_scheduler.multiplicative_lr."""

from lockstep.cases.lr_scheduler import Schedule, Values
from lockstep.causes.cause import First, Scenario
from lockstep.causes.lr_scheduler import Slip
from lockstep.causes.tables import table

SCENARIOS = [
    Scenario(Schedule("a function that turns", lr_lambda=Values((0.6, 0.5, 1.8, 0.3, 1.9, 0.7, 0.9)), steps=10)),
]

CAUSES = table(
    "lr_scheduler.multiplicative_lr",
    SCENARIOS,
    [
        Slip(
            id="schedule-one-ahead",
            words="throughout",
            lines={"factor": "prod([lr_lambda(epoch) for epoch in range(1, last_epoch + 2)])"},
            formula=r"c_t = \lambda(1) \cdots \lambda(t + 1)",
            seen="pytorch/pytorch#20124",
            shows="a function that turns",
            first=First(1, "lr"),
        ),
        Slip(
            id="schedule-one-behind",
            words="throughout",
            lines={"factor": "prod([lr_lambda(epoch) for epoch in range(1, last_epoch)])"},
            formula=r"c_t = \lambda(1) \cdots \lambda(t - 1)",
            shows="a function that turns",
            first=First(2, "lr"),
        ),
        Slip(
            id="asks-for-epoch-0",
            lines={"factor": "lr_lambda(0) * was"},
            formula=r"c_t = \lambda(0) \cdots \lambda(t)",
            shows="a function that turns",
            first=First(1, "lr"),
        ),
        Slip(
            id="counts-from-epoch-0",
            lines={"factor": "prod([lr_lambda(epoch) for epoch in range(last_epoch)])"},
            formula=r"c_t = \lambda(0) \cdots \lambda(t - 1)",
            shows="a function that turns",
            first=First(2, "lr"),
        ),
        Slip(
            id="not-cumulative",
            lines={"factor": "lr_lambda(last_epoch) if last_epoch > 0 else 1.0"},
            formula=r"c_t = \lambda(t)",
            shows="a function that turns",
            first=First(3, "lr"),
        ),
    ],
)
