"""Problems to step on: functions of two variables with their gradients, and streams of gradients made to order.

A function has a slope everywhere and shows a path. A stream has none: its gradients are drawn from
(seed, step, tensor), whatever the parameters are, so that two runs meet the same gradients and a
wrong formula has nowhere to hide (each stream says which ones it brings out).
"""

import difflib
import functools
import math
import zlib
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from reference.arithmetic import PLAIN, is_float, narrowed, widened

EQUATIONS = {
    "rosenbrock": {
        "value": r"f = (a - x)^2 + b\,(y - x^2)^2",
        "dx": r"\partial f/\partial x = -2\,(a - x) - 4 b x\,(y - x^2)",
        "dy": r"\partial f/\partial y = 2 b\,(y - x^2)",
    },
    "quadratic": {
        "value": r"f = \tfrac12 \left(x^2 + \kappa\,y^2\right)",
        "dx": r"\partial f/\partial x = x",
        "dy": r"\partial f/\partial y = \kappa\,y",
    },
    "valley": {
        "along": r"s = x + y",
        "across": r"d = x - y",
        "value": r"f = \tfrac12 \left(s^2 + \kappa\,d^2\right)",
        "dx": r"\partial f/\partial x = s + \kappa\,d",
        "dy": r"\partial f/\partial y = s - \kappa\,d",
    },
    "himmelblau": {
        "p": r"p = x^2 + y - 11",
        "q": r"q = x + y^2 - 7",
        "value": r"f = p^2 + q^2",
        "dx": r"\partial f/\partial x = 4 x p + 2 q",
        "dy": r"\partial f/\partial y = 2 p + 4 y q",
    },
    "beale": {
        "p": r"p = 1.5 - x\,(1 - y)",
        "q": r"q = 2.25 - x\,(1 - y^2)",
        "r": r"r = 2.625 - x\,(1 - y^3)",
        "value": r"f = p^2 + q^2 + r^2",
        "dx": r"\partial f/\partial x = -2 p\,(1 - y) - 2 q\,(1 - y^2) - 2 r\,(1 - y^3)",
        "dy": r"\partial f/\partial y = 2 p x + 4 q x y + 6 r x y^2",
    },
}


class Slope(NamedTuple):
    value: Any
    dx: Any
    dy: Any


class ValleySlope(NamedTuple):
    along: Any
    across: Any
    value: Any
    dx: Any
    dy: Any


class HimmelblauSlope(NamedTuple):
    p: Any
    q: Any
    value: Any
    dx: Any
    dy: Any


class BealeSlope(NamedTuple):
    p: Any
    q: Any
    r: Any
    value: Any
    dx: Any
    dy: Any


def rosenbrock(x, y, a=1, b=100):
    """Rosenbrock's valley (1960), as the notebook writes it; 0 at (a, a²)."""
    value = (a - x) ** 2 + b * (y - x**2) ** 2
    dx = -2 * (a - x) - 4 * b * x * (y - x**2)
    dy = 2 * b * (y - x**2)
    return Slope(value, dx, dy)


def rosenbrock_pytorch(x, y, a=1, b=100):
    """The same in the order in which autograd differentiates it."""
    r = a - x
    q = y - x * x
    value = r * r + b * (q * q)
    dy = b * (2 * q)
    dx = -(2 * r) + -dy * (2 * x)
    return Slope(value, dx, dy)


def quadratic(x, y, curvature=2):
    """A bowl along the axes; 0 at (0, 0); its condition number is the curvature."""
    value = 0.5 * (x**2 + curvature * y**2)
    dx = x
    dy = curvature * y
    return Slope(value, dx, dy)


def quadratic_pytorch(x, y, curvature=2):
    """The same in the order in which autograd differentiates it."""
    value = 0.5 * (x * x + curvature * (y * y))
    dx = 0.5 * (2 * x)
    dy = (0.5 * curvature) * (2 * y)
    return Slope(value, dx, dy)


def valley(x, y, curvature=1e4):
    """A narrow valley along the diagonal, which no scaling of single coordinates can widen; 0 at (0, 0)."""
    along = x + y
    across = x - y
    value = 0.5 * (along**2 + curvature * across**2)
    dx = along + curvature * across
    dy = along - curvature * across
    return ValleySlope(along, across, value, dx, dy)


def valley_pytorch(x, y, curvature=1e4):
    """The same in the order in which autograd differentiates it."""
    along = x + y
    across = x - y
    value = 0.5 * (along * along + curvature * (across * across))
    d_along = 0.5 * (2 * along)
    d_across = (0.5 * curvature) * (2 * across)
    dx = d_across + d_along
    dy = -d_across + d_along
    return ValleySlope(along, across, value, dx, dy)


def himmelblau(x, y):
    """Himmelblau's function (1972): four minima of 0, one of them at (3, 2)."""
    p = x**2 + y - 11
    q = x + y**2 - 7
    value = p**2 + q**2
    dx = 4 * x * p + 2 * q
    dy = 2 * p + 4 * y * q
    return HimmelblauSlope(p, q, value, dx, dy)


def himmelblau_pytorch(x, y):
    """The same in the order in which autograd differentiates it."""
    p = x * x + y - 11
    q = x + y * y - 7
    value = p * p + q * q
    dx = 2 * q + (2 * p) * (2 * x)
    dy = (2 * q) * (2 * y) + 2 * p
    return HimmelblauSlope(p, q, value, dx, dy)


def beale(x, y):
    """Beale's function (1958): flat, with steep corners; 0 at (3, 0.5)."""
    p = 1.5 - x * (1 - y)
    q = 2.25 - x * (1 - y**2)
    r = 2.625 - x * (1 - y**3)
    value = p**2 + q**2 + r**2
    dx = -2 * p * (1 - y) - 2 * q * (1 - y**2) - 2 * r * (1 - y**3)
    dy = 2 * p * x + 4 * q * x * y + 6 * r * x * y**2
    return BealeSlope(p, q, r, value, dx, dy)


def beale_pytorch(x, y):
    """The same in the order in which autograd differentiates it: the last term first."""
    p = 1.5 - x * (1 - y)
    q = 2.25 - x * (1 - y * y)
    r = 2.625 - x * (1 - y * y * y)
    value = p * p + q * q + r * r
    dp = -(2 * p)
    dq = -(2 * q)
    dr = -(2 * r)
    dx = dr * (1 - y * y * y) + dq * (1 - y * y) + dp * (1 - y)
    dy = -(dr * x) * (3 * (y * y)) + -(dq * x) * (2 * y) + -(dp * x)
    return BealeSlope(p, q, r, value, dx, dy)


class Problem:
    """Where a run starts and which gradient each step meets.

    `desc` says in a sentence what the problem is for; `shapes` are its own shapes, None where any will do.
    """

    name: str
    desc: str
    shapes: dict[str, tuple[int, ...]] | None = None

    def start(self, shapes=None, dtype="float64", seed=0) -> dict[str, np.ndarray]:
        """The parameters before the first step.

        Arguments:
            shapes: name to shape, one entry a tensor. A problem with shapes of its own keeps to those.
            dtype: a floating-point dtype.
            seed: any integer.
        """
        raise NotImplementedError

    def gradient(self, params, step=1, seed=0) -> dict[str, Any]:
        """Name to gradient at `params`, of their shapes and dtypes; None for a tensor that has none.

        Arguments:
            params: name to array.
            step: counted from 1; any step can be asked for without the ones before it.
            seed: any integer.
        """
        raise NotImplementedError


class Function(Problem):
    """A function of x and y; the parameter "theta" is [x, y], of shape (2,) or (2, n) for n points at once.

    `ORDERS` has the formula in the readable order ("paper") and in that of autograd ("pytorch").
    """

    def __init__(self, name, desc, paper, pytorch, start, minimum):
        self.name, self.desc = name, desc
        self.ORDERS: dict[str, Callable[..., Any]] = {"paper": paper, "pytorch": pytorch}
        self.EQUATIONS = EQUATIONS[paper.__name__]
        self.theta, self.minimum = np.array(start), minimum
        self.shapes = {"theta": self.theta.shape}

    def start(self, shapes=None, dtype="float64", seed=0):
        return {"theta": self.theta.astype(floating(dtype))}

    def evaluate(self, params, order="paper"):
        """Every line of the formula at `params`, in numbers of any type."""
        theta = widened(params["theta"])
        # as arrays, also of one point: NumPy squares those by a product, its scalars by the C library's pow
        return self.ORDERS[order](theta[0, ...], theta[1, ...])

    def value(self, params, order="paper", ops=PLAIN):
        """The function's value, summed over the points."""
        value = self.evaluate(params, order).value
        return narrowed(ops.sum(value) if value.ndim else value, params["theta"])

    def gradient(self, params, step=1, seed=0, order="paper"):
        lines = self.evaluate(params, order)
        return {"theta": narrowed(np.stack([lines.dx, lines.dy]), params["theta"])}


class Stream(Problem):
    """Gradients drawn from (seed, step, name, shape), whatever the parameters are.

    They are drawn in float64 and rounded to the parameters' dtype, so both precisions meet the same stream.

    Arguments:
        draw: (numpy Generator, step, shape) to a float64 array, or None for no gradient.
        scale: of the normally distributed parameters at the start.
    """

    def __init__(self, name, desc, draw, scale=1.0):
        self.name, self.desc, self.draw, self.scale = name, desc, draw, scale

    def start(self, shapes=None, dtype="float64", seed=0):
        dtype = floating(dtype)
        shapes = {"theta": (64,)} if shapes is None else shapes
        if not shapes:
            raise ValueError(f"problem {self.name!r} needs at least one shape")
        return {
            name: np.asarray(self.scale * generator(seed, 0, name).standard_normal(shape), dtype)
            for name, shape in shapes.items()
        }

    def gradient(self, params, step=1, seed=0):
        if step < 1:
            raise ValueError(f"steps are counted from 1, not {step}")
        return {name: self.one(name, np.shape(param), param.dtype, step, seed) for name, param in params.items()}

    def one(self, name, shape, dtype, step, seed):
        draw = drawn if math.prod(shape) > REMEMBERED else drawn_once
        grad = draw(self.draw, seed, step, name, shape)
        return None if grad is None else np.array(grad, dtype)


def drawn(draw, seed, step, name, shape):
    return draw(generator(seed, step, name), step, shape)


# Either side of a comparison asks for the same gradients, and so does every replay of it.
REMEMBERED = 1024  # elements: a larger one takes longer to draw than to ask for, and more memory to keep
drawn_once = functools.lru_cache(maxsize=4096)(drawn)


def generator(seed: int, step: int, name: str) -> np.random.Generator:
    """The random numbers of one tensor at one step; no other step or tensor has to be drawn first."""
    return np.random.Generator(
        np.random.Philox(np.random.SeedSequence([seed % 2**64, step, zlib.crc32(name.encode())]))
    )


def floating(dtype) -> np.dtype:
    dtype = np.dtype(dtype)
    if not is_float(np.empty(0, dtype)):
        raise TypeError(f"dtype must be a floating-point type, not {dtype}")
    return dtype


def normal(draws, step, shape):
    return draws.standard_normal(shape)


def near_eps(draws, step, shape):
    return np.sign(draws.uniform(-1, 1, shape)) * 10.0 ** draws.uniform(-9, -7, shape)


def shrinking(draws, step, shape):
    return draws.standard_normal(shape) * max(0.7 ** (step - 1), 1e-6)


def growing(draws, step, shape):
    return draws.standard_normal(shape) * min(1e-3 * 1.1 ** min(step - 1, 200), 1e3)


def zero_after_step_3(draws, step, shape):
    return draws.standard_normal(shape) if step <= 3 else np.zeros(shape)


def zero(draws, step, shape):
    return np.zeros(shape)


def sparse(draws, step, shape):
    return draws.standard_normal(shape) * (draws.uniform(size=shape) < 0.1)


def large_offset(draws, step, shape):
    return 100 + draws.standard_normal(shape)


def many_sizes(draws, step, shape):
    return draws.standard_normal(shape) * sizes(shape)


def huge_and_tiny(draws, step, shape):
    return draws.standard_normal(shape) * 10 * sizes(shape) ** 3


def not_finite_at_last(draws, step, shape):
    grad = draws.standard_normal(shape)
    if step == 4:
        grad.reshape(-1)[:3] = np.array([np.inf, -np.inf, np.nan])[: grad.size]
    return grad


def missing_every_third(draws, step, shape):
    return None if step % 3 == 0 else draws.standard_normal(shape)


def sizes(shape):
    """An element's own size, from 1e3 down to 1e-12; the golden ratio spreads them evenly at any length."""
    position = np.arange(1, np.prod(shape, dtype=int) + 1).reshape(shape)
    return 10.0 ** (3 - 15 * (position * (np.sqrt(5) - 1) / 2 % 1))


FUNCTIONS = {
    problem.name: problem
    for problem in (
        Function(
            "rosenbrock",
            "a bent valley, from the notebook's start",
            rosenbrock,
            rosenbrock_pytorch,
            start=[-1.5, 2.5],
            minimum=0.0,
        ),
        Function(
            "quadratic",
            "a well-conditioned bowl, 32 points at once: nothing amplifies rounding",
            quadratic,
            quadratic_pytorch,
            start=[np.linspace(-2, 2, 32), np.linspace(3, -1, 32)],
            minimum=0.0,
        ),
        Function(
            "ill-conditioned quadratic",
            "a valley 10 000 times steeper across than along, turned by 45 degrees, 32 points at once",
            valley,
            valley_pytorch,
            start=[np.linspace(-2, 2, 32), np.linspace(3, -1, 32)],
            minimum=0.0,
        ),
        Function(
            "himmelblau",
            "four minima: which one is reached can hang on a rounding",
            himmelblau,
            himmelblau_pytorch,
            start=[-0.27, -0.92],
            minimum=0.0,
        ),
        Function(
            "beale",
            "a flat plain with steep corners: gradients of many sizes on one path",
            beale,
            beale_pytorch,
            start=[1.0, 1.5],
            minimum=0.0,
        ),
    )
}

STREAMS = {
    problem.name: problem
    for problem in (
        Stream("normal", "standard normal gradients: bias corrections, decay rates, momentum", normal),
        Stream(
            "near eps",
            "gradients of size 1e-9 to 1e-7, parameters small: where eps stands, and how large it is",
            near_eps,
            scale=1e-4,
        ),
        Stream("shrinking", "a factor 0.7 a step, down to 1e-6: amsgrad's maximum, on or off", shrinking, scale=1e-2),
        Stream("growing", "from 1e-3, a factor 1.1 a step, up to 1e3: what remembers too long", growing),
        Stream(
            "zero after step 3",
            "normal, then exactly 0: what moves on by itself (momentum, decay, the counter)",
            zero_after_step_3,
            scale=1e-2,
        ),
        Stream("zero", "exactly 0 throughout: division by zero, decay alone", zero),
        Stream("sparse", "nine of ten are exactly 0, others each step: eps, the sign of zero", sparse, scale=1e-2),
        Stream(
            "large offset",
            "100 plus a standard normal: the cancellation in a centred second moment",
            large_offset,
        ),
        Stream(
            "many sizes",
            "each element has its own size, from 1e3 down to 1e-12: every place of eps at once",
            many_sizes,
            scale=1e-4,
        ),
        Stream(
            "huge and tiny",
            "each element has its own size, from 1e10 down to 1e-35: clipping, overflow, squares that vanish",
            huge_and_tiny,
        ),
        Stream(
            "not finite at step 4",
            "normal, and at step 4 infinity, minus infinity and NaN: what hides, clips or skips them",
            not_finite_at_last,
        ),
        Stream(
            "missing every third",
            "no gradient at steps 3, 6, 9, …: a skipped tensor must not move, decay or count",
            missing_every_third,
        ),
    )
}

PROBLEMS: dict[str, Problem] = {**FUNCTIONS, **STREAMS}


class Custom(Problem):
    """A user's function from params to gradients."""

    def __init__(self, function, start=None):
        self.name = getattr(function, "__name__", type(function).__name__)
        self.desc = "the user's own function"
        self.function, self.own_start = function, start
        self.shapes = None if start is None else {name: array.shape for name, array in start.items()}

    def start(self, shapes=None, dtype="float64", seed=0):
        if self.own_start is None:
            return STREAMS["normal"].start(shapes, dtype, seed)
        return {name: array.astype(floating(dtype)) for name, array in self.own_start.items()}

    def gradient(self, params, step=1, seed=0):
        given = self.function({name: param.copy() for name, param in params.items()})
        if not isinstance(given, Mapping) and len(params) == 1:
            given = dict.fromkeys(params, given)
        if not isinstance(given, Mapping):
            raise TypeError(f"{self.name}(params) must return a dict of gradients, not {type(given).__name__}")
        return {name: None if grad is None else like(grad, params, name, self.name) for name, grad in given.items()}


class Recorded(Problem):
    """A user's own gradients: name to array (steps, *shape)."""

    def __init__(self, gradients, start=None):
        self.name, self.desc = "gradients", "the user's own gradients"
        self.gradients, self.own_start = gradients, start
        self.steps = min(len(array) for array in gradients.values())
        self.shapes = {name: array.shape[1:] for name, array in gradients.items()}

    def start(self, shapes=None, dtype="float64", seed=0):
        if self.own_start is None:
            return STREAMS["normal"].start(self.shapes, dtype, seed)
        return {name: array.astype(floating(dtype)) for name, array in self.own_start.items()}

    def gradient(self, params, step=1, seed=0):
        if not 1 <= step <= self.steps:
            raise IndexError(f"there are gradients for steps 1 to {self.steps}, not for step {step}")
        return {name: like(array[step - 1], params, name, self.name) for name, array in self.gradients.items()}


def problem_from(source, start=None) -> Problem:
    """The problem that `source` describes.

    Arguments:
        source: a problem or the name of one; a callable that takes a dict of parameters and returns a dict of
            gradients (or one array where there is one tensor); an array of gradients (steps, *shape) for a
            tensor "theta"; or a dict of such arrays.
        start: name to array, or one array for "theta": where a callable's or an array's run starts; drawn from
            the seed where it is left out.

    Raises:
        KeyError: for a name that is no problem's.
        TypeError: for anything else, or arrays that hold no real numbers.
        ValueError: for arrays without a first axis of steps, of different numbers of steps, or a start that
            does not fit.
    """
    if isinstance(source, Problem):
        return source
    if isinstance(source, str):
        return known(source)
    start = None if start is None else arrays(start, "start")
    if callable(source):
        return Custom(source, start)
    gradients = arrays(source, "problem")
    for name, array in gradients.items():
        if array.ndim == 0 or len(array) == 0:
            raise ValueError(f"gradients of {name!r} need a first axis of steps, their shape is {array.shape}")
    if len({len(array) for array in gradients.values()}) > 1:
        counts = ", ".join(f"{name!r}: {len(array)}" for name, array in gradients.items())
        raise ValueError(f"every tensor needs the same number of steps, not {counts}")
    if start is not None:
        for name in gradients.keys() | start.keys():
            shape = start[name].shape if name in start else None
            needed = gradients[name].shape[1:] if name in gradients else None
            if shape != needed:
                raise ValueError(f"start of {name!r} has shape {shape}, its gradients {needed}")
    return Recorded(gradients, start)


def known(name: str) -> Problem:
    if name in PROBLEMS:
        return PROBLEMS[name]
    near = difflib.get_close_matches(name, PROBLEMS, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(PROBLEMS)}"
    raise KeyError(f"no problem {name!r}; {hint}")


def arrays(source, what) -> dict[str, np.ndarray]:
    """Name to floating-point array; a single array is "theta"."""
    if not isinstance(source, Mapping):
        source = {"theta": source}
    if not source:
        raise ValueError(f"{what} is empty: at least one tensor is needed")
    for array in source.values():
        if not isinstance(array, np.ndarray) or not real(array):
            kind = array.dtype if isinstance(array, np.ndarray) else type(array).__name__
            raise TypeError(
                f"{what} must be a name of {', '.join(PROBLEMS)}; a callable; or NumPy arrays of real numbers; "
                f"not {kind}"
            )
    return {name: array if np.issubdtype(array.dtype, np.floating) else array * 1.0 for name, array in source.items()}


def real(array) -> bool:
    return np.issubdtype(array.dtype, np.floating) or np.issubdtype(array.dtype, np.integer)


def like(grad, params, name, source):
    """`grad` in the dtype of its parameter, which both sides are then given alike."""
    if name not in params:
        raise KeyError(f"{source} gives a gradient for {name!r}; the parameters are {list(params)}")
    grad = np.asarray(grad)
    if not real(grad):
        raise TypeError(f"{source} gives {name!r} a gradient of {grad.dtype}; real numbers are needed")
    if grad.shape != params[name].shape:
        raise ValueError(f"{source} gives {name!r} a gradient of shape {grad.shape}, not {params[name].shape}")
    return grad.astype(params[name].dtype)
