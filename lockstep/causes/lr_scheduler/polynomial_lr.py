"""Causes of lr_scheduler.polynomial_lr."""

from lockstep.cases.lr_scheduler import Schedule
from lockstep.causes.cause import First, Scenario
from lockstep.causes.lr_scheduler import Slip
from lockstep.causes.tables import table

SCENARIOS = [
    Scenario(Schedule("down to nothing, squared", total_iters=10, power=2.0, steps=14)),
]

CAUSES = table(
    "lr_scheduler.polynomial_lr",
    SCENARIOS,
    [
        Slip(
            id="schedule-one-ahead",
            words="throughout",
            lines={"done": "min(total_iters, last_epoch + 1)"},
            formula=r"d = \min(T, t + 1)",
            seen="pytorch/pytorch#20124",
            shows="down to nothing, squared",
            first=First(1, "lr"),
        ),
        Slip(
            id="schedule-one-behind",
            words="throughout",
            lines={"done": "min(total_iters, max(last_epoch - 1, 0))"},
            formula=r"d = \min(T, t - 1)",
            shows="down to nothing, squared",
            first=First(2, "lr"),
        ),
        Slip(
            id="total-iters-off-by-one",
            arguments={"total_iters": "max(total_iters - 1, 1)"},
            formula=r"T \to T - 1",
            shows="down to nothing, squared",
            first=First(2, "lr"),
        ),
        Slip(
            id="power-ignored",
            lines={"lr": "base_lr * left"},
            formula=r"\eta_t = \eta_0\,l",
            shows="down to nothing, squared",
            first=First(2, "lr"),
        ),
        Slip(
            id="power-of-the-progress",
            lines={"left": "1.0 - (done / total_iters) ** power", "lr": "base_lr * left"},
            formula=r"\eta_t = \eta_0\,(1 - (d / T)^p)",
            seen="catalyst-team/catalyst#464",
            shows="down to nothing, squared",
            first=First(2, "lr"),
        ),
        Slip(
            id="goes-up",
            lines={"left": "done / total_iters"},
            formula=r"l = d / T",
            shows="down to nothing, squared",
            first=First(1, "lr"),
        ),
        Slip(
            id="factor-compounds",
            lines={"lr": "lr * left**power"},
            formula=r"\eta_t = \eta_{t-1}\,l^p",
            shows="down to nothing, squared",
            first=First(3, "lr"),
        ),
        Slip(
            id="power-value",
            variant="0.9",
            arguments={"power": "power"},
            free={"power": 0.9},
            formula=r"p = 0.9",
            seen="DeepLab",
            shows="down to nothing, squared",
            first=First(2, "lr"),
        ),
    ],
)
