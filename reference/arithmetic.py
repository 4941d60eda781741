"""The primitives PyTorch's kernels are made of, with roundings that can be exchanged.

A step in PyTorch's order is written over an `Arithmetic`. Which one it is given decides how each
operation rounds; the formula stays the same text.
"""

import copy
import functools
import itertools
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from reference.fma import fma

NUMPY = np.ndarray | np.generic
SINGLE = np.dtype(np.float32)


def is_float(x) -> bool:
    """Whether it is an array, or a number, of NumPy's own floating-point types or of ml_dtypes'."""
    return isinstance(x, NUMPY) and (x.dtype.kind == "f" or x.dtype.type.__module__ == "ml_dtypes")


def is_narrow(x) -> bool:
    """Whether it is narrower than what processors compute in: float16, bfloat16."""
    return isinstance(x, NUMPY) and x.dtype.itemsize < SINGLE.itemsize and is_float(x)


def widened(x):
    """Narrow numbers in float32, which holds them all; anything else as it is."""
    return x.astype(SINGLE) if is_narrow(x) else x


def narrowed(x, like):
    """`x` rounded to the format of `like` where that is narrow; what is beyond it is infinite there."""
    if not is_narrow(like):
        return x
    with np.errstate(over="ignore"):
        return x.astype(like.dtype)


def bfloat16(x):
    """The nearest number of 8 binary digits to each, by way of float32 as PyTorch converts; float32 holds them."""
    if hasattr(x, "stepped_to"):
        return x.stepped_to(bfloat16, SINGLE)
    single = np.asarray(x, SINGLE)
    bits = single.view(np.uint32)
    near = (bits + np.uint32(0x7FFF) + (bits >> 16 & 1)) & np.uint32(0xFFFF0000)
    return np.where(np.isnan(single), single, near.view(SINGLE))[()]


def rounding_once(primitive):
    """Over narrow numbers a whole primitive is worked out in float32 and rounded once, as PyTorch's kernels do."""

    @functools.wraps(primitive)
    def in_single(self, *operands, **settings):
        narrow = next(filter(is_narrow, operands), None)
        if narrow is None:
            return primitive(self, *operands, **settings)
        if "alpha" in settings:  # of `add` alone that is rounded before, too (measured, 2.13)
            settings["alpha"] = met(settings["alpha"], narrow)
        settings = {name: widened(value) for name, value in settings.items()}
        return narrowed(primitive(self, *map(widened, operands), **settings), narrow)

    return in_single


def in_any_format(arithmetic):
    """A class whose primitives take narrow numbers as well."""
    for name, primitive in list(vars(arithmetic).items()):
        if not name.startswith("_") and name not in ("replacing", "wide", "narrow"):
            setattr(arithmetic, name, rounding_once(primitive))
    return arithmetic


@in_any_format
class Arithmetic:
    """Every operation rounds by itself, as NumPy's does.

    The names and the order inside each primitive are PyTorch's (`aten/src/ATen/native`, 2.13).
    The bodies are plain operators, so arrays, scalars and error-carrying numbers all pass through.
    """

    def add(self, x, y, alpha=1):
        """x + alpha·y"""
        return x + y if isinstance(alpha, int) and alpha == 1 else x + alpha * y

    def mul(self, x, y):
        """x·y"""
        return x * y

    def div(self, x, y):
        """x / y"""
        return x / y

    def lerp(self, x, y, weight):
        """x + weight·(y - x), from the nearer end"""
        weight = met(weight, x)
        return x + weight * (y - x) if is_small(weight) else y - (y - x) * (1 - weight)

    def addcmul(self, x, a, b, value=1):
        """x + (value·a)·b"""
        return x + a * b if isinstance(value, int) and value == 1 else x + (value * a) * b

    def addcdiv(self, x, a, b, value=1):
        """x + (value·a)/b"""
        return x + a / b if isinstance(value, int) and value == 1 else x + (value * a) / b

    def fma(self, a, b, c):
        """a·b + c"""
        return a * b + c

    def sum_of_products(self, a, b, c, d):
        """a·b + c·d"""
        return a * b + c * d

    def sqrt(self, x):
        """The square root; NumPy's is correctly rounded."""
        return np.sqrt(x)

    def rsqrt(self, x):
        """1/√x, rounded twice as PyTorch's is."""
        return 1 / np.sqrt(x)

    def pow(self, x, exponent):
        """x to a power that is a Python number, by vector maths."""
        return x**exponent

    def exp(self, x):
        """eˣ, by vector maths."""
        return np.exp(x)

    def log(self, x):
        """The natural logarithm, by vector maths."""
        return np.log(x)

    def log1p(self, x):
        """log(1 + x), by vector maths."""
        return np.log1p(x)

    def tanh(self, x):
        """The hyperbolic tangent, by vector maths."""
        return np.tanh(x)

    def sigmoid(self, x):
        """1 / (1 + exp(-x)), in the form whose exponential cannot overflow."""
        e = np.exp(-abs(x))
        return np.where(x >= 0, 1, e) / (1 + e)

    def scalar_log(self, x):
        """The natural logarithm, by the C library, one number at a time."""
        return np.log(x)

    def scalar_log1p(self, x):
        """log(1 + x), by the C library, one number at a time."""
        return np.log1p(x)

    def log_sigmoid(self, x):
        """log(1 / (1 + exp(-x))), with an exponential that never overflows (`log_sigmoid`)."""
        return np.minimum(x, 0) - np.log1p(np.exp(-abs(x)))

    def softmax_exp(self, x):
        """eˣ as `log_softmax` and its backward take it: another library's than `exp`."""
        return np.exp(x)

    def log_softmax(self, shifted, total):
        """shifted - log(total) (`log_softmax` of what is shifted so that each row's largest is 0)."""
        return shifted - np.log(total)

    def minus_product(self, c, a, b):
        """c - a·b (`batch_norm_backward`: of a row of channels its whole vectors fused, what is left over not)."""
        return c - a * b

    def wide(self, x):
        """x in the type sums are accumulated in (double for float32)."""
        return x

    def narrow(self, x, like):
        """x, which may be wide or a Python number, rounded to the dtype of `like`."""
        return x

    def sum(self, x, axis=None):
        """Σ x, over all elements or along an axis (`sum`)."""
        return x.sum(axis=axis)

    def mean(self, x, axis=None):
        """Σ x over their number, over all elements or along an axis (`mean`)."""
        total = self.sum(x, axis=axis)
        return total / (x.size // max(total.size, 1))

    def norm(self, x, p=2, axis=None):
        """(Σ |x|ᵖ)^(1/p), over all elements or along an axis, which is kept (`linalg.vector_norm`)."""
        if p == 2:
            return np.sqrt((x * x).sum(axis=axis, keepdims=axis is not None))
        return np.linalg.norm(x.reshape(-1) if axis is None else x, p, axis=axis, keepdims=axis is not None)

    def norms(self, x, sizes, p):
        """The norms of the stretches of a vector, end to end (`_foreach_norm`)"""
        ends = itertools.accumulate(sizes)
        return np.stack([self.norm(x[end - size : end], p) for size, end in zip(sizes, ends, strict=True)])

    def row_sum(self, x):
        """Σ x along the last axis, kept (`log_softmax`: vector lanes first)."""
        return x.sum(axis=-1, keepdims=True)

    def loss_sum(self, x):
        """Σ x of one loss a sample (`nll_loss`: cascades of 16)."""
        return x.sum()

    def matmul(self, a, b):
        """a @ b"""
        return a @ b

    def addmm(self, c, a, b):
        """c + a @ b"""
        return c + a @ b

    def bfloat16(self, x):
        """x rounded to bfloat16, and held in float32."""
        return bfloat16(x)

    def bfloat16_norm(self, x):
        """√Σ x² of bfloat16's numbers, rounded to one."""
        return bfloat16(np.sqrt((x * x).sum()))

    def bfloat16_matmul(self, a, b):
        """a @ b of bfloat16's numbers, added up in float32, rounded to them once."""
        return bfloat16(a @ b)

    def bfloat16_addmm(self, c, a, b, beta, alpha):
        """beta·c + alpha·(a @ b) of bfloat16's numbers, worked out in float32, rounded to them once."""
        return bfloat16(beta * c + alpha * (a @ b))

    def channel_sum(self, x):
        """Σ x for each channel (axis 1), perhaps wide (`batch_norm`)."""
        return x.sum(axis=(0, *range(2, x.ndim)))

    def channel_square(self, x):
        """Σ x² for each channel, perhaps wide (`batch_norm`)."""
        return (x * x).sum(axis=(0, *range(2, x.ndim)))

    def channel_grad_sum(self, x):
        """Σ x for each channel, perhaps wide (`batch_norm_backward`)."""
        return x.sum(axis=(0, *range(2, x.ndim)))

    def channel_grad_dot(self, x, y):
        """Σ x·y for each channel, perhaps wide (`batch_norm_backward`)."""
        return (x * y).sum(axis=(0, *range(2, x.ndim)))

    def replacing(self, **primitives):
        """The same arithmetic with some primitives exchanged: `plain.replacing(sqrt=torch_sqrt)`."""
        unknown = [name for name in primitives if not hasattr(self, name)]
        if unknown:
            raise TypeError(f"no such primitive: {', '.join(unknown)}")
        other = copy.copy(self)
        vars(other).update(primitives)
        return other


# Numbers in a vector of 256 bits: the fused optimizers' kernels have no wider one, on AVX512 either.
VECTOR = {"float32": 8, "float64": 4}


@in_any_format
class Fused(Arithmetic):
    """Multiply and add round once where PyTorch's vector kernels on x86 (AVX2, AVX512) contract them.

    Measured with PyTorch 2.13: contracted in the whole of a tensor, whatever its length. Only the
    kernels of the fused optimizers contract the other product in what is left over after whole vectors.

    Arguments:
        vector: how many numbers of a dtype their vector holds.
    """

    def __init__(self, vector: Mapping[str, int] = VECTOR):
        self.vector = vector

    def add(self, x, y, alpha=1):
        """x + alpha·y, rounded once. With an alpha, y is an array: PyTorch rounds a scalar's product first."""
        return x + y if isinstance(alpha, int) and alpha == 1 else self.fma(alpha, y, x)

    def lerp(self, x, y, weight):
        """x + weight·(y - x) or y + (weight - 1)·(y - x), rounded once after the difference."""
        weight = met(weight, x)
        return self.fma(weight, y - x, x) if is_small(weight) else self.fma(y - x, weight - 1, y)

    def addcmul(self, x, a, b, value=1):
        """x + (value·a)·b, rounded once after the first product."""
        return self.fma(a if isinstance(value, int) and value == 1 else value * a, b, x)

    def fma(self, a, b, c):
        """a·b + c, rounded once; of Python floats a Python float, as the host computes a coefficient."""
        rounded = fma(a, b, c)
        return rounded.item() if all(type(x) in (float, int) for x in (a, b, c)) else rounded

    def sum_of_products(self, a, b, c, d):
        """a·b + c·d: whole vectors round a·b and then once, the scalars after them c·d and then once.

        The arrays, or a block of whole vectors of them, lie in memory as PyTorch's do.
        """
        whole = self.fma(c, d, a * b)
        size = np.size(whole)
        begin = size - size % self.vector[whole.dtype.name]
        left_over = np.arange(size).reshape(np.shape(whole)) >= begin
        return np.where(left_over, self.fma(a, b, c * d), whole) if begin < size else whole

    def minus_product(self, c, a, b):
        """c - a·b, rounded once; but of a row of channels what is left over after whole vectors rounds both."""
        once = self.fma(-a, b, c)
        channels = once.shape[1]
        if once.size > once.shape[0] * channels:
            return once  # images
        begin = channels - channels % self.vector[once.dtype.name]
        return np.concatenate([once[:, :begin], (c - a * b)[:, begin:]], axis=1)


def met(scalar, array) -> Any:
    """A scalar, Python's or error-carrying, as it meets `array`: rounded to its dtype, once, before anything else."""
    if hasattr(scalar, "rounded_to"):
        return scalar.rounded_to(array.dtype)
    is_numpy = isinstance(array, np.ndarray | np.generic)
    return array.dtype.type(scalar) if isinstance(scalar, float) and is_numpy else scalar


def is_small(weight) -> bool:
    """Which of two forms of one formula is taken; an error-carrying weight goes by its value: both are true."""
    return abs(getattr(weight, "value", weight)) < 0.5


PLAIN = Arithmetic()
FUSED = Fused()


def item(number):
    """The number that a tensor of one holds, as a Python float (`Tensor.item`), which is computed with in double.

    Of many such numbers, one a hypothesis, the array as it is.
    """
    return number.item() if hasattr(number, "item") and not np.ndim(number) else number


def like(number, tensor):
    """A Python number as a tensor of one holds it, in whose dtype it is computed with from here on."""
    return item(number) + 0 * tensor


def root(scalar):
    """The square root of a Python float as a Python float: NumPy's would turn float32 arrays into float64."""
    return math.sqrt(scalar) if isinstance(scalar, float) else np.sqrt(scalar)
