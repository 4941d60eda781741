"""Causes of gradients.clip_grad_norm."""

from lockstep.cases.gradients import Gradients
from lockstep.causes.cause import Cause, First, Scenario
from lockstep.causes.tables import table

SCENARIOS = [
    Scenario(Gradients("gradients that are too long", max_norm=1.0)),
    Scenario(Gradients("gradients that are short enough", max_norm=100.0)),
    Scenario(Gradients("gradients hardly too long", max_norm=1e-3, scale=2.0**-10)),
]

CAUSES = table(
    "gradients.clip_grad_norm",
    SCENARIOS,
    [
        Cause(
            id="clipped-a-tensor-at-a-time",
            lines={
                "coef": "np.concatenate([max_norm / (norm(grad[end - size:end], norm_type) + 1e-6) "
                "+ np.zeros_like(grad[end - size:end]) for size, end in zip(sizes, np.cumsum(sizes))])"
            },
            formula=r"c_k = \frac{N}{\lVert g_k \rVert_p + 10^{-6}}",
            seen="Keras' clipnorm",
        ),
        Cause(
            id="coefficient-not-held",
            lines={"held": "coef"},
            formula=r"c' = c",
            shows="gradients that are short enough",
        ),
        Cause(
            id="clip-eps-missing",
            lines={"coef": "max_norm / total_norm"},
            formula=r"c = N / n",
            seen="TensorFlow's clip_by_global_norm, optax.clip_by_global_norm",
            shows="gradients hardly too long",
        ),
        Cause(
            id="value-for-norm",
            lines={"clipped": "np.minimum(np.maximum(grad, -max_norm), max_norm)"},
            formula=r"g' = \min(\max(g, -N), N)",
            seen="optax.clip, Keras' clipvalue",
        ),
        Cause(
            id="norm-without-root",
            lines={"total_norm": "was if abs(norm_type) == inf else (abs(grad) ** norm_type).sum()"},
            formula=r"n = \sum_i |g_i|^p",
            first=First(1, "total_norm"),
        ),
        Cause(
            id="norm-of-the-mean",
            lines={
                "total_norm": "was if abs(norm_type) == inf else (abs(grad) ** norm_type).mean() ** (1 / norm_type)"
            },
            formula=r"n = \bigl(\tfrac1m \sum_i |g_i|^p\bigr)^{1/p}",
            first=First(1, "total_norm"),
        ),
        Cause(
            id="brought-to-length-one",
            lines={"coef": "1 / (total_norm + 1e-6)"},
            formula=r"c = \frac{1}{n + 10^{-6}}",
            shows="gradients hardly too long",
        ),
        Cause(
            id="clip-eps-value",
            variant="1e-08",
            lines={"coef": "max_norm / (total_norm + eps)"},
            free={"eps": 1e-8},
            formula=r"c = \frac{N}{n + 10^{-8}}",
            shows="gradients hardly too long",
        ),
    ],
    line="clipped",
)
