"""Adamax: Adam with the largest gradient that is not yet forgotten in the place of the root of the second moment."""

from typing import Any, NamedTuple

import numpy as np

from reference.arithmetic import PLAIN
from reference.optim.optimizer import Optimizer, check_hyperparameter, check_numbers
from reference.state import STEP, Entry

EQUATIONS = {
    "g": r"g_t = \nabla f_t(\theta_{t-1})",
    "d": r"d_t = g_t + \lambda\,\theta_{t-1}",
    "m": r"m_t = \beta_1 m_{t-1} + (1 - \beta_1)\,d_t",
    "u": r"u_t = \max(\beta_2 u_{t-1},\, |d_t| + \epsilon)",
    "param": r"\theta_t = \theta_{t-1} - \frac{\alpha}{1 - \beta_1^t}\,m_t / u_t",
}


class Lines(NamedTuple):
    g: Any
    d: Any
    m: Any
    u: Any
    param: Any


def paper(param, grad, exp_avg, exp_inf, *, step, lr, betas, eps, weight_decay, maximize):
    """One step in the order of the paper (arXiv:1412.6980v9, Algorithm 2), with PyTorch's eps."""
    beta1, beta2 = betas
    g = -grad if maximize else grad
    d = g + weight_decay * param if weight_decay else g
    m = beta1 * exp_avg + (1 - beta1) * d
    u = np.maximum(beta2 * exp_inf, abs(d) + eps)
    param = param - lr / (1 - beta1**step) * m / u
    return Lines(g, d, m, u, param)


def pytorch(param, grad, exp_avg, exp_inf, *, step, lr, betas, eps, weight_decay, maximize, ops=PLAIN):
    """One step in the order of torch.optim.Adamax (2.13, `_single_tensor_adamax`; foreach is the same)."""
    beta1, beta2 = betas
    g = -grad if maximize else grad
    d = ops.add(g, param, alpha=weight_decay) if weight_decay else g
    m = ops.lerp(exp_avg, d, 1 - beta1)
    u = np.maximum(ops.mul(exp_inf, beta2), ops.add(abs(d), eps))
    step_size = lr / (1 - beta1**step)
    param = ops.addcdiv(param, m, u, value=-step_size)
    return Lines(g, d, m, u, param)


class Adamax(Optimizer):
    """Adamax (Kingma and Ba), with PyTorch's options.

    The formula is `EQUATIONS`.

    Arguments:
        params: name to float32 or float64 array of any shape, updated in place.
        lr: α, in parameter units per step.
        betas: decay of the first moment and of the largest gradient, each in [0, 1).
        eps: ε, in gradient units; added to |d| inside the maximum.
        weight_decay: λ, added to the gradient as λθ.
        maximize: ascend instead of descend.

    PyTorch differs from the paper, which has no ε, so that a coordinate without a gradient so far is 0/0.

    Raises:
        ValueError: for a hyperparameter out of range, with PyTorch's wording.
        TypeError: for a hyperparameter that is no number.

    Source: Kingma and Ba, arXiv:1412.6980v9, Algorithm 2; torch.optim.Adamax 2.13.
    """

    ORDERS = {"paper": paper, "pytorch": pytorch}
    STATE = {"step": STEP, "exp_avg": Entry("m"), "exp_inf": Entry("u", positive=True)}

    def __init__(self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, *, maximize=False):
        beta1, beta2 = betas
        check_numbers(lr=lr, eps=eps, beta1=beta1, beta2=beta2, weight_decay=weight_decay)
        check_hyperparameter(lr >= 0.0, f"Invalid learning rate: {lr}")
        check_hyperparameter(eps >= 0.0, f"Invalid epsilon value: {eps}")
        check_hyperparameter(0.0 <= beta1 < 1.0, f"Invalid beta parameter at index 0: {beta1}")
        check_hyperparameter(0.0 <= beta2 < 1.0, f"Invalid beta parameter at index 1: {beta2}")
        check_hyperparameter(weight_decay >= 0.0, f"Invalid weight_decay value: {weight_decay}")
        super().__init__(params, lr=lr, betas=(beta1, beta2), eps=eps, weight_decay=weight_decay, maximize=maximize)
