"""The problems: gradients against autograd and against differences, streams against what they promise."""

from decimal import Decimal, getcontext

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from reference import functions
from reference.functions import EQUATIONS, FUNCTIONS, PROBLEMS, STREAMS, problem_from
from torch_impl import functions as theirs

DTYPES = ["float32", "float64"]


def bits(array):
    return array.dtype, array.shape, array.tobytes()


def points(dtype, low=-4, high=4):
    return hnp.arrays(dtype, (2, 20), elements=st.floats(low, high, width=32 if dtype == "float32" else 64))


# Functions


def apart(problem, theta, order="pytorch") -> int:
    """Entries of value and gradient in which `problem` in this order and autograd part."""
    counterpart = theirs.FUNCTIONS[problem.name]
    gradient = problem.gradient({"theta": theta}, order=order)["theta"]
    expected = counterpart.gradient({"theta": theta})["theta"]
    assert bits(gradient)[:2] == bits(expected)[:2]
    values = problem.evaluate({"theta": theta}, order).value
    expected_values = np.array([counterpart.value({"theta": column}) for column in theta.T.copy()])
    return int(np.sum(gradient != expected) + np.sum(values != expected_values))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", FUNCTIONS)
@given(data=st.data())
def test_pytorchs_order_is_autograds_to_the_bit(name, dtype, data):
    assert apart(FUNCTIONS[name], data.draw(points(dtype))) == 0


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["rosenbrock", "beale"])
def test_the_papers_order_rounds_otherwise(name, dtype):
    theta = np.random.RandomState(0).randn(2, 500).astype(dtype)
    assert apart(FUNCTIONS[name], theta, "paper") > 0
    assert apart(FUNCTIONS[name], theta, "pytorch") == 0


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_both_sides_start_alike(name, dtype):
    ours, counterpart = FUNCTIONS[name], theirs.PROBLEMS[name]
    start = ours.start({"ignored": (3,)}, dtype, seed=5)
    assert bits(start["theta"]) == bits(counterpart.start(dtype=dtype)["theta"])
    assert ours.shapes == counterpart.shapes == {"theta": start["theta"].shape}
    assert ours.gradient(start)["theta"].dtype == start["theta"].dtype == dtype


def test_both_sides_have_the_same_functions():
    assert list(FUNCTIONS) == list(theirs.FUNCTIONS)


def exact_points(count=20):
    getcontext().prec = 60
    numbers = np.random.RandomState(3).randint(-3000, 3000, (count, 2)).tolist()
    return [(Decimal(x) / 1000, Decimal(y) / 1000) for x, y in numbers]


class Exact:
    """A decimal of 60 digits that takes Python's floats as they are written."""

    def __init__(self, number):
        self.number = number if isinstance(number, Decimal) else Decimal(repr(number))

    def __add__(self, other):
        return Exact(self.number + exact(other))

    def __sub__(self, other):
        return Exact(self.number - exact(other))

    def __rsub__(self, other):
        return Exact(exact(other) - self.number)

    def __mul__(self, other):
        return Exact(self.number * exact(other))

    def __pow__(self, power):
        return Exact(self.number**power)

    def __neg__(self):
        return Exact(-self.number)

    __radd__, __rmul__ = __add__, __mul__


def exact(number):
    return number.number if isinstance(number, Exact) else Exact(number).number


@pytest.mark.parametrize("order", ["paper", "pytorch"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_gradient_is_that_of_the_value(name, order):
    """Central differences in 60 digits: their error is h²/6 times the third derivative, here below 1e-30."""
    formula, h = FUNCTIONS[name].ORDERS[order], Decimal("1e-20")
    for x, y in exact_points():
        lines = formula(Exact(x), Exact(y))
        dx = (formula(Exact(x + h), Exact(y)).value.number - formula(Exact(x - h), Exact(y)).value.number) / (2 * h)
        dy = (formula(Exact(x), Exact(y + h)).value.number - formula(Exact(x), Exact(y - h)).value.number) / (2 * h)
        assert abs(dx - exact(lines.dx)) < Decimal("1e-30")
        assert abs(dy - exact(lines.dy)) < Decimal("1e-30")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_both_orders_are_one_formula(name):
    problem = FUNCTIONS[name]
    for x, y in exact_points():
        paper, pytorch = (problem.ORDERS[order](Exact(x), Exact(y)) for order in ("paper", "pytorch"))
        assert [exact(line) for line in paper] == [exact(line) for line in pytorch]


MINIMA = {
    "rosenbrock": (1, 1),
    "quadratic": (0, 0),
    "ill-conditioned quadratic": (0, 0),
    "himmelblau": (3, 2),
    "beale": (3, 0.5),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_minimum_is_where_it_is_said_to_be(name):
    lines = FUNCTIONS[name].ORDERS["paper"](*(Exact(number) for number in MINIMA[name]))
    assert exact(lines.value) == FUNCTIONS[name].minimum == 0
    assert exact(lines.dx) == exact(lines.dy) == 0


def test_rosenbrock_is_the_notebooks():
    def rosenbrock_grad(x, y, a=1, b=100):
        dx = -2 * (a - x) - 4 * b * x * (y - x**2)
        dy = 2 * b * (y - x**2)
        return np.array([dx, dy])

    problem = FUNCTIONS["rosenbrock"]
    params = problem.start()
    assert params["theta"].tolist() == [-1.5, 2.5]
    for x, y in [(-1.5, 2.5), *np.random.RandomState(0).randn(100, 2)]:
        theta = np.array([x, y])
        assert bits(problem.gradient({"theta": theta})["theta"]) == bits(rosenbrock_grad(*theta))
        assert problem.value({"theta": theta}) == (1 - theta[0]) ** 2 + 100 * (theta[1] - theta[0] ** 2) ** 2


def test_the_condition_numbers_are_those_stated():
    along, across = np.array([1.0, 1.0]), np.array([1.0, -1.0])
    valley = FUNCTIONS["ill-conditioned quadratic"]
    steep, flat = (valley.gradient({"theta": direction})["theta"] / direction for direction in (across, along))
    assert np.array_equal(steep / flat, [1e4, 1e4])
    bowl = FUNCTIONS["quadratic"].gradient({"theta": np.array([1.0, 1.0])})["theta"]
    assert np.array_equal(bowl, [1.0, 2.0])


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_value_is_the_sum_over_points(name):
    problem = FUNCTIONS[name]
    theta = np.array([[1.0, 2.0, 0.5], [0.25, -1.0, 3.0]])
    assert problem.value({"theta": theta}) == sum(problem.evaluate({"theta": theta}).value.tolist())
    assert np.shape(problem.value({"theta": theta[:, 0]})) == ()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_equations_have_the_lines_of_the_formula(name):
    problem = FUNCTIONS[name]
    for order in problem.ORDERS:
        assert list(problem.EQUATIONS) == list(problem.evaluate(problem.start(), order)._fields)
    assert problem.EQUATIONS in EQUATIONS.values()


# Streams

SHAPES = {"weight": (40, 25), "bias": (25,), "scale": (), "empty": (0, 3)}


@pytest.mark.parametrize("dtype", [*DTYPES, "longdouble"])
@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_has_the_shapes_and_dtypes_of_the_parameters(name, dtype):
    problem = STREAMS[name]
    params = problem.start(SHAPES, dtype, seed=3)
    for step in (1, 2, 3, 4, 500):
        gradients = problem.gradient(params, step, seed=3)
        assert gradients.keys() == params.keys() == SHAPES.keys()
        for key, gradient in gradients.items():
            assert params[key].shape == SHAPES[key]
            assert params[key].dtype == np.dtype(dtype)
            if gradient is not None:
                assert (gradient.shape, gradient.dtype) == (SHAPES[key], np.dtype(dtype))
                assert np.all(np.isfinite(gradient)) or (name, step) == ("not finite at step 4", 4)


@pytest.mark.parametrize("name", STREAMS)
def test_any_step_can_be_made_without_the_others(name):
    problem = STREAMS[name]
    params = problem.start(SHAPES, "float32", 9)
    in_order = [problem.gradient(params, step, 9) for step in range(1, 8)]
    moved = {key: param + 1 for key, param in params.items()}
    for step in (7, 2, 5, 1):
        for key, gradient in problem.gradient(moved, step, 9).items():
            expected = in_order[step - 1][key]
            assert gradient is None is expected if expected is None else bits(gradient) == bits(expected)


@pytest.mark.parametrize("name", STREAMS)
def test_a_tensors_gradient_does_not_depend_on_its_neighbours(name):
    problem = STREAMS[name]
    params = problem.start(SHAPES, "float64", 9)
    alone = problem.gradient({"bias": params["bias"]}, 2, 9)["bias"]
    assert bits(alone) == bits(problem.gradient(params, 2, 9)["bias"])


@pytest.mark.parametrize("name", STREAMS)
def test_float32_meets_the_same_stream_rounded(name):
    problem = STREAMS[name]
    single, double = (problem.start(SHAPES, dtype, 4) for dtype in DTYPES)
    assert bits(single["weight"]) == bits(double["weight"].astype("float32"))
    a, b = problem.gradient(single, 2, 4)["weight"], problem.gradient(double, 2, 4)["weight"]
    assert bits(a) == bits(b.astype("float32"))


DRAWN = [name for name in STREAMS if name != "zero"]


@pytest.mark.parametrize("name", DRAWN)
def test_seed_step_and_name_all_count(name):
    problem = STREAMS[name]
    params = {"a": np.zeros(64), "b": np.zeros(64)}
    gradients = [problem.gradient(params, step, seed)[key] for step in (1, 2) for seed in (0, 1, -1) for key in params]
    assert len({gradient.tobytes() for gradient in gradients}) == 12


def test_the_first_numbers_stay_what_they_are():
    """Drawn once and written down: a NumPy whose normal numbers are others shows here."""
    found = STREAMS["normal"].gradient({"theta": np.zeros(3)}, 1, 0)["theta"]
    assert [number.hex() for number in found.tolist()] == [
        "0x1.16e3ad11b9e76p-1",
        "-0x1.130db67ce0a22p-4",
        "0x1.ca1b4af3263f5p-1",
    ]


def stream(name, steps, dtype="float64", n=1000, seed=1):
    params = {"theta": np.zeros(n, dtype)}
    return np.array([STREAMS[name].gradient(params, step, seed)["theta"] for step in steps])


def test_near_eps_is():
    size = abs(stream("near eps", range(1, 20), "float32"))
    assert np.float32(1e-9) <= size.min() < 2e-9
    assert 5e-8 < size.max() <= np.float32(1e-7)
    assert np.any(stream("near eps", [1]) < 0)
    assert np.any(stream("near eps", [1]) > 0)
    assert abs(STREAMS["near eps"].start({"theta": (1000,)})["theta"]).max() < 1e-3


def test_shrinking_lets_the_second_moment_fall():
    """What amsgrad is for: v is below its maximum for most of the run, in nearly every element."""
    v = top = np.zeros(1000)
    below = []
    for gradient in stream("shrinking", range(1, 51)):
        v = 0.999 * v + 0.001 * gradient**2
        top = np.maximum(top, v)
        below.append(np.mean(v < top))
    assert min(below[20:]) > 0.9
    size = abs(stream("shrinking", [100, 1000, 10_000], "float32")).mean(axis=1)
    assert np.all((size > 1e-7) & (size < 1e-5))


def test_growing_grows_and_stops():
    size = abs(stream("growing", [1, 50, 100, 200, 10**6])).mean(axis=1)
    assert size[0] < size[1] / 50 < size[2] / 5000
    assert size[2] < size[3] < 1e4 > size[4]


def test_zero_after_step_3_is():
    gradients = stream("zero after step 3", [1, 2, 3, 4, 5, 1000])
    assert np.all(gradients[:3] != 0)
    assert np.all(gradients[3:] == 0)
    assert np.all(stream("zero", range(1, 5)) == 0)


def test_sparse_is_mostly_zero_and_never_the_same_entries():
    here = stream("sparse", range(1, 200)) != 0
    assert 0.09 < here.mean() < 0.11  # 199 000 draws at 0.1: 15 standard deviations
    assert np.all(here.any(axis=0))


def test_large_offset_is():
    gradients = stream("large offset", range(1, 50))
    assert 94 < gradients.min() < gradients.max() < 106
    assert 0.9 < gradients.std() < 1.1


@pytest.mark.parametrize("n", [7, 61, 1000])
def test_many_sizes_has_them_at_any_length(n):
    sizes = functions.sizes((n,))
    exponents = np.sort(np.log10(sizes))
    assert np.all((exponents > -12) & (exponents <= 3))
    assert np.diff([-12, *exponents, 3]).max() < 3 * 15 / n
    size = np.median(abs(stream("many sizes", range(1, 200), n=n)), axis=0)
    assert np.all((size > sizes / 4) & (size < sizes * 4))


def test_missing_every_third_is():
    params = {"a": np.zeros(2), "b": np.zeros(3)}
    missing = [STREAMS["missing every third"].gradient(params, step)["b"] is None for step in range(1, 10)]
    assert missing == [False, False, True] * 3


@pytest.mark.parametrize("name", PROBLEMS)
def test_a_problem_says_what_it_is_for(name):
    problem = PROBLEMS[name]
    assert problem.name == name
    assert len(problem.desc) > 10


@pytest.mark.parametrize("step", [0, -1])
def test_steps_are_counted_from_one(step):
    with pytest.raises(ValueError, match=f"steps are counted from 1, not {step}"):
        STREAMS["normal"].gradient({"a": np.zeros(2)}, step)


@pytest.mark.parametrize("problem", [FUNCTIONS["beale"], STREAMS["sparse"], problem_from(lambda params: params)])
def test_parameters_are_floating(problem):
    with pytest.raises(TypeError, match="dtype must be a floating-point type, not int64"):
        problem.start({"a": (2,)}, "int64")


def test_a_stream_needs_a_tensor():
    with pytest.raises(ValueError, match="'normal' needs at least one shape"):
        STREAMS["normal"].start({})


# A user's own


def test_a_name_or_a_problem_is_itself():
    assert problem_from("sparse") is problem_from(STREAMS["sparse"]) is STREAMS["sparse"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("rosenbruck", "no problem 'rosenbruck'; did you mean 'rosenbrock'?"),
        ("xyz", "no problem 'xyz'; there are rosen"),
    ],
)
def test_a_wrong_name_gets_a_hint(name, message):
    with pytest.raises(KeyError) as caught:
        problem_from(name)
    assert message in caught.value.args[0]


def test_a_callable_gives_gradients_of_copies():
    def slope(params):
        gradients = {"a": 2 * params["a"], "b": None}
        params["a"][...] = 7
        return gradients

    problem = problem_from(slope)
    params = problem.start({"a": (3,), "b": (2, 2)}, "float32", seed=2)
    before = params["a"].copy()
    found = problem.gradient(params, 1, 0)
    assert problem.name == "slope"
    assert bits(params["a"]) == bits(before)
    assert bits(found["a"]) == bits(2 * before)
    assert found["b"] is None


def test_a_callable_of_one_tensor_may_return_one_array_of_any_real_type():
    problem = problem_from(lambda params: [1, 2, 3], start=np.zeros(3, np.float32))
    params = problem.start(None, "float32")
    assert bits(problem.gradient(params)["theta"]) == bits(np.array([1, 2, 3], np.float32))


@pytest.mark.parametrize(
    ("function", "error", "message"),
    [
        (lambda params: 3, TypeError, "must return a dict of gradients, not int"),
        (lambda params: {"c": np.zeros(3)}, KeyError, "gives a gradient for 'c'; the parameters are"),
        (lambda params: {"a": np.zeros(4)}, ValueError, r"gives 'a' a gradient of shape \(4,\), not \(3,\)"),
        (lambda params: {"a": np.zeros(3, complex)}, TypeError, "gives 'a' a gradient of complex128; real numbers"),
        (lambda params: {"a": ["x"] * 3}, TypeError, "gives 'a' a gradient of <U1; real numbers"),
    ],
)
def test_what_a_callable_must_not_return(function, error, message):
    problem = problem_from(function)
    with pytest.raises(error, match=message):
        problem.gradient(problem.start({"a": (3,), "b": (3,)}))


@pytest.mark.parametrize("dtype", DTYPES)
def test_an_array_is_a_gradient_a_step(dtype):
    given_gradients = np.arange(24).reshape(4, 3, 2)
    problem = problem_from(given_gradients)
    params = problem.start(dtype=dtype)
    assert problem.shapes == {"theta": (3, 2)}
    assert params["theta"].shape == (3, 2)
    for step in (1, 4):
        assert bits(problem.gradient(params, step)["theta"]) == bits(given_gradients[step - 1].astype(dtype))


@pytest.mark.parametrize("step", [0, 5])
def test_beyond_the_array_there_is_nothing(step):
    problem = problem_from(np.zeros((4, 2)))
    with pytest.raises(IndexError, match=f"there are gradients for steps 1 to 4, not for step {step}"):
        problem.gradient(problem.start(), step)


def test_several_tensors_and_a_start():
    problem = problem_from({"a": np.ones((2, 3)), "b": np.ones((2,))}, start={"a": np.arange(3.0), "b": np.array(7.0)})
    params = problem.start(dtype="float32")
    assert bits(params["a"]) == bits(np.arange(3, dtype="float32"))
    assert problem.gradient(params, 2)["b"].shape == ()


@pytest.mark.parametrize(
    ("source", "start", "error", "message"),
    [
        (3, None, TypeError, "problem must be a name of rosenbrock, .*; a callable; or NumPy arrays of real.*not int"),
        ([1.0, 2.0], None, TypeError, "not list"),
        (np.zeros(3, complex), None, TypeError, "not complex128"),
        (np.array(["a"]), None, TypeError, "not <U1"),
        (np.zeros(3, bool), None, TypeError, "not bool"),
        ({}, None, ValueError, "problem is empty"),
        (np.array(3.0), None, ValueError, r"need a first axis of steps, their shape is \(\)"),
        (np.zeros((0, 3)), None, ValueError, r"need a first axis of steps, their shape is \(0, 3\)"),
        (
            {"a": np.zeros((2, 3)), "b": np.zeros((3, 3))},
            None,
            ValueError,
            "the same number of steps, not 'a': 2, 'b': 3",
        ),
        (np.zeros((2, 3)), np.zeros(4), ValueError, r"start of 'theta' has shape \(4,\), its gradients \(3,\)"),
        (np.zeros((2, 3)), {"a": np.zeros(3)}, ValueError, "start of '.*' has shape"),
        (lambda params: params, "zero", TypeError, "start must be"),
    ],
)
def test_what_is_no_problem(source, start, error, message):
    with pytest.raises(error, match=message):
        problem_from(source, start)


# Seen to fail


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_gradient_that_is_an_ulp_off_is_noticed(name):
    problem = FUNCTIONS[name]

    def off(x, y):
        lines = problem.ORDERS["pytorch"](x, y)
        return lines._replace(dx=np.nextafter(lines.dx, np.float32(np.inf)))

    wrong = functions.Function(name, "", problem.ORDERS["paper"], off, problem.theta, 0)
    assert apart(wrong, np.random.RandomState(0).randn(2, 50).astype("float32")) == 50
