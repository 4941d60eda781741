"""The formats that numbers are held in: what the rest of Lockstep knows of a dtype, it knows from here.

A format is one entry in `FORMATS`. Everything else about it is read off its dtype: NumPy's own, or ml_dtypes', which is
imported for them alone.
"""

import dataclasses
import functools
import importlib
import math
from typing import Any

import numpy as np

from lockstep.errors import BadValue
from lockstep.numerics.shapes import Array
from lockstep.text import message


@dataclasses.dataclass(frozen=True)
class Format:
    """Binary floating point: a sign, an exponent, and a fraction of `precision` bits with the hidden one.

    name: in NumPy or ml_dtypes, and in PyTorch. wider: the dtype in which exact results are worked out and held.
    cpp: what PyTorch's messages call it.
    """

    name: str
    wider: str
    cpp: str

    @functools.cached_property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of its arrays."""
        return np.dtype(getattr(np, self.name, None) or getattr(importlib.import_module("ml_dtypes"), self.name))

    @functools.cached_property
    def wide(self) -> np.dtype[Any]:
        """The dtype that arbitrates."""
        return np.dtype(self.wider)

    @functools.cached_property
    def about(self) -> Any:
        """numpy.finfo of it, or ml_dtypes'."""
        is_numpys = hasattr(np, self.name)
        return np.finfo(self.dtype) if is_numpys else importlib.import_module("ml_dtypes").finfo(self.dtype)

    @functools.cached_property
    def size(self) -> int:
        """Of a number, in bytes."""
        return self.dtype.itemsize

    @functools.cached_property
    def precision(self) -> int:
        """p: so many binary digits has a normal number."""
        return int(self.about.nmant) + 1

    @functools.cached_property
    def unit(self) -> float:
        """u = 2⁻ᵖ, half the distance from 1 to the next number: what rounding to nearest loses at most of 1."""
        return math.ldexp(1.0, -self.precision)

    @functools.cached_property
    def smallest_normal(self) -> float:
        """The smallest number with a whole precision."""
        return float(self.about.smallest_normal)

    @functools.cached_property
    def smallest_subnormal(self) -> float:
        """The smallest number above 0, and what all below the normal ones are a multiple of."""
        return float(self.about.smallest_subnormal)

    @functools.cached_property
    def largest(self) -> float:
        """The largest finite number."""
        return float(self.about.max)

    @functools.cached_property
    def digits(self) -> int:
        """So many decimal digits tell any two of its numbers apart, ⌈1 + p·log₁₀ 2⌉."""
        return math.ceil(1 + self.precision * math.log10(2))

    @functools.cached_property
    def unsigned(self) -> np.dtype[Any]:
        """Whole numbers of as many bits, as which they are counted from 0 up."""
        return np.dtype(f"u{self.size}")

    @functools.cached_property
    def signed(self) -> np.dtype[Any]:
        """The same with a sign."""
        return np.dtype(f"i{self.size}")

    @property
    def is_measurable(self) -> bool:
        """Whether `wide` is wider on this machine: where longdouble is no more than a double, it is not."""
        return np.finfo(self.wide).nmant > self.about.nmant

    def spacing(self, scale: float) -> float:
        """The ulp of a number of that magnitude; unlike numpy.spacing's, that of the largest number is finite."""
        smallest = math.frexp(self.smallest_normal)[1] - 1
        exponent = max(math.frexp(scale)[1] - 1, smallest) if scale else smallest
        return math.ldexp(1.0, exponent - self.precision + 1)

    def text(self, value: float) -> str:
        """A number with as many digits as tell it apart."""
        return f"{value:.{self.digits}g}"

    def bits(self, value: Any) -> str:
        """The bits of one number, in hexadecimal."""
        return f"0x{int(np.asarray(value, self.dtype).view(self.unsigned)):0{2 * self.size}x}"

    def from_bits(self, text: str) -> Any:
        """The number whose bits these are: what `bits` wrote."""
        return np.array(int(text, 16), self.unsigned).view(self.dtype)[()]


FORMATS = {
    entry.name: entry
    for entry in (
        Format("float64", wider="longdouble", cpp="double"),
        Format("float32", wider="float64", cpp="float"),
        Format("bfloat16", wider="float64", cpp="c10::BFloat16"),
        Format("float16", wider="float64", cpp="c10::Half"),
    )
}


def named(name: str) -> Format:
    """The format of that name.

    Raises:
        BadValue: where there is none.
    """
    if name not in FORMATS:
        raise BadValue(message("error.dtype", known=", ".join(map(repr, FORMATS)), given=name))
    return FORMATS[name]


def of(dtype: Any) -> Format:
    """The format of arrays of that dtype.

    Raises:
        TypeError: where there is none: of whole numbers, of other floating-point types, in another byte order.
    """
    dtype = np.dtype(dtype)
    known = FORMATS.get(name_of(dtype))
    if known is None or known.dtype != dtype:
        raise TypeError(f"{dtype} is no format that is compared; there are {', '.join(FORMATS)}")
    return known


@functools.cache
def name_of(dtype: np.dtype[Any]) -> str:
    """NumPy's name of a dtype, which it makes up anew at each look."""
    return dtype.name


def is_format(dtype: Any) -> bool:
    """Whether there is a format for it."""
    return name_of(np.dtype(dtype)) in FORMATS


def storable(array: Array) -> np.ndarray:
    """In float32, which holds them all, where NumPy's files have no name for the format."""
    return array.astype(FORMATS["float32"].dtype) if array.dtype.kind == "V" and is_format(array.dtype) else array
