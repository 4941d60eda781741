"""Adam: steps of about lr, sized by the ratio of the first moment to the root of the second."""

from typing import Any, NamedTuple

import numpy as np

from reference.arithmetic import PLAIN
from reference.optim.optimizer import Optimizer, check_hyperparameter, check_numbers

EQUATIONS = {
    "d": r"d_t = g_t + \lambda\,\theta_{t-1}",
    "m": r"m_t = \beta_1 m_{t-1} + (1 - \beta_1)\,d_t",
    "v": r"v_t = \beta_2 v_{t-1} + (1 - \beta_2)\,d_t^2",
    "v_max": r"v^{\max}_t = \max(v^{\max}_{t-1},\, v_t)",
    "m_hat": r"\hat m_t = m_t / (1 - \beta_1^t)",
    "v_hat": r"\hat v_t = v^{\max}_t / (1 - \beta_2^t)",
    "denom": r"s_t = \sqrt{\hat v_t} + \epsilon",
    "param": r"\theta_t = \theta_{t-1} - \alpha\,\hat m_t / s_t",
}


class Paper(NamedTuple):
    d: Any
    m: Any
    v: Any
    v_max: Any
    m_hat: Any
    v_hat: Any
    denom: Any
    param: Any


class PyTorch(NamedTuple):
    d: Any
    m: Any
    v: Any
    v_max: Any
    denom: Any
    param: Any


def paper(
    param, grad, exp_avg, exp_avg_sq, max_exp_avg_sq=None, *, step, lr, betas, eps, weight_decay, amsgrad, maximize
):
    """One step in the order of the paper (arXiv:1412.6980v9, Algorithm 1)."""
    beta1, beta2 = betas
    g = -grad if maximize else grad
    d = g + weight_decay * param if weight_decay else g
    m = beta1 * exp_avg + (1 - beta1) * d
    v = beta2 * exp_avg_sq + (1 - beta2) * d**2
    v_max = np.maximum(max_exp_avg_sq, v) if amsgrad else v
    m_hat = m / (1 - beta1**step)
    v_hat = v_max / (1 - beta2**step)
    denom = np.sqrt(v_hat) + eps
    param = param - lr * m_hat / denom
    return Paper(d, m, v, v_max, m_hat, v_hat, denom, param)


def pytorch(
    param,
    grad,
    exp_avg,
    exp_avg_sq,
    max_exp_avg_sq=None,
    *,
    step,
    lr,
    betas,
    eps,
    weight_decay,
    amsgrad,
    maximize,
    ops=PLAIN,
):
    """One step in the order of torch.optim.Adam (2.13, `_single_tensor_adam`; foreach is the same)."""
    beta1, beta2 = betas
    g = -grad if maximize else grad
    d = ops.add(g, param, alpha=weight_decay) if weight_decay else g
    m = ops.lerp(exp_avg, d, 1 - beta1)
    v = ops.addcmul(ops.mul(exp_avg_sq, beta2), d, d, value=1 - beta2)
    v_max = np.maximum(max_exp_avg_sq, v) if amsgrad else v
    bias_correction2_sqrt = (1 - beta2**step) ** 0.5
    denom = ops.add(ops.div(ops.sqrt(v_max), bias_correction2_sqrt), eps)
    step_size = lr / (1 - beta1**step)
    param = ops.addcdiv(param, m, denom, value=-step_size)
    return PyTorch(d, m, v, v_max, denom, param)


class Adam(Optimizer):
    """Adam (Kingma and Ba), with PyTorch's options.

    The formula is `EQUATIONS`; with `amsgrad`, the largest v so far takes the place of v.

    Arguments:
        params: name to float32 or float64 array of any shape, updated in place.
        lr: α, in parameter units per step.
        betas: decay of the first and of the second moment, each in [0, 1).
        eps: ε, in gradient units; added after the root and after the bias correction.
        weight_decay: λ, added to the gradient as λθ (for the decoupled form see AdamW).
        amsgrad: divide by the root of the running maximum of v.
        maximize: ascend instead of descend.

    PyTorch differs in the order of operations: it divides √v by √(1-β₂ᵗ) instead of v by 1-β₂ᵗ,
    moves lr/(1-β₁ᵗ) in front of the quotient, and takes the maximum of the uncorrected v
    (Reddi et al. correct no bias at all).

    Raises:
        ValueError: for a hyperparameter out of range, with PyTorch's wording.

    Source: Kingma and Ba, arXiv:1412.6980v9, Algorithm 1; amsgrad: Reddi et al., arXiv:1904.09237,
    Algorithm 2; options: torch.optim.Adam 2.13.
    """

    ORDERS = {"paper": paper, "pytorch": pytorch}
    STATE = {"exp_avg": "m", "exp_avg_sq": "v", "max_exp_avg_sq": "v_max"}

    def __init__(
        self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, amsgrad=False, *, maximize=False
    ):
        check_numbers(lr=lr, beta1=betas[0], beta2=betas[1], eps=eps, weight_decay=weight_decay)
        check_hyperparameter(lr >= 0.0, f"Invalid learning rate: {lr}")
        check_hyperparameter(eps >= 0.0, f"Invalid epsilon value: {eps}")
        check_hyperparameter(0.0 <= betas[0] < 1.0, f"Invalid beta parameter at index 0: {betas[0]}")
        check_hyperparameter(0.0 <= betas[1] < 1.0, f"Invalid beta parameter at index 1: {betas[1]}")
        check_hyperparameter(weight_decay >= 0.0, f"Invalid weight_decay value: {weight_decay}")
        super().__init__(
            params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, amsgrad=amsgrad, maximize=maximize
        )

    def new_state(self, param):
        zeros = {key: np.zeros_like(param) for key in self.STATE if key != "max_exp_avg_sq" or self.amsgrad}
        return {"step": np.zeros((), np.float32), **zeros}
