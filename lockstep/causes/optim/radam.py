"""Causes of optim.radam."""

from lockstep.causes.cause import DTYPES, Cause, First
from lockstep.causes.optim import optimizer
from lockstep.causes.tables import table

SCENARIOS = [
    *optimizer.situations(),
]

TINY = "gradients near eps"

CAUSES = table(
    "optim.radam",
    SCENARIOS,
    [
        Cause(
            id="rectified-from-four",
            lines={
                "r": "((rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho)) ** 0.5 "
                "if rho > 4 else None",
                "adaptive": "(1 - beta2**step) ** 0.5 / (np.sqrt(v) + eps) if rho > 4 else None",
                "param": "decayed - lr * r * m_hat * adaptive if rho > 4 else decayed - lr * m_hat",
            },
            formula=r"\rho_t > 4",
            seen="taki0112/RAdam-Tensorflow#2, lessw2020/Ranger-Deep-Learning-Optimizer#2",
            first=First(5),
        ),
        Cause(
            id="not-rectified",
            lines={"r": "1"},
            formula=r"r_t = 1",
            first=First(6),
        ),
        Cause(
            id="rests-unrectified",
            lines={"param": "decayed - lr * r * m_hat * adaptive if rho > 5 else decayed"},
            formula=r"\theta_t = \theta'_t \ \text{if} \ \rho_t \le 5",
            seen="LiyuanLucasLiu/RAdam#54",
        ),
        Cause(
            id="eps-inside-sqrt",
            lines={"adaptive": "(1 - beta2**step) ** 0.5 / np.sqrt(v + eps) if rho > 5 else None"},
            formula=r"l_t = \sqrt{1 - \beta_2^t} / \sqrt{v_t + \epsilon}",
            words="radam",
            seen="CyberZHG/keras-radam#29",
            shows=TINY,
            first=First(6),
        ),
        Cause(
            id="eps-left-out",
            lines={"adaptive": "(1 - beta2**step) ** 0.5 / np.sqrt(v) if rho > 5 else None"},
            formula=r"l_t = \sqrt{1 - \beta_2^t} / \sqrt{v_t}",
            seen="pytorch/pytorch#92551",
            shows=TINY,
            first=First(6),
        ),
        Cause(
            id="no-bias-correction",
            variant="only of v",
            words="m",
            lines={"m_hat": "m"},
            formula=r"\hat m_t = m_t",
        ),
        Cause(
            id="decoupled-for-l2",
            lines={
                "d": "g",
                "decayed": "param - lr * weight_decay * param if weight_decay else param",
            },
            formula=r"d_t = g_t, \quad \theta'_t = \theta_{t-1} - \alpha\lambda\,\theta_{t-1}",
            words="with-option",
            shows="weight decay",
            first=First(1, "m"),
        ),
        optimizer.l2_twice("m"),
        optimizer.none_gradient_decays("step"),
        optimizer.tied_updated_twice("step"),
        optimizer.low_precision("lr", "float32(lr)", "param"),
        optimizer.low_precision("betas", "(betas[0], float32(betas[1]))", "v", dtypes=DTYPES),
        optimizer.other_value(
            "eps", 1e-7, "param", seen="Keras, TensorFlow Addons", shows=TINY, first=First(6, "param")
        ),
        optimizer.ascends("decayed + lr * r * m_hat * adaptive if rho > 5 else decayed + lr * m_hat"),
        optimizer.lr_factor(10),
        optimizer.l2_divided_by_batch("m"),
        optimizer.decay_factor(0.1, "m"),
    ],
)
