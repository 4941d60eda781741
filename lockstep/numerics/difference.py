"""How far apart two arrays are: absolute, relative, in ulps, in ulps at the tensor's scale."""

import math
from typing import NamedTuple

import numpy as np

from lockstep.numerics import formats

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
    index: int | None
    scale: float


def compare(left: np.ndarray, right: np.ndarray) -> Difference:
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
    buffers = Buffers(held, min(BLOCK, left.size))
    equal, parts = [], []
    for start in range(0, left.size, BLOCK):
        block = slice(start, start + BLOCK)
        changed = buffers.changed(left_bits[block], right_bits[block])
        if changed:
            parts.append((start, block_difference(left[block], right[block], changed, buffers)))
        else:
            equal.append(block)
    if not any(part.differing for _, part in parts):
        return Difference(left.size, 0, 0.0, 0.0, 0.0, 0.0, None, math.nan)
    scale = max([part.scale for _, part in parts] + [magnitude(left[block]) for block in equal])
    start, worst = max(((start, part) for start, part in parts if part.differing), key=lambda item: item[1].absolute)
    return Difference(
        elements=left.size,
        differing=sum(part.differing for _, part in parts),
        absolute=worst.absolute,
        relative=max(part.relative for _, part in parts),
        ulp=max(part.ulp for _, part in parts),
        scaled_ulp=worst.absolute / held.spacing(scale),
        index=start + worst.index,
        scale=scale,
    )


class Buffers:
    """What is worked out of a block, in memory that is used for the next one again."""

    def __init__(self, held: formats.Format, length: int):
        self.held = held
        self.real = held.dtype if held.size >= SINGLE.size else SINGLE.dtype
        self.flags = np.empty(length, bool)
        self.steps = np.empty(length, held.signed)
        self.apart, self.larger = (np.empty(length, self.real) for _ in range(2))
        self.other = self.steps.view(self.real) if held.size == self.real.itemsize else np.empty(length, self.real)
        self.worst = -1.0  # the largest difference so far: where a block has none beyond it, no one asks where

    def changed(self, a_bits: np.ndarray, b_bits: np.ndarray) -> int:
        """In how many elements two blocks differ in their bits."""
        return int(np.count_nonzero(np.not_equal(a_bits, b_bits, out=self.flags[: a_bits.size])))


class Part(NamedTuple):
    differing: int
    absolute: float
    relative: float
    ulp: float
    index: int
    scale: float


def block_difference(a: np.ndarray, b: np.ndarray, changed: int, buffers: Buffers) -> Part:
    """The common case, everything finite: arrays stay in their own dtype, only the worst is widened.

    `changed` is how many elements differ in their bits.
    """
    apart, larger, other, steps = (
        buffer[: a.size] for buffer in (buffers.apart, buffers.larger, buffers.other, buffers.steps)
    )
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        wide_a, wide_b = (x.astype(buffers.real, copy=False) for x in (a, b))
        np.abs(np.subtract(wide_a, wide_b, out=apart), out=apart)
        worst = apart.max()  # a NaN, if there is one
        if not np.isfinite(worst):
            return special_difference(a, b)
        index = int(apart.argmax()) if worst > buffers.worst else None
        buffers.worst = max(buffers.worst, worst)
        np.maximum(np.abs(wide_a, out=larger), np.abs(wide_b, out=other), out=larger)
        relative = np.fmax.reduce(np.divide(apart, larger, out=apart), initial=0)  # passes over 0/0
    a_bits, b_bits = a.view(steps.dtype), b.view(steps.dtype)
    same_sign = np.bitwise_xor(a_bits, b_bits, out=steps).min() >= 0
    counted = np.subtract(a_bits, b_bits, out=steps) if same_sign else ulp_distance(a, b)
    ulp = max(int(counted.max()), -int(counted.min()))
    absolute = -1.0 if index is None else gap(a[index], b[index])
    index = int((a_bits != b_bits).argmax()) if absolute == 0 else index  # nothing but zeros of either sign
    return Part(changed, absolute, float(relative), float(ulp), index or 0, float(larger.max()))


def special_difference(a: np.ndarray, b: np.ndarray) -> Part:
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


def gap(x, y) -> float:
    """|x - y| of two finite numbers, rounded once; infinite beyond the largest double."""
    with np.errstate(over="ignore"):
        return float(abs(np.longdouble(x) - np.longdouble(y)))


def ulp_distance(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """How many floating-point numbers lie between a and b, as unsigned integers; +0 and -0 are one.

    The bits of a float without its sign count the floats from zero up, so the distance is the
    difference of the counts, or their sum across zero. Meaningless where one is NaN.
    """
    unsigned = formats.of(a.dtype).unsigned
    sign = unsigned.type(1 << (8 * unsigned.itemsize - 1))
    a_bits, b_bits = a.view(unsigned), b.view(unsigned)
    a_steps, b_steps = a_bits & ~sign, b_bits & ~sign
    apart = np.maximum(a_steps, b_steps) - np.minimum(a_steps, b_steps)
    return np.where((a_bits ^ b_bits) & sign != 0, a_steps + b_steps, apart)


def magnitude(array: np.ndarray) -> float:
    """The largest finite magnitude of a flat, non-empty array, zero if there is none."""
    largest = max(abs(float(array.max())), abs(float(array.min())))
    if math.isfinite(largest):
        return largest
    finite = array[np.isfinite(array)]
    return float(np.abs(finite).max()) if finite.size else 0.0
