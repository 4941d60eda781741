"""Causes of optim.rprop."""

from lockstep.cases import Case
from lockstep.causes.cause import Cause, First, Scenario
from lockstep.causes.optim import optimizer
from lockstep.causes.tables import table

BOUNDED = "step sizes that are soon reached"

SCENARIOS = [
    *(scenario for scenario in optimizer.situations() if "weight_decay" not in scenario.case.hyperparameters),
    Scenario(Case("a step without gradient", lr=0.1, none_at=3, steps=6)),
    Scenario(Case(BOUNDED, lr=0.1, step_sizes=(0.09, 0.11), steps=6)),
]

CAUSES = table(
    "optim.rprop",
    SCENARIOS,
    [
        Cause(
            id="step-size-kept-on-a-turn",
            lines={"scaled": "np.where(turn > 0, grow * step_size, step_size)"},
            formula=r"\Delta'_t = \Delta_{t-1} \ \text{if} \ q_t < 0",
            first=First(2, "size"),
        ),
        Cause(
            id="turned-gradient-kept",
            lines={"kept": "g"},
            formula=r"g_t \ \text{kept if} \ q_t < 0",
            seen="pytorch/pytorch#70418",
            first=First(2, "kept"),
        ),
        Cause(
            id="update-one-step-late",
            lines={"param": "param - np.where(turn < 0, 0, np.sign(prev) * step_size)"},
            formula=r"\theta_t = \theta_{t-1} - \operatorname{sign}(g_{t-1})\,\Delta_{t-1}",
            seen="google-deepmind/optax#1725",
        ),
        Cause(
            id="zero-goes-down",
            lines={"param": "param - np.where(kept < 0, -1, 1) * size"},
            formula=r"\operatorname{sign}(0) = 1",
            seen="libfann/fann#85",
            first=First(2),
        ),
        Cause(
            id="step-sizes-unbounded",
            lines={"size": "scaled"},
            formula=r"\Delta_t = \Delta'_t",
            shows=BOUNDED,
            first=First(2, "size"),
        ),
        Cause(
            id="etas-exchanged",
            arguments={"etas": "(etas[1], etas[0])"},
            formula=r"\eta^+ \leftrightarrow \eta^-",
            first=First(2, "size"),
        ),
        optimizer.none_gradient_decays("step"),
        optimizer.tied_updated_twice("step"),
        optimizer.ascends("param + np.sign(kept) * size"),
    ],
)
