"""Layers, losses and penalties as sides: one pass there and back, from new inputs every step."""

import functools
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from lockstep.errors import NoSuchName
from lockstep.numerics.bounded import Bounded, widest
from lockstep.numerics.shapes import Array
from lockstep.numerics.snapshot import Snapshot
from lockstep.subjects.handed import handed_over
from lockstep.subjects.side import Bounds, Pair, watched
from lockstep.subjects.subject import Family, Request
from lockstep.text import message


class LayerSide:
    """A layer of either side, fed by its case.

    Arguments:
        layer: has `forward(*inputs)`, `backward(grad_output)` and, where it holds anything, `params`, `buffers`,
            `grads`, `load_state`, `train`.
        case: a `LayerCase`; it makes inputs and upstream gradients.
        seed, dtype: of those.
    """

    stages = ("pass",)
    moving: frozenset[str] = frozenset()

    def __init__(self, layer: Any, case: Any, seed: int, dtype: str) -> None:
        self.layer, self.case, self.seed, self.dtype = layer, case, seed, dtype
        self.output: np.ndarray | None = None
        self.grad_input: np.ndarray | None = None

    def produces(self, stage: str, quantity: str, tensor: str) -> bool:
        return quantity != "param"

    def read(self) -> Snapshot:
        quantities = Snapshot()
        for name, array in getattr(self.layer, "params", {}).items():
            quantities.setdefault("param", {})[name] = array
        for name, array in getattr(self.layer, "buffers", {}).items():
            quantities[name] = {name: floating(array)}
        if self.output is not None and self.grad_input is not None:
            quantities |= {"output": {"output": self.output}, "grad_input": {"input": self.grad_input}}
            grads = getattr(self.layer, "grads", {})
            quantities |= {"grad": dict(grads)} if grads else {}
        return quantities

    def write(self, quantities: Snapshot) -> None:
        made = ("output", "grad_input", "grad")
        state = dict(quantities.get("param", {}))
        for name, array in getattr(self.layer, "buffers", {}).items():
            state[name] = quantities[name][name].astype(np.asarray(array).dtype)
        if state:
            self.layer.load_state(state)
        if all(name in quantities for name in made[:2]):
            self.output, self.grad_input = quantities["output"]["output"], quantities["grad_input"]["input"]

    def rewrite(self, order: str, ops: Any) -> None:
        formula = self.layer.ORDERS[order]
        self.layer.formula = type(formula)(*(over(half, ops) for half in formula))

    def watch(self, note: Callable[..., Any]) -> None:
        self.layer.formula = type(self.layer.formula)(*(watched(half, note) for half in self.layer.formula))

    def only(self, tensor: str) -> None:
        """A pass is taken whole."""

    def traces(self) -> dict[str, float]:
        return {}

    def advance(self, stage: str, step: int) -> None:
        if hasattr(self.layer, "train"):
            self.layer.train(self.case.training(step))
        rng = drawing(self.seed, step)
        inputs = self.case.inputs(rng, step, self.dtype)
        self.output = np.asarray(self.layer.forward(*inputs))
        upstream = self.case.upstream(rng, self.output.shape, self.dtype)
        self.grad_input = np.asarray(self.layer.backward(upstream))


def over(formula: Callable[..., Any], ops: Any) -> Callable[..., Any]:
    """`formula` with its primitives from `ops`, if it has any."""
    takes = "ops" in inspect.signature(formula).parameters
    return functools.partial(formula, ops=ops) if takes else formula


def drawing(seed: int, step: int) -> np.random.Generator:
    """The random numbers of one step; 0 is the start."""
    return np.random.default_rng([seed % 2**64, step])


class LayerArbiter:
    """The exact pass: the reference's formula, in each order it allows for, on error-carrying numbers.

    Where the case says that PyTorch's is another formula, the paper's alone is the measure.
    """

    def __init__(self, layer: Any, case: Any, seed: int, dtype: str) -> None:
        self.layer, self.case, self.seed, self.dtype = layer, case, seed, dtype

    def __call__(self, stage: str, step: int, before: Snapshot) -> Bounds:
        allowed = self.layer.ALLOWS if not self.case.differs else ("paper",)
        orders = [self.lines(order, step, before) for order in allowed]
        return {
            quantity: {
                name: widest([as_bounded(one[quantity][name]) for one in orders], f"{quantity} {name!r}")
                for name in named
            }
            for quantity, named in orders[0].items()
        }

    def lines(self, order: str, step: int, before: Snapshot) -> dict[str, dict[str, Any]]:
        """Every quantity that the pass makes, by the formula's order `order`."""
        layer, rng = self.layer, drawing(self.seed, step)
        layer.formula = layer.ORDERS[order]
        inputs = self.case.inputs(rng, step, self.dtype)
        params = {name: exact(array) for name, array in before.get("param", {}).items()}
        buffers = {
            name: exact(before[name][name].astype(np.asarray(array).dtype)) for name, array in layer.buffers.items()
        }
        training = self.case.training(step)
        given = tuple(exact(array) for array in inputs)
        forward, _ = layer.evaluate(given, None, params, buffers, training=training)
        output = getattr(forward, layer.OUTPUT)
        upstream = exact(self.case.upstream(rng, output.shape, self.dtype))
        forward, backward = layer.evaluate(given, upstream, params, buffers, training=training)
        made = {
            "output": {"output": output},
            "grad_input": {"input": getattr(backward, layer.GRAD_INPUT)},
            "grad": {name: getattr(backward, line) for name, line in layer.GRADS.items() if name in params},
        }
        kept = {name: {name: getattr(forward, line)} for name, line in layer.BUFFERS.items() if name in buffers}
        return {quantity: named for quantity, named in (made | kept).items() if named}


def exact(array: Array) -> Any:
    """An exact number to calculate with; integers (classes, counts) stay as they are."""
    return Bounded(array, array.dtype) if np.issubdtype(array.dtype, np.floating) else array


def as_bounded(value: Any) -> Bounded:
    return value if isinstance(value, Bounded) else Bounded(value, np.float64)


def floating(array: Any) -> np.ndarray:
    """Integers as float64, exact up to 2⁵³, so that everything is compared by one measure."""
    array = np.asarray(array)
    return array if np.issubdtype(array.dtype, np.floating) else array.astype(np.float64)


def pair(request: Request, ours: type | None = None) -> Pair:
    """Both sides of a layer's case.

    Raises:
        ValueError: for a path, because layers have one implementation.
    """
    subject, case, dtype, seed = request.subject, request.case, request.dtype, request.seed
    if request.path is not None:
        raise NoSuchName(message("error.no-path", subject=subject.path, path=request.path))
    reference, counterpart = subject.ours(case), subject.theirs(case)
    with handed_over():
        first, _ = reference(**case.hyperparameters), counterpart(**case.hyperparameters)
    start = case.start(drawing(seed, 0), first.state, dtype)
    first.load_state(start)  # so that the arbiter's buffers are of this dtype

    def side(kind: Any) -> Any:
        layer = kind(**case.hyperparameters)
        if start:
            layer.load_state(start)
        return LayerSide(layer, case, seed, dtype)

    lines = {"output": first.OUTPUT, "grad_input": first.GRAD_INPUT, "grad": next(iter(first.GRADS.values()), "")}
    equations = subject.reference.EQUATIONS
    equations = equations.get(case.layer, equations)
    return Pair(
        ours=lambda: side(ours or reference),
        theirs=lambda: side(counterpart),
        exact=LayerArbiter(first, case, seed, dtype),
        lines=lines | dict(first.BUFFERS),
        order=tuple(equations),
        equations=equations,
        still=case.still,
    )


class Layers(Family):
    """A formula there and back."""

    place = 3
    recorded = "passes"
    symbols = {"eps": r"\epsilon", "gamma": r"\gamma", "beta": r"\beta", "p": "p"}

    def pair(self, request: Request, ours: type | None = None) -> Pair:
        return pair(request, ours)

    def class_name(self, case: Any) -> str | None:
        return case.layer if case else None


FAMILY = Layers()
