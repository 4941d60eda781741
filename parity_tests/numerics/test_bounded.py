"""The allowance holds for every honest evaluation, is no looser than it must be, and its exact value is exact.

The measure of the exact value is Python's own decimal arithmetic, sixty digits of it.
"""

import ast
import decimal
import importlib
import inspect
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lockstep.numerics import bounded as module
from lockstep.numerics import probe
from lockstep.numerics.bounded import Bounded, OrdersDisagree, kernel_ulps, widest
from lockstep.numerics.formats import FORMATS
from lockstep.subjects.registry import subjects
from lockstep.subjects.subject import own_class
from parity_tests.support.planted import planted
from reference.arithmetic import FUSED, PLAIN
from reference.sparse import stored
from reference.state import Whole

DTYPES = (np.float32, np.float64)
MEASURABLE = [dtype for dtype in DTYPES if np.dtype(dtype).name in probe.measurable()]
N = 250
CONTEXT = decimal.Context(prec=60, Emin=-9999, Emax=9999, traps=[])


def used(bound: Bounded, honest) -> np.ndarray:
    """The share of the allowance that an honest result takes, element by element; 0 where there is no bound."""
    honest = np.asarray(honest)
    assert honest.dtype == bound.dtype
    value, error = np.broadcast_to(bound.value, honest.shape), np.broadcast_to(bound.error, honest.shape)
    known = np.isfinite(error) & ~np.isnan(value)
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        apart = np.where(honest == value, 0, np.abs(honest.astype(value.dtype) - value))
        share = np.where(apart == 0, 0, apart / error)
    return np.where(known, share, 0).astype(float)


def weak(value):
    """A hyperparameter as the arbiter gives it to a formula."""
    if isinstance(value, tuple | list):
        return tuple(weak(part) for part in value)
    return Bounded.scalar(value) if isinstance(value, float) and value else value


def spread(rng, shape, dtype, low=-8, high=4):
    """Numbers of either sign and every size from 10**low to 10**high."""
    return (rng.choice([-1, 1], shape) * 10 ** rng.uniform(low, high, shape)).astype(dtype)


# one operation at a time

OPERATIONS = {
    "add": (lambda x, y: x + y, 2),
    "subtract": (lambda x, y: x - y, 2),
    "multiply": (lambda x, y: x * y, 2),
    "divide": (lambda x, y: x / y, 2),
    "square": (lambda x, y: x**2, 2),
    "square root": (lambda x, y: np.sqrt(x), None),
}


@pytest.mark.parametrize("dtype", MEASURABLE)
@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_is_charged_its_roundings_and_no_more(name, dtype):
    """Numbers of one sign: a result of magnitude m·2ᵉ, 1 ≤ m < 2, is off by up to u·2ᵉ, and c·u·m·2ᵉ is charged.

    So the largest share of thousands is at most 1/c and, some having m < 3/2 and an error of nearly u·2ᵉ, at least
    1/2c. c is `ROUNDINGS` for an operation (test_the_charge pins its value), and two more a unit for a function.
    """
    operation, charged = OPERATIONS[name]
    charged = charged or 2 + 2 * kernel_ulps("sqrt", dtype)
    rng = np.random.default_rng(1)
    x, y = (np.abs(spread(rng, 20_000, dtype, -3, 3)) for _ in range(2))
    x, y = (np.maximum(x, y), np.minimum(x, y)) if name == "subtract" else (x, y)
    bound = operation(Bounded(x, dtype), Bounded(y, dtype))
    shares = used(bound, operation(x, y))
    if name == "subtract":  # charged at the magnitude of its terms, which is up to all of the result
        assert shares.max() <= 1 / charged
        return
    assert 0.5 / charged < shares.max() <= 1 / charged


def test_the_charge_is_two_roundings():
    assert module.ROUNDINGS == 2


@pytest.mark.parametrize("dtype", MEASURABLE)
def test_a_sum_is_charged_a_rounding_for_each_but_one_of_its_terms(dtype):
    """Of n terms of one sign: the bound is (n - 1)·u·Σ|x| (Jeannerod and Rump 2013), whatever the order."""
    rng = np.random.default_rng(2)
    for n in (2, 3, 10, 1000):
        x = np.abs(spread(rng, n, dtype, -2, 2))
        allowed = float(Bounded(x, dtype).sum().error)
        needed = (n - 1) * float(np.finfo(dtype).eps) / 2 * math.fsum(x.astype(float))
        assert needed <= allowed <= needed * (1 + 2**-9) + n * float(np.finfo(dtype).smallest_subnormal)


# the exact value


def decimals(array) -> np.ndarray:
    """The same numbers, exact, sixty digits to compute with."""
    flat = [decimal.Decimal(float(x)) for x in np.asarray(array).reshape(-1)]
    return np.array(flat, object).reshape(np.shape(array))


def exactly(value: np.ndarray) -> np.ndarray:
    """A wide array as decimals: longdouble is the sum of two doubles."""
    flat = np.asarray(value).reshape(-1)
    head = flat.astype(np.float64)
    pairs = zip(head, (flat - head).astype(np.float64), strict=True)
    return np.array([decimal.Decimal(float(a)) + decimal.Decimal(float(b)) for a, b in pairs], object).reshape(
        value.shape
    )


def own_error(bound: Bounded, exact: np.ndarray) -> float:
    """The largest error of `bound.value` as a share of its allowance."""
    shares = [
        float(abs(a - b) / decimal.Decimal(float(e)))
        for a, b, e in zip(
            exactly(bound.value).flat, exact.flat, np.broadcast_to(bound.error, exact.shape).flat, strict=True
        )
        if e and np.isfinite(e) and b.is_finite()
    ]
    return max(shares, default=0)  # what rounds nothing is exact


def precision(dtype) -> float:
    """The most the exact value may be off, as a share of its allowance.

    Each operation rounds the value by half a unit of the wide type, ε/2, and charges at least one u of the narrow
    one; hyperparameters are held as wide.
    """
    return float(np.finfo(FORMATS[np.dtype(dtype).name].wide).eps) / 2 / (float(np.finfo(dtype).eps) / 2)


@pytest.mark.parametrize("dtype", MEASURABLE)
@pytest.mark.parametrize("name", ["exp", "log", "log1p", "expm1", "tanh", "sqrt"])
def test_the_exact_value_of_a_function(name, dtype):
    rng = np.random.default_rng(3)
    x = spread(rng, 200, dtype, -6, 1.5) if name in ("exp", "expm1", "tanh") else np.abs(spread(rng, 200, dtype))
    e = {"tanh": lambda d: ((2 * d).exp() - 1) / ((2 * d).exp() + 1), "log": lambda d: d.ln()}
    e |= {"exp": lambda d: d.exp(), "expm1": lambda d: d.exp() - 1, "log1p": lambda d: (1 + d).ln()}
    e |= {"sqrt": lambda d: d.sqrt()}
    with decimal.localcontext(CONTEXT):
        exact = np.array([e[name](d) for d in decimals(x)], object)
        found = own_error(getattr(np, name)(Bounded(x, dtype)), exact)
    # the wide type's own function may be a unit of its last place off, two halves more than an operation
    assert found <= 3 * precision(dtype)


# optimizers

# Those that take a vector.
SUBJECTS = [
    subject.path.removeprefix("optim.")
    for subject in subjects()
    if subject.family.recorded == "steps" and not subject.table("SHAPES")
]


def hyperparameters_of(subject: str) -> list[dict]:
    """Every set of hyperparameters in the table of cases, once."""
    cases = importlib.import_module(f"lockstep.cases.optim.{subject}").CASES
    unique = {repr(sorted(case.hyperparameters.items())): case.hyperparameters for case in cases}
    return list(unique.values())


SETTINGS = [(subject, hyperparameters) for subject in SUBJECTS for hyperparameters in hyperparameters_of(subject)]


class Situation:
    """One step of an optimizer from a state of numbers of every size."""

    def __init__(self, subject: str, hyperparameters, dtype, rng, count: float = 3.0, low=-8, high=4):
        self.module = importlib.import_module(f"reference.optim.{subject}")
        self.counterpart = own_class(importlib.import_module(f"torch_impl.optim.{subject}"))
        self.optimizer = own_class(self.module)({"x": np.zeros(1, dtype)}, **hyperparameters)
        self.given, self.dtype = hyperparameters, dtype
        self.param, self.grad = (spread(rng, N, dtype, low, high) for _ in range(2))
        self.grad[::5] = spread(rng, N, dtype, -3, 0)[::5]  # of one size with the others, where terms cancel
        self.state = {}
        for key, entry in self.optimizer.entries(self.param).items():
            if entry.kind == "count":
                self.state[key] = np.float32(count)
            elif entry.kind == "number":
                self.state[key] = np.asarray(rng.uniform(0.3, 0.9), np.float32)
            else:
                size = np.abs(self.grad.astype(np.longdouble)) * 10 ** rng.uniform(-1, 1, N)
                size = np.minimum(size**2 if entry.positive else size, np.finfo(dtype).max)
                self.state[key] = (size if entry.positive else rng.choice([-1, 1], N) * size).astype(dtype)

    def lines(self, formula, number=lambda array: array, scalar=lambda value: value, **extra):
        """The formula's lines on numbers of another kind."""
        counts = {key: float(self.state[key]) for key in self.counts()}
        state = {key: number(array) for key, array in self.state.items() if key not in counts} | counts
        settings = {key: scalar(value) for key, value in self.optimizer.hyperparameters.items()}
        with np.errstate(over="ignore", under="ignore", invalid="ignore", divide="ignore"):
            return formula(number(self.param), number(self.grad), **(state | settings | extra))

    def counts(self) -> list[str]:
        return [key for key in self.state if self.optimizer.STATE[key].kind == "count"]

    def bounds(self) -> dict[str, Bounded]:
        """What the arbiter allows: the widest of the orders."""
        orders = [
            self.lines(formula, lambda array: Bounded(array, array.dtype), weak)
            for formula in self.optimizer.ORDERS.values()
        ]
        return {key: widest([self.as_kept(key, getattr(one, line)) for one in orders]) for key, line in self.kept()}

    def as_kept(self, key: str, value):
        """A number a tensor in the dtype it is kept in, whatever it was worked out in; an array as it is."""
        if key == "param" or self.optimizer.STATE[key].kind == "array":
            return value
        dtype = self.state[key].dtype
        if isinstance(value, float | np.number | np.ndarray):
            return Bounded.scalar(float(value)).rounded_to(dtype)
        return value.rounded_to(dtype) if value.weak else value

    def kept(self):
        """Entries that a step leaves behind, and their lines."""
        entries = self.optimizer.entries(self.param).items()
        return [("param", "param"), *((key, entry.line) for key, entry in entries if entry.kind != "count")]

    def honest(self):
        """Every evaluation that we know to follow the formula: name to entry to result."""
        for order, formula in self.optimizer.ORDERS.items():
            arithmetics = {"": {}} if order == "paper" else {" plain": {"ops": PLAIN}, " fused": {"ops": FUSED}}
            for name, extra in arithmetics.items():
                lines = self.lines(formula, **extra)
                made = {key: np.asarray(getattr(lines, line)) for key, line in self.kept()}
                yield order + name, {key: made[key].astype((made | self.state)[key].dtype) for key in made}
        for path in self.counterpart.paths:
            yield f"torch {path}", self.torch_step(path)

    def torch_step(self, path: str):
        side = self.counterpart({"x": self.param}, path=path, **self.given)
        (tensor,) = side.tensors.values()
        state = {key: torch.tensor(array) for key, array in self.state.items()}
        for key in self.counts():  # a step before, as a tensor or as a Python integer
            before = float(self.state[key]) - 1
            state[key] = int(before) if isinstance(self.optimizer.STATE[key], Whole) else torch.tensor(before)
        side.optimizer.state[tensor] = state
        side.step({"x": stored(self.grad) if self.optimizer.SPARSE == "alone" else self.grad})
        return {"param": side.params["x"]} | {key: side.state["x"][key] for key, _ in self.kept() if key != "param"}


def worst_share(situation: Situation) -> float:
    """The largest share of the allowance that any honest evaluation takes of it."""
    bounds = situation.bounds()
    return max(used(bounds[key], result[key]).max() for _, result in situation.honest() for key in bounds)


@pytest.mark.parametrize("dtype", MEASURABLE)
@pytest.mark.parametrize("subject", SUBJECTS)
def test_no_honest_step_exceeds_its_allowance(subject, dtype):
    rng = np.random.default_rng(4)
    least, most = (math.log10(float(x)) for x in (np.finfo(dtype).smallest_subnormal, np.finfo(dtype).max))
    extremes = [(1, -8, 4), (1000, -8, 4), (7, least, least / 2), (2, most / 2, most)]
    shares = []
    for place, hyperparameters in enumerate(hyperparameters_of(subject)):
        for count, low, high in ((3, -3, 0), extremes[place % 4], extremes[(place + 1) % 4]):
            shares.append(worst_share(Situation(subject, hyperparameters, dtype, rng, count, low, high)))
    print(f"{subject}, {np.dtype(dtype)}: at most {max(shares):.0%} of the allowance used")
    # The last operation of a line is charged two roundings where one is made, so that where it decides, half of the
    # allowance is needed, and a quarter where its result has an ordinary mantissa.
    assert 0.25 < max(shares) <= 1


# Adam rewritten by hand, every line the same real number


def scaled_eps(param, m, v, a, b1t, b2t, eps):
    """Kingma and Ba, end of section 2, with the epsilon that makes it the same."""
    rate = a * (1 - b2t) ** 0.5 / (1 - b1t)
    return param - rate * m / (np.sqrt(v) + eps * (1 - b2t) ** 0.5)


def ratio_first(param, m, v, a, b1t, b2t, eps):
    return param - a * ((m / (1 - b1t)) / (np.sqrt(v / (1 - b2t)) + eps))


def rate_last(param, m, v, a, b1t, b2t, eps):
    return param - m / (np.sqrt(v / (1 - b2t)) + eps) * (a / (1 - b1t))


def reciprocal(param, m, v, a, b1t, b2t, eps):
    return param - (a * (m / (1 - b1t))) * (1 / (np.sqrt(v / (1 - b2t)) + eps))


def roots_apart(param, m, v, a, b1t, b2t, eps):
    return param - a / (1 - b1t) * m / (np.sqrt(v) / (1 - b2t) ** 0.5 + eps)


def added(param, m, v, a, b1t, b2t, eps):
    return (-a * m / (1 - b1t)) / (np.sqrt(v / (1 - b2t)) + eps) + param


def one_fraction(param, m, v, a, b1t, b2t, eps):
    return param - (a * m) / ((np.sqrt(v / (1 - b2t)) + eps) * (1 - b1t))


def twice_scaled(param, m, v, a, b1t, b2t, eps):
    return param - (a * m / (1 - b1t) / eps) / (np.sqrt(v / (1 - b2t)) / eps + 1)


UPDATES = (scaled_eps, ratio_first, rate_last, reciprocal, roots_apart, added, one_fraction, twice_scaled)

FIRST_MOMENTS = {
    "plain": lambda m, g, b: b * m + (1 - b) * g,
    "swapped": lambda m, g, b: (1 - b) * g + b * m,
    "lerp": lambda m, g, b: m + (1 - b) * (g - m),
    "minus": lambda m, g, b: m - (1 - b) * (m - g),
    "fused": lambda m, g, b: FUSED.fma(1 - b, g, b * m),
}

# Equal as well, but they carry the whole of g and take most of it away again.
LARGER_TERMS = {
    "lerp from the other end": lambda m, g, b: g + b * (m - g),
    "distributed": lambda m, g, b: (b * m + g) - b * g,
}

SECOND_MOMENTS = {
    "plain": lambda v, g, b: b * v + (1 - b) * g**2,
    "weight first": lambda v, g, b: b * v + ((1 - b) * g) * g,
    "lerp": lambda v, g, b: v + (1 - b) * (g * g - v),
    "root of the weight": lambda v, g, b: b * v + ((1 - b) ** 0.5 * g) ** 2,
    "fused": lambda v, g, b: FUSED.fma((1 - b) * g, g, b * v),
}


def adams(param, grad, m, v, *, step, lr, betas, eps):
    """Every combination of the above."""
    b1, b2 = betas
    for first, moment1 in FIRST_MOMENTS.items():
        for second, moment2 in SECOND_MOMENTS.items():
            new_m, new_v = moment1(m, grad, b1), moment2(v, grad, b2)
            for update in UPDATES:
                new = update(param, new_m, new_v, lr, b1**step, b2**step, eps)
                yield f"{first}, {second}, {update.__name__}", {"param": new, "exp_avg": new_m, "exp_avg_sq": new_v}


@pytest.mark.parametrize("dtype", MEASURABLE)
@pytest.mark.parametrize("given_", [{}, {"betas": (0.5, 0.9), "eps": 1e-3}, {"lr": 1.0, "eps": 1e-6}])
def test_no_rewriting_of_adam_exceeds_its_allowance(given_, dtype):
    rng = np.random.default_rng(5)
    worst: dict[str, float] = {}
    for count in (1, 2, 500):
        situation = Situation("adam", given_, dtype, rng, count, -6, 3)
        bounds = situation.bounds()
        settings = {key: situation.optimizer.hyperparameters[key] for key in ("lr", "betas", "eps")}
        arrays = (situation.param, situation.grad, *(situation.state[key] for key in ("exp_avg", "exp_avg_sq")))
        for _, results in adams(*arrays, step=count, **settings):
            for key, result in results.items():
                worst[key] = max(worst.get(key, 0), used(bounds[key], result).max())
    print({key: f"{share:.0%}" for key, share in worst.items()})
    # A moment's terms are charged five roundings: the weight's, two for the product, two for the sum. Where the
    # weight is ½, the sum's alone is made: a fifth of the allowance, a tenth where it has an ordinary mantissa.
    assert all(0.1 < share <= 1 for share in worst.values())


@pytest.mark.parametrize("name", LARGER_TERMS)
def test_a_rewriting_with_larger_terms_is_not_allowed_for(name):
    """What `Bounded` says of itself: it would have to allow for any loss of digits."""
    situation = Situation("adam", {}, np.float32, np.random.default_rng(5), 1, -6, 3)
    result = LARGER_TERMS[name](situation.state["exp_avg"], situation.grad, 0.9)
    assert used(situation.bounds()["exp_avg"], result).max() > 1


def test_another_formula_exceeds_it():
    """An epsilon inside the root, and one a hundred-thousandth too large, where the gradients are near it."""
    rng = np.random.default_rng(6)
    situation = Situation("adam", {"lr": 1.0}, np.float32, rng, 1, -9, -7)
    situation.param = (situation.param * 1e-3).astype(np.float32)
    bound = situation.bounds()["param"]
    m, v = (0.9 * situation.state["exp_avg"] + 0.1 * situation.grad, 0.999 * situation.state["exp_avg_sq"])
    v = v + (1 - 0.999) * situation.grad**2
    m_hat, v_hat = m / (1 - 0.9), v / (1 - 0.999)
    assert used(bound, situation.param - m_hat / (np.sqrt(v_hat) + 1e-8)).max() <= 1
    assert np.median(used(bound, situation.param - m_hat / np.sqrt(v_hat + 1e-16))) > 1000
    assert used(bound, situation.param - m_hat / (np.sqrt(v_hat) + 1e-8 * (1 + 1e-5))).max() > 1


@pytest.mark.parametrize("dtype", MEASURABLE)
@pytest.mark.parametrize(("subject", "given_"), [*SETTINGS[::3]])
def test_the_exact_step_is_exact(subject, given_, dtype):
    """Against sixty decimal digits, wherever an allowance is known."""
    situation = Situation(subject, given_, dtype, np.random.default_rng(7), 3, -6, 3)
    few = slice(0, 60)
    situation.param, situation.grad = situation.param[few], situation.grad[few]
    situation.state = {key: array[few] if array.ndim else array for key, array in situation.state.items()}
    bounds = situation.bounds()
    with decimal.localcontext(CONTEXT):
        count = dict.fromkeys(situation.counts(), 3)
        lines = situation.lines(of_decimals(situation.optimizer.ORDERS["paper"]), decimals, in_decimals, **count)
        for key, line in situation.kept():
            # one of the formula's roundings in the wide type, of which each charges at least as much again
            assert own_error(bounds[key], as_decimals(getattr(lines, line))) <= precision(dtype)


def as_decimals(line) -> np.ndarray:
    """A line of decimals as an array of them; one that no decimal went into is a float."""
    flat = [x if isinstance(x, decimal.Decimal) else decimal.Decimal(float(x)) for x in np.asarray(line, object).flat]
    return np.array(flat, object).reshape(np.shape(line))


def of_decimals(formula):
    """The formula, in which a number that is written out is a decimal, too: Python mixes none with its floats."""

    class Exact(ast.NodeTransformer):
        def visit_Constant(self, node):
            text = f"Decimal({node.value!r})" if isinstance(node.value, float) else repr(node.value)
            return ast.parse(text, mode="eval").body

    tree = Exact().visit(ast.parse(inspect.getsource(formula)))
    namespace = {**formula.__globals__, "Decimal": decimal.Decimal}
    namespace["like"] = lambda number, tensor: as_decimals(number).item()
    exec(compile(ast.fix_missing_locations(tree), formula.__name__, "exec"), namespace)
    return namespace[formula.__name__]


def in_decimals(value):
    """A hyperparameter, exact; counts and flags stay as they are."""
    if isinstance(value, tuple | list):
        return tuple(in_decimals(part) for part in value)
    return decimal.Decimal(value) if isinstance(value, float) else value


# expressions that nobody wrote

CONSTANTS = ("0.1", "3.0", "1e-7")
EXPRESSIONS = st.recursive(
    st.sampled_from("xyz"),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+-*/"), inner).map(" ".join).map("({})".format),
        st.tuples(inner, st.sampled_from("+-*/"), st.sampled_from(CONSTANTS)).map(" ".join).map("({})".format),
        st.tuples(st.sampled_from(CONSTANTS), st.sampled_from("+-*/"), inner).map(" ".join).map("({})".format),
        *(inner.map(form.format) for form in ("np.sqrt(abs({}))", "({})**2", "np.tanh({})", "np.maximum({}, x)")),
        inner.map(lambda one: f"np.where({one} > y, x, {one})"),
    ),
    max_leaves=12,
)


@given(EXPRESSIONS, st.sampled_from([-40, -20, -3, 0, 5, 15]), st.integers(0, 9))
def test_no_expression_exceeds_its_allowance(text, size, seed):
    dtype = np.float32
    rng = np.random.default_rng(seed)
    numbers = {name: spread(rng, 50, dtype, size - 3, size + 3) for name in "xyz"}
    code = compile(text, text, "eval")
    with np.errstate(all="ignore"):
        honest = np.asarray(eval(code, {"np": np}, numbers))
        bound = eval(code, {"np": np}, {name: Bounded(array, dtype) for name, array in numbers.items()})
    assert used(bound, honest).max() <= 1


# sums and products of matrices


def sums(x, rng):
    """Σ x in many orders, each partial sum rounded."""
    yield "numpy", x.sum()
    yield "torch", torch.from_numpy(x).sum().numpy()[()]
    for name, ordered in {
        "as it is": x,
        "shuffled": rng.permutation(x),
        "smallest first": x[np.argsort(abs(x))],
        "largest first": x[np.argsort(-abs(x))],
        "positive first": -np.sort(-x),
    }.items():
        yield f"{name}, one by one", np.add.accumulate(ordered)[-1]
        for width in (4, 16):
            padded = np.concatenate([ordered, np.zeros(-x.size % width, x.dtype)]).reshape(-1, width)
            yield f"{name}, {width} lanes", np.add.accumulate(np.add.accumulate(padded)[-1])[-1]
        halves = ordered
        while halves.size > 1:
            halves = np.concatenate([halves[: halves.size // 2] + halves[halves.size // 2 : 2 * (halves.size // 2)],
                                     halves[2 * (halves.size // 2) :]])  # fmt: skip
        yield f"{name}, by halves", halves[0]


@pytest.mark.parametrize("dtype", MEASURABLE)
@pytest.mark.parametrize("kind", ["of one sign", "of either sign", "cancelling", "of one size and the rest below it"])
def test_no_order_of_a_sum_exceeds_its_allowance(kind, dtype):
    rng = np.random.default_rng(8)
    worst = 0.0
    for n in (1, 2, 3, 7, 64, 1000):
        for _ in range(10):
            x = spread(rng, n, dtype, -3, 3)
            if kind == "of one sign":
                x = abs(x)
            elif kind == "cancelling":
                x = np.concatenate([x, rng.permutation(-x)])
            elif kind == "of one size and the rest below it":
                # every addition rounds the whole term away: the bound is reached
                x = np.full(n, float(np.finfo(dtype).eps) / 2, dtype)
                x[0] = 1
            bound = Bounded(x, dtype).sum()
            worst = max([worst, *(float(used(bound, np.asarray(total))) for _, total in sums(x, rng))])
    print(f"{kind}: {worst:.0%}")
    assert worst <= 1
    if kind == "of one size and the rest below it":
        u = float(np.finfo(dtype).eps) / 2
        assert worst > 1 / (1 + 2000 * u) - 2**-8  # (n - 1)·u of the (n - 1)·u·(1 + (n - 1)·u) allowed


@pytest.mark.parametrize("dtype", MEASURABLE)
def test_no_order_of_a_matrix_product_exceeds_its_allowance(dtype):
    rng = np.random.default_rng(9)
    worst = 0.0
    for rows, terms, columns in ((1, 1, 1), (3, 5, 2), (16, 100, 8), (2, 1000, 2)):
        a, b = spread(rng, (rows, terms), dtype, -2, 2), spread(rng, (terms, columns), dtype, -2, 2)
        bound = Bounded(a, dtype) @ Bounded(b, dtype)
        order = rng.permutation(terms)
        products = a.T[:, :, None] * b[:, None, :]
        fused = np.zeros((rows, columns), dtype)
        for k in order:
            fused = FUSED.fma(a[:, k : k + 1], b[k : k + 1], fused)
        for honest in (
            a @ b,
            a[:, order] @ b[order],
            torch.from_numpy(a).matmul(torch.from_numpy(b)).numpy(),
            np.add.accumulate(products)[-1],
            np.add.accumulate(products[order])[-1],
            products.sum(0),
            fused,
        ):
            worst = max(worst, used(bound, honest).max())
    print(f"{worst:.0%}")
    assert 0.1 < worst <= 1


# library functions

FUNCTIONS = {
    "sqrt": (-44, 38),
    "exp": (-4, 2.2),
    "expm1": (-44, 1.9),
    "log": (-44, 38),
    "log1p": (-44, 38),
    "tanh": (-44, 2),
}


@pytest.mark.parametrize("dtype", MEASURABLE)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_no_librarys_function_exceeds_its_allowance(name, dtype):
    low, high = FUNCTIONS[name]
    x = spread(np.random.default_rng(10), 20_000, dtype, low, high)
    x = abs(x) if name in ("sqrt", "log", "log1p") else x
    bound = getattr(np, name)(Bounded(x, dtype))
    with np.errstate(over="ignore", under="ignore"):
        ours = getattr(np, name)(x)
    shares = [used(bound, one).max() for one in (ours, getattr(torch, name)(torch.from_numpy(x)).numpy())]
    print(f"{name}: NumPy {shares[0]:.0%}, PyTorch {shares[1]:.0%}")
    assert max(shares) <= 1


@pytest.mark.parametrize("dtype", MEASURABLE)
def test_pytorchs_sigmoid_is_an_honest_one(dtype):
    x = spread(np.random.default_rng(11), 20_000, dtype, -4, 2.2)
    with np.errstate(over="ignore", under="ignore"):
        bound = PLAIN.sigmoid(Bounded(x, dtype))
        assert used(bound, PLAIN.sigmoid(x)).max() <= 1
    assert used(bound, torch.from_numpy(x).sigmoid().numpy()).max() <= 1


def test_what_is_charged_for_a_function_was_measured():
    for dtype in MEASURABLE:
        found = probe.findings().kernel_ulps[np.dtype(dtype).name]
        assert {name: kernel_ulps(name, dtype) for name in FUNCTIONS} == {name: found[name] for name in FUNCTIONS}


def test_what_cannot_be_measured_is_charged_as_published(monkeypatch):
    monkeypatch.setattr(probe, "findings", lambda: type("Nothing", (), {"kernel_ulps": {}, "missing": None}))
    assert kernel_ulps("exp", np.float64) == module.PUBLISHED_ULPS["exp"] == 4


# what is known for certain, and what nothing is known of


def same(bound: Bounded, value, error=0.0) -> None:
    assert np.array_equal(bound.value, value, equal_nan=True)
    assert np.array_equal(np.broadcast_to(bound.error, bound.shape), np.broadcast_to(error, bound.shape))


def test_what_does_not_round_costs_nothing():
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    x = Bounded(array, np.float32)
    for one, expected in (
        (x + 0, array),
        (x - 0.0, array),
        (x * 1, array),
        (x * -1.0, -array),
        (-x, -array),
        (+x, array),
        (abs(-x), array),
        (x.T, array.T),
        (x[1, ::2], array[1, ::2]),
        (x.reshape(3, 2), array.reshape(3, 2)),
        (x.swapaxes(0, 1), array.T),
        (np.maximum(x, 2), np.maximum(array, 2)),
        (x.clip(1, 3), array.clip(1, 3)),
        (np.clip(x, 1, 3), array.clip(1, 3)),
        (np.where(x > 2, x, 0), np.where(array > 2, array, 0)),
        (np.sign(x), np.sign(array)),
        (x.max(axis=0), array.max(axis=0)),
        (x.astype(np.float64), array),
        (x.copy(), array),
        (np.stack([x, x]), np.stack([array, array])),
        (np.zeros_like(x), 0 * array),
        (np.ones_like(x), 0 * array + 1),
    ):
        same(one, expected)
        assert one.dtype == (np.float64 if one.dtype == np.float64 else np.float32)


def test_a_hyperparameter_is_rounded_where_it_meets_an_array():
    ones = Bounded(np.ones(1, np.float32), np.float32)
    u = 2.0**-24
    exact, inexact = Bounded.scalar(0.5).rounded_to(np.float32), Bounded.scalar(0.1).rounded_to(np.float32)
    same(exact, 0.5)
    assert abs(float(np.float32(0.1)) - 0.1) <= float(inexact.error) < 2 * u * 0.1
    assert (Bounded.scalar(0.1) * ones).dtype == np.float32
    assert (Bounded.scalar(0.1) * Bounded.scalar(0.1)).weak


@pytest.mark.parametrize("tiny", [1e-50, 1e-46, 3e-45, 1e-39])
def test_what_the_dtype_cannot_hold_is_charged_whole(tiny):
    large = np.full(3, 1e30, np.float32)
    bound = Bounded.scalar(tiny) * Bounded(large, np.float32)
    assert used(bound, np.float32(tiny) * large).max() <= 1
    narrowed = Bounded(np.array([tiny]), np.float64).astype(np.float32)
    assert used(narrowed, np.array([tiny]).astype(np.float32)).max() <= 1


def test_what_overflows_has_no_bound():
    x = Bounded(np.array([1e30, 1.0], np.float32), np.float32)
    assert np.array_equal(np.isinf((x * x).error), [True, False])
    assert np.isinf(Bounded.scalar(1e300).rounded_to(np.float32).error)


def test_the_root_of_a_cancellation_has_no_bound():
    x = Bounded(np.array([1.0, 3.0], np.float32), np.float32)
    third = x / 3
    cancelled = third + third + third - x
    assert not cancelled.sure.any()
    assert np.isinf(np.sqrt(cancelled).error).all()
    assert np.isfinite(np.sqrt(x).error).all()


def test_the_root_of_an_underflow_has_one():
    """A square has a sign, however little of it is left."""
    x = np.array([1e-30, 1e-23, 3e-23, 0.0], np.float32)
    square = Bounded(x, np.float32) ** 2
    assert square.sure.all()
    with np.errstate(under="ignore"):
        assert used(np.sqrt(square), np.sqrt(x**2)).max() <= 1
    assert np.isfinite(np.sqrt(square).error).all()


def test_a_division_by_what_may_be_zero_has_no_bound():
    x = Bounded(np.array([1.0], np.float32), np.float32)
    cancelled = x / 3 * 3 - x
    assert np.isinf((x / cancelled).error)
    with np.errstate(divide="ignore"):
        by_zero = x / (x - x * 1)
    assert np.isinf(by_zero.error)
    exact = x / Bounded(np.zeros(1, np.float32), np.float32)
    assert np.isinf(exact.value)


def test_an_unsure_comparison_allows_either_branch():
    x = Bounded(np.array([1.0, 1.0], np.float32), np.float32)
    near = Bounded(np.array([1.0, 2.0], np.float32), np.float32) / 3 * 3
    chosen = np.where(near > x, x * 5, x * 2)
    assert np.array_equal((near > x).error, [1, 0])
    assert chosen.error[0] >= 3 > chosen.error[1]
    assert not np.where(near > x, x, -x).sure[0]


def test_what_a_formula_may_not_do_is_refused():
    x = Bounded(np.ones(3, np.float32), np.float32)
    for forbidden in (
        lambda: np.sort(x),
        lambda: np.add(x, x, out=np.zeros(3)),
        lambda: np.arctan(x),
        lambda: np.linalg.norm(x.reshape(1, 3), 2),
        lambda: float(x[0] / 3),
        lambda: np.add.reduce(x),
        lambda: hash(x),
    ):
        with pytest.raises(TypeError):
            forbidden()


def test_orders_of_one_formula_share_the_widest_allowance():
    x = Bounded(np.array([0.3, 3.0], np.float32), np.float32)
    widened = widest([x * 3, x + x + x])
    assert np.array_equal(widened.error, np.maximum((x * 3).error, (x + x + x).error))
    assert np.array_equal(widened.value, (x * 3).value)


def test_orders_of_two_formulas_disagree():
    x = Bounded(np.array([0.3, 3.0], np.float32), np.float32)
    with pytest.raises(OrdersDisagree):
        widest([x * 3, x * (3 + 1e-5)])


# the checks above would notice

MUTANTS = {
    "no rounding charged": ("ROUNDINGS = 2\n", "ROUNDINGS = 0\n"),
    "ten times too loose": ("* (magnitude + error)\n", "* 10 * (magnitude + error)\n"),
    "a sum charged at its result": (
        "magnitude = np.abs(a.value) + np.abs(b.value)",
        "magnitude = np.abs(a.value + b.value)",
    ),
    "a long sum charged at its result": (
        "magnitude = np.abs(self.value).sum(axis=axis, keepdims=keepdims)",
        "magnitude = np.abs(self.value.sum(axis=axis, keepdims=keepdims))",
    ),
    "a long sum charged as one": ("magnitude, sure, max(0, terms - 1))", "magnitude, sure, 1)"),
    "a matrix product charged as one": (
        "a.rounded(value, error, magnitude, sure, terms + 1)",
        "a.rounded(value, error, magnitude, sure)",
    ),
    "one factor's error forgotten": (
        "error = np.abs(certain.value) * factor.error",
        "error = 0 * factor.error",
    ),
    "the divisor's error forgotten": ("(a.error + np.abs(value) * b.error)", "a.error"),
    "the dividend's error forgotten": ("(a.error + np.abs(value) * b.error)", "np.abs(value) * b.error"),
    "a root without its argument's error": ("error = self.error / (root + np.sqrt(", "error = 0 / (root + np.sqrt("),
    "libraries round as they should": ("ROUNDINGS + 2 * kernel_ulps(name, self.dtype)", "0"),
    "no subnormals": ("room += roundings * subnormal", "pass"),
    "no overflow": ("if somewhere(overflows):", "if False:"),
    "hyperparameters are not rounded": ("if exact or (", "if True or ("),
    "the smaller error of two": (
        "np.maximum(a.error, b.error)), a.sure & b.sure",
        "np.minimum(a.error, b.error)), a.sure & b.sure",
    ),
    "the error of the one that is not the larger": (
        "np.where(value == a.value, a.error, b.error)",
        "np.where(value == a.value, b.error, a.error)",
    ),
    "comparisons are sure": ("np.where(unsure, 1, 0)", "np.where(unsure, 0, 0)"),
    "roots of anything": ("reach = np.where(self.sure & (self.value >= 0), underflow, np.inf)", "reach = underflow"),
    "the slope of tanh forgotten": (
        "np.tanh(self.value), self.error, self.sure",
        "np.tanh(self.value), 0.0, self.sure",
    ),
    "a square with the slope of a line": ("times * (np.abs(self.value) + self.error) ** (times - 1)", "times"),
    "the exact value in single": (
        "self.value: NDArray[Any] = np.asarray(value, wide)",
        "self.value: NDArray[Any] = np.asarray(np.asarray(value, 'f4'), wide)",
    ),
}

# A formula, and the same in other orders.
CORPUS = (
    ("np.tanh((x * 0.1) - y / z)",),
    ("np.maximum(x * y, z - x)",),
    ("np.where(x * 0.1 > y * 0.1, x, y)",),
    ("(((x + y)**2 - z) / (y * 3.0))**2",),
    ("np.sqrt(abs(x * y - z))",),
    ("np.where((x / 3.0) * 3.0 > x, x, z)",),
    ("np.exp(-abs(x * 0.1 + y))",),
    ("z / (x * 0.1 - y * 0.1)",),
    ("(x - y) + z", "(x + z) - y", "x + (z - y)"),
    ("(x - y) * z", "x * z - y * z"),
    ("(x - y) / z", "x / z - y / z", "(x - y) * (1 / z)"),
    ("x * 0.1 * z", "x * (z * 0.1)", "(x * z) * 0.1"),
)


def everything():
    """The checks above in brief."""
    for name in OPERATIONS:
        test_an_operation_is_charged_its_roundings_and_no_more(name, np.float32)
    test_a_sum_is_charged_a_rounding_for_each_but_one_of_its_terms(np.float32)
    for kind in ("cancelling", "of one size and the rest below it"):
        test_no_order_of_a_sum_exceeds_its_allowance(kind, np.float32)
    test_no_order_of_a_matrix_product_exceeds_its_allowance(np.float32)
    test_a_bound_that_is_far_off_adds_nothing_to_what_it_leaves_alone()
    test_no_rewriting_of_adam_exceeds_its_allowance({}, np.float32)
    rng = np.random.default_rng(12)
    for size in (-20, 0, 18):
        numbers = {name: spread(rng, 3000, np.float32, size - 1, size + 1) for name in "xyz"}
        numbers["y"][::4] = numbers["x"][::4]
        numbers["y"][1::4] = numbers["x"][1::4] * np.float32(1 + 1e-4)
        carried = {key: Bounded(array, np.float32) for key, array in numbers.items()}
        for orders in CORPUS:
            with np.errstate(all="ignore"):
                bound = eval(orders[0], {"np": np}, carried)
                shares = [used(bound, eval(text, {"np": np}, numbers)).max() for text in orders]
            assert max(shares) <= 1
    test_what_does_not_round_costs_nothing()
    test_a_hyperparameter_is_rounded_where_it_meets_an_array()
    test_what_the_dtype_cannot_hold_is_charged_whole(1e-46)
    test_what_overflows_has_no_bound()
    test_the_root_of_a_cancellation_has_no_bound()
    test_the_root_of_an_underflow_has_one()
    test_no_librarys_function_exceeds_its_allowance("exp", np.float32)


def test_everything_passes():
    everything()


@pytest.mark.parametrize("name", MUTANTS)
def test_a_wrong_bound_is_noticed(name, monkeypatch):
    mutant = planted(module, *MUTANTS[name])
    monkeypatch.setitem(globals(), "Bounded", mutant.Bounded)
    monkeypatch.setitem(globals(), "widest", mutant.widest)
    with pytest.raises((AssertionError, OrdersDisagree, mutant.OrdersDisagree)):
        everything()


def test_the_root_of_what_cancels_has_no_bound_and_is_a_number():
    """v - m² is 0 in exact numbers; where it comes out below 0, that is the exact value's own rounding."""
    x = Bounded(np.array([0.1, 0.3, 0.7]), np.float64)
    cancelled = x / 3 - x * (1 / 3)
    cancelled.value = -np.abs(cancelled.value) - np.finfo(np.float64).eps * 1e-3
    root = np.sqrt(cancelled)
    assert (root.value == 0).all()
    assert np.isposinf(root.error).all()


def test_a_bound_that_is_far_off_adds_nothing_to_what_it_leaves_alone():
    """Clipped between a tiny number and one that float32 cannot hold, a tiny number is as certain as it was."""
    clipped = np.clip(Bounded(np.array([0.0, 0.5, 1.0]), np.float32), Bounded.scalar(1e-10), Bounded.scalar(1 - 1e-10))
    assert clipped.error[0] < 1e-16
    assert clipped.error[1] == 0
    assert clipped.error[2] > 1e-10  # the upper one, which float32 rounds to 1
    near = np.maximum(Bounded(np.array(1.0), np.float32, error=0.5), Bounded(np.array(1.25), np.float32, error=0.125))
    assert near.error == 0.5  # either may be the larger
