"""Comparison against exact rational arithmetic, over every bit pattern; and what its arithmetic would let through."""

import math
from fractions import Fraction
from unittest import mock

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from ml_dtypes import bfloat16, finfo

from lockstep.numerics import difference as module
from lockstep.numerics.difference import BLOCK, Difference, compare, magnitude, ulp_distance
from parity_tests.support.planted import planted

DTYPES = (np.float32, np.float64)
UNSIGNED = {bfloat16: np.uint16, np.float16: np.uint16, np.float32: np.uint32, np.float64: np.uint64}


# the oracle: rational numbers, which neither round nor know of bits


def place(x, dtype) -> int:
    """How many numbers of `dtype` lie between zero and |x|: counted through the powers of two below it."""
    about = finfo(dtype)
    in_a_binade = 1 << about.nmant
    if math.isinf(x):
        return place(about.max, dtype) + 1
    exact = abs(Fraction(float(x)))
    smallest = Fraction(float(about.smallest_normal))
    if exact < smallest:
        return int(exact / Fraction(float(about.smallest_subnormal)))
    binade = math.frexp(exact)[1] - math.frexp(smallest)[1]
    return (1 + binade) * in_a_binade + int((exact / (smallest * 2**binade) - 1) * in_a_binade)


def last_place(exact: Fraction, dtype) -> Fraction:
    """What a step from one number of `dtype` to the next is worth around `exact`."""
    about = finfo(dtype)
    smallest = Fraction(float(about.smallest_normal))
    return Fraction(2) ** (math.frexp(max(exact, smallest))[1] - 1 - about.nmant)


def signed_place(x, dtype) -> int:
    return place(x, dtype) * (-1 if x < 0 else 1)


def apart(x, y):
    """|x - y|, exact; None where a NaN or infinity makes it infinite."""
    if x == y or (math.isnan(x) and math.isnan(y)):
        return Fraction(0)
    return abs(Fraction(float(x)) - Fraction(float(y))) if math.isfinite(x) and math.isfinite(y) else None


def differ(x, y) -> bool:
    """In value or in the sign of a zero; two NaNs do not."""
    if math.isnan(x) or math.isnan(y):
        return math.isnan(x) != math.isnan(y)
    return x != y or math.copysign(1, x) != math.copysign(1, y)


def number(exact) -> float:
    """The nearest double to a rational number; infinity for None and beyond the range."""
    try:
        return math.inf if exact is None else float(exact)
    except OverflowError:
        return math.inf


def check(left, right, found: Difference) -> None:
    """Every field of `found` against the oracle."""
    dtype = left.dtype.type
    pairs = list(zip(left.reshape(-1), right.reshape(-1), strict=True))
    differing = [i for i, (x, y) in enumerate(pairs) if differ(x, y)]
    assert (found.elements, found.differing) == (len(pairs), len(differing))
    if not differing:
        assert found.index is None
        assert (found.absolute, found.relative, found.ulp, found.scaled_ulp) == (0, 0, 0, 0)
        return
    distances = [apart(x, y) for x, y in pairs]
    assert found.index in differing
    assert found.absolute == number(distances[found.index])
    # The largest is picked among differences rounded to the dtype: what is picked is not smaller than the
    # largest by more than those two roundings.
    u = Fraction(float(finfo(dtype).eps)) / 2
    worst = None if None in distances else max(distances)
    if worst is None:
        assert found.absolute == math.inf
    else:
        assert distances[found.index] * (1 + u) >= worst * (1 - u)
    numbers = [abs(Fraction(float(x))) for pair in pairs for x in pair if math.isfinite(x)]
    scale = max(numbers, default=Fraction(0))
    assert found.scale == scale
    place_of_scale = last_place(scale, dtype)
    assert found.scaled_ulp == number(None if found.absolute == math.inf else Fraction(found.absolute) / place_of_scale)
    ulps = [0 if d == 0 else None if d is None else abs(signed_place(x, dtype) - signed_place(y, dtype))
            for d, (x, y) in zip(distances, pairs, strict=True)]  # fmt: skip
    assert found.ulp == (math.inf if None in ulps else float(max(ulps)))
    check_relative(found.relative, pairs, distances, u)


def check_relative(found: float, pairs, distances, u) -> None:
    """Rounded by the difference, and again by the quotient."""
    if None in distances:
        assert found == math.inf
        return
    larger = [max(abs(Fraction(float(x))), abs(Fraction(float(y)))) for x, y in pairs if math.isfinite(x)]
    finite = [d for d, (x, _) in zip(distances, pairs, strict=True) if math.isfinite(x)]
    worst = max((d / size for d, size in zip(finite, larger, strict=True) if size), default=Fraction(0))
    assert worst * (1 - u) ** 2 <= Fraction(found) <= worst * (1 + u) ** 2


def further(x, steps):
    """x and the number `steps` steps above or below it."""
    y = x
    with np.errstate(over="ignore", invalid="ignore"):  # after the largest comes infinity, after a NaN itself
        for _ in range(abs(steps)):
            y = np.nextafter(y, type(x)(math.copysign(math.inf, steps)))
    return x, y


def patterns(dtype):
    """Any bit pattern, and more of those that are special."""
    about = finfo(dtype)
    special = [0.0, -0.0, math.inf, -math.inf, math.nan, 1.0, -1.0]
    special += [
        float(x) for x in (about.max, about.min, about.tiny, about.smallest_subnormal, -about.smallest_subnormal)
    ]
    special += [float(np.nextafter(about.tiny, dtype(0))), float(np.nextafter(dtype(1), dtype(2)))]
    raw = st.integers(0, 2 ** (8 * np.dtype(dtype).itemsize) - 1)
    return st.sampled_from([dtype(x) for x in special]) | raw.map(lambda i: UNSIGNED[dtype](i).view(dtype))


def neighbours(dtype):
    """A number beside itself a few steps further, where ulps are small and signs may change."""

    return st.builds(further, patterns(dtype), st.integers(-4, 4))


def arrays(dtype):
    """Two arrays of one length: equal, neighbouring and unrelated elements mixed."""
    one = patterns(dtype)
    pair = st.tuples(one, one) | neighbours(dtype) | one.map(lambda x: (x, x))
    return st.lists(pair, max_size=12).map(
        lambda pairs: tuple(np.array([pair[side] for pair in pairs], dtype) for side in (0, 1))
    )


FLOAT32 = arrays(np.float32)
FLOAT64 = arrays(np.float64)


def check_in_blocks(pair) -> None:
    """As one block, and as several, of which what is below the largest so far is not worked out."""
    check(*pair, compare(*pair))
    with mock.patch.dict(compare.__globals__, BLOCK=2):
        check(*pair, compare(*pair))


@given(FLOAT32)
@example((np.array([finfo("f4").max], "f4"), np.array([finfo("f4").min], "f4")))
@example((np.array([0.0], "f4"), np.array([-0.0], "f4")))
@example((np.array([0.0, 1.0], "f4"), np.array([0.0, 1.0], "f4")))
def test_against_the_oracle_float32(pair):
    check_in_blocks(pair)


@given(FLOAT64)
@example((np.array([finfo("f8").max]), np.array([finfo("f8").min])))
@example((np.array([1.0, 0.0]), np.array([1.0, -0.0])))
@example((np.array([math.nan, 1e300]), np.array([-math.nan, 1e300])))
def test_against_the_oracle_float64(pair):
    check_in_blocks(pair)


@given(arrays(np.float16) | arrays(bfloat16))
def test_against_the_oracle_in_sixteen_bits(pair):
    check_in_blocks(pair)


@given(FLOAT32 | FLOAT64)
def test_swapping_the_sides_changes_nothing(pair):
    left, right = pair
    there, back = compare(left, right), compare(right, left)
    assert there[:-1] == back[:-1]
    assert there.scale == back.scale or (math.isnan(there.scale) and math.isnan(back.scale))


# ulps, counted one by one


def test_every_number_of_half_precision_is_a_step_from_the_next():
    upwards = [np.float16(-math.inf)]
    while upwards[-1] < math.inf:
        upwards.append(further(upwards[-1], 1)[1])
    steps = ulp_distance(np.array(upwards[:-1]), np.array(upwards[1:]))
    assert len(upwards) == 2 * 0x7C00 + 1  # as many patterns as there are up to infinity, on either side of zero
    assert (steps == 1).all()
    middle = np.full(len(upwards), upwards[len(upwards) // 2])
    assert (ulp_distance(middle, np.array(upwards)) == abs(np.arange(len(upwards)) - len(upwards) // 2)).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_steps_from_one_number_to_another_are_counted(dtype):
    for start in (0.0, 1.0, -1.0, float(finfo(dtype).tiny), -3 * float(finfo(dtype).smallest_subnormal)):
        x = y = dtype(start)
        for count in range(9):
            assert ulp_distance(np.array([x]), np.array([y]))[0] == count
            y = np.nextafter(y, dtype(math.inf))


@pytest.mark.parametrize("dtype", DTYPES)
def test_zeros_of_either_sign_differ_in_bits_and_in_nothing_else(dtype):
    left = np.array([1, 0, -0.0], dtype)
    found = compare(left, np.array([1, 0, 0], dtype))
    assert found == Difference(3, 1, 0.0, 0.0, 0.0, 0.0, 2, 1.0)
    left, right = np.array([1, 0, -0.0], dtype), np.array([np.nextafter(dtype(1), dtype(2)), -0.0, 0], dtype)
    check(left, right, compare(left, right))


@pytest.mark.parametrize("dtype", DTYPES)
def test_differences_beyond_the_range(dtype):
    about = finfo(dtype)
    found = compare(np.array([about.max, 1], dtype), np.array([about.min, 1], dtype))
    exact = 2 * Fraction(float(about.max))
    assert (found.absolute, found.relative, found.index) == (number(exact), 2.0, 0)
    assert found.ulp == float(2 * place(about.max, dtype))


@pytest.mark.parametrize(
    ("left", "right", "ulp"),
    [
        (math.nan, math.nan, 0),
        (math.nan, 1.0, math.inf),
        (1.0, math.nan, math.inf),
        (math.inf, math.inf, 0),
        (math.inf, -math.inf, math.inf),
        (math.inf, math.nan, math.inf),
        (math.inf, 1.0, math.inf),
    ],
)
def test_what_is_no_number_agrees_with_itself_alone(left, right, ulp):
    found = compare(np.array([0.5, left]), np.array([0.5, right]))
    assert (found.ulp, found.absolute, found.relative, found.scaled_ulp) == (ulp,) * 4
    assert (found.differing, found.index) == ((1, 1) if ulp else (0, None))


# blocks

LENGTHS = (BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 5)
PLACES = [(n, at) for n in LENGTHS for at in sorted({0, n // 2, BLOCK - 1, BLOCK, 2 * BLOCK + 1, n - 1}) if at < n]


@pytest.mark.parametrize(("n", "at"), PLACES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_one_difference_is_found_wherever_it_is(dtype, n, at):
    left = np.linspace(-1, 1, n).astype(dtype)
    left[0] = 7  # the scale, in a block without a difference
    right = left.copy()
    right[at] = np.nextafter(right[at], dtype(9))
    gap = abs(Fraction(float(left[at])) - Fraction(float(right[at])))
    larger = max(abs(Fraction(float(x[at]))) for x in (left, right))
    found = compare(left, right)
    assert (found.elements, found.differing, found.index, found.ulp) == (n, 1, at, 1)
    assert found.absolute == float(gap)
    scale = max(7.0, float(right[0]))
    assert (found.scale, found.scaled_ulp) == (scale, float(gap) / float(np.spacing(dtype(scale))))
    u = Fraction(float(finfo(dtype).eps)) / 2
    assert gap / larger * (1 - u) <= Fraction(found.relative) <= gap / larger * (1 + u)


def test_the_worst_of_several_blocks():
    left = np.ones(5 * BLOCK, np.float32)
    right = left.copy()
    for block, size in enumerate((2, 5, 3, 5)):
        right[block * BLOCK + 10 : block * BLOCK + 12] += np.float32(size)
    found = compare(left, right)
    assert (found.differing, found.absolute, found.index) == (8, 5.0, BLOCK + 10)


def test_the_worst_of_several_blocks_may_be_the_last():
    left = np.ones(3 * BLOCK, np.float32)
    right = left.copy()
    right[5], right[BLOCK + 6], right[-1] = 2, 1.5, 9
    found = compare(left, right)
    assert (found.differing, found.absolute, found.index) == (3, 8.0, left.size - 1)


def test_a_nan_in_one_block_does_not_hide_the_others():
    left, right = np.ones(3 * BLOCK), np.ones(3 * BLOCK)
    left[5] = right[5] = left[BLOCK] = math.nan
    right[-1] = 2
    found = compare(left, right)
    assert (found.differing, found.absolute, found.index, found.scale) == (2, math.inf, BLOCK, 2.0)


# Blocks of a number each, and how many steps further the other is; only in what it is called is the last the furthest.
FAR = {
    "absolute": ((1e6, 1), (1.0, 3), (5e5, 3)),
    "relative": ((1.99, 4), (1.0, 3)),
    "ulp": ((1.0, 4), (1e6, 4), (1.99, 6)),
    "scale": ((1.0, 8), (3.0, 1)),
    "scale below zero": ((1.0, 8), (-3.0, -1)),
    "scale of the other": ((1.0, 8), (1.0000009, 4)),
    "ulp across zero": ((1e3, 99), (1e-30, -1e-30), (2e3, 2.1e3), (1.5, -1.4)),
}


@pytest.mark.parametrize("far", FAR)
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_later_block_is_further_apart_in_one_thing(dtype, far):
    left = np.array([x for x, _ in FAR[far]], dtype)
    right = [further(x, y)[1] if isinstance(y, int) else dtype(y) for x, (_, y) in zip(left, FAR[far], strict=True)]
    with mock.patch.dict(compare.__globals__, BLOCK=1):
        check(left, np.array(right), compare(left, np.array(right)))


# any layout


@pytest.mark.parametrize("dtype", DTYPES)
def test_any_layout_is_compared_in_the_order_of_its_indices(dtype):
    grid = np.arange(24, dtype=dtype).reshape(4, 6)
    other = grid.copy()
    other[2, 3] += 1
    for left, right in (
        (grid.T, other.T),
        (np.asfortranarray(grid), other),
        (grid[:, ::-1], other[:, ::-1]),
        (grid[1:, ::3], other[1:, ::3]),
    ):
        found = compare(left, right)
        assert (found.differing, found.absolute) == (1, 1.0)
        assert left.flat[found.index] == grid[2, 3]


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_number_without_dimensions(dtype):
    found = compare(np.array(1, dtype), np.array(2, dtype))
    assert (found.elements, found.differing, found.index, found.relative) == (1, 1, 0, 0.5)
    assert found.ulp == 1 << finfo(dtype).nmant


@pytest.mark.parametrize("shape", [(0,), (3, 0)])
def test_nothing_differs_in_nothing(shape):
    found = compare(np.zeros(shape), np.zeros(shape))
    assert found[:-1] == (0, 0, 0.0, 0.0, 0.0, 0.0, None)


def test_the_arrays_stay_as_they_are():
    left, right = np.arange(5.0), np.arange(5.0) + 1
    before = left.copy(), right.copy()
    left.flags.writeable = right.flags.writeable = False
    compare(left, right)
    assert np.array_equal(left, before[0])
    assert np.array_equal(right, before[1])


@pytest.mark.parametrize(
    ("left", "right", "error", "text"),
    [
        (np.ones(2, "f4"), np.ones(2, "f8"), TypeError, "float32 and float64"),
        (np.ones(2, int), np.ones(2, int), TypeError, "int64 is no format"),
        (np.ones(2, complex), np.ones(2, complex), TypeError, "complex128"),
        (np.ones(2, ">f4"), np.ones(2, ">f4"), TypeError, ">f4"),
        (np.ones(2, np.longdouble), np.ones(2, np.longdouble), TypeError, str(np.dtype(np.longdouble))),
        (np.ones(2), np.ones(3), ValueError, "(2,) and (3,)"),
        (np.ones((2, 1)), np.ones((1, 2)), ValueError, "(2, 1) and (1, 2)"),
    ],
)
def test_what_cannot_be_compared_is_named(left, right, error, text):
    with pytest.raises(error) as raised:
        compare(left, right)
    assert text in str(raised.value)


def test_the_largest_finite_magnitude():
    assert magnitude(np.array([math.nan, -3, 2, math.inf])) == 3.0
    assert magnitude(np.array([math.nan, -math.inf])) == 0.0


# the checks above would notice

MUTANTS = {
    "across zero as within a sign": ("np.bitwise_xor(count, sign, out=count), sign, out=count", "count, 0, out=count"),
    "zeros of either sign a step apart": ("out=count), sign, out=count)", "out=count), 0, out=count)"),
    "zeros of either sign subtracted": ("if most < 2**self.held.precision", "if most < 1 << 70"),
    "bits of either sign subtracted": ("if near:\n            counted", "if True:\n            counted"),
    "a NaN agrees with anything": ("agree = both_nan |", "agree = np.isnan(a) | np.isnan(b) |"),
    "two NaNs differ": ("both_nan = np.isnan(a) & np.isnan(b)", "both_nan = np.zeros(a.shape, bool)"),
    "infinities of either sign agree": ("(special & (a == b))", "(special & (abs(a) == abs(b)))"),
    "differences overflow": ("a.astype(np.longdouble), b.astype(np.longdouble)", "a, b"),
    "relative to one side": (
        "np.maximum(np.abs(wide_a, out=larger), np.abs(wide_b, out=other), out=larger)",
        "np.abs(wide_a, out=larger)",
    ),
    "relative to both sides": ("np.maximum(np.abs(wide_a, out=larger)", "np.add(np.abs(wide_a, out=larger)"),
    "the place within its block": ("gap(a[place], b[place]), start + place", "gap(a[place], b[place]), place"),
    "the first block alone": ("range(0, left.size, BLOCK)", "range(0, min(left.size, BLOCK), BLOCK)"),
    "whole blocks alone": ("range(0, left.size, BLOCK)", "range(0, left.size - left.size % BLOCK or left.size, BLOCK)"),
    "the scale of differing blocks": ("+ [magnitude(left[block]) for block in equal]", ""),
    "counted by value": (
        "measured.changed(left_bits[block], right_bits[block])",
        "measured.changed(left[block], right[block])",
    ),
    "the largest step downwards alone": (", -int(np.minimum.reduce(counted)))", ", 0)"),
    "a zero that agrees": (".argmax()) if worst else", ".argmax()) if True else"),
    "no block after the first": ("if worst > self.worst", "if self.worst < 0"),
    "an earlier block covers any relative difference": ("or ratio > self.relative", ""),
    "an earlier block covers twice the relative difference": ("ratio > self.relative", "ratio > 2 * self.relative"),
    "an earlier block covers any number": ("or (1 + ratio) * largest > self.scale", ""),
    "an earlier block covers the other side's numbers": ("(1 + ratio) * largest", "largest"),
    "an earlier block covers any steps": ("or math.floor(ratio * 2.0**self.held.precision) > self.ulp", ""),
    "as many steps as from a power of two": ("2.0**self.held.precision", "2.0 ** (self.held.precision - 1)"),
    "across zero no further than on one side": ("ratio < 0.5", "ratio < 3"),
    "what is furthest above zero alone": (", -float(np.minimum.reduce(array))", ", 0"),
    "what is relatively furthest above zero alone": (", -float(np.fmin.reduce(apart, initial=0))", ", 0"),
    "rounded to single": (
        "return float(abs(np.longdouble(x) - np.longdouble(y)))",
        "return float(np.float32(abs(x - y)))",
    ),
}


def drawn(dtype, rng):
    """Two arrays of random bit patterns, some of them neighbours, equal or special."""
    raw = np.frombuffer(rng.bytes(8 * np.dtype(dtype).itemsize), dtype)
    other = np.frombuffer(rng.bytes(8 * np.dtype(dtype).itemsize), dtype).copy()
    special = np.array([0.0, -0.0, math.inf, -math.inf, math.nan, finfo(dtype).max, finfo(dtype).min], dtype)
    for i in range(8):
        other[i] = rng.choice([other[i], raw[i], -raw[i], further(raw[i], int(rng.integers(-2, 3)))[1], *special])
    few = slice(int(rng.integers(1, 9)))
    return np.where(rng.random(8) < 0.7, raw, rng.choice(special, 8))[few], other[few]


def everything():
    """The checks above, on numbers that are drawn once."""
    rng = np.random.default_rng(0)
    for dtype in DTYPES:
        for pair in [drawn(dtype, rng) for _ in range(300)]:
            check_in_blocks(pair)
        for far in FAR:
            test_a_later_block_is_further_apart_in_one_thing(dtype, far)
        test_zeros_of_either_sign_differ_in_bits_and_in_nothing_else(dtype)
    for n, at in PLACES:
        test_one_difference_is_found_wherever_it_is(np.float32, n, at)
    test_the_worst_of_several_blocks()
    test_the_worst_of_several_blocks_may_be_the_last()


def test_the_drawn_numbers_pass():
    everything()


@pytest.mark.parametrize("name", MUTANTS)
def test_a_wrong_comparison_is_noticed(name, monkeypatch):
    mutant = planted(module, *MUTANTS[name])
    for function in ("compare", "ulp_distance"):
        monkeypatch.setitem(globals(), function, getattr(mutant, function))
    with pytest.raises((AssertionError, OverflowError)):
        everything()
