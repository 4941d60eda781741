"""Error-carrying numbers take part in all of Python's operators and the NumPy functions a formula may use.

The measure is Python's own rational numbers, sixty decimal digits where a result is no fraction: whatever numbers two
operands may be within their errors, the exact result of those lies within the error of the result.
"""

import decimal
import functools
import itertools
import math
import operator
from fractions import Fraction

import numpy as np
import pytest
import torch

from lockstep.numerics import bounded as module
from lockstep.numerics import probe
from lockstep.numerics.bounded import Bounded, Undecided
from parity_tests.numerics.test_bounded import spread, used
from parity_tests.support.planted import planted

DTYPES = [dtype for dtype in (np.float32, np.float64) if np.dtype(dtype).name in probe.measurable()]
CONTEXT = decimal.Context(prec=60, Emin=-9999, Emax=9999, traps=[])


def power(base, exponent) -> Fraction:
    """base**exponent of two fractions to sixty digits; exact for a whole exponent."""
    if exponent.denominator == 1:
        return base ** int(exponent)
    with decimal.localcontext(CONTEXT):
        return Fraction(in_decimals(base) ** in_decimals(exponent))


def in_decimals(x) -> decimal.Decimal:
    return decimal.Decimal(x.numerator) / decimal.Decimal(x.denominator)


def root(x) -> Fraction:
    with decimal.localcontext(CONTEXT):
        return Fraction(in_decimals(x).sqrt())


# What a formula may write, of numbers of either sign and nearly one size, and the same of two fractions.
OPERATIONS = {
    "x + y": (lambda x, y: x + y, operator.add),
    "x - y": (lambda x, y: x - y, operator.sub),
    "0.1 - y": (lambda x, y: 0.1 - y, lambda x, y: Fraction(0.1) - y),
    "x * y": (lambda x, y: x * y, operator.mul),
    "x / y": (lambda x, y: x / y, operator.truediv),
    "0.1 / y": (lambda x, y: 0.1 / y, lambda x, y: Fraction(0.1) / y),
    "|x|**y": (lambda x, y: abs(x) ** y, lambda x, y: power(abs(x), y)),
    "x**2": (lambda x, y: x**2, lambda x, y: x**2),
    "x**3": (lambda x, y: np.power(x, 3), lambda x, y: x**3),
    "x**-1": (lambda x, y: x**-1, lambda x, y: 1 / x),
    "x**-2": (lambda x, y: x**-2.0, lambda x, y: 1 / x**2),
    "x**0": (lambda x, y: x**0, lambda x, y: Fraction(1)),
    "|x|**0.8": (lambda x, y: np.abs(x) ** 0.8, lambda x, y: power(abs(x), Fraction(0.8))),
    "|x|**-0.8": (lambda x, y: abs(x) ** -0.8, lambda x, y: power(abs(x), Fraction(-0.8))),
    "|x|**0.5": (lambda x, y: abs(x) ** 0.5, lambda x, y: root(abs(x))),
    "0.96**y": (lambda x, y: 0.96**y, lambda x, y: power(Fraction(0.96), y)),
    "array**y": (lambda x, y: np.full(x.shape, 3, x.dtype) ** y, lambda x, y: power(Fraction(3), y)),
    "x // y": (lambda x, y: x // y, lambda x, y: Fraction(x // y)),
    "x // 0.1": (lambda x, y: x // 0.1, lambda x, y: Fraction(x // Fraction(0.1))),
    "1 // y": (lambda x, y: 1 // y, lambda x, y: Fraction(1 // y)),
    "x % y": (lambda x, y: x % y, operator.mod),
    "2 % y": (lambda x, y: 2 % y, lambda x, y: 2 % y),
    "divmod(x, y)[1]": (lambda x, y: divmod(x, y)[1], operator.mod),
    "divmod(2, y)[0]": (lambda x, y: divmod(2, y)[0], lambda x, y: Fraction(2 // y)),
    "fmod(x, y)": (np.fmod, lambda x, y: x - y * math.trunc(x / y)),
    "floor": (lambda x, y: np.floor(x), lambda x, y: Fraction(math.floor(x))),
    "ceil": (lambda x, y: np.ceil(x), lambda x, y: Fraction(math.ceil(x))),
    "trunc": (lambda x, y: np.trunc(x), lambda x, y: Fraction(math.trunc(x))),
    "rint": (lambda x, y: np.rint(x), lambda x, y: Fraction(round(x))),
    "round(x, 1)": (lambda x, y: np.round(x, 1), lambda x, y: round(x, 1)),
    "round(1000 x, -2)": (lambda x, y: np.round(1000 * x, -2), lambda x, y: Fraction(round(1000 * x, -2))),
    "sign": (lambda x, y: np.sign(x), lambda x, y: Fraction((x > 0) - (x < 0))),
    "maximum": (np.maximum, max),
    "minimum": (np.minimum, min),
    "fmin": (lambda x, y: np.fmin(x, 0.1), lambda x, y: min(x, Fraction(0.1))),
    "clip": (lambda x, y: np.clip(x, -0.3, np.abs(y)), lambda x, y: min(max(x, Fraction(-0.3)), abs(y))),
    "clip above": (lambda x, y: x.clip(None, 0.3), lambda x, y: min(x, Fraction(0.3))),
    "reciprocal": (lambda x, y: np.reciprocal(x), lambda x, y: 1 / x),
    "hypot": (np.hypot, lambda x, y: root(x * x + y * y)),
    "x > y": (lambda x, y: x > y, lambda x, y: Fraction(x > y)),
    "x >= y": (lambda x, y: x >= y, lambda x, y: Fraction(x >= y)),
    "x < 0.3": (lambda x, y: x < 0.3, lambda x, y: Fraction(x < Fraction(0.3))),
    "x <= y": (np.less_equal, lambda x, y: Fraction(x <= y)),
    "x == y": (lambda x, y: x == y, lambda x, y: Fraction(x == y)),
    "x != y": (lambda x, y: x != y, lambda x, y: Fraction(x != y)),
    "and": (lambda x, y: (x > 0) & (y > 0.3), lambda x, y: Fraction(x > 0 and y > Fraction(0.3))),
    "or": (lambda x, y: (x > 0) | (y > 0.3), lambda x, y: Fraction(x > 0 or y > Fraction(0.3))),
    "xor": (lambda x, y: (x > 0) ^ (y > 0.3), lambda x, y: Fraction((x > 0) != (y > Fraction(0.3)))),
    "not": (lambda x, y: np.logical_not(x > y), lambda x, y: Fraction(not x > y)),
    "logical_and": (lambda x, y: np.logical_and(x > 0, x < y), lambda x, y: Fraction(0 < x < y)),
    "where": (lambda x, y: np.where(x > y, x, -y), lambda x, y: x if x > y else -y),
    "where of a number": (lambda x, y: np.where(x, x, y), lambda x, y: x or y),
}

# Of a whole array: a formula, and the same of the list of fractions.
REDUCTIONS = {
    "sum": (lambda x: x.sum(), sum),
    "mean": (np.mean, lambda x: sum(x) / len(x)),
    "prod": (np.prod, math.prod),
    "max": (np.max, max),
    "min": (lambda x: x.min(), min),
    "argmax": (np.argmax, lambda x: Fraction(max(range(len(x)), key=x.__getitem__))),
    "argmin": (np.argmin, lambda x: Fraction(min(range(len(x)), key=x.__getitem__))),
    "any": (lambda x: np.any(x > 1), lambda x: Fraction(any(one > 1 for one in x))),
    "all": (lambda x: np.all(x > -1), lambda x: Fraction(all(one > -1 for one in x))),
    "norm": (np.linalg.norm, lambda x: root(sum(one * one for one in x))),
    "1-norm": (lambda x: np.linalg.norm(x, 1), lambda x: sum(abs(one) for one in x)),
    "3-norm": (lambda x: np.linalg.norm(x, 3), lambda x: power(sum(abs(one) ** 3 for one in x), Fraction(1, 3))),
    "inf-norm": (lambda x: np.linalg.norm(x, np.inf), lambda x: max(map(abs, x))),
    "-inf-norm": (lambda x: np.linalg.norm(x, -np.inf), lambda x: min(map(abs, x))),
    "0-norm": (lambda x: np.linalg.norm(x, 0), lambda x: Fraction(sum(one != 0 for one in x))),
    "dot": (lambda x: np.dot(x, x), lambda x: sum(one * one for one in x)),
}


def fraction(x) -> Fraction:
    """A number of any of NumPy's precisions: longdouble is the sum of two doubles."""
    head = float(x)
    return Fraction(head) + Fraction(float(x - head))


def excess(exact, bound: Bounded) -> bool:
    """Whether a result lies outside the error of what should bound it."""
    value, error = bound.value.item(), bound.error.item()
    if not np.isfinite(error) or np.isnan(value):
        return False
    return abs(exact - fraction(value)) > fraction(error)


def operands(dtype, size: float) -> tuple[Bounded, Bounded]:
    """Pairs far apart, near each other and equal; near whole numbers, too; each with an error of its own."""
    rng = np.random.default_rng(1)
    x, y = (spread(rng, 48, dtype, -1, 0.6) for _ in range(2))
    y[::3] = x[::3] * dtype(1 + 2 * size)
    y[1::6] = x[1::6]
    x[2::8] = np.rint(4 * x[2::8]) / 2
    x[x == 0] = 0.5
    errors = [np.where(rng.random(48) < 0.2, 0, np.abs(number) * size * rng.random(48)) for number in (x, y)]
    return tuple(Bounded(number, dtype, error=error, sure=True) for number, error in zip((x, y), errors, strict=True))


SHARES = (Fraction(0), Fraction(1), Fraction(-1), Fraction(1, 2), Fraction(-1, 3))


def unbounded(name: str, dtype, size: float) -> int:
    """How many elements know no bound; fails where a result lies outside of one."""
    formula, exactly = OPERATIONS[name]
    x, y = operands(dtype, size)
    with np.errstate(all="ignore"):
        bound = formula(x, y)
    for place in range(x.size):
        a, b = (fraction(number.value[place]) for number in (x, y))
        da, db = (fraction(number.error[place]) for number in (x, y))
        within = bound[place]
        for s, t in itertools.product(SHARES if da else SHARES[:1], SHARES if db else SHARES[:1]):
            exact = exactly(a + s * da, b + t * db)
            assert not excess(exact, within), f"{name} of {x[place]} and {y[place]}: {within}"
    return int(np.isinf(np.broadcast_to(bound.error, x.shape)).sum())


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", [0, 1e-6, 0.2])
@pytest.mark.parametrize("name", OPERATIONS)
def test_the_exact_result_lies_within_the_error(name, size, dtype):
    assert unbounded(name, dtype, size) == 0


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", [0, 1e-6, 0.2])
@pytest.mark.parametrize("name", REDUCTIONS)
def test_the_exact_result_of_an_array_lies_within_the_error(name, size, dtype):
    formula, exactly = REDUCTIONS[name]
    x, _ = operands(dtype, size)
    for count, step in itertools.product((1, 2, 3, 16), range(3)):
        part = x[step : step + count]
        bound = formula(part)
        values, errors = ([fraction(one) for one in array] for array in (part.value, part.error))
        assert np.isfinite(bound.error)
        rng = np.random.default_rng(step)
        for _ in range(12):
            shares = [Fraction(int(share), 4) for share in rng.integers(-4, 5, count)]
            exact = exactly([v + s * e for v, s, e in zip(values, shares, errors, strict=True)])
            assert not excess(exact, bound), f"{name} of {part}: {bound}"


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("name", ["sum", "mean", "prod", "max", "min", "argmax", "argmin", "any", "all"])
def test_an_axis_is_reduced_as_numpy_does_it(name, axis, dtype):
    rng = np.random.default_rng(3)
    x = rng.integers(-3, 3, (3, 4)).astype(dtype)
    bound = getattr(np, name)(Bounded(x, dtype), axis=axis)
    assert np.array_equal(bound.value, getattr(np, name)(x.astype(bound.value.dtype), axis=axis))
    assert not name.startswith("arg") or not bound.error.any()


# what honest libraries make of it


def results(name: str, x: np.ndarray, y: np.ndarray):
    """NumPy's result and PyTorch's of an operation on arrays."""
    kernels = {"|x|**y": torch.pow, "x // y": torch.floor_divide, "x % y": torch.remainder, "fmod": torch.fmod}
    kernels |= {
        "clip": lambda x, y: x.clamp(-0.3, 0.3),
        "hypot": torch.hypot,
        "sin": lambda x, y: x.sin(),
        "cos": lambda x, y: x.cos(),
    }
    ours = HONEST[name](x, y)
    yield ours
    x = np.abs(x) if name == "|x|**y" else x
    yield kernels[name](torch.from_numpy(x), torch.from_numpy(y)).numpy()
    if name == "|x|**y" and x.dtype == np.float64:
        yield np.array([a**b for a, b in zip(np.abs(x).tolist(), y.tolist(), strict=True)])


HONEST = {
    "|x|**y": lambda x, y: abs(x) ** y,
    "x // y": lambda x, y: x // y,
    "x % y": lambda x, y: x % y,
    "fmod": np.fmod,
    "clip": lambda x, y: np.clip(x, -0.3, 0.3),
    "hypot": np.hypot,
    "sin": lambda x, y: np.sin(x),
    "cos": lambda x, y: np.cos(x),
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", HONEST)
def test_no_librarys_result_exceeds_its_allowance(name, dtype):
    rng = np.random.default_rng(5)
    x, y = (spread(rng, 20_000, dtype, -2, 1) for _ in range(2))
    x[::5] = np.ceil(np.abs(x[::5])) * y[::5]
    with np.errstate(all="ignore"):
        bound = HONEST[name](Bounded(x, dtype), Bounded(y, dtype))
        shares = [used(bound, result).max() for result in results(name, x, y)]
    print(f"{name}: {', '.join(f'{share:.0%}' for share in shares)}")
    assert max(shares) <= 1
    assert np.isfinite(bound.error).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("ord_", [None, 1, 2, 3, 2.5, np.inf])
def test_no_librarys_norm_exceeds_its_allowance(ord_, dtype):
    rng = np.random.default_rng(6)
    for count in (1, 7, 1000):
        x = spread(rng, count, dtype, -3, 3)
        bound = np.linalg.norm(Bounded(x, dtype), ord_)
        for honest in (np.linalg.norm(x, ord_), torch.linalg.vector_norm(torch.from_numpy(x), ord_ or 2).numpy()):
            assert used(bound, dtype(honest)) <= 1


def test_a_decay_of_a_decay():
    """NAdam's own: a hyperparameter to the power of another times the step, in Python's double."""
    decay = Bounded.scalar(0.004)
    exponent = 7.0 * decay
    mu = Bounded.scalar(0.9) * (1 - 0.5 * 0.96**exponent)
    assert mu.weak
    assert used(mu, np.float64(0.9 * (1.0 - 0.5 * (0.96 ** (7.0 * 0.004))))) <= 1
    assert float(mu.error) < 1e-15


# what is undecided is said


def test_a_branch_that_rounding_decides_is_undecided():
    x = Bounded(np.float32(1), np.float32) / 3 * 3
    for ask in (lambda: bool(x > 1), lambda: x == 1 and 1, lambda: min(x, 1.0), lambda: bool(x - 1), lambda: not x - 1):
        with pytest.raises(Undecided, match="decided by rounding"):
            ask()
    assert x > 0.5
    assert max(x, 0.5) is x
    assert bool(x)


def test_an_index_that_rounding_decides_is_undecided():
    x = Bounded(np.array([1.0, 3.0, 3.0], np.float32), np.float32)
    assert [10, 20, 30][np.argmax(x)] == 20
    with pytest.raises(Undecided):
        operator.index(np.argmax(x / 3 * 3))
    with pytest.raises(TypeError, match="no index"):
        operator.index(x[0] / 2)


@pytest.mark.parametrize("formula", [
    lambda x: x**0.8,  # a negative number's
    lambda x: (x - 1) ** -1.0,
    lambda x: 2 ** (x / (x - 1)),
    lambda x: 5 % (x - 1),
    np.log,
])  # fmt: skip
def test_what_has_no_bound_has_an_infinite_error(formula):
    x = Bounded(np.array([1.0], np.float32), np.float32, error=2.0, sure=False)
    with np.errstate(all="ignore"):
        assert not np.isfinite(formula(x).error).any()


def test_a_base_that_may_be_zero_has_a_bound_where_its_sign_is_sure():
    square = Bounded(np.array([1e-30, 0.0], np.float32), np.float32) ** 2
    for exponent in (0.8, 1.5, 3):
        power_of_it = square**exponent
        assert np.isfinite(power_of_it.error).all()
        with np.errstate(under="ignore"):
            assert used(power_of_it, np.zeros(2, np.float32)).max() <= 1
        farther = Bounded(np.array([0.05, 0.0]), np.float64, error=0.1) ** exponent
        assert used(farther, np.array([0.15, 0.1]) ** exponent).max() <= 1
        assert used(farther, np.zeros(2)).max() <= 1
    assert np.isposinf((square**-0.5).error).all()


def test_whether_an_infinite_error_is_finite_is_uncertain():
    x = Bounded(np.array([1.0, 1.0]), np.float64, error=[0.0, np.inf])
    for function in (np.isfinite, np.isinf, np.isnan):
        assert np.array_equal(function(x).error, [0, 1])


def test_a_certain_whole_quotient_is_certain():
    x = Bounded(np.array([6.0, 7.0, 6.0]), np.float64, error=[0, 0, 1e-9])
    assert np.array_equal((x // 3).error, [0, 0, 1])
    assert np.array_equal((x % 3).value, [0, 1, 0])
    assert (x % 3).error[2] > 3
    tenths = Bounded(np.array([1.0]), np.float64) // Bounded(np.array([0.1]), np.float64)
    assert (tenths.value, tenths.error) == (9, 1), "1/0.1 rounds to 10"


def test_a_condition_is_as_certain_as_its_parts():
    """Yes, no and what rounding decides: the table of each operation, worked out by what each may be."""
    x = Bounded(np.array([1.0, -1.0, 0.0]), np.float64, error=[0, 0, 1])
    condition = x > 0
    possible = [{True}, {False}, {True, False}]
    for operation in (operator.and_, operator.or_, operator.xor):
        for left, right in itertools.product(range(3), range(3)):
            answers = {operation(a, b) for a in possible[left] for b in possible[right]}
            found = operation(condition[left], condition[right])
            assert float(found.error) == len(answers) - 1
            assert bool(found.value) in answers
    assert np.array_equal((~condition).error, [0, 0, 1])
    for places in itertools.product(range(3), repeat=2):
        part = condition[list(places)]
        for function in (any, all):
            answers = {function(pair) for pair in itertools.product(*(possible[place] for place in places))}
            found = getattr(part, function.__name__)()
            assert float(found.error) == len(answers) - 1
            assert bool(found.value) in answers


# the checks above would notice

MUTANTS = {
    "one factor's error forgotten": ("+ np.abs(other.value) * self.error + self.error * other.error", ""),
    "the base's error forgotten": ("apart = np.abs(exponent.value) * slope", "apart = 0 * slope"),
    "the exponent's error forgotten": ("exponent.error > 0, exponent.error *", "False, exponent.error *"),
    "a base from zero on": ("np.maximum(highest - np.abs(value), np.abs(value))", "0.0"),
    "a library's power is the nearest": ("ROUNDINGS + 2 * kernel_ulps(\"power\", a.dtype)", "0"),
    "a third power with a square's slope": ("(np.abs(self.value) + self.error) ** (times - 1)", "np.abs(self.value)"),
    "any quotient is certain": ("(ratio.value % 1 == 0) &", ""),
    "what divides is uncertain": ("np.where(divides, 0, ratio.error)", "ratio.error"),
    "a remainder never wraps": ("np.abs(b.value) * times.error\n", "0.0\n"),
    "a remainder without its divisor's error": ("b.error > 0, (np.abs(times", "False, (np.abs(times"),
    "a step upwards forgotten": ("rounding(above) - value", "0"),
    "a step downwards forgotten": ("value - rounding(below)", "0"),
    "round at the wrong place": ("(self * tens).rint() / tens", "(self * tens / 10).rint() / tens * 10"),
    "a limit that is not rounded": ("self.larger(low, np.maximum)", "self.larger(self.like(low, 0, True), np.maximum)"),
    "a product without its factors' errors": ("(np.abs(self.value) + self.error).prod", "np.abs(self.value).prod"),
    "the first largest is certain": ("np.where(unsure, far, 0)", "0 * far"),
    "the nearest rival alone": ("- place[..., None]), 0).max(-1)", "- place[..., None]), 0).max(-1).clip(0, 1)"),
    "conditions are sure": ("np.where(may_hold & may_fail, 1, 0), True)\n\n    def both", "0, True)\n\n    def both"),
    "one false is not enough": ("(operation(p, q), a & b)", "(operation(p, q), a | b)"),
    "all as any": ("return ~(~self).any(axis, keepdims)", "return self.any(axis, keepdims)"),
    "any where all may fail": ("may_fail.all(axis=axis", "may_fail.any(axis=axis"),
    "a branch is taken blindly": ("if self.size == 1 and all(part.any() for part in self.truth()):", "if False:"),
    "a number is true for certain": ("outward(either), error)", "error, error)"),
    "a norm without its root": ("self.square().sum(axis, keepdims).sqrt()", "self.square().sum(axis, keepdims)"),
    "any norm is the sum": ("(abs(self) ** ord).sum(axis, keepdims) ** (1 / ord)", "abs(self).sum(axis, keepdims)"),
    "what cannot be bounded is finite": ("np.where(np.isfinite(self.error), 0, 1)", "0 * value"),
}  # fmt: skip


def everything():
    """The checks above in brief, those that cost least first."""
    test_a_branch_that_rounding_decides_is_undecided()
    test_what_has_no_bound_has_an_infinite_error(lambda x: x**0.8)
    test_a_base_that_may_be_zero_has_a_bound_where_its_sign_is_sure()
    test_whether_an_infinite_error_is_finite_is_uncertain()
    test_a_certain_whole_quotient_is_certain()
    test_a_condition_is_as_certain_as_its_parts()
    for name, size in itertools.product(OPERATIONS, (1e-6, 0.2)):
        test_the_exact_result_lies_within_the_error(name, size, np.float32)
    for name in REDUCTIONS:
        test_the_exact_result_of_an_array_lies_within_the_error(name, 0.2, np.float32)
    for name in ("|x|**y", "x // y", "x % y", "clip"):
        test_no_librarys_result_exceeds_its_allowance(name, np.float32)


@functools.cache
def test_everything_passes():
    everything()


@pytest.mark.slow
@pytest.mark.parametrize("name", MUTANTS)
def test_a_wrong_bound_is_noticed(name, monkeypatch):
    mutant = planted(module, *MUTANTS[name])
    monkeypatch.setitem(globals(), "Bounded", mutant.Bounded)
    monkeypatch.setitem(globals(), "Undecided", mutant.Undecided)
    with pytest.raises((AssertionError, TypeError, RuntimeWarning, pytest.fail.Exception)):
        everything()
