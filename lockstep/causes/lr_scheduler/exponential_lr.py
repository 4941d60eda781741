"""Causes of lr_scheduler.exponential_lr."""

from lockstep.cases.lr_scheduler import Schedule
from lockstep.causes.cause import First, Scenario
from lockstep.causes.lr_scheduler import Slip
from lockstep.causes.tables import table

SCENARIOS = [
    Scenario(Schedule("a decay an epoch", gamma=0.8, steps=12)),
]

CAUSES = table(
    "lr_scheduler.exponential_lr",
    SCENARIOS,
    [
        Slip(
            id="schedule-one-ahead",
            words="throughout",
            lines={"decay": "gamma ** (last_epoch + 1)"},
            formula=r"d = \gamma^{t + 1}",
            seen="pytorch/pytorch#20124",
            shows="a decay an epoch",
            first=First(1, "lr"),
        ),
        Slip(
            id="schedule-one-behind",
            words="throughout",
            lines={"decay": "gamma ** max(last_epoch - 1, 0)"},
            formula=r"d = \gamma^{t - 1}",
            shows="a decay an epoch",
            first=First(2, "lr"),
        ),
        Slip(
            id="gamma-applied-twice",
            lines={"decay": "gamma ** (2 * last_epoch)"},
            formula=r"d = \gamma^{2t}",
            seen="pytorch/pytorch#17913",
            shows="a decay an epoch",
            first=First(2, "lr"),
        ),
        Slip(
            id="gamma-taken-off",
            lines={"decay": "(1 - gamma) ** last_epoch"},
            formula=r"d = (1 - \gamma)^t",
            shows="a decay an epoch",
            first=First(2, "lr"),
        ),
        Slip(
            id="exponential-of-gamma",
            lines={"decay": "np.exp(-gamma * last_epoch)"},
            formula=r"d = e^{-\gamma t}",
            shows="a decay an epoch",
            first=First(2, "lr"),
        ),
        Slip(
            id="inverse-time-decay",
            lines={"decay": "1 / (1 + gamma * last_epoch)"},
            formula=r"d = \frac{1}{1 + \gamma t}",
            seen="Keras' decay=, optax.inverse_time_decay",
            shows="a decay an epoch",
            first=First(2, "lr"),
        ),
        Slip(
            id="factor-compounds",
            lines={"lr": "lr * decay"},
            formula=r"\eta_t = \eta_{t-1}\,d",
            shows="a decay an epoch",
            first=First(3, "lr"),
        ),
    ],
)
