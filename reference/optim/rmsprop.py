"""RMSprop: the gradient divided by the root of a running average of its square."""

from typing import Any, NamedTuple

import numpy as np

from reference.arithmetic import PLAIN
from reference.optim.optimizer import Optimizer, check_hyperparameter, check_numbers
from reference.state import STEP, Entry

EQUATIONS = {
    "g": r"g_t = \nabla f_t(\theta_{t-1})",
    "d": r"d_t = g_t + \lambda\,\theta_{t-1}",
    "v": r"v_t = \rho\,v_{t-1} + (1 - \rho)\,d_t^2",
    "mean": r"\bar g_t = \rho\,\bar g_{t-1} + (1 - \rho)\,d_t",
    "variance": r"\tilde v_t = v_t - \bar g_t^2",
    "denom": r"s_t = \sqrt{\tilde v_t} + \epsilon",
    "buf": r"b_t = \mu\,b_{t-1} + d_t / s_t",
    "param": r"\theta_t = \theta_{t-1} - \alpha\,b_t",
}


class Lines(NamedTuple):
    g: Any
    d: Any
    v: Any
    mean: Any
    variance: Any
    denom: Any
    buf: Any
    param: Any


def paper(
    param,
    grad,
    square_avg,
    momentum_buffer: Any = None,
    grad_avg: Any = None,
    *,
    step,
    lr,
    alpha,
    eps,
    weight_decay,
    momentum,
    centered,
    maximize,
):
    """One step in the order of the lecture (slide 29); centred as in Graves (arXiv:1308.0850v5, 38 to 41)."""
    g = -grad if maximize else grad
    d = g + weight_decay * param if weight_decay else g
    v = alpha * square_avg + (1 - alpha) * d**2
    mean = alpha * grad_avg + (1 - alpha) * d if centered else None
    variance = v if mean is None else v - mean**2
    denom = np.sqrt(variance) + eps
    buf = momentum * momentum_buffer + d / denom if momentum > 0 else d / denom
    param = param - lr * buf
    return Lines(g, d, v, mean, variance, denom, buf, param)


def pytorch(
    param,
    grad,
    square_avg,
    momentum_buffer: Any = None,
    grad_avg: Any = None,
    *,
    step,
    lr,
    alpha,
    eps,
    weight_decay,
    momentum,
    centered,
    maximize,
    ops=PLAIN,
):
    """One step in the order of torch.optim.RMSprop (2.13, `_single_tensor_rmsprop`; foreach is the same)."""
    g = -grad if maximize else grad
    d = ops.add(g, param, alpha=weight_decay) if weight_decay else g
    v = ops.addcmul(ops.mul(square_avg, alpha), d, d, value=1 - alpha)
    mean = ops.lerp(grad_avg, d, 1 - alpha) if centered else None
    variance = v if mean is None else ops.addcmul(v, mean, mean, value=-1)
    denom = ops.add(ops.sqrt(variance), eps)
    buf = ops.addcdiv(ops.mul(momentum_buffer, momentum), d, denom) if momentum > 0 else None
    param = ops.add(param, buf, alpha=-lr) if momentum > 0 else ops.addcdiv(param, d, denom, value=-lr)
    return Lines(g, d, v, mean, variance, denom, buf, param)


class RMSprop(Optimizer):
    """RMSprop (Tieleman and Hinton), with PyTorch's options.

    The formula is `EQUATIONS`; a line that an option leaves out is None, and without `centered` the
    variance is v.

    Arguments:
        params: name to float32 or float64 array of any shape, updated in place.
        lr: α, in parameter units per step.
        alpha: ρ, the share of the averages kept a step.
        eps: ε, in gradient units; added after the root.
        weight_decay: λ, added to the gradient as λθ.
        momentum: μ, the share of the buffer kept a step; 0 keeps no buffer.
        centered: divide by the root of the variance instead of the mean square.
        maximize: ascend instead of descend.

    PyTorch differs from Graves, who has ε inside the root and α inside the buffer. α here is lr;
    PyTorch's `alpha` is the paper's decay.

    Raises:
        ValueError: for a hyperparameter out of range, with PyTorch's wording.
        TypeError: for a hyperparameter that is no number.

    Source: Tieleman and Hinton, COURSERA: Neural Networks for Machine Learning, lecture 6e (2012);
    Graves, arXiv:1308.0850v5, equations 38 to 41; torch.optim.RMSprop 2.13.
    """

    ORDERS = {"paper": paper, "pytorch": pytorch}
    STATE = {
        "step": STEP,
        "square_avg": Entry("v", positive=True),
        "momentum_buffer": Entry("buf", when="momentum"),
        "grad_avg": Entry("mean", when="centered"),
    }

    def __init__(
        self, params, lr=1e-2, alpha=0.99, eps=1e-8, weight_decay=0.0, momentum=0.0, centered=False, *, maximize=False
    ):
        check_numbers(lr=lr, alpha=alpha, eps=eps, weight_decay=weight_decay, momentum=momentum)
        check_hyperparameter(lr >= 0.0, f"Invalid learning rate: {lr}")
        check_hyperparameter(eps >= 0.0, f"Invalid epsilon value: {eps}")
        check_hyperparameter(momentum >= 0.0, f"Invalid momentum value: {momentum}")
        check_hyperparameter(weight_decay >= 0.0, f"Invalid weight_decay value: {weight_decay}")
        check_hyperparameter(alpha >= 0.0, f"Invalid alpha value: {alpha}")
        super().__init__(
            params,
            lr=lr,
            alpha=alpha,
            eps=eps,
            weight_decay=weight_decay,
            momentum=momentum,
            centered=centered,
            maximize=maximize,
        )
