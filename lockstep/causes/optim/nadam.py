"""Causes of optim.nadam."""

from typing import Any

from lockstep.cases import Case
from lockstep.causes.cause import DTYPES, Cause, First, Scenario
from lockstep.causes.optim import optimizer
from lockstep.causes.tables import table

SCENARIOS = [
    *optimizer.situations(),
    Scenario(Case("momentum decay", momentum_decay=0.1, lr=0.1, steps=6)),
]

TINY = "gradients near eps"


def product_of_all_tensors(base: Any) -> type:
    """One product of momenta for all tensors, which goes on with each of them."""

    class Planted(base):
        def step(self, grads):
            product = None
            for name, grad in grads.items():
                if grad is not None:
                    state = self.state[name] or self.new_state(self.params[name])
                    before = state["mu_product"] if product is None else product
                    self.state[name] = state | {"mu_product": before}
                    super().step({name: grad})
                    product = self.state[name]["mu_product"]
            if product is not None:
                self.state = {
                    name: entries and entries | {"mu_product": product} for name, entries in self.state.items()
                }

    Planted.__name__ = base.__name__
    return Planted


CAUSES = table(
    "optim.nadam",
    SCENARIOS,
    [
        Cause(
            id="momentum-schedule-ignored",
            lines={"mu": "beta1", "mu_next": "beta1"},
            formula=r"\mu_t = \beta_1",
            seen="optax",
            first=First(1, "mu_product"),
        ),
        Cause(
            id="momentum-counted-twice",
            lines={
                "m_hat": "mu_next * m / (1 - item(mu_product) * mu * mu_next) + (1 - mu) * d / (1 - item(mu_product))"
            },
            formula=r"\hat m_t = \mu_{t+1} m_t / (1 - \pi_t\,\mu_t\,\mu_{t+1}) + (1 - \mu_t)\,d_t / (1 - \pi_t)",
            seen="pytorch/pytorch#92699",
        ),
        Cause(
            id="no-look-ahead",
            lines={"mu_next": "mu"},
            formula=r"\mu_{t+1} = \mu_t",
        ),
        Cause(
            id="powers-for-products",
            lines={"m_hat": "(beta1 * m + (1 - beta1) * d) / (1 - beta1**step)"},
            formula=r"\hat m_t = (\beta_1 m_t + (1 - \beta_1)\,d_t) / (1 - \beta_1^t)",
            seen="deeplearning4j/nd4j#1891",
        ),
        Cause(
            id="no-bias-correction",
            variant="only of m",
            words="v",
            lines={"v_hat": "v"},
            formula=r"\hat v_t = v_t",
        ),
        Cause(
            id="momentum-product-lost",
            lines={"mu_product": "mu"},
            formula=r"\pi_t = \mu_t",
            first=First(2, "mu_product"),
        ),
        Cause(
            id="momentum-product-shared",
            behaviour=product_of_all_tensors,
            formula=r"\pi \leftarrow \pi\,\mu_t \quad \text{for each tensor}",
            seen="MXNet",
            first=First(1, "mu_product"),
        ),
        Cause(
            id="eps-inside-sqrt",
            lines={"denom": "np.sqrt(v_hat + eps)"},
            formula=r"s_t = \sqrt{\hat v_t + \epsilon}",
            words="adam",
            shows=TINY,
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
        optimizer.low_precision("betas", "(betas[0], float32(betas[1]))", "v", dtypes=DTYPES),
        *(
            optimizer.other_value("eps", value, "param", seen=seen, shows=TINY)
            for value, seen in ((1e-7, "Keras, TensorFlow"), (1e-6, ""))
        ),
        Cause(
            id="momentum-decay-value",
            arguments={"momentum_decay": "psi"},
            free={"psi": 0.04},
            formula=r"\psi = 0.04",
            first=First(1, "mu_product"),
        ),
        optimizer.ascends("decayed + lr * m_hat / denom"),
        optimizer.lr_factor(0.5, seen="Keras, MXNet: 1e-3 for 2e-3"),
        optimizer.l2_divided_by_batch("m"),
        optimizer.decay_factor(0.1, "m"),
    ],
)
