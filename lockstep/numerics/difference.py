"""How far apart two arrays are: absolute, relative, in ulps, in ulps at the tensor's scale."""

import math
from typing import Any, NamedTuple

import numpy as np

from lockstep.numerics import formats
from lockstep.numerics.shapes import Array, Flat, Stack

BLOCK = 32768  # elements; what is worked out of a block stays in the second-level cache
SINGLE = formats.FORMATS["float32"]  # narrower numbers are subtracted and divided in it


class Difference(NamedTuple):
    """The difference of two arrays of one shape and dtype.

    elements: how many were compared. differing: how many differ in value or sign bit (two NaNs agree).
    absolute, relative, ulp: the largest of each; relative to the larger magnitude of the two.
    scaled_ulp: the largest absolute difference in ulps of the largest finite magnitude in either array.
    index: flat index of the largest absolute difference, as the dtype rounds differences (a NaN or
    infinity on one side counts as the largest), None where nothing differs. scale: that largest
    magnitude, NaN where nothing differs.
    """

    elements: int
    differing: int
    absolute: float
    relative: float
    ulp: float
    scaled_ulp: float
    index: int | None  # pyright: ignore[reportIncompatibleMethodOverride]
    scale: float


def compare(left: Array, right: Array) -> Difference:
    """Measure the difference of `left` and `right`, block by block, in the cache.

    Raises:
        TypeError: for dtypes that differ, or are of no format.
        ValueError: for shapes that differ.
    """
    if left.dtype != right.dtype:
        raise TypeError(f"can only compare arrays of one dtype, not {left.dtype} and {right.dtype}")
    held = formats.of(left.dtype)
    if left.shape != right.shape:
        raise ValueError(f"can only compare arrays of one shape, not {left.shape} and {right.shape}")
    left, right = np.ascontiguousarray(left).reshape(-1), np.ascontiguousarray(right).reshape(-1)
    left_bits, right_bits = left.view(held.signed), right.view(held.signed)
    measured = Measured(held, min(BLOCK, left.size))
    equal: list[slice] = []
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        for start in range(0, left.size, BLOCK):
            block = slice(start, start + BLOCK)
            changed = measured.changed(left_bits[block], right_bits[block])
            if changed:
                measured.add(start, left[block], right[block], changed)
            else:
                equal.append(block)
    if not measured.differing:
        return Difference(left.size, 0, 0.0, 0.0, 0.0, 0.0, None, math.nan)
    scale = max([measured.scale] + [magnitude(left[block]) for block in equal])
    return Difference(
        elements=left.size,
        differing=measured.differing,
        absolute=measured.absolute,
        relative=measured.relative,
        ulp=measured.ulp,
        scaled_ulp=measured.absolute / held.spacing(scale),
        index=measured.index,
        scale=scale,
    )


class Measured:
    """The largest differences so far, and memory in which each block's are worked out."""

    def __init__(self, held: formats.Format, length: int):
        self.held = held
        self.real = held.dtype if held.size >= SINGLE.size else SINGLE.dtype
        self.flags, self.steps = np.empty(length, bool), np.empty((3, length), held.signed)
        self.apart, self.larger, self.other = (np.empty(length, self.real) for _ in range(3))
        self.differing, self.index = 0, 0
        self.absolute = self.worst = -1.0  # exact, and as the dtype rounds it
        self.relative = self.ulp = self.scale = 0.0

    def changed(self, a_bits: Flat, b_bits: Flat) -> int:
        """In how many elements two blocks differ in their bits."""
        return int(np.count_nonzero(np.not_equal(a_bits, b_bits, out=self.flags[: a_bits.size])))

    def add(self, start: int, a: Flat, b: Flat, changed: int) -> None:
        """Take in the blocks that begin at `start`, of which `changed` elements differ in their bits.

        Most are no further apart than an earlier one, as their largest ratio (a - b) / a and their largest number show.
        A ratio below a half has numbers of one sign, and a zero beside nothing but a zero. From x to a number as near
        there are at most ratio 2^p steps: they average |x| 2^-p or more, also below a power of two. What was rounded
        twice in the ratio and twice here is less than eight parts in 2^p.
        """
        apart = self.apart[: a.size]
        wide_a, wide_b = (a, b) if a.dtype == self.real else (a.astype(self.real), b.astype(self.real))
        worst = furthest(np.subtract(wide_a, wide_b, out=apart))
        if not math.isfinite(worst):
            self.add_special(start, a, b)
            return
        self.differing += changed
        if worst > self.worst:
            place = int(np.abs(apart, out=apart).argmax()) if worst else int(self.flags.argmax())  # zeros of two signs
            self.worst, self.absolute, self.index = worst, gap(a[place], b[place]), start + place
        np.divide(apart, wide_a, out=apart)
        ratio = max(float(np.fmax.reduce(apart, initial=0)), -float(np.fmin.reduce(apart, initial=0)))  # over 0/0
        ratio, largest = ratio * (1 + 8 * SINGLE.unit), furthest(wide_a)
        near = ratio < 0.5
        if not near or ratio > self.relative or (1 + ratio) * largest > self.scale:
            larger, other = self.larger[: a.size], self.other[: a.size]
            np.maximum(np.abs(wide_a, out=larger), np.abs(wide_b, out=other), out=larger)
            self.scale = max(self.scale, float(np.maximum.reduce(larger)))
            np.divide(np.abs(np.subtract(wide_a, wide_b, out=apart), out=apart), larger, out=apart)
            self.relative = max(self.relative, float(np.fmax.reduce(apart, initial=0)))  # passes over 0/0
        if not near or math.floor(ratio * 2.0**self.held.precision) > self.ulp:
            self.ulp = max(self.ulp, self.most_steps(a, b, near))

    def most_steps(self, a: Flat, b: Flat, near: bool) -> float:
        """The largest distance in ulps of two finite blocks; the bits of one sign alone may just be subtracted."""
        memory = self.steps[:, : a.size]
        if near:
            counted = np.subtract(a.view(memory.dtype), b.view(memory.dtype), out=memory[0])
            most = max(int(np.maximum.reduce(counted)), -int(np.minimum.reduce(counted)))
            if most < 2**self.held.precision:  # else there are zeros of two signs
                return float(most)
        return float(ulp_distance(a, b, memory).max())

    def add_special(self, start: int, a: Flat, b: Flat) -> None:
        """Take in a block that is not all finite, or overflows."""
        part = special_difference(a, b)
        self.differing += part.differing
        if part.differing and part.absolute > self.absolute:
            self.absolute, self.worst, self.index = part.absolute, part.absolute, start + part.index
        self.relative, self.ulp = max(self.relative, part.relative), max(self.ulp, part.ulp)
        self.scale = max(self.scale, part.scale)


class Part(NamedTuple):
    differing: int
    absolute: float
    relative: float
    ulp: float
    index: int  # pyright: ignore[reportIncompatibleMethodOverride]
    scale: float


def special_difference(a: Flat, b: Flat) -> Part:
    """A block with infinities, NaNs or overflow: equal ones agree, any other is infinitely far."""
    held = formats.of(a.dtype)
    bits_differ = a.view(held.unsigned) != b.view(held.unsigned)
    ulps = ulp_distance(a, b).astype(float)
    with np.errstate(invalid="ignore"):
        a, b = a.astype(np.longdouble), b.astype(np.longdouble)
    both_nan = np.isnan(a) & np.isnan(b)
    special = ~(np.isfinite(a) & np.isfinite(b))
    agree = both_nan | (special & (a == b))
    with np.errstate(invalid="ignore", over="ignore"):
        apart = np.where(special, np.where(agree, 0, np.inf), np.abs(a - b))
    larger = np.where(special, 1, np.maximum(np.abs(a), np.abs(b)))
    relative = np.divide(apart, larger, out=np.zeros_like(apart), where=larger > 0)
    ulps = np.where(special, np.where(agree, 0, np.inf), ulps)
    changed = ~both_nan & bits_differ
    index = int(np.where(changed, apart, -1).argmax())
    absolute = np.inf if special[index] else gap(a[index], b[index])
    scale = max(magnitude(a), magnitude(b))
    return Part(int(np.count_nonzero(changed)), absolute, float(relative.max()), float(ulps.max()), index, scale)


def furthest(array: Flat) -> float:
    """The largest magnitude; a NaN where there is one."""
    return max(float(np.maximum.reduce(array)), -float(np.minimum.reduce(array)))


def gap(x: Any, y: Any) -> float:
    """|x - y| of two finite numbers, rounded once; infinite beyond the largest double."""
    with np.errstate(over="ignore"):
        return float(abs(np.longdouble(x) - np.longdouble(y)))


def ulp_distance(a: Array, b: Array, memory: Stack | None = None) -> np.ndarray:
    """How many floating-point numbers lie between a and b, as unsigned integers; +0 and -0 are one.

    The bits of a float without its sign count the floats from zero up; with the sign of the float they count them from
    the lowest on, so that the distance is the difference of the counts. Meaningless where one is NaN.

    Arguments:
        memory: three arrays of signed integers in which it is worked out; one of them is returned.
    """
    held = formats.of(a.dtype)
    first, second, sign = np.empty((3, *a.shape), held.signed) if memory is None else memory
    for bits, count in ((a.view(held.signed), first), (b.view(held.signed), second)):
        np.right_shift(bits, 8 * held.size - 1, out=sign)  # -1 below zero
        np.bitwise_and(bits, np.iinfo(held.signed).max, out=count)
        np.subtract(np.bitwise_xor(count, sign, out=count), sign, out=count)
    np.maximum(first, second, out=sign)
    return np.subtract(sign, np.minimum(first, second, out=first), out=sign).view(held.unsigned)


def magnitude(array: Flat) -> float:
    """The largest finite magnitude of a flat, non-empty array, zero if there is none."""
    largest = max(abs(float(array.max())), abs(float(array.min())))
    if math.isfinite(largest):
        return largest
    finite = array[np.isfinite(array)]
    return float(np.abs(finite).max()) if finite.size else 0.0
