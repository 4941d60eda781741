"""Numbers of eighty digits in NumPy arrays, and slopes by difference quotients, exact to the last bit of a double."""

import decimal
from collections.abc import Callable
from typing import Any

import numpy as np

DIGITS = decimal.Context(prec=80)
STEP = decimal.Decimal(10) ** -25


class Digits:
    """A number that NumPy's functions and operators take, elementwise, in arrays of objects."""

    __slots__ = ("value",)

    def __init__(self, value: Any):
        self.value = value if isinstance(value, decimal.Decimal) else decimal.Decimal(float(value))

    def __float__(self) -> float:
        return float(self.value)

    def __neg__(self):
        return Digits(DIGITS.minus(self.value))

    def __abs__(self):
        return Digits(DIGITS.abs(self.value))

    def __pow__(self, exponent):
        return Digits(DIGITS.power(self.value, plain(exponent)))

    def exp(self):
        return Digits(DIGITS.exp(self.value))

    def log(self):
        return Digits(DIGITS.ln(self.value))

    def log1p(self):
        return Digits(DIGITS.ln(DIGITS.add(self.value, 1)))

    def sqrt(self):
        return Digits(DIGITS.sqrt(self.value))

    def tanh(self):
        twice = DIGITS.exp(DIGITS.multiply(self.value, 2))
        return Digits(DIGITS.divide(DIGITS.subtract(twice, 1), DIGITS.add(twice, 1)))

    def reshape(self, *shape):
        """A number without axes is an array to NumPy, and to a formula."""
        return np.array([self], object).reshape(*shape)

    def __add__(self, other):
        return combined(DIGITS.add, self, other)

    def __sub__(self, other):
        return combined(DIGITS.subtract, self, other)

    def __rsub__(self, other):
        return combined(DIGITS.subtract, other, self)

    def __mul__(self, other):
        return combined(DIGITS.multiply, self, other)

    def __truediv__(self, other):
        return combined(DIGITS.divide, self, other)

    def __rtruediv__(self, other):
        return combined(DIGITS.divide, other, self)

    __radd__, __rmul__ = __add__, __mul__

    def __eq__(self, other):
        return self.value == plain(other)

    def __lt__(self, other):
        return self.value < plain(other)

    def __le__(self, other):
        return self.value <= plain(other)

    def __gt__(self, other):
        return self.value > plain(other)

    def __ge__(self, other):
        return self.value >= plain(other)

    __hash__ = None  # type: ignore[assignment]


def combined(operation, first, second):
    """Number by number; an array beside a number takes the operation upon itself."""
    if isinstance(first, np.ndarray) or isinstance(second, np.ndarray):
        return NotImplemented
    return Digits(operation(plain(first), plain(second)))


def plain(number) -> decimal.Decimal:
    return number.value if isinstance(number, Digits) else decimal.Decimal(float(number))


def digits(array) -> np.ndarray:
    """The same numbers, to calculate on with eighty digits."""
    made = np.empty(np.shape(array), object)
    made[...] = np.vectorize(Digits, otypes=[object])(array) if made.size else made
    return made


def slope(function: Callable[[np.ndarray], Any], at: np.ndarray) -> np.ndarray:
    """The gradient of a function of an array of `Digits`, as doubles: the central difference quotient.

    With a step of 10⁻²⁵ its error is 10⁻⁵⁰ times a sixth of the third derivative, and 10⁻⁸⁰ / 10⁻²⁵ times
    the size of what is subtracted. A double has 17 digits, so up to a third derivative of 10³⁰ the
    quotient, rounded to one, is the derivative, rounded to one.
    """
    found = np.empty(at.shape)
    for index in np.ndindex(at.shape):
        ends = []
        for step in (STEP, -STEP):
            moved = at.copy()
            moved[index] = moved[index] + Digits(step)
            ends.append(plain(function(moved)))
        found[index] = float(DIGITS.divide(DIGITS.subtract(*ends), 2 * STEP))
    return found
