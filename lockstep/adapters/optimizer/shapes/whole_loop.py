"""Functions that run the whole loop: HIPS autograd's adam(grad, x0, callback, num_iters, step_size, …)."""

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from lockstep.adapters.adapter import Adapter, NotTaken
from lockstep.adapters.names import Names, match, named, required, takes_any, told
from lockstep.text import message

STARTS = ("x0", "x", "params", "init", "init_params", "w0", "theta0", "x_init", "theta", "w")
COUNTS = (
    "num_iters",
    "n_iters",
    "num_steps",
    "n_steps",
    "steps",
    "iterations",
    "max_iter",
    "maxiter",
    "n_iter",
    "num_iterations",
)
SLOPES = ("grad", "grad_fn", "gradient", "grad_f", "df", "fprime", "jac", "gradient_fn", "grad_func")


def inner(function: Callable[..., Any]) -> Callable[..., Any]:
    """What a wrapper that takes anything wraps, if it is one of the same name; else the function itself."""
    cells = [cell.cell_contents for cell in getattr(function, "__closure__", None) or ()]
    own = [held for held in cells if inspect.isfunction(held) and held.__name__ == function.__name__]
    return own[0] if own and takes_any(function) else function


def loop_of(function: Callable[..., Any]) -> tuple[str, str, str] | None:
    """Its arguments for the gradient function, the start and the number of steps, if it has them."""
    arguments = list(named(inner(function)))
    picked = [next((name for name in arguments if name in known), None) for known in (SLOPES, STARTS, COUNTS)]
    return (picked[0], picked[1], picked[2]) if all(picked) else None  # type: ignore[return-value]


class WholeLoop(Adapter):
    """Runs the loop anew for every step, one iteration longer, on the gradients so far.

    Arguments:
        function: the loop. roles: its arguments for gradient, start and count. names: of its hyperparameters.
    """

    def __init__(self, function: Callable[..., Any], roles: tuple[str, str, str], names: Names):
        self.function, self.roles, self.names_told = function, roles, names
        self.words = message("shape.loop", function=function.__name__, arguments=", ".join(roles))

    def start(self, params, **hyperparameters):
        self.first = {name: array.copy() for name, array in params.items()}
        self.params, self.hyperparameters = params, hyperparameters
        self.history: list[dict[str, Any]] = []

    def step(self, grads):
        if any(grad is None for grad in grads.values()):
            raise NotTaken(message("reason.gradient-function"))
        self.history.append({name: np.array(grad) for name, grad in grads.items()})
        self.params = {name: self.run(name) for name in self.first}

    def run(self, name: str) -> np.ndarray:
        """Where the loop ends from the start, for one tensor; as a vector, which any loop takes."""
        slope, start, count = self.roles
        seen = iter(self.history)
        first = self.first[name]

        def gradient(x, *_):
            return next(seen)[name].reshape(-1).copy()

        settings = told(self.names_told, self.hyperparameters) | {count: len(self.history)}
        if list(named(inner(self.function)))[:2] == [slope, start]:
            end = self.function(gradient, first.reshape(-1).copy(), **settings)
        else:
            end = self.function(**{slope: gradient, start: first.reshape(-1).copy()}, **settings)
        return np.asarray(end).reshape(first.shape)


def names_of(function: Callable[..., Any], wanted) -> Names:
    """Its hyperparameters."""
    known = loop_of(function) or ()
    return match([name for name in named(inner(function)) if name not in known], wanted)


def lacking(function: Callable[..., Any], names: Names) -> list[str]:
    """Required arguments that nobody here can fill in."""
    used = {part for own in names.values() for part in (own if isinstance(own, tuple) else (own,))}
    return [name for name in required(inner(function)) if name not in (*(loop_of(function) or ()), *used)]
