"""A pair of functions that keep nothing: optax's init and update, and JAX's triple with get_params."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from lockstep.adapters.adapter import Adapter, NotTaken
from lockstep.adapters.names import parameters
from lockstep.adapters.optimizer.state import find_state
from lockstep.text import message


class Functions(NamedTuple):
    init: Callable[..., Any]
    update: Callable[..., Any]
    params: Callable[..., Any] | None


def functions_of(made: Any) -> Functions | None:
    """The functions of an object with init and update, or of a tuple of two or three."""
    if callable(getattr(made, "init", None)) and callable(getattr(made, "update", None)):
        return Functions(made.init, made.update, None)
    if isinstance(made, tuple) and len(made) in (2, 3) and all(callable(part) for part in made):
        return Functions(made[0], made[1], made[2] if len(made) == 3 else None)
    return None


class FunctionPair(Adapter):
    """`updates, state = update(grads, state, params)`, added to the parameters; of JAX's triple, the state is all.

    Arguments:
        make: (hyperparameters) to the functions. form: "dicts" or "single arrays". subject: whose state to look for.
    """

    def __init__(self, make: Callable[[dict[str, Any]], Functions], form: str, subject: str):
        self.make, self.form, self.subject = make, form, subject
        self.words = message("shape.pair", form=message(f"shape.{form}"))
        self.foreign = False  # whether its arrays are of another kind than NumPy's, which may know no float64

    def start(self, params, **hyperparameters):
        self.functions = self.make(hyperparameters)
        self.params, self.count = params, 0
        self.states = {key: self.functions.init(part) for key, part in self.parts(params).items()}

    def parts(self, arrays: dict[str, Any]) -> dict[str, Any]:
        return {"": dict(arrays)} if self.form == "dicts" else dict(arrays)

    def step(self, grads):
        if any(grad is None for grad in grads.values()):
            raise NotTaken(message("reason.pure-update"))
        self.count += 1
        params = self.parts(self.params)
        for key, part in self.parts(grads).items():
            new = self.one(key, part, params[key])
            self.params |= new if self.form == "dicts" else {key: new}

    def one(self, key: str, grads: Any, params: Any) -> Any:
        if self.functions.params:
            self.states[key] = self.functions.update(self.count - 1, grads, self.states[key])
            made = self.functions.params(self.states[key])
            self.foreign = not isinstance(made, np.ndarray | np.generic)
            return made
        takes = len(parameters(self.functions.update)) > 2
        arguments = (grads, self.states[key], params) if takes else (grads, self.states[key])
        updates, self.states[key] = self.functions.update(*arguments)
        made = next(iter(updates.values())) if isinstance(updates, dict) else updates
        self.foreign = not isinstance(made, np.ndarray | np.generic)
        if isinstance(updates, dict):
            return {name: np.asarray(array + updates[name]) for name, array in params.items()}
        return np.asarray(params + updates)

    def state(self):
        shapes = {name: array.shape for name, array in self.params.items()}
        by_key: dict[str, dict[str, np.ndarray]] = {}
        self.names: dict[str, str] = {}
        for key, state in self.states.items():
            for entry, (own, arrays) in find_state(
                self.subject, fields(state), {key: shapes[key]} if key else shapes
            ).items():
                by_key.setdefault(entry, {}).update(arrays)
                self.names[entry] = own
        return by_key


def fields(state: Any) -> dict[str, Any]:
    """The named entries of a state: a dict, a NamedTuple, or a tuple of those."""
    if isinstance(state, dict):
        return dict(state)
    if hasattr(state, "_asdict"):
        return state._asdict()
    by_name: dict[str, Any] = {}
    if isinstance(state, tuple | list):
        for part in state:
            by_name = fields(part) | by_name
    return by_name
