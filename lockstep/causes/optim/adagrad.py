"""Causes of optim.adagrad."""

from lockstep.cases import Case
from lockstep.causes.cause import Cause, First, Scenario
from lockstep.causes.optim import optimizer
from lockstep.causes.tables import table

SCENARIOS = [
    *optimizer.situations(),
    *optimizer.seldom(),
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
        *optimizer.decay_beside("v"),
        optimizer.state_low_precision("v"),
        optimizer.clipped_inside("v"),
        *optimizer.anyones("v", None),
        *optimizer.shared_state("v"),
        *optimizer.other_decays("d", "g", "v"),
        optimizer.decay_ascends("v"),
        optimizer.l2_twice("v"),
        optimizer.none_gradient_decays("step"),
        optimizer.tied_updated_twice("step"),
        optimizer.low_precision("lr", "float32(lr)", "param"),
        *(
            optimizer.other_value("eps", value, "param", seen=seen, shows=TINY)
            for value, seen in ((1e-8, "MLX, FBGEMM; unslothai/unsloth-zoo#819"), (1e-7, "Keras, optax"))
        ),
        optimizer.ascends("param + lr / (1 + (step - 1) * lr_decay) * d / denom"),
        optimizer.lr_factor(0.1, seen="Keras"),
        optimizer.l2_divided_by_batch("v"),
        optimizer.decay_factor(0.1, "v"),
    ],
)
