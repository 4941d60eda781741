"""Adadelta: steps in the units of the parameter, by the ratio of two running means of squares."""

from typing import Any, NamedTuple

import numpy as np

from reference.arithmetic import PLAIN
from reference.optim.optimizer import Optimizer, check_hyperparameter, check_numbers
from reference.state import STEP, Entry

EQUATIONS = {
    "g": r"g_t = \nabla f_t(\theta_{t-1})",
    "d": r"d_t = g_t + \lambda\,\theta_{t-1}",
    "v": r"v_t = \rho\,v_{t-1} + (1 - \rho)\,d_t^2",
    "rms": r"s_t = \sqrt{v_t + \epsilon}",
    "delta": r"\Delta_t = \sqrt{w_{t-1} + \epsilon}\,/\,s_t \cdot d_t",
    "w": r"w_t = \rho\,w_{t-1} + (1 - \rho)\,\Delta_t^2",
    "param": r"\theta_t = \theta_{t-1} - \alpha\,\Delta_t",
}


class Lines(NamedTuple):
    g: Any
    d: Any
    v: Any
    rms: Any
    delta: Any
    w: Any
    param: Any


def paper(param, grad, square_avg, acc_delta, *, step, lr, rho, eps, weight_decay, maximize):
    """One step in the order of the paper (arXiv:1212.5701v1, Algorithm 1), its Δ with the other sign."""
    g = -grad if maximize else grad
    d = g + weight_decay * param if weight_decay else g
    v = rho * square_avg + (1 - rho) * d**2
    rms = np.sqrt(v + eps)
    delta = np.sqrt(acc_delta + eps) / rms * d
    w = rho * acc_delta + (1 - rho) * delta**2
    param = param - lr * delta
    return Lines(g, d, v, rms, delta, w, param)


def pytorch(param, grad, square_avg, acc_delta, *, step, lr, rho, eps, weight_decay, maximize, ops=PLAIN):
    """One step in the order of torch.optim.Adadelta (2.13, `_single_tensor_adadelta`; foreach is the same)."""
    g = -grad if maximize else grad
    d = ops.add(g, param, alpha=weight_decay) if weight_decay else g
    v = ops.addcmul(ops.mul(square_avg, rho), d, d, value=1 - rho)
    rms = ops.sqrt(ops.add(v, eps))
    delta = ops.mul(ops.div(ops.sqrt(ops.add(acc_delta, eps)), rms), d)
    w = ops.addcmul(ops.mul(acc_delta, rho), delta, delta, value=1 - rho)
    param = ops.add(param, delta, alpha=-lr)
    return Lines(g, d, v, rms, delta, w, param)


class Adadelta(Optimizer):
    """Adadelta (Zeiler), with PyTorch's options.

    The formula is `EQUATIONS`.

    Arguments:
        params: name to float32 or float64 array of any shape, updated in place.
        lr: α, a factor of the step; the paper's is 1.
        rho: ρ, the share of both means kept a step, in [0, 1].
        eps: ε, in squared gradient units below and squared parameter units above; inside both roots.
        weight_decay: λ, added to the gradient as λθ.
        maximize: ascend instead of descend.

    PyTorch differs in having lr, which the paper does without.

    Raises:
        ValueError: for a hyperparameter out of range, with PyTorch's wording.
        TypeError: for a hyperparameter that is no number.

    Source: Zeiler, arXiv:1212.5701v1, Algorithm 1; torch.optim.Adadelta 2.13.
    """

    ORDERS = {"paper": paper, "pytorch": pytorch}
    STATE = {"step": STEP, "square_avg": Entry("v", positive=True), "acc_delta": Entry("w", positive=True)}

    def __init__(self, params, lr=1.0, rho=0.9, eps=1e-6, weight_decay=0.0, *, maximize=False):
        check_numbers(lr=lr, rho=rho, eps=eps, weight_decay=weight_decay)
        check_hyperparameter(lr >= 0.0, f"Invalid learning rate: {lr}")
        check_hyperparameter(0.0 <= rho <= 1.0, f"Invalid rho value: {rho}")
        check_hyperparameter(eps >= 0.0, f"Invalid epsilon value: {eps}")
        check_hyperparameter(weight_decay >= 0.0, f"Invalid weight_decay value: {weight_decay}")
        super().__init__(params, lr=lr, rho=rho, eps=eps, weight_decay=weight_decay, maximize=maximize)
