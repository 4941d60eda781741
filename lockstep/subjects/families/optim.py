"""Optimizers as sides: a gradient, then an update."""

import difflib
import functools
import importlib
import inspect
from collections.abc import Callable, Mapping
from typing import Any, cast

import numpy as np

from lockstep.cases import Case
from lockstep.errors import NoSuchName
from lockstep.numerics import formats
from lockstep.numerics.bounded import Bounded, OrdersDisagree, widest
from lockstep.numerics.shapes import Array, Points
from lockstep.numerics.snapshot import Snapshot
from lockstep.subjects.handed import handed_over
from lockstep.subjects.registry import find, hint
from lockstep.subjects.side import Bounds, Pair, watched
from lockstep.subjects.subject import Family, Request, Subject, own_class
from lockstep.text import message

Arrays = dict[str, Any]  # of one tensor: parameter, gradient and entries of its state
Alike = tuple[int, Any, tuple[str, ...], tuple[float, ...]]  # of tensors: group, dtype, entries of the state, numbers
BLOCK = 16_384  # elements whose exact step is worked out at a time: what that takes stays in the cache


class OptimizerSide:
    """An optimizer of either side on a problem.

    Arguments:
        optimizer: has `params`, `state`, `step(grads)`, as reference.optim's and torch_impl.optim's do.
        gradient: (params, step) to name to gradient.
        case: its schedule of lr changes, missing gradients and frozen tensors is applied to both sides.
        value: params to loss, or None for a stream of gradients.
        ordered: `gradient` and `value` are formulas in orders of their own.
    """

    stages = ("gradient", "update")
    moving = frozenset({"param"})

    def __init__(
        self,
        optimizer: Any,
        gradient: Callable[..., Mapping[str, Any]],
        case: Any,
        value: Callable[..., Any] | None = None,
        ordered: bool = False,
    ) -> None:
        self.optimizer = optimizer
        self.ordered = ordered
        self.gradient = gradient
        self.case = case
        self.value = value
        self.grads: dict[str, np.ndarray | None] = {}
        self.loss: np.ndarray | None = None

    def produces(self, stage: str, quantity: str, tensor: str) -> bool:
        return (quantity in ("grad", "loss")) == (stage == "gradient")

    def read(self) -> Snapshot:
        quantities = Snapshot({"param": dict(self.optimizer.params)})
        grads = {name: grad for name, grad in self.grads.items() if grad is not None}
        if grads:
            quantities["grad"] = grads
        if self.loss is not None:
            quantities["loss"] = {"loss": self.loss}
        quantities.add_tensors(self.optimizer.state)
        return quantities

    def write(self, quantities: Snapshot) -> None:
        for name, array in quantities["param"].items():
            self.optimizer.params[name][...] = array
        for name, array in quantities.get("grad", {}).items():
            self.grads[name] = array.copy()
        state = quantities.picked(lambda key, _: key not in ("param", "grad", "loss"))
        self.optimizer.load_state(state.by_tensor())

    def saved(self) -> dict[str, Any]:
        """What it takes to go on elsewhere: the parameters, and the optimizer's own state."""
        return {"params": dict(self.optimizer.params), "optimizer": self.optimizer.state_dict()}

    def resume(self, saved: Mapping[str, Any]) -> None:
        """Go on from what either side has saved."""
        for name, array in saved["params"].items():
            self.optimizer.params[name][...] = array
        self.optimizer.load_state_dict(saved["optimizer"])

    def rewrite(self, order: str, ops: Any) -> None:
        self.optimizer.formula = functools.partial(self.optimizer.ORDERS[order], ops=ops)
        if self.ordered:
            self.gradient = functools.partial(self.gradient, order="pytorch")
            self.value = functools.partial(self.value, order="pytorch", ops=ops) if self.value else None

    def watch(self, note: Callable[..., Any]) -> None:
        self.optimizer.formula = watched(self.optimizer.formula, note)

    def only(self, tensor: str) -> None:
        self.grads = {name: grad if name == tensor else None for name, grad in self.grads.items()}

    def stepped(self, tensor: str, array: Any) -> np.ndarray:
        """What a step works on of a tensor's array: beside a sparse gradient that steps its entries alone, those."""
        whole, grad = np.asarray(array), self.grads.get(tensor)
        if not self.case.sparse or grad is None or grad.shape != whole.shape or self.optimizer.SPARSE == "whole":
            return whole
        return np.atleast_1d(whole)[handed_as(self.case, {tensor: grad})[tensor].coalesced().places]

    def traces(self) -> dict[str, float]:
        return {} if self.loss is None else {"loss": float(self.loss)}

    @np.errstate(over="ignore", invalid="ignore", divide="ignore")  # what is beyond the format is compared, not told
    def advance(self, stage: str, step: int) -> None:
        if stage == "gradient":
            params = self.optimizer.params
            grads = self.gradient(params, step)
            self.grads = {
                name: None if g is None else np.array(g) for name, g in self.case.scheduled(grads, step).items()
            }
            if self.value:
                self.loss = np.asarray(self.value(params))
        else:
            for name, value in self.case.changes(step).items():
                self.optimizer.set(name, value)
            self.optimizer.step(handed_as(self.case, self.grads))


def handed_as(case: Case, grads: Mapping[str, Any]) -> dict[str, Any]:
    """Gradients in the layout of a case."""
    return handed_in(case.sparse, grads)


def handed_in(layout: str, grads: Mapping[str, Any]) -> dict[str, Any]:
    """Gradients in a layout; as they are if it is empty."""
    if not layout:
        return dict(grads)
    stored = importlib.import_module("reference.sparse").stored
    return {name: None if grad is None else stored(grad, layout) for name, grad in grads.items()}


def shapes_of(subject: Subject) -> dict[str, tuple[int, ...]]:
    """Tensors that an optimizer takes, where it does not take any."""
    return subject.table("SHAPES") or {}


def layout_of(subject: Subject) -> str:
    """In which layout an optimizer takes its gradients, where it takes no others."""
    return subject.table("SPARSE") or ""


class OptimizerArbiter:
    """The exact result of either stage, worked out by the reference's formula on error-carrying numbers.

    The order of either side must be allowed what it needs, so the allowance is the larger of theirs.

    Arguments:
        optimizer: of the reference, for its formula and its hyperparameters.
        problem, case: what it runs on.
        written_like: the order of the formula in which the other side is written.
    """

    def __init__(self, optimizer: Any, problem: Any, case: Any, written_like: str = "pytorch") -> None:
        self.problem, self.case, self.written_like = problem, case, written_like
        self.take(optimizer)

    def take(self, optimizer: Any) -> None:
        """Go by the formula of this optimizer, and by its hyperparameters."""
        self.optimizer, self.given = optimizer, [dict(group) for group in optimizer.param_groups]
        orders = optimizer.ORDERS
        self.formulas = [orders[name] for name in dict.fromkeys(("paper", self.written_like)) if name in orders]

    @np.errstate(over="ignore", invalid="ignore", divide="ignore")
    def __call__(self, stage: str, step: int, before: Snapshot) -> Bounds:
        return self.slope(before) if stage == "gradient" else self.update(step, before)

    def slope(self, before: Snapshot) -> Bounds:
        if not hasattr(self.problem, "evaluate"):
            return {}
        params = {name: Bounded(array, array.dtype) for name, array in before["param"].items()}
        orders = self.problem.ORDERS
        grads = [self.problem.gradient(params, order=order) for order in orders]
        losses = [self.problem.value(params, order=order) for order in orders]
        return {
            "grad": {name: widest([grad[name] for grad in grads]) for name in grads[0]},
            "loss": {"loss": widest(losses)},
        }

    def update(self, step: int, before: Snapshot) -> Bounds:
        now, earlier = (self.case.hyperparameters_at(at) for at in (step, step - 1))
        scalars: list[dict[str, Any]] = []
        for group, given in zip(self.optimizer.param_groups, self.given, strict=True):
            group.update(given | now)  # state that begins with this step may start as one of them
            told, told_before = (self.optimizer.with_group(given | at).hyperparameters for at in (now, earlier))
            # a planted formula may read what a hyperparameter was at the step before
            beside = {f"{name}_before": value for name, value in told_before.items()}
            beside |= {"updates": step, "norm_of_all": np.sqrt(sum((g * g).sum() for g in before["grad"].values()))}
            told |= {name: beside[name] for name in getattr(self.optimizer, "BESIDE", ())}
            scalars.append({name: weak(value) for name, value in told.items()})
        places = {name: place for place, group in enumerate(self.optimizer.param_groups) for name in group["params"]}
        bounds: Bounds = {}
        alike: dict[Alike, dict[str, Arrays]] = {}
        for name, param in before["param"].items():
            state = {
                key: named[name]
                for key, named in before.items()
                if key not in ("param", "grad", "loss") and name in named
            }
            if name in before.get("grad", {}):
                state = self.optimizer.of(name).begun(param, state)
                held = tuple(key for key, array in state.items() if array is not None)
                numbers = tuple(float(state[key]) for key in held if self.optimizer.STATE[key].kind != "array")
                arrays = {"param": param, "grad": before["grad"][name], **state}
                if self.optimizer.ELEMENTWISE:
                    alike.setdefault((places[name], param.dtype, held, numbers), {})[name] = arrays
                else:
                    for key, bound in self.exact_tensor(arrays, scalars[places[name]]).items():
                        bounds.setdefault(key, {})[name] = bound
            else:
                for key, array in {"param": param, **state}.items():
                    bounds.setdefault(key, {})[name] = unmoved(array)
        for kind, tensors in alike.items():
            for key, named in self.exact_step(tensors, scalars[kind[0]]).items():
                bounds.setdefault(key, {}).update(named)
        if self.case.sparse and self.optimizer.SPARSE != "whole":
            self.rest(bounds, before)
        return bounds

    def rest(self, bounds: Bounds, before: Snapshot) -> None:
        """What a sparse gradient has no entry for stays as it was."""
        for name, grad in handed_as(self.case, before.get("grad", {})).items():
            for key in ("param", *(key for key, entry in self.optimizer.STATE.items() if entry.kind == "array")):
                if name in before.get(key, {}):
                    exact, kept = bounds[key][name], grad.kept()
                    value, error = np.where(kept, exact.value, before[key][name]), np.where(kept, exact.error, 0)
                    bounds[key][name] = Bounded(value, exact.dtype, error=error)

    def exact_tensor(self, arrays: Arrays, scalars: dict[str, Any]) -> dict[str, Bounded]:
        """The exact step of one tensor as a whole."""
        entries = {key: entry for key, entry in self.optimizer.STATE.items() if key in arrays}
        counts = {key: arrays[key] for key, entry in entries.items() if entry.kind == "count"}
        known = {key: unmoved(array) for key, array in arrays.items() if key not in counts and array is not None}
        given = known | {key: float(count) for key, count in counts.items()} | scalars
        orders = [formula(**given) for formula in self.formulas]
        bounds = {key: unmoved(count) for key, count in counts.items()} | {"param": agreed(orders, "param")}
        for key, entry in entries.items():
            if entry.kind == "number":
                bounds[key] = as_kept(agreed(orders, entry.line), arrays[key])
            elif entry.kind == "array":
                bounds[key] = agreed(orders, entry.line)
        return bounds

    def exact_step(self, tensors: dict[str, Arrays], scalars: dict[str, Any]) -> Bounds:
        """The exact step of tensors of one kind, laid end to end and taken block by block.

        Their numbers are the same, so that each is there once.
        """
        first = next(iter(tensors.values()))
        dtype = first["param"].dtype
        entries = {key: entry for key, entry in self.optimizer.STATE.items() if key in first}
        counts = {key: first[key] for key, entry in entries.items() if entry.kind == "count"}
        single = {key: first[key] for key, entry in entries.items() if entry.kind == "number"}
        keys = [key for key, entry in entries.items() if entry.kind == "array"]
        names = ["param", *keys]
        flat = {
            key: end_to_end([arrays[key] for arrays in tensors.values()])
            for key in ("param", "grad", *keys)
            if first[key] is not None
        }
        given = dict.fromkeys(keys) | {key: float(count) for key, count in counts.items()} | scalars
        given |= {key: unmoved(number) for key, number in single.items()}
        bounds: Bounds = {key: {name: unmoved(count) for name in tensors} for key, count in counts.items()}
        size = flat["param"].size
        value, error = ({name: np.empty(size, formats.of(dtype).wide) for name in names} for _ in range(2))
        for start in range(0, max(size, 1), BLOCK):
            block = slice(start, start + BLOCK)
            numbers = given | {key: Bounded(array[block], dtype) for key, array in flat.items()}
            orders = [formula(**numbers) for formula in self.formulas]
            for name in names:
                bound = agreed(orders, entries[name].line if name in entries else "param")
                value[name][block], error[name][block] = bound.value, bound.error
            kept = {key: as_kept(agreed(orders, entries[key].line), number) for key, number in single.items()}
            bounds |= {key: dict.fromkeys(tensors, number) for key, number in kept.items()}
        ends = np.cumsum([arrays["param"].size for arrays in tensors.values()])
        for key in names:
            parts = zip(tensors.items(), np.split(value[key], ends), np.split(error[key], ends), strict=False)
            bounds[key] = {
                name: Bounded(exact.reshape(arrays["param"].shape), dtype, error=room.reshape(arrays["param"].shape))
                for (name, arrays), exact, room in parts
            }
        return bounds


def defaults_of(subject: Subject) -> dict[str, Any]:
    """PyTorch's hyperparameters of an optimizer, with its defaults."""
    signature = inspect.signature(subject.ours()).parameters
    return {name: parameter.default for name, parameter in signature.items() if name != "params"}


def entries_of(subject: str) -> Mapping[str, Any]:
    """PyTorch's key to what the reference declares of each entry of an optimizer's state."""
    return find(subject).ours().STATE


def fresh_state(subject: str, param: Array, hyperparameters: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """PyTorch's key to what each entry of a tensor's state is before the first step; zeros where that creates it."""
    optimizer = find(subject).ours()({"tensor": param.copy()}, **hyperparameters)
    entries = optimizer.entries(param).items()
    zeros = {key: np.zeros(entry.shape(param.shape), entry.dtype(param.dtype)) for key, entry in entries}
    return zeros | {key: array for key, array in optimizer.new_state(param).items() if array is not None}


def as_kept(number: Bounded, like: Array) -> Bounded:
    """A number as a tensor of one keeps it, which rounds what was worked out in double."""
    return number.rounded_to(like.dtype) if number.weak else number


def agreed(orders: list[Any], line: str) -> Bounded:
    """A line of several orders.

    Raises:
        OrdersDisagree: where they are not one formula; it names the first line that both have and differ in.
    """
    try:
        return widest([exactly(getattr(lines, line)) for lines in orders])
    except OrdersDisagree:
        for name in orders[0]._fields:
            parts: list[Bounded] = [
                getattr(lines, name) for lines in orders if isinstance(getattr(lines, name, None), Bounded)
            ]
            if len(parts) == len(orders):
                widest(parts, f"line {name}")
        raise


def exactly(value: Any) -> Bounded:
    """A line as an error-carrying number; one that no such number went into is exact."""
    return value if isinstance(value, Bounded) else Bounded.scalar(value)


def end_to_end(arrays: list[Array]) -> np.ndarray:
    return np.concatenate([array.reshape(-1) for array in arrays]) if len(arrays) > 1 else arrays[0].reshape(-1)


def unmoved(array: Array) -> Bounded:
    return Bounded(array, array.dtype)


def weak(value: Any) -> Any:
    """A hyperparameter as an error-carrying number; flags, counts and exact zeros stay as they are."""
    if isinstance(value, tuple):
        return tuple(map(weak, cast("tuple[Any, ...]", value)))
    return Bounded.scalar(value) if isinstance(value, float) and value else value


def pair(
    request: Request,
    ours: type | None = None,
    kind_of_side: Callable[..., OptimizerSide] = OptimizerSide,
    arbiter: Callable[..., OptimizerArbiter] = OptimizerArbiter,
) -> Pair:
    """Both sides of an optimizer's case, beside the counterpart's first path if none is asked for."""
    subject, case, seed = request.subject, request.case, request.seed
    problem = problem_of(case.problem)
    counterparts = importlib.import_module("torch_impl.functions").PROBLEMS
    theirs_problem = counterparts.get(case.problem, problem) if isinstance(case.problem, str) else problem
    with handed_over():
        start = problem.start(case.shapes_for(problem), formats.named(request.dtype).dtype, seed)
    reference, counterpart = subject.ours(), subject.theirs()
    path = path_of(request.subject, counterpart, request.path)
    likeliest = ("sparse" if case.sparse else path, path, "pytorch")
    written_like = next((order for order in likeliest if order in reference.ORDERS), "pytorch")

    def optimizer(kind: Any, **extra: Any) -> Any:
        copies = {name: array.copy() for name, array in start.items()}
        return kind(case.grouped(copies), **case.hyperparameters, **extra)

    def side(kind: Any, on: Any, **extra: Any) -> Any:
        def gradient(params: Mapping[str, Any], step: int, **order: Any) -> Mapping[str, Any]:
            return on.gradient(params, step=step, seed=seed, **order)

        value = getattr(on, "value", None)
        return kind_of_side(optimizer(kind, **extra), gradient, case, value, ordered=hasattr(on, "ORDERS"))

    state = {key: entry.line for key, entry in reference.STATE.items()}
    counts = [entry.line for entry in reference.STATE.values() if entry.kind == "count"]
    with handed_over():
        first, _ = optimizer(reference), optimizer(counterpart, path=path)
    return Pair(
        ours=lambda: side(ours or reference, problem),
        theirs=lambda: side(counterpart, theirs_problem, path=path),
        exact=arbiter(first, problem, case, written_like),
        lines={"param": "param", "grad": "grad", **state},
        order=("loss", "grad", *counts, *subject.reference.EQUATIONS),
        equations=subject.reference.EQUATIONS,
        path=path,
        still=case.still,
        written_like=written_like,
    )


def problem_of(source: Any) -> Any:
    """The problem of that name, or what the caller made one of.

    Raises:
        NoSuchName: naming the nearest. UserError: for arrays that make no problem.
    """
    functions = importlib.import_module("reference.functions")
    known: list[str] = list(functions.PROBLEMS)
    if isinstance(source, str) and source not in known:
        near = difflib.get_close_matches(source, known, n=1)
        raise NoSuchName(message("error.no-problem", name=source, hint=hint(near, known)))
    with handed_over():
        return functions.problem_from(source)


def path_of(subject: Subject, counterpart: Any, path: str | None) -> str:
    """Which of PyTorch's implementations: the one that is asked for, or the first.

    Raises:
        NoSuchName: for one that the optimizer has not.
    """
    if path is not None and path not in counterpart.paths:
        known = ", ".join(counterpart.paths)
        raise NoSuchName(message("error.unknown-path", subject=subject.path, path=path, known=known))
    return counterpart.paths[0] if path is None else path


MARGIN, GRID = 0.15, 60  # around a path: a share of its extent; points a side


def landscape(case: Any, path: Points) -> dict[str, np.ndarray]:
    """The values of the case's function around a path (steps + 1, 2): x and y (grid,), z (grid, grid), y down.

    Empty for a stream of gradients, for a function of several points at once, and for a path that leaves the
    finite numbers at once.
    """
    problem = importlib.import_module("reference.functions").problem_from(case.problem)
    inside = path[np.isfinite(path).all(axis=1)].astype(np.float64) if path.shape[1] == 2 else path[:0]
    if not hasattr(problem, "evaluate") or not len(inside):
        return {}
    low: np.ndarray = inside.min(axis=0)
    high: np.ndarray = inside.max(axis=0)
    margin = MARGIN * np.where(high > low, high - low, 1.0)
    x, y = np.linspace(low - margin, high + margin, GRID).T
    grid = np.stack(list(np.broadcast_arrays(x, y[:, None])))
    with np.errstate(over="ignore", invalid="ignore"):
        z = problem.evaluate({"theta": grid}).value
    return {"x": x, "y": y, "z": z}


@functools.cache
def calls_back(path: str) -> bool:
    """Whether an optimizer's step calls a closure for the loss and the gradients, as often as it wants."""
    return bool(getattr(own_class(Subject(path).reference), "CLOSURE", False))


class Optimizers(Family):
    """An update from a gradient, for each tensor by itself."""

    place = 1
    unit = "lr"
    recorded = "steps"
    made_of = ({"weight": np.zeros(1)},)
    symbols = {
        "lr": r"\alpha", "beta1": r"\beta_1", "beta2": r"\beta_2", "eps": r"\epsilon", "weight_decay": r"\lambda",
        "alpha": r"\rho", "momentum": r"\mu", "dampening": r"\tau", "lr_decay": r"\eta",
    }  # fmt: skip

    def of(self, subject: Subject) -> Family:
        return (
            importlib.import_module("lockstep.subjects.families.closures").CLOSURES
            if calls_back(subject.path)
            else self
        )

    def settled(self, subject: Subject, case: Case) -> Case:
        """With sparse gradients, where a subject takes no others, and tensors of as many axes as it takes."""
        layout, own = layout_of(subject), shapes_of(subject)
        case = case.replaced(sparse=layout) if layout and not case.sparse else case
        axes = {len(shape) for shape in own.values()}
        return case.replaced(shapes=own) if own and {len(shape) for shape in case.shapes.values()} - axes else case

    def pair(self, request: Request, ours: type | None = None) -> Pair:
        return pair(request, ours)

    def steps(self, case: Any, at_home: bool) -> int:
        return 500 if at_home else case.steps

    def state(self, subject: Subject) -> Mapping[str, str]:
        return {key: entry.line for key, entry in subject.ours().STATE.items()}

    def landscape(self, case: Any, path: Points) -> dict[str, np.ndarray]:
        return landscape(case, path)


FAMILY = Optimizers()
