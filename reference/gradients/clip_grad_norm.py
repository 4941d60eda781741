"""Clipping by the norm: gradients that are too long together are made shorter together."""

from math import inf
from typing import Any, NamedTuple

import numpy as np

from reference.arithmetic import PLAIN
from reference.gradients.transformation import Transformation

EQUATIONS = {
    "norms": r"n_k = \lVert g_k \rVert_p",
    "total_norm": r"n = \lVert (g_1, g_2, \dots) \rVert_p = \lVert (n_1, n_2, \dots) \rVert_p",
    "inverse": r"r = 1 / (n + 10^{-6})",
    "coef": r"c = \frac{N}{n + 10^{-6}}",
    "held": r"c' = \min(c, 1)",
    "clipped": r"g' = c'\,g",
}


class Paper(NamedTuple):
    total_norm: Any
    coef: Any
    held: Any
    clipped: Any


class PyTorch(NamedTuple):
    norms: Any
    total_norm: Any
    inverse: Any
    coef: Any
    held: Any
    clipped: Any


def norm(x, p):
    """‖x‖ₚ, of any order."""
    return abs(x).max() if p == inf else abs(x).min() if p == -inf else powers(x, p).sum() ** (1 / (p or 1))


def powers(x, p):
    """|x|ᵖ; of order 0 whether it is not 0."""
    return abs(x) ** p if p else np.sign(abs(x))


def paper(grad, *, sizes, max_norm, norm_type):
    """All gradients are one vector (algorithm 1, with PyTorch's 10⁻⁶ beside the norm)."""
    total_norm = norm(grad, norm_type)
    coef = max_norm / (total_norm + 1e-6)
    held = np.minimum(coef, 1)
    clipped = held * grad
    return Paper(total_norm, coef, held, clipped)


def pytorch(grad, *, sizes, max_norm, norm_type, ops=PLAIN):
    """The norm of the tensors' norms (`clip_grad_norm_`); a number over a tensor is its reciprocal times the number."""
    norms = ops.norms(grad, sizes, norm_type)
    total_norm = ops.norm(norms, norm_type)
    inverse = 1 / ops.add(total_norm, 1e-6)
    coef = ops.mul(inverse, max_norm)
    held = np.minimum(coef, 1)
    clipped = ops.mul(grad, held)
    return PyTorch(norms, total_norm, inverse, coef, held, clipped)


class ClipGradNorm(Transformation):
    """min(max_norm / (‖g‖ₚ + 10⁻⁶), 1)·g for the gradients of all tensors together; the formula is `EQUATIONS`.

    Arguments:
        max_norm: N, the longest they may be.
        norm_type: p, any number; `inf` for the largest.
        error_if_nonfinite: refuse a norm that is no finite number.

    PyTorch takes the norm of each tensor and of those the norm: in float32 that is another sum. A coefficient of 1 is
    multiplied with as well. Its foreach path rounds as the other does. Of order 0 the norm of norms is no norm of all
    numbers: PyTorch counts the tensors that are not 0.

    Raises:
        RuntimeError: for such a norm, with PyTorch's words, before anything is changed.

    Source: Pascanu, Mikolov, Bengio, ICML 2013, algorithm 1; torch.nn.utils.clip_grad_norm_ 2.13.
    """

    ORDERS = {"paper": paper, "pytorch": pytorch}
    TENSORS = ("clipped",)
    NUMBERS = ("total_norm",)
    CHOICES = ("norm_type",)

    def __init__(self, max_norm, norm_type=2.0, error_if_nonfinite=False):
        super().__init__(max_norm=float(max_norm), norm_type=float(norm_type))
        self.error_if_nonfinite = error_if_nonfinite

    def numbers(self, arrays):
        return {**self.hyperparameters, "sizes": [array.size for array in arrays.values()]}

    def lines(self, arrays, state):
        lines = super().lines(arrays, state)
        if self.error_if_nonfinite and not np.isfinite(lines.total_norm):
            order = self.hyperparameters["norm_type"]
            raise RuntimeError(
                f"The total norm of order {order} for gradients from `parameters` is non-finite, so it cannot be "
                "clipped. To disable this error and scale the gradients by the non-finite norm anyway, "
                "set `error_if_nonfinite=False`"
            )
        return lines


def clip_grad_norm_(grads, max_norm, norm_type=2.0, error_if_nonfinite=False):
    """Clip named gradients in place, as torch.nn.utils.clip_grad_norm_ does; their norm before is returned."""
    clip = ClipGradNorm(max_norm, norm_type, error_if_nonfinite)
    for name, clipped in clip.step(grads).items():
        grads[name][...] = clipped
    return clip.made["total_norm"]
