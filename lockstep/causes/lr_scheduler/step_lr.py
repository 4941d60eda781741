"""Causes of lr_scheduler.step_lr."""

from lockstep.cases.lr_scheduler import Schedule
from lockstep.causes.cause import First, Scenario
from lockstep.causes.lr_scheduler import Slip
from lockstep.causes.tables import table

SCENARIOS = [
    Scenario(Schedule("several decays", step_size=4, gamma=0.3, steps=20)),
    Scenario(Schedule("groups of their own", lrs=(0.1, 0.003), step_size=4, gamma=0.3, steps=20)),
]

CAUSES = table(
    "lr_scheduler.step_lr",
    SCENARIOS,
    [
        Slip(
            id="schedule-one-ahead",
            lines={"decays": "(last_epoch + 1) // step_size"},
            formula=r"k = \lfloor (t + 1) / s \rfloor",
            seen="pytorch/pytorch#20124",
            shows="several decays",
            first=First(4, "lr"),
        ),
        Slip(
            id="schedule-one-behind",
            lines={"decays": "max(last_epoch - 1, 0) // step_size"},
            formula=r"k = \lfloor (t - 1) / s \rfloor",
            shows="several decays",
            first=First(5, "lr"),
        ),
        Slip(
            id="gamma-applied-twice",
            lines={"lr": "base_lr * gamma ** (2 * decays)"},
            formula=r"\eta_t = \eta_0\,\gamma^{2k}",
            shows="several decays",
            first=First(5, "lr"),
        ),
        Slip(
            id="decays-once",
            lines={"decays": "min(was, 1)"},
            formula=r"k = \min(1, \lfloor t / s \rfloor)",
            shows="several decays",
            first=First(9, "lr"),
        ),
        Slip(
            id="decays-every-epoch-after",
            lines={"decays": "max(last_epoch - step_size + 1, 0)"},
            formula=r"k = \max(0, t - s + 1)",
            shows="several decays",
            first=First(6, "lr"),
        ),
        Slip(
            id="decays-smoothly",
            lines={"decays": "last_epoch / step_size"},
            formula=r"k = t / s",
            seen="optax.exponential_decay without staircase, Keras' ExponentialDecay",
            shows="several decays",
            first=First(2, "lr"),
        ),
        Slip(
            id="gamma-taken-off",
            lines={"lr": "base_lr * (1 - gamma) ** decays"},
            formula=r"\eta_t = \eta_0\,(1 - \gamma)^k",
            shows="several decays",
            first=First(5, "lr"),
        ),
        Slip(
            id="gamma-value",
            variant="0.5",
            arguments={"gamma": "gamma"},
            free={"gamma": 0.5},
            formula=r"\gamma = 0.5",
            shows="several decays",
            first=First(5, "lr"),
        ),
    ],
)
