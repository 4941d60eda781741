"""A side small enough to break: gradient descent with momentum on gradients of its own."""

from collections.abc import Callable
from typing import Any

import numpy as np

from lockstep.numerics.bounded import Bounded
from lockstep.numerics.snapshot import Snapshot
from lockstep.subjects.side import Bounds, Pair
from reference.fma import fma

LR, MOMENTUM = 0.1, 0.9
SHAPES = {"weight": (3, 4), "bias": (5,)}


def plain(param, velocity, grad):
    """The formula, as it is written."""
    velocity = MOMENTUM * velocity + grad
    return velocity, param - LR * velocity


def fused(param, velocity, grad):
    """The same, each line rounded once."""
    velocity = fma(param.dtype.type(MOMENTUM), velocity, grad)
    return velocity, fma(param.dtype.type(-LR), velocity, param)


class Toy:
    """Steps by `formula`; `changed(step)` may give another one for a step."""

    stages: tuple[str, ...] = ("update",)
    moving = frozenset({"param"})

    def __init__(self, formula: Callable[..., Any] = plain, shapes=SHAPES, dtype: Any = np.float32, changed=None):
        rng = np.random.default_rng(0)
        self.param: dict[str, Any] = {name: rng.standard_normal(shape).astype(dtype) for name, shape in shapes.items()}
        self.velocity: dict[str, Any] = {name: np.zeros(shape, dtype) for name, shape in shapes.items()}
        self.formula, self.changed = formula, changed or (lambda step: None)

    def produces(self, stage: str, quantity: str, tensor: str) -> bool:
        return True

    def read(self) -> Snapshot:
        return Snapshot({"velocity": dict(self.velocity), "param": dict(self.param)})

    def write(self, quantities: Snapshot) -> None:
        for held, named in ((self.param, quantities["param"]), (self.velocity, quantities["velocity"])):
            for name, array in named.items():
                held[name][...] = array

    def advance(self, stage: str, step: int) -> None:
        formula = self.changed(step) or self.formula
        for name, param in self.param.items():
            grad = gradient(step, name, param.shape, param.dtype)
            self.velocity[name][...], param[...] = formula(param.copy(), self.velocity[name].copy(), grad)

    def rewrite(self, order: str, ops: Any) -> None:
        raise NotImplementedError

    def traces(self) -> dict[str, float]:
        return {}


def gradient(step: int, name: str, shape, dtype) -> np.ndarray:
    return np.random.default_rng([step, len(name)]).standard_normal(shape).astype(dtype)


def exact(stage: str, step: int, before: Snapshot) -> Bounds:
    """The arbiter: the formula on error-carrying numbers."""
    bounds: Bounds = {"velocity": {}, "param": {}}
    for name, param in before["param"].items():
        numbers = (param, before["velocity"][name], gradient(step, name, param.shape, param.dtype))
        lines = plain(*(Bounded(array, param.dtype) for array in numbers))
        bounds["velocity"][name], bounds["param"][name] = lines
    return bounds


def pair(ours: Callable[[], Any] = Toy, theirs: Callable[[], Any] = lambda: Toy(fused), arbiter: Any = exact) -> Pair:
    """Two toys and their arbiter."""
    return Pair(
        ours=ours,
        theirs=theirs,
        exact=arbiter,
        lines={"velocity": "velocity", "param": "param"},
        order=("velocity", "param"),
        equations={"velocity": "v", "param": r"\theta"},
    )
