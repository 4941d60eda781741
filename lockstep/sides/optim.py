"""Optimizers as sides: a gradient, then an update."""

import importlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from lockstep.bounded import WIDE, Bounded, widest
from lockstep.side import Bounds, Pair, Quantities
from lockstep.subject import Subject, own_class

BLOCK = 16_384  # elements whose exact step is worked out at a time: what that takes stays in the cache


class OptimizerSide:
    """An optimizer of either side on a problem.

    Arguments:
        optimizer: has `params`, `state`, `step(grads)`, as reference.optim's and torch_impl.optim's do.
        gradient: (params, step) to name to gradient.
        case: its schedule of lr changes, missing gradients and frozen tensors is applied to both sides.
        value: params to loss, or None for a stream of gradients.
    """

    stages = ("gradient", "update")
    moving = frozenset({"param"})

    def __init__(self, optimizer, gradient: Callable[..., Mapping[str, Any]], case, value: Callable | None = None):
        self.optimizer = optimizer
        self.gradient = gradient
        self.case = case
        self.value = value
        self.grads: dict[str, np.ndarray | None] = {}
        self.loss: np.ndarray | None = None

    def produces(self, stage: str, quantity: str, tensor: str) -> bool:
        return (quantity in ("grad", "loss")) == (stage == "gradient")

    def read(self) -> Quantities:
        quantities: Quantities = {"param": dict(self.optimizer.params)}
        grads = {name: grad for name, grad in self.grads.items() if grad is not None}
        if grads:
            quantities["grad"] = grads
        if self.loss is not None:
            quantities["loss"] = {"loss": self.loss}
        for name, entries in self.optimizer.state.items():
            for key, value in entries.items():
                if value is not None:
                    quantities.setdefault(key, {})[name] = np.asarray(value)
        return quantities

    def write(self, quantities: Quantities) -> None:
        for name, array in quantities["param"].items():
            self.optimizer.params[name][...] = array
        for name, array in quantities.get("grad", {}).items():
            self.grads[name] = array.copy()
        state: dict[str, dict[str, np.ndarray]] = {}
        for key, named in quantities.items():
            if key not in ("param", "grad", "loss"):
                for name, array in named.items():
                    state.setdefault(name, {})[key] = array
        self.optimizer.load_state(state)

    def traces(self) -> dict[str, float]:
        return {} if self.loss is None else {"loss": float(self.loss)}

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
            self.optimizer.step(self.grads)


class Arbiter:
    """The exact result of either stage, worked out by the reference's formula on error-carrying numbers.

    Every order of the formula must allow for what it needs, so the allowance is the largest of theirs.
    """

    def __init__(self, optimizer, problem, case):
        self.optimizer = optimizer
        self.problem = problem
        self.case = case
        self.step = 0

    def __call__(self, stage: str, step: int, before: Quantities) -> Bounds:
        return self.slope(before) if stage == "gradient" else self.update(step, before)

    def slope(self, before: Quantities) -> Bounds:
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

    def update(self, step: int, before: Quantities) -> Bounds:
        hyperparameters = self.optimizer.hyperparameters | self.case.hyperparameters_at(step)
        scalars = {name: weak(value) for name, value in hyperparameters.items()}
        earlier = self.optimizer.hyperparameters | self.case.hyperparameters_at(step - 1)
        # a planted formula may read what a hyperparameter was at the step before
        scalars |= {f"{name}_before": weak(earlier[name]) for name in getattr(self.optimizer, "BEFORE", ())}
        bounds: Bounds = {}
        for name, param in before["param"].items():
            grad = before.get("grad", {}).get(name)
            state = {
                key: named[name]
                for key, named in before.items()
                if key not in ("param", "grad", "loss") and name in named
            }
            entries = {"param": unmoved(param), **{key: unmoved(array) for key, array in state.items()}}
            if grad is not None:
                entries = self.one(param, grad, state, scalars)
            for key, bound in entries.items():
                bounds.setdefault(key, {})[name] = bound
        return bounds

    def one(self, param, grad, state, scalars) -> dict[str, Bounded]:
        """The exact step of one tensor, block by block."""
        state = state or self.optimizer.new_state(param)
        step = {"step": state["step"] + np.float32(1)} if "step" in state else {}
        keys = [key for key in self.optimizer.STATE if key in state]
        wide = WIDE[param.dtype]
        names = ["param", *keys]
        value, error = ({name: np.empty(param.size, wide) for name in names} for _ in range(2))
        flat = {key: None if state[key] is None else state[key].reshape(-1) for key in keys}
        for start in range(0, param.size, BLOCK):
            block = slice(start, start + BLOCK)
            entries = {
                key: None if array is None else Bounded(array[block], param.dtype) for key, array in flat.items()
            }
            x, g = (Bounded(array.reshape(-1)[block], param.dtype) for array in (param, grad))
            orders = [
                formula(x, g, **entries, **{key: float(count) for key, count in step.items()}, **scalars)
                for formula in self.optimizer.ORDERS.values()
            ]
            for name in names:
                line = self.optimizer.STATE.get(name, "param")
                bound = widest([getattr(lines, line) for lines in orders])
                value[name][block], error[name][block] = bound.value, bound.error
        shaped = {
            name: Bounded(value[name].reshape(param.shape), param.dtype, error=error[name].reshape(param.shape))
            for name in names
        }
        return shaped | {key: unmoved(np.asarray(count)) for key, count in step.items()}


def unmoved(array: np.ndarray) -> Bounded:
    return Bounded(array, array.dtype)


def weak(value):
    """A hyperparameter as an error-carrying number; flags, counts and exact zeros stay as they are."""
    if isinstance(value, tuple):
        return tuple(weak(part) for part in value)
    return Bounded.scalar(value) if isinstance(value, float) and value else value


def pair(subject: Subject, case, dtype: str, path: str | None, seed: int, ours: type | None = None) -> Pair:
    """Both sides of an optimizer's case; `path` is the counterpart's first if None.

    `ours` stands in for the reference's class, which stays the arbiter.
    """
    functions = importlib.import_module("reference.functions")
    problem = functions.problem_from(case.problem)
    counterparts = importlib.import_module("torch_impl.functions").PROBLEMS
    theirs_problem = counterparts.get(case.problem, problem) if isinstance(case.problem, str) else problem
    start = problem.start(case.shapes_for(problem), dtype, seed)
    reference, counterpart = own_class(subject.reference), own_class(subject.torch_impl)
    path = path or counterpart.paths[0]

    def optimizer(kind, **extra):
        return kind({name: array.copy() for name, array in start.items()}, **case.hyperparameters, **extra)

    def side(kind, on, **extra):
        def gradient(params, step):
            return on.gradient(params, step=step, seed=seed)

        return OptimizerSide(optimizer(kind, **extra), gradient, case, getattr(on, "value", None))

    lines = {"param": "param", "grad": "grad", **reference.STATE}
    return Pair(
        ours=lambda: side(ours or reference, problem),
        theirs=lambda: side(counterpart, theirs_problem, path=path),
        exact=Arbiter(optimizer(reference), problem, case),
        lines=lines,
        order=("loss", "grad", "step", *subject.reference.EQUATIONS),
        equations=subject.reference.EQUATIONS,
        path=path,
        still=case.still,
    )
