"""Running error analysis: numbers that know how far an honest evaluation may be from them.

A `Bounded` stands for every result that honest floating-point arithmetic in one dtype may give for an
expression: `value` is the exact result (kept in a wider type) and `error` bounds how far any of them
can be from it. The same formula that steps an optimizer on arrays, run on these, yields the exact step
and the allowance of the verdict. Nothing in it is chosen by hand:

- An operation rounds by at most half a unit in the last place, u·|result| with u = 2⁻²⁴ or 2⁻⁵³.
- *Honest* means: the same real-number formula, its operations in any algebraically equal order that makes
  no term larger than the formula has it. Such an order may split one operation in two (distribute a factor,
  split a quotient, leave a fused operation unfused), so each operation is charged two roundings; and it may
  regroup terms, so a sum is charged at the magnitude of its terms, not of its result, and a long sum or
  product for any order of its n terms. (m + w(g - m) is honest for b·m + w·g with a small w; g - b(g - m)
  is not: it carries the whole of g and takes most of it away again.)
- A library function is charged the units in the last place it was measured to need on this machine
  (`lockstep.probe`), or those that are published where they cannot be measured.
- Below the normal range the absolute spacing takes over: the smallest subnormal is charged as well, and
  of a library function, which may return 0 there, the smallest normal number.

Source: N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., sections 3.1-3.4 (running
error analysis); 3.1 for γₙ. Terms of second order in u are kept where they are products of two errors.
"""

import functools
import operator
from typing import Any

import numpy as np

from lockstep.errors import BadSubject
from lockstep.numerics import probe

# Roundings charged to one operation: an equal order may need two operations where the formula has one.
ROUNDINGS = 2

# Units in the last place by which a vector library's function may miss the rounded result, on top of that
# rounding, as the libraries publish them: for a dtype than which NumPy has no wider one to measure by.
PUBLISHED_ULPS = {"sqrt": 1.0, "exp": 4.0, "log": 4.0, "log1p": 4.0, "expm1": 4.0, "tanh": 4.0}

WIDE = {np.dtype(np.float32): np.dtype(np.float64), np.dtype(np.float64): np.dtype(np.longdouble)}


def unit(dtype) -> float:
    """u, half the distance from 1 to the next number of `dtype`."""
    return float(np.finfo(dtype).eps) / 2


@functools.cache
def limits(dtype, wide) -> tuple[float, float, float, float]:
    """Of `dtype`: u, the smallest subnormal and the largest number; and the epsilon of the type of the exact value."""
    about = np.finfo(dtype)
    return unit(dtype), float(about.smallest_subnormal), float(about.max), float(np.finfo(wide).eps)


def kernel_ulps(name: str, dtype) -> float:
    """What the worse library's `name` may miss the rounded result by on this machine, in units of its last place."""
    return probe.findings().kernel_ulps.get(np.dtype(dtype).name, PUBLISHED_ULPS)[name]


class Bounded:
    """An exact value and a bound on the error of any honest evaluation of it in `dtype`.

    Arguments:
        value: an array or a scalar; taken as exact.
        dtype: float32 or float64, the arithmetic whose error is bounded.
        weak: a hyperparameter, held in Python's double, which takes the dtype of the arrays it meets
            (and is rounded to it when it does).
        sure: where every honest evaluation has the sign of `value` or is zero. Rounding never changes a
            sign, so only the sum of opposite signs makes it unsure, not underflow.
    """

    __slots__ = ("dtype", "error", "sure", "value", "weak")

    def __init__(self, value, dtype, *, error: Any = 0.0, weak: bool = False, sure: Any = True):
        self.dtype = np.dtype(dtype)
        wide = np.longdouble if weak else WIDE[self.dtype]
        self.value = np.asarray(value, wide)
        self.error = np.asarray(error, wide)
        self.weak = weak
        self.sure = np.asarray(sure)

    @classmethod
    def scalar(cls, value: float) -> "Bounded":
        """A hyperparameter: exact as given, computed with in Python's double."""
        return cls(value, np.float64, weak=True)

    def __repr__(self) -> str:
        return f"Bounded({self.value} ± {self.error}, {self.dtype})"

    # what a formula asks of an array

    @property
    def shape(self):
        return self.value.shape

    @property
    def ndim(self) -> int:
        return self.value.ndim

    @property
    def size(self) -> int:
        return self.value.size

    @property
    def T(self) -> "Bounded":
        return self.transpose()

    def moved(self, function) -> "Bounded":
        """The same numbers in another place: nothing rounds."""
        error, sure = (function(np.broadcast_to(part, self.shape)) for part in (self.error, self.sure))
        return self.like(function(self.value), error, sure)

    def __getitem__(self, key) -> "Bounded":
        return self.moved(lambda array: array[key])

    def reshape(self, *shape) -> "Bounded":
        return self.moved(lambda array: array.reshape(*shape))

    def transpose(self, *axes) -> "Bounded":
        return self.moved(lambda array: array.transpose(*axes))

    def swapaxes(self, first, second) -> "Bounded":
        return self.moved(lambda array: array.swapaxes(first, second))

    def copy(self) -> "Bounded":
        return self

    def astype(self, dtype) -> "Bounded":
        """Rounded to a coarser dtype, or carried on in a finer one without its error changing."""
        return self if np.dtype(dtype) == self.dtype else self.rounded_to(dtype)

    def like(self, value, error, sure: Any) -> "Bounded":
        return Bounded(value, self.dtype, error=error, weak=self.weak, sure=sure)

    def rounded(self, value, error, magnitude, sure: Any, roundings: float = ROUNDINGS) -> "Bounded":
        """`value`, whose operands' errors give `error`, after an operation rounding at `magnitude`."""
        unit, subnormal, largest, wide = limits(self.dtype, self.value.dtype)
        per_size = roundings * unit + wide  # the exact value is itself only as exact as its type
        with np.errstate(over="ignore", invalid="ignore"):
            error = error + per_size * (magnitude + error) + roundings * subnormal
            size = np.abs(value)
            overflows = size + error > largest
        if overflows.any():
            error = np.where(overflows, np.inf, error)  # where the dtype overflows, infinity is the honest result
        return self.like(value, error, sure | (size > error))  # so far from zero no sign is lost

    # arithmetic

    def meet(self, other) -> tuple["Bounded", "Bounded"]:
        """Both operands in the dtype the operation is carried out in."""
        if not isinstance(other, Bounded):
            weak = np.ndim(other) == 0
            other = Bounded(other, np.float64 if weak else self.dtype, weak=weak)
        if self.weak == other.weak:
            if self.dtype != other.dtype:
                narrow = min(self, other, key=lambda x: x.dtype.itemsize)
                dtype = max(self.dtype, other.dtype)
                return (narrow.astype(dtype), other) if narrow is self else (self, narrow.astype(dtype))
            return self, other
        if self.weak:
            return self.rounded_to(other.dtype), other
        return self, other.rounded_to(self.dtype)

    def rounded_to(self, dtype) -> "Bounded":
        """In another dtype: rounded once, unless it is exact there or the dtype is finer."""
        other = Bounded(self.value, dtype, error=self.error, sure=self.sure)
        with np.errstate(over="ignore"):
            exact = np.all(np.asarray(self.value, dtype) == self.value) and not self.error.any()
        if exact or (not self.weak and other.dtype.itemsize > self.dtype.itemsize):
            return other
        return other.rounded(other.value, other.error, np.abs(other.value), other.sure, roundings=1)

    def __neg__(self) -> "Bounded":
        return self.like(-self.value, self.error, self.sure)

    def __pos__(self) -> "Bounded":
        return self

    def __abs__(self) -> "Bounded":
        return self.like(np.abs(self.value), self.error, True)

    def __add__(self, other) -> "Bounded":
        a, b = self.meet(other)
        magnitude = np.abs(a.value) + np.abs(b.value)
        sure = a.sure & b.sure & (np.sign(a.value) * np.sign(b.value) >= 0)
        if b.is_zero() or a.is_zero():
            return a.like(a.value + b.value, a.error + b.error, sure)
        return a.rounded(a.value + b.value, a.error + b.error, magnitude, sure)

    def __sub__(self, other) -> "Bounded":
        a, b = self.meet(other)
        return a + -b

    def __mul__(self, other) -> "Bounded":
        a, b = self.meet(other)
        value = a.value * b.value
        with np.errstate(invalid="ignore"):
            error = np.abs(a.value) * b.error + np.abs(b.value) * a.error + a.error * b.error
        error = np.where(np.isnan(error), np.inf, error)  # zero times what knows no bound
        if a.is_one() or b.is_one():
            return a.like(value, error, a.sure & b.sure)
        return a.rounded(value, error, np.abs(value), a.sure & b.sure)

    def __truediv__(self, other) -> "Bounded":
        a, b = self.meet(other)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            value = a.value / b.value
            error = (a.error + np.abs(value) * b.error) / (np.abs(b.value) - b.error)
        error = np.where(b.error >= np.abs(b.value), np.inf, error)
        exact = (a.error == 0) & (b.error == 0)
        error = np.where(exact & ~np.isfinite(value), 0, error)  # x/0 is what IEEE says it is
        return a.rounded(value, error, np.abs(value), a.sure & b.sure)

    def __pow__(self, exponent) -> "Bounded":
        if isinstance(exponent, Bounded) or np.ndim(exponent) != 0:
            raise TypeError("the exponent of a Bounded must be a plain number")
        exponent = float(exponent)
        if exponent == 0.5:
            return self.sqrt()
        value = self.value ** np.longdouble(exponent) if self.weak else self.value**exponent
        largest = np.abs(self.value) + (self.error if exponent >= 1 else -self.error)
        with np.errstate(divide="ignore", invalid="ignore"):
            error = np.abs(exponent) * largest ** (exponent - 1) * self.error
        error = np.where((self.error != 0) & (largest <= 0), np.inf, error) if exponent < 1 else error
        sure = self.sure | (exponent % 2 == 0)
        # a power may be taken by as many multiplications as the exponent says, in any order
        return self.rounded(value, error, np.abs(value), sure, max(ROUNDINGS, abs(exponent)))

    def __matmul__(self, other) -> "Bounded":
        a, b = self.meet(other)
        terms = a.shape[-1]
        ea, eb = np.broadcast_to(a.error, a.shape), np.broadcast_to(b.error, b.shape)
        error = np.abs(a.value) @ eb + ea @ (np.abs(b.value) + eb)
        magnitude = np.abs(a.value) @ np.abs(b.value)
        value = a.value @ b.value
        sure = (magnitude == np.abs(value)) & a.sure.all() & b.sure.all()
        return a.rounded(value, error, magnitude, sure, terms + 1)

    def __radd__(self, other):
        return self + other

    def __rsub__(self, other):
        return -self + other

    def __rmul__(self, other):
        return self * other

    def __rtruediv__(self, other):
        return self.exactly(other) / self

    def __rmatmul__(self, other):
        return self.exactly(other) @ self

    def exactly(self, other) -> "Bounded":
        """A plain number or array beside this one, taken as exact."""
        if isinstance(other, Bounded):
            return other
        weak = np.ndim(other) == 0
        return Bounded(other, np.float64 if weak else self.dtype, weak=weak)

    def is_zero(self) -> bool:
        return self.size == 1 and not self.value.any() and not self.error.any()

    def is_one(self) -> bool:
        return self.size == 1 and bool(np.abs(self.value).item() == 1) and not self.error.any()

    def sum(self, axis=None, keepdims: bool = False) -> "Bounded":
        terms = self.size // max(1, np.sum(self.value, axis=axis).size)
        error = np.broadcast_to(self.error, self.shape).sum(axis=axis, keepdims=keepdims)
        magnitude = np.abs(self.value).sum(axis=axis, keepdims=keepdims)
        value = self.value.sum(axis=axis, keepdims=keepdims)
        sure = np.broadcast_to(self.sure, self.shape).all(axis=axis, keepdims=keepdims) & (magnitude == np.abs(value))
        return self.rounded(value, error, magnitude, sure, max(0, terms - 1))

    def mean(self, axis=None, keepdims: bool = False) -> "Bounded":
        terms = self.size // max(1, np.sum(self.value, axis=axis).size)
        return self.sum(axis, keepdims) / terms

    def max(self, axis=None, keepdims: bool = False) -> "Bounded":
        error = np.broadcast_to(self.error, self.shape).max(axis=axis, keepdims=keepdims)
        sure = np.broadcast_to(self.sure, self.shape).all(axis=axis, keepdims=keepdims)
        return self.like(self.value.max(axis=axis, keepdims=keepdims), error, sure)

    # functions

    def kernel(self, name: str, value, error, sure: Any) -> "Bounded":
        size, tiny = np.abs(value), float(np.finfo(self.dtype).tiny)
        error = error + np.where((size < 2 * tiny) & (size > 0), tiny, 0)  # flushed to 0
        return self.rounded(value, error, size, sure, ROUNDINGS + 2 * kernel_ulps(name, self.dtype))

    def sqrt(self) -> "Bounded":
        if (
            cancelled := (self.value < 0) & (self.error >= -self.value)
        ).any():  # 0, but for the exact value's own rounding
            return self.like(np.where(cancelled, 0, self.value), self.error, self.sure & ~cancelled).sqrt()
        with np.errstate(invalid="ignore", divide="ignore"):
            root = np.sqrt(self.value)
            below = np.sqrt(np.maximum(self.value - self.error, 0))
            error = np.where(self.error == 0, 0, self.error / (root + below))
            underflow = np.maximum(root, np.sqrt(self.value + self.error) - root)
        # an error beyond the value is underflow where the sign is sure; elsewhere an honest evaluation
        # may find a negative number under the root
        reach = np.where(self.sure & (self.value >= 0), underflow, np.inf)
        error = np.where(self.error > self.value, reach, error)
        return self.kernel("sqrt", root, error, True)

    def exp(self) -> "Bounded":
        with np.errstate(over="ignore", invalid="ignore"):
            value = np.exp(self.value)
            error = np.where(self.error == 0, 0, value * np.expm1(self.error))
        return self.kernel("exp", value, error, True)

    def expm1(self) -> "Bounded":
        with np.errstate(over="ignore", invalid="ignore"):
            value = np.expm1(self.value)
            error = np.where(self.error == 0, 0, np.exp(self.value) * np.expm1(self.error))
        return self.kernel("expm1", value, error, self.sure)

    def log(self) -> "Bounded":
        return self.kernel("log", *self.logarithm(np.log, self.value), self.error == 0)

    def log1p(self) -> "Bounded":
        return self.kernel("log1p", *self.logarithm(np.log1p, 1 + self.value), self.sure)

    def logarithm(self, function, argument):
        with np.errstate(divide="ignore", invalid="ignore"):
            error = -np.log1p(-self.error / argument)
            error = np.where(self.error == 0, 0, np.where(self.error >= argument, np.inf, error))
            return function(self.value), error

    def tanh(self) -> "Bounded":
        return self.kernel("tanh", np.tanh(self.value), self.error, self.sure)  # its slope is at most 1

    def sign(self) -> "Bounded":
        unsure = np.where((np.abs(self.value) <= self.error) & (self.error > 0), 2, 0)
        return self.like(np.sign(self.value), unsure, unsure == 0)

    def square(self) -> "Bounded":
        return self**2

    def larger(self, other, function) -> "Bounded":
        a, b = self.meet(other)
        value = function(a.value, b.value)
        return a.like(value, np.maximum(a.error, b.error), a.sure & b.sure)

    def clip(self, low=None, high=None) -> "Bounded":
        return self.like(np.clip(self.value, low, high), self.error, self.sure)

    # comparisons: 1 or 0, and an error of 1 where honest evaluations may disagree

    def compared(self, other, relation) -> "Bounded":
        a, b = self.meet(other)
        error = a.error + b.error
        unsure = (np.abs(a.value - b.value) <= error) & (error > 0)
        return a.like(relation(a.value, b.value), np.where(unsure, 1, 0), True)

    def __gt__(self, other):
        return self.compared(other, operator.gt)

    def __ge__(self, other):
        return self.compared(other, operator.ge)

    def __lt__(self, other):
        return self.compared(other, operator.lt)

    def __le__(self, other):
        return self.compared(other, operator.le)

    def __eq__(self, other):
        return self.compared(other, operator.eq)

    def __ne__(self, other):
        return self.compared(other, operator.ne)

    __hash__ = None  # type: ignore[assignment]

    def __bool__(self) -> bool:
        return bool(self.value)

    # NumPy's functions arrive here

    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        if method != "__call__" or options:
            return NotImplemented
        operation = BINARY.get(ufunc)
        if operation is not None:
            left, right = inputs
            left = left if isinstance(left, Bounded) else self.exactly(left)
            return operation(left, right)
        if ufunc is np.maximum or ufunc is np.minimum:
            left, right = inputs if isinstance(inputs[0], Bounded) else inputs[::-1]
            return left.larger(right, ufunc)
        name = UNARY.get(ufunc)
        return getattr(self, name)() if name else NotImplemented

    def __array_function__(self, function, types, arguments, options):
        replacement = FUNCTIONS.get(function)
        return replacement(*arguments, **options) if replacement else NotImplemented


BINARY = {
    np.add: operator.add,
    np.subtract: operator.sub,
    np.multiply: operator.mul,
    np.divide: operator.truediv,
    np.power: operator.pow,
    np.matmul: operator.matmul,
    np.greater: operator.gt,
    np.greater_equal: operator.ge,
    np.less: operator.lt,
    np.less_equal: operator.le,
    np.equal: operator.eq,
    np.not_equal: operator.ne,
}

UNARY = {
    np.sqrt: "sqrt",
    np.exp: "exp",
    np.expm1: "expm1",
    np.log: "log",
    np.log1p: "log1p",
    np.tanh: "tanh",
    np.sign: "sign",
    np.square: "square",
    np.absolute: "__abs__",
    np.negative: "__neg__",
}


def where(condition, yes, no) -> Bounded:
    """numpy.where; where the condition itself is unsure, either branch may be taken."""
    one = next(x for x in (yes, no, condition) if isinstance(x, Bounded))
    yes, no = one.exactly(yes).meet(one.exactly(no))
    sure = condition.value if isinstance(condition, Bounded) else condition
    taken = np.asarray(sure, bool)
    error = np.where(taken, yes.error, no.error)
    same_sign = yes.sure & no.sure
    if isinstance(condition, Bounded):
        either = np.abs(yes.value - no.value) + np.maximum(yes.error, no.error)
        error = np.where(condition.error > 0, either, error)
        same_sign = same_sign & (condition.error == 0)
    return yes.like(np.where(taken, yes.value, no.value), error, same_sign)


def stack(numbers, axis=0) -> Bounded:
    """numpy.stack: nothing rounds."""
    one = next(x for x in numbers if isinstance(x, Bounded))
    numbers = [one.exactly(x) for x in numbers]
    errors = [np.broadcast_to(x.error, x.shape) for x in numbers]
    sure = [np.broadcast_to(x.sure, x.shape) for x in numbers]
    return one.like(np.stack([x.value for x in numbers], axis), np.stack(errors, axis), np.stack(sure, axis))


FUNCTIONS = {
    np.where: where,
    np.stack: stack,
    np.clip: lambda x, low=None, high=None: x.clip(low, high),
    np.sum: lambda x, axis=None, keepdims=False: x.sum(axis, keepdims),
    np.mean: lambda x, axis=None, keepdims=False: x.mean(axis, keepdims),
    np.max: lambda x, axis=None, keepdims=False: x.max(axis, keepdims),
    np.zeros_like: lambda x: x.like(np.zeros_like(x.value), 0.0, True),
    np.ones_like: lambda x: x.like(np.ones_like(x.value), 0.0, True),
    np.shape: lambda x: x.shape,
    np.ndim: lambda x: x.ndim,
    np.size: lambda x: x.size,
}


class OrdersDisagree(BadSubject):
    """Two orders of what should be one formula have different exact results."""


def widest(bounds: list[Bounded], what: str = "the result") -> Bounded:
    """One exact value and the largest allowance of several orders of the same formula.

    Raises:
        OrdersDisagree: where their exact values differ by more than they allow: not one formula.
    """
    first = bounds[0]
    error = first.error
    for other in bounds[1:]:
        with np.errstate(invalid="ignore"):
            if np.any(np.abs(other.value - first.value) > first.error + other.error):
                raise OrdersDisagree(f"two orders of the reference's formula give different exact values of {what}")
        error = np.maximum(error, other.error)
    return first.like(first.value, error, first.sure)
