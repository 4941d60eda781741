"""Causes of optim.adagrad."""

from lockstep.cases import Case
from lockstep.causes.cause import Cause, First, Scenario
from lockstep.causes.optim.optimizer import (
    anyones,
    ascends,
    clipped_inside,
    decay_ascends,
    decay_beside,
    decay_factor,
    l2_divided_by_batch,
    l2_twice,
    low_precision,
    lr_factor,
    none_gradient_decays,
    other_decays,
    other_value,
    seldom,
    shared_state,
    situations,
    state_low_precision,
    tied_updated_twice,
)
from lockstep.causes.tables import table

SCENARIOS = [
    *situations(),
    *seldom(),
    Scenario(Case("lr decay", lr=0.1, lr_decay=0.1, steps=6)),
]

TINY = "gradients near eps"

CAUSES = table(
    "optim.adagrad",
    SCENARIOS,
    [
        Cause(
            id="accumulator-starts-above-zero",
            lines={"v": "(sum + start if step == 1 else sum) + d**2"},
            free={"start": 0.1},
            formula=r"v_0 = 0.1",
            seen="Keras, TensorFlow, optax; pytorch/pytorch#6616",
            first=First(1, "v"),
        ),
        Cause(
            id="eps-inside-sqrt",
            lines={"denom": "np.sqrt(v + eps)"},
            formula=r"s_t = \sqrt{v_t + \epsilon}",
            seen="optax, Keras; facebookresearch/dlrm#337",
            shows=TINY,
        ),
        Cause(
            id="accumulator-decayed",
            variant="a decaying sum",
            lines={"v": "rho * sum + d**2"},
            free={"rho": 0.9},
            formula=r"v_t = \rho\,v_{t-1} + d_t^2",
            seen="tensorflow/swift-apis#733",
            first=First(2, "v"),
        ),
        Cause(
            id="accumulator-decayed",
            variant="an average",
            words="average",
            lines={"v": "rho * sum + (1 - rho) * d**2"},
            free={"rho": 0.9},
            formula=r"v_t = \rho\,v_{t-1} + (1 - \rho)\,d_t^2",
            seen="tensorflow/swift-apis#733",
            first=First(1, "v"),
        ),
        Cause(
            id="lr-decay-off-by-one",
            lines={"param": "param - lr / (1 + step * lr_decay) * d / denom"},
            formula=r"\theta_t = \theta_{t-1} - \frac{\alpha}{1 + t\,\eta}\,d_t / s_t",
            shows="lr decay",
        ),
        *decay_beside("v"),
        state_low_precision("v"),
        clipped_inside("v"),
        *anyones("v", None),
        *shared_state("v"),
        *other_decays("d", "g", "v"),
        decay_ascends("v"),
        l2_twice("v"),
        none_gradient_decays("step"),
        tied_updated_twice("step"),
        low_precision("lr", "float32(lr)", "param"),
        *(
            other_value("eps", value, "param", seen=seen, shows=TINY)
            for value, seen in ((1e-8, "MLX, FBGEMM; unslothai/unsloth-zoo#819"), (1e-7, "Keras, optax"))
        ),
        ascends("param + lr / (1 + (step - 1) * lr_decay) * d / denom"),
        lr_factor(0.1, seen="Keras"),
        l2_divided_by_batch("v"),
        decay_factor(0.1, "v"),
    ],
)
