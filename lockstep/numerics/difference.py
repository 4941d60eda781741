"""How far apart two arrays are: absolute, relative, in ulps, in ulps at the tensor's scale."""

import math
from typing import Any, NamedTuple

import numpy as np

BLOCK = 32768  # elements; the working arrays of a block stay in the second-level cache

FLOATS = (np.float16, np.float32, np.float64)
SIGNED = {2: np.int16, 4: np.int32, 8: np.int64}
UNSIGNED = {2: np.uint16, 4: np.uint32, 8: np.uint64}


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
        TypeError: for dtypes that differ, or are none of NumPy's own float16, float32 and float64.
        ValueError: for shapes that differ.
    """
    if left.dtype != right.dtype or left.dtype not in FLOATS:
        raise TypeError(f"can only compare arrays of one dtype, float16 to float64, not {left.dtype} and {right.dtype}")
    if left.shape != right.shape:
        raise ValueError(f"can only compare arrays of one shape, not {left.shape} and {right.shape}")
    left, right = np.ascontiguousarray(left).reshape(-1), np.ascontiguousarray(right).reshape(-1)
    signed = SIGNED[left.dtype.itemsize]
    left_bits, right_bits = left.view(signed), right.view(signed)
    equal, parts = [], []
    for start in range(0, left.size, BLOCK):
        block = slice(start, start + BLOCK)
        changed = int(np.count_nonzero(left_bits[block] != right_bits[block]))
        if changed:
            parts.append((start, block_difference(left[block], right[block], changed)))
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
        scaled_ulp=worst.absolute / spacing(scale, left.dtype),
        index=start + worst.index,
        scale=scale,
    )


class Part(NamedTuple):
    differing: int
    absolute: float
    relative: float
    ulp: float
    index: int
    scale: float


def block_difference(a: np.ndarray, b: np.ndarray, changed: int) -> Part:
    """The common case, everything finite: arrays stay in their own dtype, only the worst is widened.

    `changed` is how many elements differ in their bits.
    """
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        apart = a - b
        np.abs(apart, out=apart)
        index = int(apart.argmax())  # a NaN, if there is one
        if not np.isfinite(apart[index]):
            return special_difference(a, b)
        larger = np.abs(a)
        np.maximum(larger, np.abs(b), out=larger)
        relative = np.fmax.reduce(np.divide(apart, larger, out=apart), initial=0)  # passes over 0/0
    signed = SIGNED[a.dtype.itemsize]
    a_bits, b_bits = a.view(signed), b.view(signed)
    steps = a_bits ^ b_bits
    same_sign = steps.min() >= 0
    steps = np.subtract(a_bits, b_bits, out=steps) if same_sign else ulp_distance(a, b)
    ulp = max(int(steps.max()), -int(steps.min()))
    absolute = gap(a[index], b[index])
    index = index if absolute else int((a_bits != b_bits).argmax())  # nothing but zeros of either sign
    return Part(changed, absolute, float(relative), float(ulp), index, float(larger.max()))


def special_difference(a: np.ndarray, b: np.ndarray) -> Part:
    """A block with infinities, NaNs or overflow: equal ones agree, any other is infinitely far."""
    both_nan = np.isnan(a) & np.isnan(b)
    special = ~(np.isfinite(a) & np.isfinite(b))
    agree = both_nan | (special & (a == b))
    with np.errstate(invalid="ignore", over="ignore"):
        apart = np.where(special, np.where(agree, 0, np.inf), np.abs(a.astype(np.longdouble) - b))
    larger = np.where(special, 1, np.maximum(np.abs(a), np.abs(b)))
    relative = np.divide(apart, larger, out=np.zeros_like(apart), where=larger > 0)
    ulps = np.where(special, np.where(agree, 0, np.inf), ulp_distance(a, b).astype(np.float64))
    signed = SIGNED[a.dtype.itemsize]
    changed = ~both_nan & (a.view(signed) != b.view(signed))
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
    unsigned = UNSIGNED[a.dtype.itemsize]
    sign = unsigned(1 << (8 * a.dtype.itemsize - 1))
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


def spacing(scale: float, dtype: Any) -> float:
    """The ulp of a number of magnitude `scale`; unlike numpy.spacing's, that of the largest number is finite."""
    about = np.finfo(dtype)
    exponent = max(math.frexp(scale)[1] - 1, int(about.minexp)) if scale else int(about.minexp)
    return math.ldexp(1.0, exponent - about.nmant)


def bits(value) -> str:
    """The bits of one NumPy floating-point scalar, in hexadecimal."""
    array = np.asarray(value)
    return f"0x{int(array.view(UNSIGNED[array.dtype.itemsize])):0{2 * array.dtype.itemsize}x}"
