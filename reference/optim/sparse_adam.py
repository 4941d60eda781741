"""SparseAdam: Adam that moves only what has an entry in a sparse gradient, moments included."""

from typing import Any, NamedTuple

import numpy as np

from reference.arithmetic import PLAIN, root
from reference.optim.optimizer import Optimizer, check_hyperparameter, check_numbers
from reference.state import Entry, Whole

EQUATIONS = {
    "g": r"g_t = \nabla f_t(\theta_{t-1}) \text{, where it has entries}",
    "m": r"m_t = \beta_1 m_{t-1} + (1 - \beta_1)\,g_t",
    "v": r"v_t = \beta_2 v_{t-1} + (1 - \beta_2)\,g_t^2",
    "denom": r"s_t = \sqrt{v_t} + \epsilon",
    "alpha": r"\alpha_t = \alpha\,\sqrt{1 - \beta_2^t} / (1 - \beta_1^t)",
    "param": r"\theta_t = \theta_{t-1} - \alpha_t\,m_t / s_t",
}


class Paper(NamedTuple):
    g: Any
    m: Any
    v: Any
    denom: Any
    alpha: Any
    param: Any


class PyTorch(NamedTuple):
    g: Any
    m: Any
    v: Any
    denom: Any
    param: Any


def paper(param, grad, exp_avg, exp_avg_sq, *, step, lr, betas, eps, maximize):
    """One step of the entries in the order of the paper (Kingma and Ba, section 2, its last paragraph)."""
    beta1, beta2 = betas
    g = -grad if maximize else grad
    m = beta1 * exp_avg + (1 - beta1) * g
    v = beta2 * exp_avg_sq + (1 - beta2) * g**2
    denom = np.sqrt(v) + eps
    alpha = lr * root(1 - beta2**step) / (1 - beta1**step)
    param = param - alpha * m / denom
    return Paper(g, m, v, denom, alpha, param)


def pytorch(param, grad, exp_avg, exp_avg_sq, *, step, lr, betas, eps, maximize, ops=PLAIN):
    """One step of the entries in the order of torch.optim.SparseAdam (2.13, `sparse_adam`)."""
    beta1, beta2 = betas
    g = -grad if maximize else grad
    m = ops.add(exp_avg, ops.mul(ops.add(g, -exp_avg), 1 - beta1))
    v = ops.add(exp_avg_sq, ops.mul(ops.add(ops.mul(g, g), -exp_avg_sq), 1 - beta2))
    denom = ops.add(ops.sqrt(v), eps)
    alpha = lr * root(1 - beta2**step) / (1 - beta1**step)
    param = ops.add(param, ops.mul(ops.div(m, denom), -alpha))
    return PyTorch(g, m, v, denom, param)


class SparseAdam(Optimizer):
    """Adam for sparse gradients, lazily: what has no entry at a step keeps its moments and does not move.

    The formula is `EQUATIONS`, of the entries alone; t counts every step of the tensor.

    Arguments:
        params: name to float32 or float64 array of any shape, updated in place.
        lr: α, in parameter units per step; above 0.
        betas: β₁ and β₂, how much of the moments is kept a step; each in [0, 1).
        eps: ε, in gradient units; added to the root, which is not corrected. Above 0.
        maximize: ascend instead of descend.

    PyTorch differs from Adam in leaving the moments where they are while there is no entry, and corrects them as if
    every step had had one; eps is not corrected, as it is in torch.optim.Adam. An entry that is 0 is an entry.

    Raises:
        ValueError: for a hyperparameter out of range, with PyTorch's wording.
        TypeError: for a hyperparameter that is no number.
        RuntimeError: for a gradient that is not sparse.

    Source: Kingma and Ba, ICLR 2015, arXiv:1412.6980; torch.optim.SparseAdam 2.13.
    """

    ORDERS = {"paper": paper, "pytorch": pytorch}
    STATE = {"step": Whole(), "exp_avg": Entry("m"), "exp_avg_sq": Entry("v", positive=True)}
    SPARSE = "alone"

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, maximize=False):
        beta1, beta2 = betas
        check_numbers(lr=lr, eps=eps, beta1=beta1, beta2=beta2)
        check_hyperparameter(lr > 0.0, f"Invalid learning rate: {lr}")
        check_hyperparameter(eps > 0.0, f"Invalid epsilon value: {eps}")
        check_hyperparameter(0.0 <= beta1 < 1.0, f"Invalid beta parameter at index 0: {beta1}")
        check_hyperparameter(0.0 <= beta2 < 1.0, f"Invalid beta parameter at index 1: {beta2}")
        super().__init__(params, lr=lr, betas=(beta1, beta2), eps=eps, maximize=maximize)
