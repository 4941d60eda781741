"""Muon: momentum, made orthogonal: a matrix moves by as much in every direction that its gradient has."""

import math
from typing import Any, NamedTuple

import numpy as np

from reference.arithmetic import PLAIN
from reference.optim.optimizer import Optimizer, check_hyperparameter, check_numbers
from reference.state import Entry

EQUATIONS = {
    "buf": r"B_t = \mu B_{t-1} + (1 - \mu)\,G_t",
    "update": r"\tilde B_t = (1 - \mu)\,G_t + \mu B_t \text{ (Nesterov), or } B_t",
    "x": r"X_0 = \tilde B_t / \max(\lVert \tilde B_t \rVert_F,\, \epsilon) \text{ in bfloat16, wide}",
    "o": r"O_t = X_k,\; A_i = X_i X_i^\top,\; X_{i+1} = a X_i + (b A_i + c A_i^2) X_i",
    "decayed": r"\theta'_t = \theta_{t-1} - \alpha\lambda\,\theta_{t-1}",
    "param": r"\theta_t = \theta'_t - \alpha\,s\,O_t, \quad s = \sqrt{\max(1,\, n/m)}"
    r" \text{ or } 0.2\sqrt{\max(n,\, m)}",
}

MOST = 100  # steps, below which PyTorch stays

SCALES = {
    None: lambda rows, columns: math.sqrt(max(1, rows / columns)),
    "original": lambda rows, columns: math.sqrt(max(1, rows / columns)),
    "match_rms_adamw": lambda rows, columns: 0.2 * math.sqrt(max(rows, columns)),
}


class Paper(NamedTuple):
    buf: Any
    update: Any
    x: Any
    o: Any
    decayed: Any
    param: Any


class PyTorch(NamedTuple):
    buf: Any
    update: Any
    decayed: Any
    param: Any


def normalised(x, eps, ops=PLAIN):
    """x over its norm, each rounded to bfloat16, which computes in float32."""
    return ops.bfloat16(ops.bfloat16(x) / np.maximum(ops.bfloat16_norm(ops.bfloat16(x)), ops.bfloat16(eps)))


def quintic(x, gram, a, b, c, ops=PLAIN):
    """a·x + (b·gram + c·gram²)·x."""
    return ops.bfloat16_addmm(x, ops.bfloat16_addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a, alpha=1.0)


def iterated(x, a, b, c, steps, ops=PLAIN):
    """So many steps of Newton and Schulz, which take every singular value of x near 1."""
    return (
        iterated(quintic(x, ops.bfloat16_matmul(x, x.T), a, b, c, ops), a, b, c, steps - 1, ops)
        if 0 < steps < MOST
        else x
    )


def exactly_iterated(x, a, b, c, steps):
    """The same without a rounding to bfloat16."""
    return (
        exactly_iterated(a * x + (b * (x @ x.T) + c * (x @ x.T @ x @ x.T)) @ x, a, b, c, steps - 1)
        if 0 < steps < MOST
        else x
    )


def paper(
    param, grad, momentum_buffer, *, lr, weight_decay, momentum, nesterov, ns_coefficients, eps, ns_steps, adjust_lr_fn,
):  # fmt: skip
    """One step in the order of Jordan's post of 2024, with PyTorch's momentum and decay."""
    a, b, c = ns_coefficients
    tall = param.shape[0] > param.shape[1]
    adjusted = lr * SCALES[adjust_lr_fn](param.shape[0], param.shape[1])
    buf = momentum * momentum_buffer + (1 - momentum) * grad
    update = (1 - momentum) * grad + momentum * buf if nesterov else buf
    wide = update.T if tall else update
    x = normalised(wide, eps)
    o = iterated(x, a, b, c, ns_steps)
    decayed = param - lr * weight_decay * param
    param = decayed - adjusted * (o.T if tall else o).astype(decayed.dtype)
    return Paper(buf, update, x, o, decayed, param)


def pytorch(
    param, grad, momentum_buffer, *, lr, weight_decay, momentum, nesterov, ns_coefficients, eps, ns_steps, adjust_lr_fn,
    ops=PLAIN,
):  # fmt: skip
    """One step in the order of torch.optim.Muon (2.13, `_single_tensor_muon`)."""
    a, b, c = ns_coefficients
    tall = param.shape[0] > param.shape[1]
    buf = ops.lerp(momentum_buffer, grad, 1 - momentum)
    update = ops.lerp(grad, buf, momentum) if nesterov else buf
    o = iterated(normalised(update.T if tall else update, eps, ops), a, b, c, ns_steps, ops)
    decayed = ops.mul(param, 1 - lr * weight_decay)
    adjusted = lr * SCALES[adjust_lr_fn](param.shape[0], param.shape[1])
    param = ops.add(decayed, (o.T if tall else o).astype(decayed.dtype), alpha=-adjusted)
    return PyTorch(buf, update, decayed, param)


class Muon(Optimizer):
    """Muon (Jordan), with PyTorch's options.

    The formula is `EQUATIONS`; a tall matrix is turned before it is made orthogonal, and turned back. What is iterated
    is rounded to bfloat16 after each product, as is part of PyTorch's formula, whatever the parameters are.

    Arguments:
        params: name to float32 or float64 matrix, updated in place.
        lr: α, in parameter units per step, of a singular value.
        weight_decay: λ, shrinks the parameter by αλθ, not by the α that is adjusted to its shape.
        momentum: μ, the share of the buffer kept a step.
        nesterov: step by a mean of the gradient and the buffer.
        ns_coefficients: a, b and c, which need not leave 1 where it is.
        eps: ε, in gradient units, below which the norm is not taken.
        ns_steps: k; below 100.
        adjust_lr_fn: how the step is adjusted to n rows and m columns: "original" or None, or "match_rms_adamw".

    PyTorch differs from the post in its momentum, an average where that has a sum, which is another size of the buffer
    and no other direction.

    Raises:
        ValueError: for a hyperparameter out of range, or a parameter that is no matrix, with PyTorch's wording.
        TypeError: for a hyperparameter that is no number.

    Source: Jordan et al., Muon: An optimizer for hidden layers in neural networks, 2024; Liu et al., Muon is Scalable
    for LLM Training, arXiv:2502.16982; torch.optim.Muon 2.13.
    """

    ORDERS = {"paper": paper, "pytorch": pytorch}
    ELEMENTWISE = False
    STATE = {"momentum_buffer": Entry("buf")}

    def __init__(
        self,
        params,
        lr=1e-3,
        weight_decay=0.1,
        momentum=0.95,
        nesterov=True,
        ns_coefficients=(3.4445, -4.7750, 2.0315),
        eps=1e-7,
        ns_steps=5,
        adjust_lr_fn=None,
    ):
        check_numbers(lr=lr, weight_decay=weight_decay, momentum=momentum, eps=eps, ns_steps=ns_steps)
        check_hyperparameter(lr >= 0.0, f"Learning rate should be >= 0 but is: {lr}")
        check_hyperparameter(momentum >= 0.0, f"momentum should be >= 0 but is: {momentum}")
        check_hyperparameter(weight_decay >= 0.0, f"weight decay should be >= 0 but is: {weight_decay}")
        check_hyperparameter(adjust_lr_fn in SCALES, f"Adjust learning rate function {adjust_lr_fn} is not supported")
        super().__init__(
            params,
            lr=lr,
            weight_decay=weight_decay,
            momentum=momentum,
            nesterov=nesterov,
            ns_coefficients=ns_coefficients,
            eps=eps,
            ns_steps=ns_steps,
            adjust_lr_fn=adjust_lr_fn,
        )

    def check_parameters(self, params):
        super().check_parameters(params)
        for param in params.values():
            size = f"torch.Size({list(param.shape)})"
            check_hyperparameter(
                param.ndim == 2, f"Muon only supports 2D parameters whereas we found a parameter with size: {size}"
            )

    def checked(self, grads):
        many = "Number of steps must be less than 100 for computational efficiency"
        check_hyperparameter(self.hyperparameters["ns_steps"] < MOST, many)
        three = len(self.hyperparameters["ns_coefficients"]) == 3
        check_hyperparameter(three, "Coefficients must be a tuple of exactly 3 values")
        return super().checked(grads)
