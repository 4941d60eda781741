"""ASGD: gradient descent whose step size falls by a power of t, and the average of where it has been."""

from typing import Any, NamedTuple

import numpy as np

from reference.arithmetic import PLAIN, item, like
from reference.optim.optimizer import Optimizer, check_hyperparameter, check_numbers
from reference.state import STEP, Entry, Number

EQUATIONS = {
    "g": r"g_t = \nabla f_t(\theta_{t-1})",
    "d": r"d_t = g_t + \lambda\,\theta_{t-1}",
    "decayed": r"\theta'_t = (1 - \kappa\,\eta_{t-1})\,\theta_{t-1}",
    "param": r"\theta_t = \theta'_t - \eta_{t-1}\,d_t",
    "ax": r"\bar\theta_t = \bar\theta_{t-1} + \mu_{t-1} (\theta_t - \bar\theta_{t-1})",
    "eta": r"\eta_t = \alpha / (1 + \kappa\,\alpha\,t)^c, \quad \eta_0 = \alpha",
    "mu": r"\mu_t = 1 / \max(1,\, t - t_0), \quad \mu_0 = 1",
}


class Lines(NamedTuple):
    g: Any
    d: Any
    decayed: Any
    param: Any
    ax: Any
    eta: Any
    mu: Any


class Foreach(NamedTuple):
    g: Any
    d: Any
    param: Any
    ax: Any
    eta: Any
    mu: Any


def paper(param, grad, ax, *, step, eta, mu, lr, lambd, alpha, t0, weight_decay, maximize):
    """One step in the order of the algorithm's text (Bottou, Stochastic Gradient Descent Tricks, 2012, section 5)."""
    g = -grad if maximize else grad
    d = g + weight_decay * param if weight_decay else g
    decayed = (1 - lambd * item(eta)) * param
    param = decayed - item(eta) * d
    ax = ax + item(mu) * (param - ax)
    eta = like(lr / (1 + lambd * lr * step) ** alpha, eta)
    mu = like(1 / np.maximum(1, step - t0), mu)
    return Lines(g, d, decayed, param, ax, eta, mu)


def pytorch(param, grad, ax, *, step, eta, mu, lr, lambd, alpha, t0, weight_decay, maximize, ops=PLAIN):
    """One step in the order of torch.optim.ASGD (2.13, `_single_tensor_asgd`), which copies while μ is 1."""
    g = -grad if maximize else grad
    d = ops.add(g, param, alpha=weight_decay) if weight_decay else g
    decayed = ops.mul(param, 1 - lambd * item(eta))
    param = ops.add(decayed, d, alpha=-item(eta))
    ax = param if item(mu) == 1 else ops.add(ax, ops.mul(ops.add(param, ax, alpha=-1), item(mu)))
    eta = like(lr / (1 + lambd * lr * step) ** alpha, eta)
    mu = like(1 / np.maximum(1, step - t0), mu)
    return Lines(g, d, decayed, param, ax, eta, mu)


def foreach(param, grad, ax, *, step, eta, mu, lr, lambd, alpha, t0, weight_decay, maximize, ops=PLAIN):
    """One step in the order of the foreach path (2.13, `_multi_tensor_asgd`), which works η out in float32."""
    g = -grad if maximize else grad
    d = ops.add(g, param, alpha=weight_decay) if weight_decay else g
    pulled = ops.add(d, param, alpha=lambd)
    param = ops.addcmul(param, pulled, eta, value=-1)
    ax = ops.addcmul(ax, ops.add(param, ax, alpha=-1), mu)
    base = ops.add(ops.mul(like(step, eta), lambd * lr), 1)
    eta = ops.mul(1 / ops.pow(base, alpha), lr)
    mu = like(1 / np.maximum(1, step - t0), mu)
    return Foreach(g, d, param, ax, eta, mu)


class ASGD(Optimizer):
    """Averaged stochastic gradient descent (Polyak and Juditsky), with PyTorch's options.

    The formula is `EQUATIONS`. What it finds is the average, `state[name]["ax"]`; the parameter goes on by itself.

    Arguments:
        params: name to float32 or float64 array of any shape, updated in place.
        lr: α, in parameter units per gradient unit.
        lambd: κ, the share of the parameter that a step takes off it, per unit of step size; and how fast that falls.
        alpha: c, the power of t with which the step size falls.
        t0: the step at which averaging begins; before it the average is the parameter.
        weight_decay: λ, added to the gradient as λθ.
        maximize: ascend instead of descend.

    PyTorch differs in that the first step has the whole lr and step t the size of t - 1; in the state, which keeps η
    and μ in float32, also beside float64 parameters; and in its foreach path, which works η out in float32 too, and
    averages from the first step on.

    Raises:
        ValueError: for a hyperparameter out of range, with PyTorch's wording.
        TypeError: for a hyperparameter that is no number.

    Source: Polyak and Juditsky, SIAM J. Control Optim. 30(4), 1992; Bottou, Stochastic Gradient Descent Tricks, 2012,
    section 5; torch.optim.ASGD 2.13.
    """

    ORDERS = {"paper": paper, "pytorch": pytorch, "foreach": foreach}
    STATE = {
        "step": STEP,
        "eta": Number("eta", start="lr", positive=True),
        "mu": Number("mu", start=1.0, positive=True),
        "ax": Entry("ax"),
    }

    lr: float

    def __init__(self, params, lr=1e-2, lambd=1e-4, alpha=0.75, t0=1e6, weight_decay=0.0, maximize=False):
        check_numbers(lr=lr, lambd=lambd, alpha=alpha, t0=t0, weight_decay=weight_decay)
        check_hyperparameter(lr >= 0.0, f"Invalid learning rate: {lr}")
        check_hyperparameter(weight_decay >= 0.0, f"Invalid weight_decay value: {weight_decay}")
        super().__init__(params, lr=lr, lambd=lambd, alpha=alpha, t0=t0, weight_decay=weight_decay, maximize=maximize)
