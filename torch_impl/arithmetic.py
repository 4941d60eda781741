"""The primitives of reference/arithmetic.py as PyTorch's own kernels evaluate them, NumPy arrays in and out.

Each is a function, so that one at a time can take the place of NumPy's:
`FUSED.replacing(sqrt=kernels.sqrt)`. A Python scalar stays one, as in the calls of torch.optim and torch.nn.
Threads are PyTorch's own setting (`torch.set_num_threads`).
"""

import numpy as np
import torch

from torch_impl import tensors

__all__ = [
    "add",
    "addcdiv",
    "addcmul",
    "addmm",
    "bfloat16",
    "bfloat16_addmm",
    "bfloat16_matmul",
    "bfloat16_norm",
    "div",
    "exp",
    "lerp",
    "log",
    "log1p",
    "log_sigmoid",
    "log_softmax",
    "loss_sum",
    "matmul",
    "mean",
    "mul",
    "norm",
    "pow",
    "rsqrt",
    "scalar_log",
    "scalar_log1p",
    "sigmoid",
    "softmax_exp",
    "sqrt",
    "sum",
    "tanh",
]


def tensor(x):
    """A copy of an array as a tensor: the same layout, in PyTorch's own aligned memory; a scalar as it is.

    Layout and alignment decide which of its routines a matrix library takes, also the stride of an axis of one element.
    """
    if not isinstance(x, np.ndarray | np.generic):
        return x
    copy = tensors.tensor(np.array(x, order="K"))
    if 1 not in copy.shape:
        return copy
    axes = zip(x.shape, x.strides, copy.stride(), strict=True)
    return copy.as_strided(copy.shape, [abs(own) // x.itemsize if n == 1 else kept for n, own, kept in axes])


def evaluated(function, *operands, **settings) -> np.ndarray:
    with torch.no_grad():
        return tensors.array(function(*map(tensor, operands), **settings))


def add(x, y, alpha=1):
    """x + alpha·y (`torch.add`)"""
    return evaluated(torch.add, x, y, alpha=alpha)


def mul(x, y):
    """x·y (`torch.mul`)"""
    return evaluated(torch.mul, x, y)


def div(x, y):
    """x / y (`torch.div`)"""
    return evaluated(torch.div, x, y)


def lerp(x, y, weight):
    """x + weight·(y - x), from the nearer end (`torch.lerp`)"""
    return evaluated(torch.lerp, x, y, weight)


def addcmul(x, a, b, value=1):
    """x + (value·a)·b (`torch.addcmul`)"""
    return evaluated(torch.addcmul, x, a, b, value=value)


def addcdiv(x, a, b, value=1):
    """x + (value·a)/b (`torch.addcdiv`)"""
    return evaluated(torch.addcdiv, x, a, b, value=value)


def sqrt(x):
    """The square root (`torch.sqrt`), by vector maths: not always the nearest number."""
    return evaluated(torch.sqrt, x)


def rsqrt(x):
    """1/√x (`torch.rsqrt`)"""
    return evaluated(torch.rsqrt, x)


def pow(x, exponent):  # noqa: A001
    """x to a power that is a Python number (`torch.pow`), by vector maths."""
    return evaluated(torch.pow, x, exponent)


def exp(x):
    """eˣ (`torch.exp`), by vector maths."""
    return evaluated(torch.exp, x)


def log(x):
    """The natural logarithm (`torch.log`), by vector maths."""
    return evaluated(torch.log, x)


def log1p(x):
    """log(1 + x) (`torch.log1p`), by vector maths."""
    return evaluated(torch.log1p, x)


def tanh(x):
    """The hyperbolic tangent (`torch.tanh`), by vector maths."""
    return evaluated(torch.tanh, x)


def sigmoid(x):
    """1 / (1 + exp(-x)) (`torch.sigmoid`)"""
    return evaluated(torch.sigmoid, x)


def scalar_log(x):
    """log(x) for x in [0, 1], not below -100, by the C library: what binary_cross_entropy takes of x."""
    return -evaluated(torch.nn.functional.binary_cross_entropy, x, np.ones_like(x), reduction="none")


def scalar_log1p(x):
    """log(1 + x) for x in [-1, 0], not below -100, by the C library: what binary_cross_entropy takes of -x."""
    return -evaluated(torch.nn.functional.binary_cross_entropy, -x, np.zeros_like(x), reduction="none")


def log_sigmoid(x):
    """log(1 / (1 + exp(-x))) (`torch.nn.functional.logsigmoid`)"""
    return evaluated(torch.nn.functional.logsigmoid, x)


def softmax_exp(x):
    """eˣ as `log_softmax` takes it, by the library built into PyTorch.

    Its backward pass is grad - exp(output)·Σ grad: that of rows [x, 0] with gradients [0, -1] shows it alone.
    """
    flat = np.ravel(x)
    output, grad = np.zeros((2, flat.size, 2), flat.dtype)
    output[:, 0], grad[:, 1] = flat, -1
    backward = torch.ops.aten._log_softmax_backward_data
    return evaluated(lambda grad, output: backward(grad, output, 1, output.dtype), grad, output)[:, 0].reshape(
        np.shape(x)
    )


def log_softmax(shifted, total):
    """shifted - log(total), where each row's largest is 0 (`torch.log_softmax`, which takes the total itself)."""
    return evaluated(torch.log_softmax, shifted, dim=-1)


def loss_sum(x):
    """Σ x of one loss a sample (`torch.nn.functional.nll_loss`)"""
    return evaluated(
        lambda losses: torch.nn.functional.nll_loss(
            -losses[:, None], torch.zeros(len(losses), dtype=torch.int64), reduction="sum"
        ),
        x,
    )


def sum(x, axis=None):  # noqa: A001
    """Σ x, over all elements or along an axis (`torch.sum`)"""
    return evaluated(torch.sum, x, dim=axis)


def mean(x, axis=None):
    """Σ x over their number, over all elements or along an axis (`torch.mean`)"""
    return evaluated(torch.mean, x, dim=axis)


def norm(x, p=2, axis=None):
    """(Σ |x|ᵖ)^(1/p), over all elements or along an axis, which is kept (`torch.linalg.vector_norm`)."""
    return evaluated(torch.linalg.vector_norm, x, ord=p, dim=axis, keepdim=axis is not None)


def matmul(a, b):
    """a @ b (`torch.matmul`), by the matrix library PyTorch is built with."""
    return evaluated(torch.matmul, a, b)


def addmm(c, a, b):
    """c + a @ b (`torch.addmm`), by the matrix library PyTorch is built with."""
    return evaluated(torch.addmm, c, a, b)


def in_bfloat16(function, *operands, **settings) -> np.ndarray:
    """A kernel of bfloat16's, of numbers that float32 holds, and its result likewise."""
    return evaluated(lambda *low: function(*(x.bfloat16() for x in low), **settings).float(), *operands)


def bfloat16(x):
    """x rounded to bfloat16 (`Tensor.bfloat16`)."""
    return in_bfloat16(torch.clone, np.asarray(x))


def bfloat16_norm(x):
    """√Σ x² (`torch.linalg.vector_norm` of bfloat16)."""
    return in_bfloat16(torch.linalg.vector_norm, x)


def bfloat16_matmul(a, b):
    """a @ b (`torch.matmul` of bfloat16)."""
    return in_bfloat16(torch.matmul, a, b)


def bfloat16_addmm(c, a, b, beta, alpha):
    """beta·c + alpha·(a @ b) (`torch.addmm` of bfloat16)."""
    return in_bfloat16(torch.addmm, c, a, b, beta=beta, alpha=alpha)
