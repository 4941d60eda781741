"""Causes of optim.sparse_adam."""

from typing import Any

import numpy as np

from lockstep.cases import Case
from lockstep.causes.cause import DTYPES, Cause, First, Scenario
from lockstep.causes.optim import optimizer
from lockstep.causes.tables import table

SCENARIOS = [
    *(
        scenario
        for scenario in optimizer.situations(sparse="rows")
        if "weight_decay" not in scenario.case.hyperparameters
    ),
    Scenario(Case("a step without gradient", lr=0.1, none_at=3, sparse="rows", steps=6)),
]

TINY = "gradients near eps"


def dense(base: Any) -> type:
    """Adam of the whole tensor: what has no entry has a gradient of 0, and moves by its moments."""

    class Planted(base):
        SPARSE = "whole"

    Planted.__name__ = base.__name__
    return Planted


def moments_decay(base: Any) -> type:
    """The moments decay everywhere; what has no entry does not move."""

    class Planted(base):
        def step(self, grads):
            beta1, beta2 = self.betas
            for name, grad in grads.items():
                state = self.state[name]
                if grad is not None and state:
                    kept = self.kept(grad)
                    decayed = {"exp_avg": beta1 * state["exp_avg"], "exp_avg_sq": beta2 * state["exp_avg_sq"]}
                    self.state[name] = state | {
                        key: np.where(kept, state[key], array) for key, array in decayed.items()
                    }
            super().step(grads)

    Planted.__name__ = base.__name__
    return Planted


CAUSES = table(
    "optim.sparse_adam",
    SCENARIOS,
    [
        Cause(
            id="moments-of-all-rows",
            behaviour=dense,
            formula=r"g_t = 0 \text{ where it has no entry}",
            seen="torch.optim.Adam, TensorFlow: tensorflow/tensorflow#6460",
            first=First(2, "m"),
        ),
        Cause(
            id="moments-decay-without-entry",
            behaviour=moments_decay,
            formula=r"m_t = \beta_1 m_{t-1}, \quad v_t = \beta_2 v_{t-1} \text{ where it has no entry}",
            first=First(2, "m"),
        ),
        Cause(
            id="eps-hat",
            variant="corrected",
            words="sparse_adam",
            lines={"denom": "np.sqrt(v) + eps * root(1 - beta2**step)"},
            formula=r"s_t = \sqrt{v_t} + \epsilon\,\sqrt{1 - \beta_2^t}",
            seen="torch.optim.Adam",
            shows=TINY,
        ),
        Cause(
            id="eps-inside-sqrt",
            lines={"denom": "np.sqrt(v + eps)"},
            formula=r"s_t = \sqrt{v_t + \epsilon}",
            shows=TINY,
        ),
        Cause(
            id="no-bias-correction",
            words="both",
            lines={"alpha": "lr"},
            formula=r"\alpha_t = \alpha",
        ),
        Cause(
            id="no-bias-correction",
            variant="only of m",
            words="v",
            lines={"alpha": "lr / (1 - beta1**step)"},
            formula=r"\alpha_t = \alpha / (1 - \beta_1^t)",
        ),
        optimizer.none_gradient_decays("step"),
        optimizer.tied_updated_twice("step"),
        optimizer.low_precision("betas", "(betas[0], float32(betas[1]))", "v", dtypes=DTYPES),
        optimizer.low_precision("lr", "float32(lr)", "param"),
        *(
            optimizer.other_value("eps", value, "param", seen=seen, shows=TINY)
            for value, seen in ((1e-7, "Keras"), (1e-6, ""))
        ),
        optimizer.ascends("param + alpha * m / denom"),
        optimizer.lr_factor(0.5),
    ],
)
