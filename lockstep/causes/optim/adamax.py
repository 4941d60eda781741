"""Causes of optim.adamax."""

from lockstep.causes.cause import Cause, First
from lockstep.causes.optim import optimizer
from lockstep.causes.tables import table

SCENARIOS = optimizer.situations()

TINY = "gradients near eps"

CAUSES = table(
    "optim.adamax",
    SCENARIOS,
    [
        Cause(
            id="eps-outside-maximum",
            lines={
                "u": "np.maximum(beta2 * exp_inf, abs(d))",
                "param": "param - lr / (1 - beta1**step) * m / (u + eps)",
            },
            formula=r"u_t = \max(\beta_2 u_{t-1},\, |d_t|), \quad "
            r"\theta_t = \theta_{t-1} - \frac{\alpha}{1 - \beta_1^t}\,m_t / (u_t + \epsilon)",
            seen="mlpack/mlpack#887, apache/mxnet#18532",
            shows=TINY,
            first=First(1, "u"),
        ),
        Cause(
            id="eps-left-out",
            lines={"u": "np.maximum(beta2 * exp_inf, abs(d))"},
            formula=r"u_t = \max(\beta_2 u_{t-1},\, |d_t|)",
            seen="apache/mxnet#18532",
            shows=TINY,
            first=First(1, "u"),
        ),
        Cause(
            id="no-bias-correction",
            variant="of m",
            words="m",
            lines={"param": "param - lr * m / u"},
            formula=r"\theta_t = \theta_{t-1} - \alpha\,m_t / u_t",
        ),
        Cause(
            id="maximum-forgets-nothing",
            lines={"u": "np.maximum(exp_inf, abs(d) + eps)"},
            formula=r"u_t = \max(u_{t-1},\, |d_t| + \epsilon)",
            shows="gradients shrink",
            first=First(2, "u"),
        ),
        optimizer.l2_twice("m"),
        optimizer.none_gradient_decays("step"),
        optimizer.tied_updated_twice("step"),
        optimizer.low_precision("lr", "float32(lr)", "param"),
        optimizer.low_precision(
            "betas", "(betas[0], float32(betas[1]))", "u", shows="gradients shrink", first=First(2, "u")
        ),
        optimizer.other_value("eps", 1e-7, "u", seen="Keras, TensorFlow", shows=TINY),
        optimizer.ascends("param + lr / (1 - beta1**step) * m / u"),
        optimizer.lr_factor(0.5, seen="Keras, mlpack: 1e-3 for 2e-3"),
        optimizer.l2_divided_by_batch("m"),
        optimizer.decay_factor(0.1, "m"),
    ],
)
