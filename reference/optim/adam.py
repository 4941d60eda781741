"""Adam: steps of about lr, sized by the ratio of the first moment to the root of the second."""

from typing import Any, NamedTuple

import numpy as np

from reference.arithmetic import PLAIN, root
from reference.optim.optimizer import Optimizer, check_hyperparameter, check_numbers
from reference.state import STEP, Entry

EQUATIONS = {
    "g": r"g_t = \nabla f_t(\theta_{t-1})",
    "d": r"d_t = g_t + \lambda\,\theta_{t-1}",
    "decayed": r"\theta'_t = \theta_{t-1}",
    "m": r"m_t = \beta_1 m_{t-1} + (1 - \beta_1)\,d_t",
    "v": r"v_t = \beta_2 v_{t-1} + (1 - \beta_2)\,d_t^2",
    "v_max": r"v^{\max}_t = \max(v^{\max}_{t-1},\, v_t)",
    "m_hat": r"\hat m_t = m_t / (1 - \beta_1^t)",
    "v_hat": r"\hat v_t = v^{\max}_t / (1 - \beta_2^t)",
    "denom": r"s_t = \sqrt{\hat v_t} + \epsilon",
    "param": r"\theta_t = \theta'_t - \alpha\,\hat m_t / s_t",
}


class Paper(NamedTuple):
    g: Any
    d: Any
    decayed: Any
    m: Any
    v: Any
    v_max: Any
    m_hat: Any
    v_hat: Any
    denom: Any
    param: Any


class PyTorch(NamedTuple):
    g: Any
    d: Any
    decayed: Any
    m: Any
    v: Any
    v_max: Any
    denom: Any
    param: Any


def paper(
    param,
    grad,
    exp_avg,
    exp_avg_sq,
    max_exp_avg_sq: Any = None,
    *,
    step,
    lr,
    betas,
    eps,
    weight_decay,
    amsgrad,
    maximize,
    decoupled_weight_decay,
):
    """One step in the order of the paper (arXiv:1412.6980v9, Algorithm 1)."""
    beta1, beta2 = betas
    g = -grad if maximize else grad
    d = g + weight_decay * param if weight_decay and not decoupled_weight_decay else g
    decayed = param - lr * weight_decay * param if weight_decay and decoupled_weight_decay else param
    m = beta1 * exp_avg + (1 - beta1) * d
    v = beta2 * exp_avg_sq + (1 - beta2) * d**2
    v_max = np.maximum(max_exp_avg_sq, v) if amsgrad else v
    m_hat = m / (1 - beta1**step)
    v_hat = v_max / (1 - beta2**step)
    denom = np.sqrt(v_hat) + eps
    param = decayed - lr * m_hat / denom
    return Paper(g, d, decayed, m, v, v_max, m_hat, v_hat, denom, param)


def pytorch(
    param,
    grad,
    exp_avg,
    exp_avg_sq,
    max_exp_avg_sq: Any = None,
    *,
    step,
    lr,
    betas,
    eps,
    weight_decay,
    amsgrad,
    maximize,
    decoupled_weight_decay,
    ops=PLAIN,
):
    """One step in the order of torch.optim.Adam (2.13, `_single_tensor_adam`; foreach is the same)."""
    beta1, beta2 = betas
    g = -grad if maximize else grad
    d = ops.add(g, param, alpha=weight_decay) if weight_decay and not decoupled_weight_decay else g
    decayed = ops.mul(param, 1 - lr * weight_decay) if weight_decay and decoupled_weight_decay else param
    m = ops.lerp(exp_avg, d, 1 - beta1)
    v = ops.addcmul(ops.mul(exp_avg_sq, beta2), d, d, value=1 - beta2)
    v_max = np.maximum(max_exp_avg_sq, v) if amsgrad else v
    bias_correction2_sqrt = (1 - beta2**step) ** 0.5
    denom = ops.add(ops.div(ops.sqrt(v_max), bias_correction2_sqrt), eps)
    step_size = lr / (1 - beta1**step)
    param = ops.addcdiv(decayed, m, denom, value=-step_size)
    return PyTorch(g, d, decayed, m, v, v_max, denom, param)


def fused(
    param,
    grad,
    exp_avg,
    exp_avg_sq,
    max_exp_avg_sq: Any = None,
    *,
    step,
    lr,
    betas,
    eps,
    weight_decay,
    amsgrad,
    maximize,
    decoupled_weight_decay,
    ops=PLAIN,
):
    """One step in the order of the fused kernel (2.13, `FusedAdamKernel.cpp`), whose root is NumPy's."""
    beta1, beta2 = betas
    g = -grad if maximize else grad
    d = ops.add(g, param, alpha=weight_decay) if weight_decay and not decoupled_weight_decay else g
    decay = ops.fma(-lr, weight_decay, 1.0)
    decayed = ops.mul(param, decay) if weight_decay and decoupled_weight_decay else param
    m = ops.lerp(exp_avg, d, 1 - beta1)
    v = ops.sum_of_products(exp_avg_sq, beta2, (1 - beta2) * d, d)
    v_max = np.maximum(max_exp_avg_sq, v) if amsgrad else v
    bias_correction2_sqrt = root(1 - beta2**step)
    denom = ops.add(ops.div(np.sqrt(v_max), bias_correction2_sqrt), eps)
    step_size = lr / (1 - beta1**step)
    param = ops.addcdiv(decayed, m, denom, value=-step_size)
    return PyTorch(g, d, decayed, m, v, v_max, denom, param)


class Adam(Optimizer):
    """Adam (Kingma and Ba), with PyTorch's options.

    The formula is `EQUATIONS`; with `amsgrad`, the largest v so far takes the place of v.

    Arguments:
        params: name to float32 or float64 array of any shape, updated in place.
        lr: α, in parameter units per step.
        betas: decay of the first and of the second moment, each in [0, 1).
        eps: ε, in gradient units; added after the root and after the bias correction.
        weight_decay: λ, added to the gradient as λθ.
        amsgrad: divide by the root of the running maximum of v.
        maximize: ascend instead of descend.
        decoupled_weight_decay: shrink the parameter by αλθ instead; that is AdamW.

    PyTorch differs in the order of operations: it divides √v by √(1-β₂ᵗ) instead of v by 1-β₂ᵗ,
    moves lr/(1-β₁ᵗ) in front of the quotient, and takes the maximum of the uncorrected v
    (Reddi et al. correct no bias at all).

    Raises:
        ValueError: for a hyperparameter out of range, with PyTorch's wording.
        TypeError: for a hyperparameter that is no number.

    Source: Kingma and Ba, arXiv:1412.6980v9, Algorithm 1; amsgrad: Reddi et al., arXiv:1904.09237,
    Algorithm 2; options: torch.optim.Adam 2.13.
    """

    ORDERS = {"paper": paper, "pytorch": pytorch, "fused": fused}
    REFUSED = "Adam does not support sparse gradients, please consider SparseAdam instead"
    STATE = {
        "step": STEP,
        "exp_avg": Entry("m"),
        "exp_avg_sq": Entry("v", positive=True),
        "max_exp_avg_sq": Entry("v_max", when="amsgrad", positive=True),
    }

    def __init__(
        self,
        params,
        lr=1e-3,
        betas=(0.9, 0.999),
        eps=1e-8,
        weight_decay=0.0,
        amsgrad=False,
        *,
        maximize=False,
        decoupled_weight_decay=False,
    ):
        beta1, beta2 = betas
        check_numbers(lr=lr, eps=eps, beta1=beta1, beta2=beta2, weight_decay=weight_decay)
        check_hyperparameter(lr >= 0.0, f"Invalid learning rate: {lr}")
        check_hyperparameter(eps >= 0.0, f"Invalid epsilon value: {eps}")
        check_hyperparameter(0.0 <= beta1 < 1.0, f"Invalid beta parameter at index 0: {beta1}")
        check_hyperparameter(0.0 <= beta2 < 1.0, f"Invalid beta parameter at index 1: {beta2}")
        check_hyperparameter(weight_decay >= 0.0, f"Invalid weight_decay value: {weight_decay}")
        floats = isinstance(beta1, float) and isinstance(beta2, float)
        check_hyperparameter(floats, "betas must be either both floats or both Tensors")
        super().__init__(
            params,
            lr=lr,
            betas=(beta1, beta2),
            eps=eps,
            weight_decay=weight_decay,
            amsgrad=amsgrad,
            maximize=maximize,
            decoupled_weight_decay=decoupled_weight_decay,
        )
