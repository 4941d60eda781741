"""Causes of optim.adamw: Adam's about the moments, and those of its own decay."""

from lockstep.causes.cause import Cause, First
from lockstep.causes.optim import optimizer
from lockstep.causes.optim.adam import MOMENTS, SCENARIOS
from lockstep.causes.tables import table

__all__ = ["CAUSES", "SCENARIOS"]

CAUSES = table(
    "optim.adamw",
    SCENARIOS,
    [
        Cause(
            id="l2-for-decoupled",
            lines={"d": "g + weight_decay * param if weight_decay else g", "decayed": "param"},
            formula=r"d_t = g_t + \lambda\,\theta_{t-1}, \quad \theta'_t = \theta_{t-1}",
            seen="FlagOpen/FlagGems#4988, bitsandbytes-foundation/bitsandbytes#10",
            shows="weight decay",
            first=First(1, "m"),
        ),
        Cause(
            id="decay-without-lr",
            lines={"decayed": "param - weight_decay * param if weight_decay else param"},
            formula=r"\theta'_t = \theta_{t-1} - \lambda\,\theta_{t-1}",
            seen="FluxML/Optimisers.jl#182, google-deepmind/optax#292",
            shows="weight decay",
        ),
        Cause(
            id="decay-after-update",
            lines={"decayed": "param", "param": "was * (1 - lr * weight_decay)"},
            formula=r"\theta_t = (1 - \alpha\lambda)(\theta_{t-1} - \alpha\,\hat m_t / s_t)",
            seen="bitsandbytes-foundation/bitsandbytes#2010, #2040",
            shows="weight decay",
        ),
        optimizer.l2_and_decoupled({"d": "g + weight_decay * param if weight_decay else g"}, "m"),
        optimizer.decay_without_parameter({"decayed": "param - lr * weight_decay if weight_decay else param"}, "param"),
        *optimizer.other_decays("decayed", "param", "param"),
        *optimizer.anyones("m", First(1, "param")),
        *MOMENTS,
        optimizer.low_precision("weight_decay", "float32(weight_decay)", "param", shows="weight decay"),
        optimizer.decay_factor(0.4, "param", seen="Keras"),
    ],
)
