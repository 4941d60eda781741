"""Causes of optim.rmsprop."""

from lockstep.cases import Case
from lockstep.causes.cause import DTYPES, Cause, First, Scenario
from lockstep.causes.optim import optimizer
from lockstep.causes.tables import table

SCENARIOS = [
    *optimizer.situations(),
    *optimizer.seldom(),
    Scenario(Case("momentum", momentum=0.9, lr=0.1, steps=6)),
    Scenario(Case("momentum, lr changes", momentum=0.9, lr=0.1, lr_at={4: 0.01}, steps=6)),
    Scenario(Case("centered", centered=True, lr=0.1, steps=6)),
    Scenario(Case("centered, gradients near eps", centered=True, problem="near eps", steps=6)),
]

TINY = "gradients near eps"

CAUSES = table(
    "optim.rmsprop",
    SCENARIOS,
    [
        Cause(
            id="eps-inside-sqrt",
            lines={"denom": "np.sqrt(variance + eps)"},
            formula=r"s_t = \sqrt{v_t + \epsilon}",
            seen="pytorch/pytorch#23796, google-deepmind/optax#532",
            shows=TINY,
        ),
        Cause(
            id="accumulator-starts-at-one",
            lines={"v": "alpha * (square_avg + start if step == 1 else square_avg) + (1 - alpha) * d**2"},
            free={"start": 1.0},
            formula=r"v_0 = 1",
            seen="TensorFlow 1; google-deepmind/optax#49",
            first=First(1, "v"),
        ),
        Cause(
            id="lr-inside-momentum",
            lines={"buf": "momentum * lr_before / lr * momentum_buffer + d / denom if momentum > 0 else d / denom"},
            formula=r"b_t = \mu\,b_{t-1} + \alpha\,d_t / s_t, \quad \theta_t = \theta_{t-1} - b_t",
            seen="TensorFlow, Keras; pytorch/pytorch#32545",
            shows="momentum, lr changes",
            first=First(4, "buf"),
        ),
        Cause(
            id="centered-eps-inside",
            lines={"denom": "np.sqrt(variance + eps) if centered else np.sqrt(variance) + eps"},
            formula=r"s_t = \sqrt{v_t - \bar g_t^2 + \epsilon}",
            seen="optax",
            shows="centered, gradients near eps",
        ),
        Cause(
            id="centered-ignored",
            lines={"variance": "v"},
            formula=r"\tilde v_t = v_t",
            shows="centered",
        ),
        Cause(
            id="bias-corrected",
            lines={
                "variance": "v / (1 - alpha**step) - (mean / (1 - alpha**step))**2 "
                "if centered else v / (1 - alpha**step)"
            },
            formula=r"\tilde v_t = v_t / (1 - \rho^t)",
            seen="optax",
        ),
        optimizer.state_low_precision("v"),
        optimizer.starts_at_first_square(),
        *optimizer.decay_beside("v"),
        optimizer.clipped_inside("v"),
        *optimizer.anyones("v", First(2, "v")),
        *optimizer.shared_state("v"),
        *optimizer.other_decays("d", "g", "v"),
        optimizer.decay_ascends("v"),
        optimizer.l2_twice("v"),
        optimizer.none_gradient_decays("step"),
        optimizer.tied_updated_twice("step"),
        optimizer.low_precision("lr", "float32(lr)", "param"),
        optimizer.low_precision("alpha", "float32(alpha)", "v", dtypes=DTYPES),
        optimizer.other_value(
            "alpha",
            0.9,
            "v",
            seen="Keras, optax, TensorFlow, numpy-ml",
        ),
        *(
            optimizer.other_value("eps", value, "param", seen=seen, shows=TINY)
            for value, seen in ((1e-7, "Keras"), (1e-6, "d2l"), (1e-10, "TensorFlow 1"))
        ),
        Cause(
            id="momentum-value",
            variant="0.5",
            arguments={"momentum": "mu if momentum else momentum"},  # without momentum there is no buffer
            free={"mu": 0.5},
            formula=r"\mu = 0.5",
            shows="momentum",
            first=First(2, "buf"),
        ),
        optimizer.ascends("param + lr * buf"),
        optimizer.lr_factor(0.1),
        optimizer.l2_divided_by_batch("v"),
        optimizer.decay_factor(0.1, "v"),
    ],
)
