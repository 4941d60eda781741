"""Somebody's own optimizer of a closure, driven: a class whose step calls one, or a function of a function."""

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
from lockstep.subjects.handed import handed_over
from lockstep.subjects.optim import problem_of
from lockstep.text import message

Evaluation = tuple[float, dict[str, np.ndarray]]  # a loss, and the gradients beside it

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


class Watched:
    """The function of a case, which notes where it is asked for its loss and its slope, and what it answers."""

    def __init__(self, case, dtype: str, most: float):
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

    def check(self, point: Mapping[str, np.ndarray]) -> None:
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


def same(one: Mapping[str, np.ndarray], other: Mapping[str, np.ndarray]) -> bool:
    return all(array.tobytes() == other[name].tobytes() for name, array in one.items())


class Form(NamedTuple):
    """How parameters are held.

    packed: arrays by name to what holds them. read: back. answer: what a closure returns, of what holds the parameters,
    the loss and the gradients.
    """

    packed: Callable[[dict[str, np.ndarray]], Any]
    read: Callable[[Any, Mapping[str, np.ndarray]], dict[str, np.ndarray]]
    answer: Callable[[Any, Any, dict[str, Any]], Any]


def end_to_end(arrays: Mapping[str, Any]) -> np.ndarray:
    return np.concatenate([np.asarray(array).reshape(-1) for array in arrays.values()])


def apart(flat: Any, like: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """A vector as arrays by name again."""
    ends = np.cumsum([array.size for array in like.values()])
    parts = np.split(np.asarray(flat).reshape(-1), ends[:-1])
    return {name: part.reshape(array.shape) for (name, array), part in zip(like.items(), parts, strict=True)}


def in_list(held: Any, like: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name: np.asarray(array) for name, array in zip(like, held, strict=True)}


def holding(held: Any, loss: Any, grads: dict[str, Any]) -> Any:
    for holder, grad in zip(held, grads.values(), strict=True):
        holder.grad = grad
    return loss


def on_tensors(held: Any, loss: Any, grads: dict[str, Any]) -> Any:
    torch = sys.modules["torch"]
    for tensor, grad in zip(held, grads.values(), strict=True):
        tensor.grad = torch.tensor(grad)
    return torch.tensor(loss, dtype=held[0].dtype)


def tensors(arrays: dict[str, np.ndarray]) -> list[Any]:
    made = importlib.import_module("torch_impl.tensors").tensor
    return [made(array, requires_grad=True) for array in arrays.values()]


NAMED = Form(dict, lambda held, like: {name: np.asarray(held[name]) for name in like}, lambda held, *told: told)
LISTED = Form(lambda arrays: [*arrays.values()], in_list, lambda held, loss, grads: (loss, [*grads.values()]))
FLAT = Form(end_to_end, apart, lambda held, loss, grads: (loss, end_to_end(grads)))
HOLDERS = Form(
    lambda arrays: [types.SimpleNamespace(data=array, grad=None, shape=array.shape) for array in arrays.values()],
    lambda held, like: in_list([holder.data for holder in held], like),
    holding,
)
TENSORS = Form(tensors, lambda held, like: in_list([tensor.detach().numpy() for tensor in held], like), on_tensors)


class Told(NamedTuple):
    """What an optimizer is told. settings: by its own names. names: PyTorch's to those. steps: how many."""

    settings: dict[str, Any]
    names: Mapping[str, str]
    steps: int

    def of(self, function: Callable[..., Any], **others: Any) -> dict[str, Any]:
        """What of it a function takes."""
        given = inspect.signature(function).parameters
        anything = any(one.kind is one.VAR_KEYWORD for one in given.values())
        return {name: value for name, value in (self.settings | others).items() if anything or name in given}


def recorded(target: Any, names: Mapping[str, str], told: Mapping[str, Any], case, dtype: str) -> Iterator[Snapshot]:
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
        watched = Watched(case, dtype, most=case.steps * MOST if way.whole else np.inf)
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
    few = {"max_eval"} if (asked.get("max_eval") or MOST) < MOST else set()
    lacks = [name for name in asked if name not in names and (name.startswith("tolerance") or name in few)]
    lacks += ["max_iter"] * (told.get("max_iter") != 1 and "max_iter" not in names)
    if lacks:
        raise TheirCode(message("reason.no-names", names=", ".join(lacks)))


class Way(NamedTuple):
    """One way to drive it; `whole` where a call is a run and no step."""

    drive: Callable[[Watched], Any]
    whole: bool


def ways(target: Any, told: Told) -> Iterator[Way]:
    """The ways to drive it that its arguments suggest, the likeliest first.

    Raises:
        TheirCode: for arguments that nobody here knows.
    """
    if not inspect.isclass(target):
        yield from called_ways(target, target, told, whole=True)
        return
    name = method_of(target)
    if not name:
        raise TheirCode(message("recognise.no-step", methods=", ".join(METHODS)))
    own = [one for one in inspect.signature(getattr(target, name)).parameters.values() if one.name != "self"]
    needed = [one.name for one in own if one.default is one.empty and one.kind is one.POSITIONAL_OR_KEYWORD]
    holder = next(iter(inspect.signature(target).parameters), "")
    if len(needed) <= 1 and holder and holder not in told.settings:
        forms = [TENSORS] if is_torch(target) else [NAMED, LISTED, FLAT, HOLDERS]
        for form in forms:
            yield Way(lambda watched, form=form: stepped(target, name, holder, form, watched, told), whole=False)
        return
    made = target(**told.of(target))
    whole = name not in ("step", "update", "__call__")
    yield from called_ways(target, getattr(made, name), told, whole)


def is_torch(target: Any) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and issubclass(target, torch.optim.Optimizer)


def stepped(target: Any, method: str, holder: str, form: Form, watched: Watched, told: Told) -> None:
    """A class that holds the parameters and is stepped with a closure."""
    held = form.packed({name: array.copy() for name, array in watched.start.items()})
    made = target(held, **{name: value for name, value in told.of(target).items() if name != holder})

    def now() -> Any:
        for name in HELD if form is not HOLDERS and form is not TENSORS else ():
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
        return own.shape == held.shape
    return len(own) == len(held) and (not isinstance(held, dict) or own.keys() == held.keys())


def called_ways(target: Any, function: Callable[..., Any], told: Told, whole: bool) -> Iterator[Way]:
    """A function, or a method, of a function, where to start, and perhaps the function's slope; all flat vectors."""
    given = [name for name, one in inspect.signature(function).parameters.items() if one.kind is not one.VAR_KEYWORD]
    start = next((name for name in STARTS if name in given), None)
    slope = next((name for name in SLOPES if name in given and name not in told.settings), None)
    others = [name for name in given if name not in (start, slope, *told.settings)]
    if start is None or not (others or (slope and not whole)):
        raise TheirCode(message("recognise.closure", names=", ".join(given)))
    roles = (others[0] if others else None), start, slope
    count = told.names.get("max_iter")
    counted = {count: told.steps} if whole and count else {}
    for together in (False,) if slope else (True,):
        yield Way(lambda watched, together=together: called(function, roles, watched, told, counted, whole), whole)


def called(function, roles, watched: Watched, told: Told, counted: Mapping[str, Any], whole: bool) -> None:
    """Drive it by calls: one for a whole run, or one a step, whose answer is where the next begins."""
    asked, start, slope = roles

    def evaluated(point: Any) -> tuple[Any, Any]:
        loss, grads = watched.at(apart(point, watched.start))
        return loss, end_to_end(grads)

    functions: dict[str, Any] = {asked: lambda x, *_: evaluated(x)[0] if slope else evaluated(x)} if asked else {}
    functions |= {slope: lambda x, *_: evaluated(x)[1]} if asked and slope else {}
    point: Any = end_to_end(watched.start)
    for watched.step in (1,) if whole else range(1, told.steps + 1):
        functions |= {slope: evaluated(point)[1]} if not asked else {}  # it is handed the gradient
        answer = function(**functions, **{start: point.copy()}, **told.of(function, **counted))
        if not whole:
            parts = answer if isinstance(answer, tuple | list) else (answer,)
            point = next((part for part in parts if getattr(part, "shape", None) == point.shape), point)
            watched.ended(apart(point, watched.start))
