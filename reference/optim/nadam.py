"""NAdam: Adam whose momentum looks one step ahead, and grows on a schedule."""

from typing import Any, NamedTuple

import numpy as np

from reference.arithmetic import PLAIN, item
from reference.optim.optimizer import Optimizer, check_hyperparameter, check_numbers
from reference.state import STEP, Entry, Number

EQUATIONS = {
    "g": r"g_t = \nabla f_t(\theta_{t-1})",
    "d": r"d_t = g_t + \lambda\,\theta_{t-1}",
    "decayed": r"\theta'_t = \theta_{t-1}",
    "mu": r"\mu_t = \beta_1 (1 - \tfrac{1}{2}\,0.96^{t\psi})",
    "mu_next": r"\mu_{t+1} = \beta_1 (1 - \tfrac{1}{2}\,0.96^{(t+1)\psi})",
    "mu_product": r"\pi_t = \pi_{t-1}\,\mu_t",
    "m": r"m_t = \beta_1 m_{t-1} + (1 - \beta_1)\,d_t",
    "v": r"v_t = \beta_2 v_{t-1} + (1 - \beta_2)\,d_t^2",
    "m_hat": r"\hat m_t = \mu_{t+1} m_t / (1 - \pi_t\,\mu_{t+1}) + (1 - \mu_t)\,d_t / (1 - \pi_t)",
    "v_hat": r"\hat v_t = v_t / (1 - \beta_2^t)",
    "denom": r"s_t = \sqrt{\hat v_t} + \epsilon",
    "param": r"\theta_t = \theta'_t - \alpha\,\hat m_t / s_t",
}


class Paper(NamedTuple):
    g: Any
    d: Any
    decayed: Any
    mu: Any
    mu_next: Any
    mu_product: Any
    m: Any
    v: Any
    m_hat: Any
    v_hat: Any
    denom: Any
    param: Any


class PyTorch(NamedTuple):
    g: Any
    d: Any
    decayed: Any
    mu_product: Any
    m: Any
    v: Any
    denom: Any
    param: Any


def paper(
    param,
    grad,
    exp_avg,
    exp_avg_sq,
    *,
    step,
    mu_product,
    lr,
    betas,
    eps,
    weight_decay,
    momentum_decay,
    decoupled_weight_decay,
    maximize,
):
    """One step in the order of the paper (Dozat, ICLR 2016 workshop), but for m, which is Adam's."""
    beta1, beta2 = betas
    g = -grad if maximize else grad
    d = g + weight_decay * param if weight_decay and not decoupled_weight_decay else g
    decayed = param - lr * weight_decay * param if weight_decay and decoupled_weight_decay else param
    mu = beta1 * (1 - 0.5 * 0.96 ** (step * momentum_decay))
    mu_next = beta1 * (1 - 0.5 * 0.96 ** ((step + 1) * momentum_decay))
    mu_product = mu_product * mu
    m = beta1 * exp_avg + (1 - beta1) * d
    v = beta2 * exp_avg_sq + (1 - beta2) * d**2
    m_hat = mu_next * m / (1 - item(mu_product) * mu_next) + (1 - mu) * d / (1 - item(mu_product))
    v_hat = v / (1 - beta2**step)
    denom = np.sqrt(v_hat) + eps
    param = decayed - lr * m_hat / denom
    return Paper(g, d, decayed, mu, mu_next, mu_product, m, v, m_hat, v_hat, denom, param)


def pytorch(
    param,
    grad,
    exp_avg,
    exp_avg_sq,
    *,
    step,
    mu_product,
    lr,
    betas,
    eps,
    weight_decay,
    momentum_decay,
    decoupled_weight_decay,
    maximize,
    ops=PLAIN,
):
    """One step in the order of torch.optim.NAdam (2.13, `_single_tensor_nadam`): two quotients, of d and of m."""
    beta1, beta2 = betas
    g = -grad if maximize else grad
    d = ops.add(g, param, alpha=weight_decay) if weight_decay and not decoupled_weight_decay else g
    decayed = ops.mul(param, 1 - lr * weight_decay) if weight_decay and decoupled_weight_decay else param
    mu = beta1 * (1 - 0.5 * 0.96 ** (step * momentum_decay))
    mu_next = beta1 * (1 - 0.5 * 0.96 ** ((step + 1) * momentum_decay))
    mu_product = ops.mul(mu_product, mu)
    m = ops.lerp(exp_avg, d, 1 - beta1)
    v = ops.addcmul(ops.mul(exp_avg_sq, beta2), d, d, value=1 - beta2)
    denom = ops.add(ops.sqrt(ops.div(v, 1 - beta2**step)), eps)
    moved = ops.addcdiv(decayed, d, denom, value=-lr * (1 - mu) / (1 - item(mu_product)))
    param = ops.addcdiv(moved, m, denom, value=-lr * mu_next / (1 - item(mu_product) * mu_next))
    return PyTorch(g, d, decayed, mu_product, m, v, denom, param)


def foreach(
    param,
    grad,
    exp_avg,
    exp_avg_sq,
    *,
    step,
    mu_product,
    lr,
    betas,
    eps,
    weight_decay,
    momentum_decay,
    decoupled_weight_decay,
    maximize,
    ops=PLAIN,
):
    """One step in the order of the foreach path (2.13, `_multi_tensor_nadam`): the root is corrected, not v."""
    beta1, beta2 = betas
    g = -grad if maximize else grad
    d = ops.add(g, param, alpha=weight_decay) if weight_decay and not decoupled_weight_decay else g
    decayed = ops.mul(param, 1 - lr * weight_decay) if weight_decay and decoupled_weight_decay else param
    mu = beta1 * (1 - 0.5 * 0.96 ** (step * momentum_decay))
    mu_next = beta1 * (1 - 0.5 * 0.96 ** ((step + 1) * momentum_decay))
    mu_product = ops.mul(mu_product, mu)
    m = ops.lerp(exp_avg, d, 1 - beta1)
    v = ops.addcmul(ops.mul(exp_avg_sq, beta2), d, d, value=1 - beta2)
    denom = ops.add(ops.div(ops.sqrt(v), (1 - beta2**step) ** 0.5), eps)
    moved = ops.addcdiv(decayed, d, denom, value=-lr * (1 - mu) / (1 - item(mu_product)))
    param = ops.addcdiv(moved, m, denom, value=-lr * mu_next / (1 - item(mu_product) * mu_next))
    return PyTorch(g, d, decayed, mu_product, m, v, denom, param)


class NAdam(Optimizer):
    """NAdam (Dozat), with PyTorch's options.

    The formula is `EQUATIONS`; π is the product of all μ so far.

    Arguments:
        params: name to float32 or float64 array of any shape, updated in place.
        lr: α, in parameter units per step.
        betas: β₁, which μ rises to, and β₂, the decay of the second moment; each in [0, 1).
        eps: ε, in gradient units; added after the root and after the bias correction.
        weight_decay: λ, added to the gradient as λθ.
        momentum_decay: ψ, how fast μ rises from β₁/2 to β₁; at 0 it stays at β₁/2.
        decoupled_weight_decay: shrink the parameter by αλθ instead, as AdamW does.
        maximize: ascend instead of descend.

    PyTorch differs in m, an average with β₁ where the paper's is one with μ; in the state, which keeps π in float32,
    also beside float64 parameters; and in the order: it takes the two parts of m̂ off the parameter one after the
    other. Its foreach path divides √v by √(1-β₂ᵗ) instead of v by 1-β₂ᵗ.

    Raises:
        ValueError: for a hyperparameter out of range, with PyTorch's wording.
        TypeError: for a hyperparameter that is no number.

    Source: Dozat, Incorporating Nesterov Momentum into Adam, ICLR 2016 workshop; torch.optim.NAdam 2.13.
    """

    ORDERS = {"paper": paper, "pytorch": pytorch, "foreach": foreach}
    STATE = {
        "step": STEP,
        "mu_product": Number("mu_product", start=1.0, positive=True),
        "exp_avg": Entry("m"),
        "exp_avg_sq": Entry("v", positive=True),
    }

    def __init__(
        self,
        params,
        lr=2e-3,
        betas=(0.9, 0.999),
        eps=1e-8,
        weight_decay=0.0,
        momentum_decay=4e-3,
        decoupled_weight_decay=False,
        *,
        maximize=False,
    ):
        beta1, beta2 = betas
        numbers = {"beta1": beta1, "beta2": beta2, "weight_decay": weight_decay, "momentum_decay": momentum_decay}
        check_numbers(lr=lr, eps=eps, **numbers)
        check_hyperparameter(lr >= 0.0, f"Invalid learning rate: {lr}")
        check_hyperparameter(eps >= 0.0, f"Invalid epsilon value: {eps}")
        check_hyperparameter(0.0 <= beta1 < 1.0, f"Invalid beta parameter at index 0: {beta1}")
        check_hyperparameter(0.0 <= beta2 < 1.0, f"Invalid beta parameter at index 1: {beta2}")
        check_hyperparameter(weight_decay >= 0.0, f"Invalid weight_decay value: {weight_decay}")
        check_hyperparameter(momentum_decay >= 0.0, f"Invalid momentum_decay value: {momentum_decay}")
        super().__init__(
            params,
            lr=lr,
            betas=(beta1, beta2),
            eps=eps,
            weight_decay=weight_decay,
            momentum_decay=momentum_decay,
            decoupled_weight_decay=decoupled_weight_decay,
            maximize=maximize,
        )
