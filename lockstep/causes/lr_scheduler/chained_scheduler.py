"""Causes of lr_scheduler.chained_scheduler."""

from lockstep.cases.lr_scheduler import Schedule
from lockstep.causes.cause import First, Scenario
from lockstep.causes.lr_scheduler import Slip
from lockstep.causes.tables import table

PARTS = (("LinearLR", {"start_factor": 0.2, "total_iters": 5}), ("ExponentialLR", {"gamma": 0.8}))

SCENARIOS = [
    Scenario(Schedule("a warm-up in a decay", schedulers=PARTS, steps=12)),
]

CAUSES = table(
    "lr_scheduler.chained_scheduler",
    SCENARIOS,
    [
        Slip(
            id="schedule-one-ahead",
            words="throughout",
            lines={"factors": "tuple(part.closed(1.0, last_epoch + 1) for part in schedulers)"},
            formula=r"t \to t + 1",
            seen="pytorch/pytorch#20124",
            shows="a warm-up in a decay",
            first=First(1, "lr"),
        ),
        Slip(
            id="schedule-one-behind",
            words="throughout",
            arguments={"last_epoch": "max(last_epoch - 1, 0)"},
            formula=r"t \to t - 1",
            shows="a warm-up in a decay",
            first=First(2, "lr"),
        ),
        Slip(
            id="last-one-alone",
            lines={"lr": "base_lr * factors[-1]"},
            formula=r"\eta_t = \eta_0\,c^{(n)}_t",
            shows="a warm-up in a decay",
            first=First(1, "lr"),
        ),
        Slip(
            id="first-one-alone",
            lines={"lr": "base_lr * factors[0]"},
            formula=r"\eta_t = \eta_0\,c^{(1)}_t",
            shows="a warm-up in a decay",
            first=First(2, "lr"),
        ),
        Slip(
            id="averaged",
            lines={"lr": "base_lr * sum(factors) / len(factors)"},
            formula=r"\eta_t = \eta_0\,\tfrac{1}{n}\sum c^{(i)}_t",
            shows="a warm-up in a decay",
            first=First(1, "lr"),
        ),
        Slip(
            id="smallest-alone",
            lines={"lr": "base_lr * min(factors)"},
            formula=r"\eta_t = \eta_0 \min c^{(i)}_t",
            shows="a warm-up in a decay",
            first=First(2, "lr"),
        ),
    ],
)
