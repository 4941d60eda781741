"""Causes of optim.asgd."""

from lockstep.cases import Case
from lockstep.causes.cause import Cause, First, Scenario
from lockstep.causes.optim import optimizer
from lockstep.causes.tables import table

AVERAGED = "averaged from step 3 on"

SCENARIOS = [
    *optimizer.situations(),
    Scenario(Case(AVERAGED, lr=0.1, t0=2.0, steps=6)),
    Scenario(Case("lambd", lambd=0.1, lr=0.5, steps=6)),
]

CAUSES = table(
    "optim.asgd",
    SCENARIOS,
    [
        Cause(
            id="power-of-t-alone",
            lines={"eta": "lr / (1 + lambd * lr * step**alpha)"},
            formula=r"\eta_t = \alpha / (1 + \kappa\,\alpha\,t^c)",
            seen="pytorch/pytorch#125440",
            first=First(1, "eta"),
        ),
        Cause(
            id="step-size-of-now",
            lines={
                "decayed": "(1 - lambd * lr / (1 + lambd * lr * step) ** alpha) * param",
                "param": "decayed - lr / (1 + lambd * lr * step) ** alpha * d",
            },
            formula=r"\theta_t = (1 - \kappa\,\eta_t)\,\theta_{t-1} - \eta_t\,d_t",
        ),
        Cause(
            id="lambd-in-the-schedule-alone",
            lines={"decayed": "param"},
            formula=r"\theta'_t = \theta_{t-1}",
        ),
        Cause(
            id="averaged-from-the-start",
            lines={"mu": "1 / step"},
            formula=r"\mu_t = 1/t",
            first=First(2, "mu"),
        ),
        Cause(
            id="averaging-ignored",
            lines={"ax": "param"},
            formula=r"\bar\theta_t = \theta_t",
            shows=AVERAGED,
            first=First(5, "ax"),
        ),
        optimizer.l2_twice("param"),
        optimizer.none_gradient_decays("step"),
        optimizer.tied_updated_twice("step"),
        optimizer.ascends("decayed + item(eta) * d"),
        optimizer.l2_divided_by_batch("param"),
        optimizer.decay_factor(0.1, "param"),
    ],
)
