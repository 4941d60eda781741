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

import contextvars
import functools
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from lockstep.errors import BadSubject
from lockstep.numerics import formats, probe
from lockstep.numerics.shapes import Array
from lockstep.text import message

Function = Callable[..., Any]  # of arrays
Axis = int | tuple[int, ...] | None

# Roundings charged to one operation: an equal order may need two operations where the formula has one.
ROUNDINGS = 2

# Units in the last place by which a vector library's function may miss the rounded result, on top of that
# rounding, as the libraries publish them: for a dtype than which NumPy has no wider one to measure by.
PUBLISHED_ULPS = {"sqrt": 1.0} | dict.fromkeys(("exp", "log", "log1p", "expm1", "tanh", "sin", "cos", "power"), 4.0)


@functools.cache
def limits(dtype: DTypeLike, wide: DTypeLike) -> tuple[float, float, float, float]:
    """Of `dtype`: u, the smallest subnormal and the largest number; and the epsilon of the type of the exact value."""
    held = formats.of(dtype)
    return held.unit, held.smallest_subnormal, held.largest, float(np.finfo(wide).eps)


def kernel_ulps(name: str, dtype: DTypeLike) -> float:
    """What the worse library's `name` may miss the rounded result by on this machine, in units of its last place."""
    return probe.needs(formats.of(dtype).name).get(name, PUBLISHED_ULPS[name])


def somewhere(condition: Any) -> bool:
    """Whether it holds of any element, or any is not zero; half of what `any` costs on a small array."""
    return bool(np.count_nonzero(condition))


def everywhere(condition: Any) -> bool:
    """Whether it holds of each element, or each is not zero."""
    return bool(np.count_nonzero(condition) == condition.size)


def outward(error: Array) -> NDArray[Any]:
    """The next larger number of one that is not 0: what a sum of errors may have been rounded down by."""
    return np.where(error > 0, np.nextafter(error, np.inf), error)


@functools.lru_cache(1024)
def number_in(value: float, negative: bool, shape: tuple[int, ...], dtype: DTypeLike) -> "Bounded":
    """An exact hyperparameter, rounded to the dtype of the arrays it meets; `negative` tells the zeros apart."""
    del negative
    return Bounded(np.reshape(value, shape), np.float64, weak=True).rounded_to(dtype)


class Undecided(ArithmeticError):
    """A formula asks for one answer where honest evaluations give several: which way an `if` goes, which index."""


class Ways:
    """The ways that a computation may go where rounding decides: `with ways: …`, until there is no `more()`."""

    def __init__(self):
        self.taken: list[bool] = []
        self.asked: list[Any] = []

    def __enter__(self) -> "Ways":
        self.asked = []
        self.token = DECIDING.set(self)
        return self

    def __exit__(self, *raised: Any) -> None:
        DECIDING.reset(self.token)

    def decide(self, condition: Any) -> bool:
        """The answer of this way, the same whenever it is asked; where none was given yet, yes."""
        places = [place for place, asked in enumerate(self.asked) if asked is condition]
        if not places:
            places = [len(self.asked)]
            self.asked.append(condition)
            self.taken += [True] * (len(self.asked) > len(self.taken))
        return self.taken[places[0]]

    def more(self) -> bool:
        """Go on to the next way; whether there is one."""
        del self.taken[len(self.asked) :]
        while self.taken and not self.taken[-1]:
            self.taken.pop()
        self.taken[-1:] = [False] * bool(self.taken)
        return bool(self.taken)


DECIDING: contextvars.ContextVar[Ways | None] = contextvars.ContextVar("deciding", default=None)


class Bounded:
    """An exact value and a bound on the error of any honest evaluation of it in `dtype`.

    Arguments:
        value: an array or a scalar; taken as exact.
        dtype: of one of the formats, the arithmetic whose error is bounded.
        weak: a hyperparameter, held in Python's double, which takes the dtype of the arrays it meets
            (and is rounded to it when it does).
        sure: where every honest evaluation has the sign of `value` or is zero. Rounding never changes a
            sign, so only the sum of opposite signs makes it unsure, not underflow.
    """

    __slots__ = ("dtype", "error", "sure", "value", "weak")

    def __init__(self, value: Any, dtype: DTypeLike, *, error: Any = 0.0, weak: bool = False, sure: Any = True) -> None:
        self.dtype = np.dtype(dtype)
        wide = formats.of(self.dtype).wide
        self.value: NDArray[Any] = np.asarray(value, wide)
        self.error: NDArray[Any] = np.asarray(error, wide)
        self.weak = weak
        self.sure: NDArray[Any] | np.bool_ = np.bool_(sure) if isinstance(sure, bool) else sure

    @classmethod
    def scalar(cls, value: float) -> "Bounded":
        """A hyperparameter: exact as given, computed with in Python's double."""
        return cls(value, np.float64, weak=True)

    def __repr__(self) -> str:
        return f"Bounded({self.value} ± {self.error}, {self.dtype})"

    # what a formula asks of an array

    @property
    def shape(self) -> tuple[int, ...]:
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

    def moved(self, function: Callable[[Any], Any]) -> "Bounded":
        """The same numbers in another place: nothing rounds. What is one for all of them stays so."""
        error, sure = (
            function(np.broadcast_to(part, self.shape)) if part.ndim else part for part in (self.error, self.sure)
        )
        return self.like(function(self.value), error, sure)

    def __getitem__(self, key: Any) -> "Bounded":
        return self.moved(lambda array: array[key])

    def reshape(self, *shape: Any) -> "Bounded":
        return self.moved(lambda array: array.reshape(*shape))

    def transpose(self, *axes: Any) -> "Bounded":
        return self.moved(lambda array: array.transpose(*axes))

    def swapaxes(self, first: int, second: int) -> "Bounded":
        return self.moved(lambda array: array.swapaxes(first, second))

    def ravel(self) -> "Bounded":
        return self.reshape(-1)

    flatten = ravel

    def copy(self) -> "Bounded":
        return self

    def astype(self, dtype: DTypeLike) -> "Bounded":
        """Rounded to a coarser dtype, or carried on in a finer one without its error changing."""
        return self if np.dtype(dtype) == self.dtype else self.rounded_to(dtype)

    def like(self, value: Any, error: Any, sure: Any) -> "Bounded":
        other = object.__new__(Bounded)
        other.dtype, other.weak, wide = self.dtype, self.weak, self.value.dtype
        other.value, other.error = np.asarray(value, wide), np.asarray(error, wide)
        other.sure = np.bool_(sure) if isinstance(sure, bool) else sure
        return other

    @property
    def exact(self) -> bool:
        """Whether it is seen at a glance that no element has an error."""
        return self.error.ndim == 0 and not self.error

    def rounded(self, value: Any, error: Any, magnitude: Any, sure: Any, roundings: Any = ROUNDINGS) -> "Bounded":
        """`value`, whose operands' errors give `error`, after an operation rounding at `magnitude`.

        `sure` may be a function: where no number is so near to 0 that its sign could be lost, it is not asked.
        """
        unit, subnormal, largest, wide = limits(self.dtype, self.value.dtype)
        per_size = roundings * unit + wide  # the exact value is itself only as exact as its type
        with np.errstate(over="ignore", invalid="ignore"):
            room = per_size * (magnitude + error)
            room += error
            room += roundings * subnormal
            size = np.abs(value)
            overflows = size + room > largest
            far = size > room
        if everywhere(far):
            sure = True
        elif sure is not True:
            sure = (sure() if callable(sure) else sure) | far
        if somewhere(overflows):
            room = np.where(overflows, np.inf, room)  # where the dtype overflows, infinity is the honest result
        return self.like(value, room, sure)

    # arithmetic

    def meet(self, other: Any) -> tuple["Bounded", "Bounded"]:
        """Both operands in the dtype the operation is carried out in."""
        if not isinstance(other, Bounded):
            weak = np.ndim(other) == 0
            other = Bounded(other, np.float64 if weak else self.dtype, weak=weak)
        if self.weak == other.weak:
            if self.dtype != other.dtype:
                dtype = np.promote_types(self.dtype, other.dtype)
                return self.astype(dtype), other.astype(dtype)
            return self, other
        if self.weak:
            return self.met_by(other.dtype), other
        return self, other.met_by(self.dtype)

    def met_by(self, dtype: DTypeLike) -> "Bounded":
        """A hyperparameter in the dtype of the arrays it meets."""
        if not self.exact or self.size != 1:
            return self.rounded_to(dtype)
        return number_in(self.value.item(), bool(np.signbit(self.value)), self.shape, np.dtype(dtype))

    def rounded_to(self, dtype: DTypeLike) -> "Bounded":
        """In another dtype: rounded once, unless it is exact there or the dtype is finer."""
        other = Bounded(self.value, dtype, error=self.error, sure=self.sure)
        with np.errstate(over="ignore"):
            exact = np.all(np.asarray(self.value, dtype) == self.value) and not self.error.any()
        if exact or (not self.weak and np.can_cast(self.dtype, other.dtype)):
            return other
        return other.rounded(other.value, other.error, np.abs(other.value), other.sure, roundings=1)

    def __neg__(self) -> "Bounded":
        return self.like(-self.value, self.error, self.sure)

    def __pos__(self) -> "Bounded":
        return self

    def __abs__(self) -> "Bounded":
        return self.like(np.abs(self.value), self.error, True)

    def __add__(self, other: Any) -> "Bounded":
        a, b = self.meet(other)

        def sure() -> Any:
            return a.sure & b.sure & (np.sign(a.value) * np.sign(b.value) >= 0)

        if b.is_zero() or a.is_zero():
            return a.like(a.value + b.value, a.error + b.error, sure())
        magnitude = np.abs(a.value) + np.abs(b.value)
        return a.rounded(a.value + b.value, a.error + b.error, magnitude, sure)

    def __sub__(self, other: Any) -> "Bounded":
        a, b = self.meet(other)
        return a + -b

    def __mul__(self, other: Any) -> "Bounded":
        a, b = self.meet(other)
        value, error = a.value * b.value, a.product_error(b)
        if a.is_one() or b.is_one():
            return a.like(value, error, a.sure & b.sure)
        product = a.rounded(value, error, np.abs(value), a.sure & b.sure)
        if not everywhere(value):  # an exact zero times a number is zero, and rounds nothing
            exact = (value == 0) & (((a.value == 0) & (a.error == 0)) | ((b.value == 0) & (b.error == 0)))
            product.error = np.where(exact & np.isfinite(error), 0, product.error)
        return product

    def product_error(self, other: "Bounded") -> Any:
        """What the errors of both factors make of their product."""
        with np.errstate(invalid="ignore"):
            if self.exact and other.exact:
                return 0.0
            if self.exact or other.exact:
                certain, factor = (self, other) if self.exact else (other, self)
                error = np.abs(certain.value) * factor.error
            else:
                error = np.abs(self.value) * other.error + np.abs(other.value) * self.error + self.error * other.error
        unknown = np.isnan(error)  # zero times what knows no bound
        return np.where(unknown, np.inf, error) if somewhere(unknown) else error

    def __truediv__(self, other: Any) -> "Bounded":
        a, b = self.meet(other)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            value = a.value / b.value
            if a.exact and b.exact:  # x/0 is what IEEE says it is
                return a.rounded(value, 0.0, np.abs(value), a.sure & b.sure)
            error = (a.error + np.abs(value) * b.error) / (np.abs(b.value) - b.error)
        if not b.exact or not everywhere(b.value):
            error = np.where(b.error >= np.abs(b.value), np.inf, error)
            exact = (a.error == 0) & (b.error == 0)
            error = np.where(exact & ~np.isfinite(value), 0, error)
        return a.rounded(value, error, np.abs(value), a.sure & b.sure)

    def __pow__(self, exponent: Any) -> "Bounded":
        if isinstance(exponent, float) and exponent == 0.5:
            return self.sqrt()
        if isinstance(exponent, int) and exponent >= 1:
            return self.multiplied(int(exponent))
        a, b = self.meet(exponent)
        if b.size == 1 and not b.error.any() and (whole := b.value.item()) >= 1 and whole % 1 == 0:
            return a.multiplied(int(whole))
        with np.errstate(all="ignore"):
            value = np.asarray(a.value**b.value)
            error = a.power_error(b, value)
        even = (b.error == 0) & (b.value % 2 == 0)
        needs = np.maximum(np.abs(b.value) + b.error, ROUNDINGS + 2 * kernel_ulps("power", a.dtype))
        return a.kernel("power", value, error, even | (a.sure & (value >= 0)), needs)

    def multiplied(self, times: int) -> "Bounded":
        """By itself, `times` of it: as many multiplications at most, in any order."""
        value = self.value**times
        error = times * (np.abs(self.value) + self.error) ** (times - 1) * self.error
        sure = self.sure | (times % 2 == 0)
        return self.rounded(value, error, np.abs(value), sure, max(ROUNDINGS, times))

    def power_error(self, exponent: "Bounded", value: Any) -> Any:
        """What the errors of both make of self**exponent = `value`, by the logarithm of its size.

        |b' log a' - b log a| <= |b| d + e (|log a| + d), where d bounds the error of log a and e is that of b. A base
        that may be zero has a bound where it is never negative and the exponent is positive.
        """
        size = np.abs(self.value)
        slope = -np.log1p(-self.error / size)
        apart = np.abs(exponent.value) * slope
        apart = apart + np.where(exponent.error > 0, exponent.error * (np.abs(np.log(size)) + slope), 0)
        steady = exponent.error == 0
        real = (size > self.error) & ((self.value > 0) | steady)
        error = np.where(real, np.abs(value) * np.expm1(apart), np.inf)
        least, most = exponent.value - exponent.error, exponent.value + exponent.error
        highest = np.maximum((size + self.error) ** least, (size + self.error) ** most)
        from_zero = np.maximum(highest - np.abs(value), np.abs(value))
        error = np.where(~real & (least > 0) & self.sure & (self.value >= 0), from_zero, error)
        exact = steady & ((self.error == 0) | (exponent.value == 0))  # x**0 is 1, 0**-1 what IEEE says it is
        return np.where(exact, 0, np.where(np.isnan(error), np.inf, error))

    def __floordiv__(self, other: Any) -> "Bounded":
        return self.quotient(other).floor()

    def quotient(self, other: Any) -> "Bounded":
        """self / other, certain where exact numbers divide without a remainder: no evaluation misses that."""
        a, b = self.meet(other)
        ratio = a / b
        unit = formats.of(a.dtype).unit
        divides = (a.error == 0) & (b.error == 0) & (ratio.value % 1 == 0) & (np.abs(ratio.value) * unit <= 0.25)
        return a.like(ratio.value, np.where(divides, 0, ratio.error), ratio.sure)

    def __mod__(self, other: Any) -> "Bounded":
        return self.remainder(other, np.floor, np.mod)

    def remainder(self, other: Any, rounding: Function, function: Function) -> "Bounded":
        """a - k·b of the whole number k that `rounding` makes of a/b; where k is uncertain, as many times b."""
        a, b = self.meet(other)
        times = a.quotient(b).whole(rounding)
        with np.errstate(invalid="ignore", divide="ignore"):
            value = function(a.value, b.value)
            error = a.error + np.abs(b.value) * times.error
            error = error + np.where(b.error > 0, (np.abs(times.value) + times.error) * b.error, 0)
        error = np.where(np.isnan(error), np.inf, error)
        return a.rounded(value, error, np.abs(value), (error == 0) | (np.abs(value) > error))

    def __divmod__(self, other: Any) -> tuple["Bounded", "Bounded"]:
        return self // other, self % other

    def __matmul__(self, other: Any) -> "Bounded":
        a, b = self.meet(other)
        terms = a.shape[-1]
        ea, eb = np.broadcast_to(a.error, a.shape), np.broadcast_to(b.error, b.shape)
        error = np.abs(a.value) @ eb + ea @ (np.abs(b.value) + eb)
        magnitude = np.abs(a.value) @ np.abs(b.value)
        value = a.value @ b.value
        sure = (magnitude == np.abs(value)) & a.sure.all() & b.sure.all()
        return a.rounded(value, error, magnitude, sure, terms + 1)

    def __radd__(self, other: Any) -> "Bounded":
        return self + other

    def __rsub__(self, other: Any) -> "Bounded":
        return -self + other

    def __rmul__(self, other: Any) -> "Bounded":
        return self * other

    def __rtruediv__(self, other: Any) -> "Bounded":
        return self.exactly(other) / self

    def __rmatmul__(self, other: Any) -> "Bounded":
        return self.exactly(other) @ self

    def __rpow__(self, other: Any) -> "Bounded":
        return self.exactly(other) ** self

    def __rfloordiv__(self, other: Any) -> "Bounded":
        return self.exactly(other) // self

    def __rmod__(self, other: Any) -> "Bounded":
        return self.exactly(other) % self

    def __rdivmod__(self, other: Any) -> tuple["Bounded", "Bounded"]:
        return divmod(self.exactly(other), self)

    def exactly(self, other: Any) -> "Bounded":
        """A plain number or array beside this one, taken as exact."""
        if isinstance(other, Bounded):
            return other
        weak = np.ndim(other) == 0
        return Bounded(other, np.float64 if weak else self.dtype, weak=weak)

    def item(self) -> "Bounded":
        """What a tensor of one number holds, as a Python float: computed with in double from here on."""
        return Bounded(self.value, np.float64, error=self.error, weak=True, sure=self.sure)

    def is_zero(self) -> bool:
        return self.size == 1 and not self.value and not self.error

    def is_one(self) -> bool:
        return self.size == 1 and abs(self.value.item()) == 1 and not self.error

    def sum(self, axis: Axis = None, keepdims: bool = False) -> "Bounded":
        terms = self.size // max(1, np.sum(self.value, axis=axis).size)
        error = np.broadcast_to(self.error, self.shape).sum(axis=axis, keepdims=keepdims)
        magnitude = np.abs(self.value).sum(axis=axis, keepdims=keepdims)
        value = self.value.sum(axis=axis, keepdims=keepdims)
        sure = np.broadcast_to(self.sure, self.shape).all(axis=axis, keepdims=keepdims) & (magnitude == np.abs(value))
        return self.rounded(value, error, magnitude, sure, max(0, terms - 1))

    def mean(self, axis: Axis = None, keepdims: bool = False) -> "Bounded":
        terms = self.size // max(1, np.sum(self.value, axis=axis).size)
        return self.sum(axis, keepdims) / terms

    def prod(self, axis: Axis = None, keepdims: bool = False) -> "Bounded":
        terms = self.size // max(1, np.sum(self.value, axis=axis).size)
        size = np.abs(self.value).prod(axis=axis, keepdims=keepdims)
        with np.errstate(invalid="ignore", over="ignore"):
            error = (np.abs(self.value) + self.error).prod(axis=axis, keepdims=keepdims) - size
        error = np.where(np.isnan(error), np.inf, error)  # zero times what knows no bound
        sure = np.broadcast_to(self.sure, self.shape).all(axis=axis, keepdims=keepdims)
        return self.rounded(self.value.prod(axis=axis, keepdims=keepdims), error, size, sure, max(0, terms - 1))

    def max(self, axis: Axis = None, keepdims: bool = False) -> "Bounded":
        error = np.broadcast_to(self.error, self.shape).max(axis=axis, keepdims=keepdims)
        sure = np.broadcast_to(self.sure, self.shape).all(axis=axis, keepdims=keepdims)
        return self.like(self.value.max(axis=axis, keepdims=keepdims), error, sure)

    def min(self, axis: Axis = None, keepdims: bool = False) -> "Bounded":
        return -(-self).max(axis, keepdims)

    def argmax(self, axis: int | None = None) -> "Bounded":
        """Where the largest is; its error is how far the farthest element is that may be as large."""
        rows = np.moveaxis(self.value, axis, -1) if axis is not None else self.value.reshape(-1)
        errors = np.broadcast_to(self.error, self.shape)
        errors = np.moveaxis(errors, axis, -1) if axis is not None else errors.reshape(-1)
        place = rows.argmax(-1)
        reach = np.nextafter(rows + errors, np.inf)
        rival = reach >= (rows - errors).max(-1, keepdims=True)
        unsure = (errors > 0).any(-1) & ~np.isnan(rows).any(-1)
        far = np.where(rival, np.abs(np.arange(rows.shape[-1]) - place[..., None]), 0).max(-1)
        return self.like(place, np.where(unsure, far, 0), True)

    def argmin(self, axis: int | None = None) -> "Bounded":
        return (-self).argmax(axis)

    def norm(self, ord: Any = None, axis: Any = None, keepdims: bool = False) -> "Bounded":  # noqa: A002
        """The p-norm of vectors, and Frobenius' of a matrix; numpy.linalg.norm's arguments."""
        vectors = np.ndim(axis) == 0 and (axis is not None or self.ndim == 1)
        if not (ord is None or vectors or (ord == "fro" and self.ndim == 2)):
            raise TypeError(f"no bound is known of the norm {ord!r} of a matrix")
        if ord in (None, 2, "fro"):
            return self.square().sum(axis, keepdims).sqrt()
        if np.isinf(ord):
            return abs(self).max(axis, keepdims) if ord > 0 else abs(self).min(axis, keepdims)
        if ord == 0:
            return (self != 0).sum(axis, keepdims)
        return abs(self).sum(axis, keepdims) if ord == 1 else (abs(self) ** ord).sum(axis, keepdims) ** (1 / ord)

    # functions

    def kernel(self, name: str, value: Any, error: Any, sure: Any, roundings: Any = None) -> "Bounded":
        size, tiny = np.abs(value), formats.of(self.dtype).smallest_normal
        if not everywhere(size >= 2 * tiny):
            error = error + np.where((size < 2 * tiny) & (size > 0), tiny, 0)  # flushed to 0
        needs = ROUNDINGS + 2 * kernel_ulps(name, self.dtype) if roundings is None else roundings
        return self.rounded(value, error, size, sure, needs)

    def sqrt(self) -> "Bounded":
        if self.exact and everywhere(self.value >= 0):
            return self.kernel("sqrt", np.sqrt(self.value), 0.0, True)
        near_zero = not everywhere(self.value > self.error)
        if near_zero:
            cancelled = (self.value < 0) & (self.error >= -self.value)
            if somewhere(cancelled):  # 0, but for the exact value's own rounding
                return self.like(np.where(cancelled, 0, self.value), self.error, self.sure & ~cancelled).sqrt()
        with np.errstate(invalid="ignore", divide="ignore"):
            root = np.sqrt(self.value)
            error = self.error / (root + np.sqrt(np.maximum(self.value - self.error, 0)))
            if near_zero:
                # an error beyond the value is underflow where the sign is sure; elsewhere an honest evaluation
                # may find a negative number under the root
                underflow = np.maximum(root, np.sqrt(self.value + self.error) - root)
                reach = np.where(self.sure & (self.value >= 0), underflow, np.inf)
                error = np.where(self.error == 0, 0, np.where(self.error > self.value, reach, error))
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

    def logarithm(self, function: Function, argument: Any) -> tuple[Any, Any]:
        with np.errstate(divide="ignore", invalid="ignore"):
            error = -np.log1p(-self.error / argument)
            error = np.where(self.error == 0, 0, np.where(self.error >= argument, np.inf, error))
            return function(self.value), error

    def tanh(self) -> "Bounded":
        return self.kernel("tanh", np.tanh(self.value), self.error, self.sure)  # its slope is at most 1

    def sin(self) -> "Bounded":
        return self.kernel("sin", np.sin(self.value), np.minimum(self.error, 2), self.error == 0)  # nor is theirs

    def cos(self) -> "Bounded":
        return self.kernel("cos", np.cos(self.value), np.minimum(self.error, 2), self.error == 0)

    def sign(self) -> "Bounded":
        unsure = np.where((np.abs(self.value) <= self.error) & (self.error > 0), 2, 0)
        return self.like(np.sign(self.value), unsure, unsure == 0)

    def square(self) -> "Bounded":
        return self**2

    def reciprocal(self) -> "Bounded":
        return 1 / self

    def hypot(self, other: Any) -> "Bounded":
        return (self**2 + self.exactly(other) ** 2).sqrt()

    # steps: nothing rounds, and the next step may be reached

    def whole(self, rounding: Callable[[Any], Any]) -> "Bounded":
        """`rounding` is floor, ceil, trunc or rint, none of which ever falls; so the ends of the interval bound it."""
        value = rounding(self.value)
        above, below = (np.nextafter(self.value + sign * self.error, sign * np.inf) for sign in (1, -1))
        with np.errstate(invalid="ignore"):
            error = np.maximum(rounding(above) - value, value - rounding(below))
        error = np.where(self.error == 0, 0, error)
        error = np.where(np.isnan(error), np.where(self.error == 0, 0, np.inf), error)
        return self.like(value, error, self.sure & ((value != 0) | (error == 0)))

    def stepped_to(self, rounding: Callable[[Any], Any], dtype: DTypeLike) -> "Bounded":
        """What a rounding that is part of a formula makes of it: certain where no error reaches a step."""
        made = self.whole(lambda array: np.asarray(rounding(array), array.dtype))
        return Bounded(made.value, dtype, error=made.error, sure=made.sure)

    def floor(self) -> "Bounded":
        return self.whole(np.floor)

    def ceil(self) -> "Bounded":
        return self.whole(np.ceil)

    def trunc(self) -> "Bounded":
        return self.whole(np.trunc)

    def rint(self) -> "Bounded":
        return self.whole(np.rint)

    def round(self, decimals: int = 0) -> "Bounded":
        if decimals == 0:
            return self.rint()
        tens = 10.0 ** abs(decimals)
        return (self * tens).rint() / tens if decimals > 0 else (self / tens).rint() * tens

    __floor__, __ceil__, __trunc__, __round__ = floor, ceil, trunc, round  # noqa: A003

    def larger(self, other: Any, function: Function) -> "Bounded":
        a, b = self.meet(other)
        value = function(a.value, b.value)
        with np.errstate(invalid="ignore"):
            certain = (
                np.abs(a.value - b.value) > a.error + b.error
            )  # which of both it is; the other's error is nobody's
        its_own = np.where(value == a.value, a.error, b.error)
        return a.like(value, np.where(certain, its_own, np.maximum(a.error, b.error)), a.sure & b.sure)

    def clip(self, low: Any = None, high: Any = None) -> "Bounded":
        above = self if low is None else self.larger(low, np.maximum)
        return above if high is None else above.larger(high, np.minimum)

    # conditions: 1 or 0, and an error of 1 where honest evaluations may disagree

    def compared(self, other: Any, relation: Function) -> "Bounded":
        a, b = self.meet(other)
        error = outward(a.error + b.error)
        with np.errstate(invalid="ignore"):
            near = ~(np.abs(a.value - b.value) > error)  # a NaN among them, so that infinities are near each other
        unsure = near & (error > 0)
        return a.like(relation(a.value, b.value), np.where(unsure, 1, 0), True)

    def truth(self) -> tuple[Any, Any]:
        """Whether it may be true (anything but zero), and whether it may be false."""
        unsure = (self.error > 0) & ~(np.abs(self.value) > self.error)
        return (self.value != 0) | unsure, (self.value == 0) | unsure

    def condition(self, value: Any, may_hold: Any, may_fail: Any) -> "Bounded":
        return self.like(value != 0, np.where(may_hold & may_fail, 1, 0), True)

    def both(self, other: Any, operation: Function) -> "Bounded":
        """`and`, `or`, `xor` of two conditions: what is possible for some of what each may be."""
        other = self.exactly(other)
        possible = [
            (operation(p, q), a & b)
            for p, a in zip((True, False), self.truth(), strict=True)
            for q, b in zip((True, False), other.truth(), strict=True)
        ]
        may_hold, may_fail = (
            functools.reduce(np.logical_or, [able for result, able in possible if result == wanted])
            for wanted in (True, False)
        )
        return self.condition(operation(self.value != 0, other.value != 0), may_hold, may_fail)

    def __and__(self, other: Any) -> "Bounded":
        return self.both(other, np.logical_and)

    def __or__(self, other: Any) -> "Bounded":
        return self.both(other, np.logical_or)

    def __xor__(self, other: Any) -> "Bounded":
        return self.both(other, np.logical_xor)

    __rand__, __ror__, __rxor__ = __and__, __or__, __xor__

    def __invert__(self) -> "Bounded":
        return self.condition(self.value == 0, *self.truth())

    def any(self, axis: Axis = None, keepdims: bool = False) -> "Bounded":
        may_hold, may_fail = (np.broadcast_to(part, self.shape) for part in self.truth())
        able = may_hold.any(axis=axis, keepdims=keepdims), may_fail.all(axis=axis, keepdims=keepdims)
        return self.condition((self.value != 0).any(axis=axis, keepdims=keepdims), *able)

    def all(self, axis: Axis = None, keepdims: bool = False) -> "Bounded":
        return ~(~self).any(axis, keepdims)

    def finite(self, function: Function) -> "Bounded":
        """isfinite, isinf or isnan: uncertain where no bound is known."""
        value = function(self.value)
        return self.like(value, np.where(np.isfinite(self.error), 0, 1), True)

    def __gt__(self, other: Any) -> "Bounded":
        return self.compared(other, operator.gt)

    def __ge__(self, other: Any) -> "Bounded":
        return self.compared(other, operator.ge)

    def __lt__(self, other: Any) -> "Bounded":
        return self.compared(other, operator.lt)

    def __le__(self, other: Any) -> "Bounded":
        return self.compared(other, operator.le)

    def __eq__(self, other: Any) -> Any:
        return self.compared(other, operator.eq)

    def __ne__(self, other: Any) -> Any:
        return self.compared(other, operator.ne)

    __hash__ = None  # type: ignore[assignment]

    def __bool__(self) -> bool:
        if self.size == 1 and all(part.any() for part in self.truth()):
            if ways := DECIDING.get():
                return ways.decide(self)
            raise Undecided(f"whether {self} is true is decided by rounding")
        return bool(self.value)

    def __index__(self) -> int:
        if self.size != 1 or self.value.item() % 1 != 0:
            raise TypeError(f"{self} is no index")
        if self.error.any():
            raise Undecided(f"which index {self} is, is decided by rounding")
        return int(self.value.item())

    # NumPy's functions arrive here

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if method != "__call__" or options:
            return NotImplemented
        operation = BINARY.get(ufunc)
        if operation is not None:
            left, right = inputs
            left = left if isinstance(left, Bounded) else self.exactly(left)
            return operation(left, right)
        if ufunc in (np.maximum, np.minimum, np.fmax, np.fmin):
            left, right = inputs if isinstance(inputs[0], Bounded) else inputs[::-1]
            return left.larger(right, ufunc)
        if ufunc in (np.isfinite, np.isinf, np.isnan):
            return self.finite(ufunc)
        name = UNARY.get(ufunc)
        return getattr(self, name)() if name else NotImplemented

    def __array_function__(
        self, function: Function, types: Any, arguments: tuple[Any, ...], options: dict[str, Any]
    ) -> Any:
        replacement = FUNCTIONS.get(function)
        return replacement(*arguments, **options) if replacement else NotImplemented


BINARY: dict[Any, Function] = {
    np.add: Bounded.__add__,
    np.subtract: Bounded.__sub__,
    np.multiply: Bounded.__mul__,
    np.divide: Bounded.__truediv__,
    np.power: Bounded.__pow__,
    np.float_power: Bounded.__pow__,
    np.floor_divide: Bounded.__floordiv__,
    np.remainder: Bounded.__mod__,
    np.fmod: functools.partial(Bounded.remainder, rounding=np.trunc, function=np.fmod),
    np.divmod: Bounded.__divmod__,
    np.hypot: Bounded.hypot,
    np.matmul: Bounded.__matmul__,
    np.logical_and: Bounded.__and__,
    np.logical_or: Bounded.__or__,
    np.logical_xor: Bounded.__xor__,
    np.greater: Bounded.__gt__,
    np.greater_equal: Bounded.__ge__,
    np.less: Bounded.__lt__,
    np.less_equal: Bounded.__le__,
    np.equal: Bounded.__eq__,
    np.not_equal: Bounded.__ne__,
}

UNARY: dict[Any, str] = {
    **{
        getattr(np, name): name
        for name in (
            *("sqrt", "exp", "expm1", "log", "log1p", "tanh", "sin", "cos", "sign", "square", "reciprocal"),
            *("floor", "ceil", "trunc", "rint"),
        )
    },
    np.absolute: "__abs__",
    np.fabs: "__abs__",
    np.negative: "__neg__",
    np.positive: "__pos__",
    np.logical_not: "__invert__",
}


def where(condition: Any, yes: Any, no: Any) -> Bounded:
    """numpy.where; where the condition itself is unsure, either branch may be taken."""
    bounded = next(x for x in (yes, no, condition) if isinstance(x, Bounded))
    a, b = bounded.exactly(yes).meet(no)
    taken = np.asarray(condition.value if isinstance(condition, Bounded) else condition, bool)
    error = np.where(taken, a.error, b.error)
    same_sign = a.sure & b.sure
    if isinstance(condition, Bounded):
        may_hold, may_fail = condition.truth()
        with np.errstate(invalid="ignore"):
            apart = np.where(a.value == b.value, 0, np.abs(a.value - b.value))
        either = np.where(np.isnan(apart), np.inf, apart) + np.maximum(a.error, b.error)
        error = np.where(may_hold & may_fail, outward(either), error)
        same_sign = same_sign & ~(may_hold & may_fail)
    return a.like(np.where(taken, a.value, b.value), error, same_sign)


def joined(function: Function, numbers: Sequence[Any], axis: int = 0) -> Bounded:
    """numpy.stack and numpy.concatenate: nothing rounds."""
    bounded = next(x for x in numbers if isinstance(x, Bounded))
    numbers = [bounded.exactly(x) for x in numbers]
    errors = [np.broadcast_to(x.error, x.shape) for x in numbers]
    sure = [np.broadcast_to(x.sure, x.shape) for x in numbers]
    return bounded.like(function([x.value for x in numbers], axis), function(errors, axis), function(sure, axis))


def filled(x: Bounded, value: Any) -> Bounded:
    """numpy.full_like: a plain number, rounded to the dtype, or one of error-carrying ones."""
    return x.exactly(value).rounded_to(x.dtype).moved(lambda array: np.broadcast_to(array, x.shape))


def outer(x: Any, y: Any) -> Any:
    return np.reshape(x, (-1, 1)) * np.reshape(y, (1, -1))


def moving(function: Function) -> Function:
    """A function of NumPy's that only moves numbers."""

    def moved(x: Bounded, *arguments: Any, **options: Any) -> Bounded:
        return x.moved(lambda array: function(array, *arguments, **options))

    return moved


MOVES = (
    "reshape",
    "ravel",
    "transpose",
    "swapaxes",
    "moveaxis",
    "expand_dims",
    "squeeze",
    "broadcast_to",
    "flip",
    "copy",
)
METHODS = ("clip", "sum", "mean", "prod", "max", "min", "argmax", "argmin", "any", "all", "round")
FUNCTIONS: dict[Any, Function] = {
    **{getattr(np, name): getattr(Bounded, name) for name in METHODS},
    **{getattr(np, name): moving(getattr(np, name)) for name in MOVES},
    np.where: where,
    np.stack: functools.partial(joined, np.stack),
    np.concatenate: functools.partial(joined, np.concatenate),
    np.linalg.norm: Bounded.norm,
    np.dot: np.matmul,
    np.outer: outer,
    np.zeros_like: functools.partial(filled, value=0.0),
    np.ones_like: functools.partial(filled, value=1.0),
    np.full_like: filled,
    np.shape: operator.attrgetter("shape"),
    np.ndim: operator.attrgetter("ndim"),
    np.size: operator.attrgetter("size"),
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
                raise OrdersDisagree(message("broken.orders", what=what))
        error = np.maximum(error, other.error)
    return first.like(first.value, error, first.sure)
