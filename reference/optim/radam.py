"""RAdam: Adam that does not divide by the second moment until its variance is known."""

from typing import Any, NamedTuple

import numpy as np

from reference.arithmetic import PLAIN
from reference.optim.optimizer import Optimizer, check_hyperparameter, check_numbers
from reference.state import STEP, Entry

EQUATIONS = {
    "g": r"g_t = \nabla f_t(\theta_{t-1})",
    "d": r"d_t = g_t + \lambda\,\theta_{t-1}",
    "decayed": r"\theta'_t = \theta_{t-1}",
    "m": r"m_t = \beta_1 m_{t-1} + (1 - \beta_1)\,d_t",
    "v": r"v_t = \beta_2 v_{t-1} + (1 - \beta_2)\,d_t^2",
    "m_hat": r"\hat m_t = m_t / (1 - \beta_1^t)",
    "rho": r"\rho_t = \rho_\infty - 2t\,\beta_2^t / (1 - \beta_2^t), \quad \rho_\infty = 2 / (1 - \beta_2) - 1",
    "r": r"r_t = \sqrt{\frac{(\rho_t - 4)(\rho_t - 2)\,\rho_\infty}{(\rho_\infty - 4)(\rho_\infty - 2)\,\rho_t}}",
    "adaptive": r"l_t = \sqrt{1 - \beta_2^t} / (\sqrt{v_t} + \epsilon)",
    "param": r"\theta_t = \theta'_t - \alpha\,r_t\,\hat m_t\,l_t \ \text{if} \ \rho_t > 5, "
    r"\ \text{else} \ \theta'_t - \alpha\,\hat m_t",
}


class Paper(NamedTuple):
    g: Any
    d: Any
    decayed: Any
    m: Any
    v: Any
    m_hat: Any
    rho: Any
    r: Any
    adaptive: Any
    param: Any


class Single(NamedTuple):
    g: Any
    d: Any
    decayed: Any
    m: Any
    v: Any
    m_hat: Any
    adaptive: Any
    param: Any


class Foreach(NamedTuple):
    g: Any
    d: Any
    decayed: Any
    m: Any
    v: Any
    param: Any


def paper(param, grad, exp_avg, exp_avg_sq, *, step, lr, betas, eps, weight_decay, decoupled_weight_decay, maximize):
    """One step in the order of the paper (arXiv:1908.03265v4, Algorithm 2), but for eps and the threshold of 5."""
    beta1, beta2 = betas
    g = -grad if maximize else grad
    d = g + weight_decay * param if weight_decay and not decoupled_weight_decay else g
    decayed = param - lr * weight_decay * param if weight_decay and decoupled_weight_decay else param
    m = beta1 * exp_avg + (1 - beta1) * d
    v = beta2 * exp_avg_sq + (1 - beta2) * d**2
    m_hat = m / (1 - beta1**step)
    rho_inf = 2 / (1 - beta2) - 1
    rho = rho_inf - 2 * step * beta2**step / (1 - beta2**step)
    r = ((rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho)) ** 0.5 if rho > 5 else None
    adaptive = (1 - beta2**step) ** 0.5 / (np.sqrt(v) + eps) if rho > 5 else None
    param = decayed - lr * r * m_hat * adaptive if rho > 5 else decayed - lr * m_hat
    return Paper(g, d, decayed, m, v, m_hat, rho, r, adaptive, param)


def pytorch(
    param,
    grad,
    exp_avg,
    exp_avg_sq,
    *,
    step,
    lr,
    betas,
    eps,
    weight_decay,
    decoupled_weight_decay,
    maximize,
    ops=PLAIN,
):
    """One step in the order of torch.optim.RAdam (2.13, `_single_tensor_radam`)."""
    beta1, beta2 = betas
    g = -grad if maximize else grad
    d = ops.add(g, param, alpha=weight_decay) if weight_decay and not decoupled_weight_decay else g
    decayed = ops.mul(param, 1 - lr * weight_decay) if weight_decay and decoupled_weight_decay else param
    m = ops.lerp(exp_avg, d, 1 - beta1)
    v = ops.addcmul(ops.mul(exp_avg_sq, beta2), d, d, value=1 - beta2)
    m_hat = ops.div(m, 1 - beta1**step)
    rho_inf = 2 / (1 - beta2) - 1
    rho = rho_inf - 2 * step * beta2**step / (1 - beta2**step)
    r = ((rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho)) ** 0.5 if rho > 5 else None
    adaptive = ops.mul(1 / ops.add(ops.sqrt(v), eps), (1 - beta2**step) ** 0.5) if rho > 5 else None
    plain = ops.mul(m_hat, lr)
    update = ops.mul(ops.mul(plain, adaptive), r) if rho > 5 else plain
    param = ops.add(decayed, update, alpha=-1)
    return Single(g, d, decayed, m, v, m_hat, adaptive, param)


def foreach(
    param,
    grad,
    exp_avg,
    exp_avg_sq,
    *,
    step,
    lr,
    betas,
    eps,
    weight_decay,
    decoupled_weight_decay,
    maximize,
    ops=PLAIN,
):
    """One step in the order of the foreach path (2.13, `_multi_tensor_radam`): what m is multiplied by, then once."""
    beta1, beta2 = betas
    g = -grad if maximize else grad
    d = ops.add(g, param, alpha=weight_decay) if weight_decay and not decoupled_weight_decay else g
    decayed = ops.mul(param, 1 - lr * weight_decay) if weight_decay and decoupled_weight_decay else param
    m = ops.lerp(exp_avg, d, 1 - beta1)
    v = ops.addcmul(ops.mul(exp_avg_sq, beta2), d, d, value=1 - beta2)
    rho_inf = 2 / (1 - beta2) - 1
    rho = rho_inf - 2 * step * beta2**step / (1 - beta2**step)
    r = ((rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho)) ** 0.5 if rho > 5 else 0.0
    step_size = (1 - beta2**step) ** 0.5 * (lr * r / (1 - beta1**step)) * -1
    rectified = rho > 5 and lr
    buffer = 1 / ops.div(ops.add(ops.sqrt(v), eps), step_size) if rectified else lr / (1 - beta1**step) * -1
    param = ops.addcmul(decayed, m, buffer) if rectified else ops.add(decayed, m, alpha=buffer)
    return Foreach(g, d, decayed, m, v, param)


class RAdam(Optimizer):
    """RAdam (Liu et al.), with PyTorch's options.

    The formula is `EQUATIONS`; r and l are None as long as ρ is at most 5.

    Arguments:
        params: name to float32 or float64 array of any shape, updated in place.
        lr: α, in parameter units per step.
        betas: decay of the first and of the second moment, each in [0, 1).
        eps: ε, in gradient units; added after the root, and not corrected for bias.
        weight_decay: λ, added to the gradient as λθ.
        decoupled_weight_decay: shrink the parameter by αλθ instead, as AdamW does.
        maximize: ascend instead of descend.

    PyTorch differs from the paper, which has no ε and rectifies from ρ > 4 on. Its foreach path gathers all that m is
    multiplied by into one factor.

    Raises:
        ValueError: for a hyperparameter out of range, with PyTorch's wording.
        TypeError: for a hyperparameter that is no number.

    Source: Liu et al., arXiv:1908.03265v4, Algorithm 2; torch.optim.RAdam 2.13.
    """

    ORDERS = {"paper": paper, "pytorch": pytorch, "foreach": foreach}
    STATE = {"step": STEP, "exp_avg": Entry("m"), "exp_avg_sq": Entry("v", positive=True)}

    def __init__(
        self,
        params,
        lr=1e-3,
        betas=(0.9, 0.999),
        eps=1e-8,
        weight_decay=0.0,
        decoupled_weight_decay=False,
        *,
        maximize=False,
    ):
        beta1, beta2 = betas
        check_numbers(lr=lr, eps=eps, beta1=beta1, beta2=beta2, weight_decay=weight_decay)
        check_hyperparameter(lr >= 0.0, f"Invalid learning rate: {lr}")
        check_hyperparameter(eps >= 0.0, f"Invalid epsilon value: {eps}")
        check_hyperparameter(0.0 <= beta1 < 1.0, f"Invalid beta parameter at index 0: {beta1}")
        check_hyperparameter(0.0 <= beta2 < 1.0, f"Invalid beta parameter at index 1: {beta2}")
        check_hyperparameter(weight_decay >= 0.0, f"Invalid weight_decay value: {weight_decay}")
        super().__init__(
            params,
            lr=lr,
            betas=(beta1, beta2),
            eps=eps,
            weight_decay=weight_decay,
            decoupled_weight_decay=decoupled_weight_decay,
            maximize=maximize,
        )
