"""Causes of lr_scheduler.one_cycle_lr."""

from lockstep.cases.lr_scheduler import Schedule
from lockstep.causes.cause import First, Scenario
from lockstep.causes.lr_scheduler import Slip
from lockstep.causes.tables import table

SCENARIOS = [
    Scenario(Schedule("once up and down", max_lr=0.1, total_steps=20, steps=20)),
    Scenario(Schedule("three phases, once", max_lr=0.1, total_steps=20, three_phase=True, steps=20)),
]

CAUSES = table(
    "lr_scheduler.one_cycle_lr",
    SCENARIOS,
    [
        Slip(
            id="schedule-one-ahead",
            words="throughout",
            arguments={"last_epoch": "last_epoch + 1"},
            formula=r"t \to t + 1",
            seen="pytorch/pytorch#20124",
            shows="once up and down",
            first=First(1, "lr"),
        ),
        Slip(
            id="schedule-one-behind",
            words="throughout",
            arguments={"last_epoch": "max(last_epoch - 1, 0)"},
            formula=r"t \to t - 1",
            shows="once up and down",
            first=First(2, "lr"),
        ),
        Slip(
            id="total-steps-off-by-one",
            arguments={"ends": "tuple(end + 1 for end in ends)"},
            formula=r"e_i \to e_i + 1",
            shows="once up and down",
            first=First(2, "lr"),
        ),
        Slip(
            id="epoch-for-step",
            arguments={"last_epoch": "last_epoch // 5"},
            formula=r"t \to \lfloor t / 5 \rfloor",
            seen="pytorch/pytorch#65417",
            shows="once up and down",
            first=First(2, "lr"),
        ),
        Slip(
            id="final-of-the-largest",
            lines={"min_lr": "max_lr / final_div_factor"},
            formula=r"\eta_{\min} = \eta_{\max} / d_f",
            seen="fastai's fit_one_cycle",
            shows="once up and down",
            first=First(7, "lr"),
        ),
        Slip(
            id="starts-from-zero",
            lines={"initial_lr": "0.0 * max_lr"},
            formula=r"\eta_0 = 0",
            shows="once up and down",
            first=First(1, "lr"),
        ),
        Slip(
            id="half-forgotten",
            words="between",
            lines={"weight": "1 + cos(share * pi) if anneals == 'cos' else 1 - share"},
            formula=r"w = 1 + \cos \pi s",
            shows="once up and down",
            first=First(1, "lr"),
        ),
        Slip(
            id="line-for-cosine",
            lines={"weight": "1 - share"},
            formula=r"w = 1 - s",
            shows="once up and down",
            first=First(2, "lr"),
        ),
        Slip(
            id="momentum-not-inverted",
            lines={"momentum": "base_momentum + max_momentum - (was)"},
            formula=r"\mu_t \to \mu_0 + \mu_{\max} - \mu_t",
            shows="once up and down",
            first=First(1, "momentum"),
        ),
        Slip(
            id="momentum-held",
            lines={"momentum": "max_momentum"},
            formula=r"\mu_t = \mu_{\max}",
            shows="once up and down",
            first=First(2, "momentum"),
        ),
    ],
)
