"""Somebody's own optimizer of a closure, driven: a class whose step calls one, or a function of a function."""

import functools
import importlib
import inspect
import sys
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from lockstep.errors import TheirCode
from lockstep.numerics import formats
from lockstep.numerics.snapshot import Snapshot
from lockstep.subjects.families.optim import problem_of
from lockstep.subjects.handed import handed_over
from lockstep.text import message

Arrays = dict[str, Any]
Evaluation = tuple[float, Arrays]  # a loss, and the gradients beside it

METHODS = ("step", "minimize", "minimise", "optimize", "optimise", "run", "fit", "solve", "update", "__call__")
HELD = ("params", "parameters", "x", "theta", "w", "weights")  # where an object may keep what it moves
STARTS = (
    *("x0", "x", "params", "parameters", "init", "init_params", "w0", "theta0", "x_init", "theta", "w", "start"),
    *("x_start", "initial", "weights", "initial_params", "initial_guess", "xk"),
)
SLOPES = (
    *("grad", "gradient", "grad_fn", "grad_f", "df", "dfun", "fprime", "jac", "g", "gradf", "gradient_fn"),
    *("grad_func", "f_grad", "grad_fun", "gfun", "gradient_func"),
)
OTHERS = {
    "lr": ("lr", "learning_rate", "step_size", "stepsize", "alpha", "eta", "alpha0", "rate"),
    "max_iter": (
        *("max_iter", "maxiter", "max_iters", "n_iter", "num_iters", "n_iters", "iterations", "num_iterations"),
        *("max_iterations", "steps", "n_steps", "num_steps", "epochs", "iters", "niter", "max_steps"),
    ),
    "max_eval": ("max_eval", "max_evals", "maxfun", "max_fun", "max_feval"),
    "tolerance_grad": ("tolerance_grad", "tol_grad", "grad_tol", "gtol", "pgtol", "tol", "tolerance", "eps", "epsilon"),
    "tolerance_change": ("tolerance_change", "tol_change", "change_tol", "ftol", "xtol"),
    "history_size": (
        *("history_size", "m", "memory", "memory_size", "mem", "history", "max_history", "hist_size", "n_history"),
        *("max_memory", "num_corrections", "maxcor", "n_corrections", "history_len", "M"),
    ),
    "line_search_fn": ("line_search_fn", "line_search"),
}
MOST = 25  # evaluations of a direction, as many as PyTorch's own search takes


def names_of(target: Any, stated: Iterable[str]) -> dict[str, str]:
    """PyTorch's hyperparameters that it takes, where it is made or where it is called, each to its own name."""
    given = {name: one for function in takers(target) for name, one in inspect.signature(function).parameters.items()}
    return {name: own for name in stated for own in reversed(OTHERS.get(name, (name,))) if own in given}


def takers(target: Any) -> list[Callable[..., Any]]:
    """What may be told something: a function, or a class and its method."""
    method = method_of(target) if inspect.isclass(target) else ""
    return [getattr(target, method), target] if method else [target]


def method_of(kind: type) -> str:
    """The method that steps; nothing where there is none."""
    return next((name for name in METHODS if callable(getattr(kind, name, None)) and own_call(kind, name)), "")


def own_call(kind: type, name: str) -> bool:
    return name != "__call__" or any("__call__" in vars(base) for base in kind.__mro__[:-1])


class Enough(Exception):
    """It has been asked as often as anybody wants to know."""


class WatchedFunction:
    """The function of a case, which notes where it is asked for its loss and its slope, and what it answers."""

    def __init__(self, case: Any, dtype: str, most: float) -> None:
        self.problem, self.case, self.most, self.step = problem_of(case.problem), case, most, 1
        with handed_over():
            self.start = self.problem.start(case.shapes_for(self.problem), formats.named(dtype).dtype, 0)
        self.noted: list[Snapshot] = []

    def at(self, params: Mapping[str, Any]) -> Evaluation:
        """Loss and gradients, zeros where there are none; a point that is asked about twice in a row is noted once."""
        point = {name: np.array(params[name]) for name in self.start}
        self.check(point)
        grads = self.case.scheduled(self.problem.gradient(point, step=self.step, seed=0), self.step)
        value = getattr(self.problem, "value", None)
        loss = value(point) if value else linear(point, grads)
        dense = {name: np.zeros_like(point[name]) if grad is None else np.array(grad) for name, grad in grads.items()}
        if not (self.noted and "loss" in self.noted[-1] and same(self.noted[-1]["param"], point)):
            if len(self.noted) >= self.most:
                raise Enough
            like = next(iter(point.values())).dtype
            self.noted.append(Snapshot({"param": point, "grad": dense, "loss": {"loss": np.asarray(loss, like)}}))
        return float(loss), dense

    def check(self, point: Mapping[str, Any]) -> None:
        """Refuse a point of another kind than what it began with.

        Raises:
            TheirCode: naming it.
        """
        for name, given in self.start.items():
            if point[name].shape != given.shape:
                what = {"name": name, "given": given.shape, "made": point[name].shape}
                raise TheirCode(message("broken.shape-out", **what))
            if point[name].dtype != given.dtype:
                what = {"name": name, "given": given.dtype, "made": point[name].dtype}
                raise TheirCode(message("broken.dtype-out", **what))

    def ended(self, params: Mapping[str, Any]) -> None:
        """Note where a step ended."""
        point = {name: np.array(params[name]) for name in self.start}
        self.check(point)
        self.noted.append(Snapshot({"param": point}))


def linear(params: Mapping[str, Any], grads: Mapping[str, Any]) -> Any:
    """Σ g·θ, of which the gradients are the slope; of what has none, nothing."""
    terms = [(grad * params[name]).sum() for name, grad in grads.items() if grad is not None]
    return sum(terms[1:], terms[0]) if terms else 0.0


def same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return all(array.tobytes() == other[name].tobytes() for name, array in one.items())


def end_to_end(arrays: Mapping[str, Any]) -> Any:
    return np.concatenate([np.asarray(array).reshape(-1) for array in arrays.values()])


def apart(flat: Any, like: Arrays) -> Arrays:
    """A vector as arrays by name again."""
    ends = np.cumsum([array.size for array in like.values()])
    parts = np.split(np.asarray(flat).reshape(-1), ends[:-1])
    return {name: part.reshape(array.shape) for (name, array), part in zip(like.items(), parts, strict=True)}


class Holding:
    """How parameters are held: by name, in a dict. A closure answers with the loss and the gradients, held alike."""

    def packed(self, arrays: Arrays) -> Any:
        """What holds these arrays."""
        return dict(arrays)

    def read(self, held: Any, like: Arrays) -> Arrays:
        """The arrays by name again."""
        return {name: np.asarray(held[name]) for name in like}

    def answer(self, held: Any, loss: float, grads: Arrays) -> Any:
        """What a closure returns."""
        return loss, self.packed(grads)


class ListHolding(Holding):
    """In a list."""

    def packed(self, arrays: Arrays) -> Any:
        return [*arrays.values()]

    def read(self, held: Any, like: Arrays) -> Arrays:
        return {name: np.asarray(array) for name, array in zip(like, held, strict=True)}


class Flat(Holding):
    """End to end, in a vector."""

    def packed(self, arrays: Arrays) -> Any:
        return end_to_end(arrays)

    def read(self, held: Any, like: Arrays) -> Arrays:
        return apart(held, like)


class ObjectHolding(Holding):
    """In objects with `data` and `grad`; a closure leaves the gradients there, and answers with the loss."""

    def packed(self, arrays: Arrays) -> Any:
        return [types.SimpleNamespace(data=array, grad=None, shape=array.shape) for array in arrays.values()]

    def read(self, held: Any, like: Arrays) -> Arrays:
        return {name: np.asarray(holder.data) for name, holder in zip(like, held, strict=True)}

    def answer(self, held: Any, loss: float, grads: Arrays) -> Any:
        for holder, grad in zip(held, grads.values(), strict=True):
            holder.grad = grad
        return loss


class Tensors(Holding):
    """In PyTorch's parameters, in the same way."""

    def packed(self, arrays: Arrays) -> Any:
        made = importlib.import_module("torch_impl.tensors").tensor
        return [made(array, requires_grad=True) for array in arrays.values()]

    def read(self, held: Any, like: Arrays) -> Arrays:
        return {name: tensor.detach().numpy() for name, tensor in zip(like, held, strict=True)}

    def answer(self, held: Any, loss: float, grads: Arrays) -> Any:
        torch: Any = sys.modules["torch"]
        for tensor, grad in zip(held, grads.values(), strict=True):
            tensor.grad = torch.tensor(grad)
        return torch.tensor(loss, dtype=held[0].dtype)


class Told(NamedTuple):
    """What an optimizer is told. settings: by its own names. names: PyTorch's to those. steps: how many."""

    settings: dict[str, Any]
    names: Mapping[str, str]
    steps: int

    @property
    def counted(self) -> dict[str, Any]:
        """As many directions as there are steps, where a call is a run."""
        return {self.names["max_iter"]: self.steps} if "max_iter" in self.names else {}

    def of(self, function: Callable[..., Any], **others: Any) -> dict[str, Any]:
        """What of it a function takes."""
        given = inspect.signature(function).parameters
        anything = any(one.kind is one.VAR_KEYWORD for one in given.values())
        return {name: value for name, value in (self.settings | others).items() if anything or name in given}


def points_asked(
    target: Any, names: Mapping[str, str], told: Mapping[str, Any], case: Any, dtype: str
) -> Iterator[Snapshot]:
    """Where it starts, every point that it asks about, and where each of its steps ends, if it is stepped.

    Of an end there is the point alone.

    Raises:
        TheirCode: where it cannot be driven, or cannot be told what the case is about.
    """
    if case.lr_at:
        raise TheirCode(message("reason.not-between-steps", name="lr"))
    if case.sparse:
        raise TheirCode(message("reason.dense-alone"))
    check_taken(names, case.hyperparameters, told)
    settings = {names[name]: value for name, value in told.items() if name in names}
    given = Told(settings, names, case.steps)
    problems: list[Exception] = []
    still: list[Snapshot] | None = None
    for way in ways(target, given):
        watched = WatchedFunction(case, dtype, most=case.steps * MOST if way.whole else np.inf)
        if way.whole and (told.get("max_iter") != 1 or not hasattr(watched.problem, "value")):
            raise TheirCode(message("reason.a-run"))
        try:
            way.drive(watched)
        except Enough:
            pass
        except Exception as problem:
            problems.append(problem)
            continue
        states = [Snapshot({"param": watched.start}), *watched.noted]
        if any(not same(state["param"], watched.start) for state in watched.noted):
            return iter(states)
        still = still or (states if watched.noted else None)
    if still is None:
        raise next((one for one in problems if isinstance(one, TheirCode)), problems[0])
    return iter(still)


def check_taken(names: Mapping[str, str], asked: Mapping[str, Any], told: Mapping[str, Any]) -> None:
    """Refuse a case of several directions a step, or of an end, that it cannot be told.

    Arguments:
        asked: what the case is about. told: that and the rest.

    Raises:
        TheirCode: naming what it does not take.
    """
    few = (asked.get("max_eval") or MOST) < MOST
    ends = [name for name in asked if name.startswith("tolerance") or (few and name == "max_eval")]
    lacks = [name for name in ends if name not in names]
    lacks += ["max_iter"] * (told.get("max_iter") != 1 and "max_iter" not in names)
    if lacks:
        raise TheirCode(message("reason.no-names", names=", ".join(lacks)))


class Way(NamedTuple):
    """One way to drive it; `whole` where a call is a run and no step."""

    drive: Callable[[WatchedFunction], Any]
    whole: bool


def ways(target: Any, told: Told) -> Iterator[Way]:
    """The ways to drive it that its arguments suggest, the likeliest first.

    Raises:
        TheirCode: for arguments that nobody here knows.
    """
    if not inspect.isclass(target):
        yield called_way(target, told, whole=True)
        return
    name = method_of(target)
    if not name:
        raise TheirCode(message("recognise.no-step", methods=", ".join(METHODS)))
    own = [one for one in inspect.signature(getattr(target, name)).parameters.values() if one.name != "self"]
    needed = [one.name for one in own if one.default is one.empty and one.kind is one.POSITIONAL_OR_KEYWORD]
    holder = next(iter(inspect.signature(target).parameters), "")
    if len(needed) <= 1 and holder and holder not in told.settings:
        forms = [Tensors()] if is_torch(target) else [Holding(), ListHolding(), Flat(), ObjectHolding()]
        yield from (Way(functools.partial(stepped, target, name, holder, form, told), whole=False) for form in forms)
        return
    whole = name not in ("step", "update", "__call__")
    made = target(**told.of(target, **(told.counted if whole else {})))
    yield called_way(getattr(made, name), told, whole)


def is_torch(target: Any) -> bool:
    torch: Any = sys.modules.get("torch")
    return torch is not None and issubclass(target, torch.optim.Optimizer)


def stepped(target: Any, method: str, holder: str, form: Holding, told: Told, watched: WatchedFunction) -> None:
    """A class that holds the parameters and is stepped with a closure."""
    held = form.packed({name: array.copy() for name, array in watched.start.items()})
    made = target(held, **{name: value for name, value in told.of(target).items() if name != holder})

    def now() -> Any:
        for name in () if isinstance(form, ObjectHolding | Tensors) else HELD:
            own = getattr(made, name, None)
            if own is not None and type(own) is type(held) and alike(own, held):
                return own
        return held

    def closure(*point: Any) -> Any:
        holds = point[0] if point else now()
        return form.answer(holds, *watched.at(form.read(holds, watched.start)))

    for watched.step in range(1, told.steps + 1):
        getattr(made, method)(closure)
        watched.ended(form.read(now(), watched.start))


def alike(own: Any, held: Any) -> bool:
    """Whether it is what an object was given, or may have taken its place."""
    if isinstance(held, np.ndarray):
        return bool(np.shape(own) == np.shape(held))  # pyright: ignore[reportUnknownArgumentType]
    return len(own) == len(held) and (not isinstance(held, dict) or own.keys() == held.keys())


def called_way(function: Callable[..., Any], told: Told, whole: bool) -> Way:
    """A function, or a method, of a function, where to start, and perhaps the function's slope; all flat vectors.

    Raises:
        TheirCode: for arguments that nobody here knows.
    """
    given = [name for name, one in inspect.signature(function).parameters.items() if one.kind is not one.VAR_KEYWORD]
    start = next((name for name in STARTS if name in given), None)
    slope = next((name for name in SLOPES if name in given and name not in told.settings), None)
    others = [name for name in given if name not in (start, slope, *told.settings)]
    if start is None or not (others or (slope and not whole)):
        raise TheirCode(message("recognise.closure", names=", ".join(given)))
    roles = (others[0] if others else None), start, slope
    return Way(functools.partial(called, function, roles, told, whole), whole)


def called(
    function: Callable[..., Any], roles: tuple[Any, Any, Any], told: Told, whole: bool, watched: WatchedFunction
) -> None:
    """Drive it by calls: one for a whole run, or one a step, whose answer is where the next begins."""
    asked, start, slope = roles

    def evaluated(point: Any, *_: Any) -> tuple[Any, Any]:
        loss, grads = watched.at(apart(point, watched.start))
        return loss, end_to_end(grads)

    def loss_at(point: Any, *_: Any) -> Any:
        return evaluated(point)[0]

    def slope_at(point: Any, *_: Any) -> Any:
        return evaluated(point)[1]

    functions: dict[str, Any] = {asked: loss_at if slope else evaluated} if asked else {}
    functions |= {slope: slope_at} if slope else {}
    point: Any = end_to_end(watched.start)
    for watched.step in (1,) if whole else range(1, told.steps + 1):
        functions |= {} if asked else {slope: slope_at(point)}  # it is handed the gradient itself
        counted = told.counted if whole else {}
        answer: Any = function(**functions, **{start: point.copy()}, **told.of(function, **counted))
        if not whole:
            parts: list[Any] = [*answer] if isinstance(answer, tuple | list) else [answer]
            point = next((part for part in parts if getattr(part, "shape", None) == point.shape), point)
            watched.ended(apart(point, watched.start))
