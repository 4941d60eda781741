"""Causes of optim.adafactor."""

from lockstep.cases import Case
from lockstep.causes.cause import Cause, First, Scenario
from lockstep.causes.optim import optimizer
from lockstep.causes.tables import table

SCENARIOS = [
    *optimizer.situations(),
    Scenario(Case("a relative step that falls below lr", lr=0.6, steps=6)),
]

TINY = "gradients near eps"

CAUSES = table(
    "optim.adafactor",
    SCENARIOS,
    [
        Cause(
            id="eps-in-the-means",
            lines={
                "r": "beta2 * row_var + (1 - beta2) * (g**2 + eps1).mean(axis=-1, keepdims=True) if factored else None",
                "c": "beta2 * col_var + (1 - beta2) * (g**2 + eps1).mean(axis=-2, keepdims=True) if factored else None",
                "v_hat": "beta2 * variance + (1 - beta2) * (g**2 + eps1) if r is None"
                " else r * c / r.mean(axis=-2, keepdims=True)",
                "u": "g / np.sqrt(v_hat)",
            },
            formula=r"R_t = \hat\beta_{2t} R_{t-1} + (1 - \hat\beta_{2t})\,(G_t^2 + \epsilon_1)\,1_m / m",
            seen="Transformers, optax, MLX",
            shows=TINY,
            first=First(1, "r"),
        ),
        Cause(
            id="eps-not-squared",
            lines={"u": "g / np.sqrt(np.maximum(v_hat, eps1))"},
            formula=r"U_t = G_t / \sqrt{\max(\hat V_t,\, \epsilon_1)}",
            shows=TINY,
        ),
        Cause(
            id="update-not-clipped",
            lines={"u_hat": "u"},
            formula=r"\hat U_t = U_t",
        ),
        Cause(
            id="gradient-clipped-for-update",
            lines={"g": "was / np.maximum(1.0, np.sqrt((grad**2).mean()) / d)", "u_hat": "u"},
            formula=r"G_t \leftarrow G_t / \max(1,\, \operatorname{RMS}(G_t) / d), \quad \hat U_t = U_t",
            seen="google-deepmind/optax#408",
            first=First(1, "r"),
        ),
        Cause(
            id="update-clipped-from-below",
            lines={"u_hat": "u / np.minimum(1.0, np.sqrt((u**2).mean()) * d)"},
            formula=r"\hat U_t = U_t / \min(1,\, d\,\operatorname{RMS}(U_t))",
            seen="huggingface/pytorch-image-models#2790",
        ),
        Cause(
            id="step-not-relative",
            lines={"rho": "lr"},
            formula=r"\rho_t = \alpha",
            seen="Transformers(relative_step=False), optax",
            shows="a relative step that falls below lr",
            first=First(3),
        ),
        Cause(
            id="lr-ignored",
            lines={"rho": "min(most, 1 / step**0.5)"},
            free={"most": 0.01},
            formula=r"\rho_t = \min(0.01,\, 1/\sqrt t)",
            seen="MLX(relative_step=True), jettify/pytorch-optimizer#535",
        ),
        Cause(
            id="parameter-scale-left-out",
            lines={"alpha": "rho"},
            formula=r"\alpha_t = \rho_t",
            seen="Transformers(scale_parameter=False), big_vision",
        ),
        Cause(
            id="parameter-scale-by-norm",
            lines={"alpha": "np.maximum(eps2, np.sqrt((param**2).sum())) * rho"},
            formula=r"\alpha_t = \max(\epsilon_2,\, \lVert\theta_{t-1}\rVert_2)\,\rho_t",
        ),
        Cause(
            id="eps-added-to-scale",
            lines={"alpha": "(eps2 + np.sqrt((param**2).mean())) * rho"},
            formula=r"\alpha_t = (\epsilon_2 + \operatorname{RMS}(\theta_{t-1}))\,\rho_t",
        ),
        Cause(
            id="factors-not-normalised",
            lines={"v_hat": "r * c if factored else was"},
            formula=r"\hat V_t = R_t C_t",
        ),
        Cause(
            id="beta-constant",
            lines={"beta2": "forgets"},
            free={"forgets": 0.999},
            formula=r"\hat\beta_{2t} = \beta_2",
            seen="mlcommons/algorithmic-efficiency#313",
            first=First(1, "r"),
        ),
        Cause(
            id="beta-decay-off-by-one",
            lines={"beta2": "1 - (step + 1) ** beta2_decay"},
            formula=r"\hat\beta_{2t} = 1 - (t + 1)^{\tau}",
            first=First(1, "r"),
        ),
        Cause(
            id="decay-by-relative-step",
            lines={"decayed": "param - alpha * weight_decay * param if weight_decay else param"},
            formula=r"\theta'_t = \theta_{t-1} - \alpha_t\lambda\,\theta_{t-1}",
            seen="Transformers, MLX",
            shows="weight decay",
        ),
        Cause(
            id="decay-without-lr",
            lines={"decayed": "param - weight_decay * param if weight_decay else param"},
            formula=r"\theta'_t = \theta_{t-1} - \lambda\,\theta_{t-1}",
            seen="optax",
            words="plain",
            shows="weight decay",
        ),
        Cause(
            id="l2-for-decoupled",
            lines={"g": "was + weight_decay * param if weight_decay else was", "decayed": "param"},
            formula=r"G_t \leftarrow G_t + \lambda\,\theta_{t-1}, \quad \theta'_t = \theta_{t-1}",
            words="plain",
            shows="weight decay",
            first=First(1, "r"),
        ),
        optimizer.none_gradient_decays("step"),
        optimizer.tied_updated_twice("step"),
        optimizer.low_precision("lr", "float32(lr)", "param"),
        optimizer.ascends("decayed + alpha * u_hat"),
        optimizer.lr_factor(0.1),
        optimizer.decay_factor(0.1, "param"),
    ],
)
