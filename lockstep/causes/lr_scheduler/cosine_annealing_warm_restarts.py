"""Causes of lr_scheduler.cosine_annealing_warm_restarts."""

from lockstep.cases.lr_scheduler import Schedule
from lockstep.causes.cause import First, Scenario
from lockstep.causes.lr_scheduler import Slip
from lockstep.causes.tables import table

SCENARIOS = [
    Scenario(Schedule("three periods", T_0=4, T_mult=2, eta_min=0.01, steps=26)),
]

CAUSES = table(
    "lr_scheduler.cosine_annealing_warm_restarts",
    SCENARIOS,
    [
        Slip(
            id="schedule-one-ahead",
            words="throughout",
            arguments={"last_epoch": "last_epoch + 1"},
            formula=r"t \to t + 1",
            seen="pytorch/pytorch#20124, pytorch/pytorch#23480",
            shows="three periods",
            first=First(1, "lr"),
        ),
        Slip(
            id="schedule-one-behind",
            words="throughout",
            arguments={"last_epoch": "max(last_epoch - 1, 0)"},
            formula=r"t \to t - 1",
            seen="pytorch/pytorch#23480",
            shows="three periods",
            first=First(2, "lr"),
        ),
        Slip(
            id="never-restarts",
            lines={"T_cur": "last_epoch", "T_i": "T_0"},
            formula=r"T_{cur} = t",
            seen="4uiiurz1/keras-cosine-annealing#1",
            shows="three periods",
            first=First(5, "lr"),
        ),
        Slip(
            id="restarts-one-late",
            lines={"restarts": "restarts_until(max(last_epoch - 1, 0), T_0, T_mult)"},
            formula=r"n = \max\{n : T_0\,(1 + \dots + m^{n-1}) < t\}",
            seen="pytorch/pytorch#47560",
            shows="three periods",
            first=First(5, "lr"),
        ),
        Slip(
            id="t-mult-ignored",
            arguments={"T_mult": "1"},
            formula=r"m = 1",
            shows="three periods",
            first=First(6, "lr"),
        ),
        Slip(
            id="period-of-the-next",
            lines={"T_i": "T_0 * T_mult ** (restarts + 1)"},
            formula=r"T_i = T_0\,m^{n + 1}",
            shows="three periods",
            first=First(2, "lr"),
        ),
        Slip(
            id="eta-min-forgotten",
            lines={"lr": "base_lr * share"},
            formula=r"\eta_t = \eta_0\,s",
            shows="three periods",
            first=First(2, "lr"),
        ),
        Slip(
            id="eta-min-added",
            lines={"lr": "eta_min + base_lr * share"},
            formula=r"\eta_t = \eta_{\min} + \eta_0\,s",
            shows="three periods",
            first=First(1, "lr"),
        ),
        Slip(
            id="half-forgotten",
            lines={"share": "1 + cos(angle)"},
            formula=r"s = 1 + \cos\varphi",
            shows="three periods",
            first=First(1, "lr"),
        ),
        Slip(
            id="quarter-period",
            lines={"share": "cos(angle / 2)"},
            formula=r"s = \cos(\varphi / 2)",
            seen="goodfire-ai/spd#311",
            shows="three periods",
            first=First(2, "lr"),
        ),
    ],
)
