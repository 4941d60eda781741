"""Plain functions of one tensor: step(param, grad, state, t), adam(w, dw, config), adam(p, g, m, v, t, lr, …)."""

from collections.abc import Callable
from typing import Any

import numpy as np

from lockstep.foreign.adapter import Adapter, NotTaken
from lockstep.foreign.names import match, told
from lockstep.foreign.roles import Roles
from lockstep.foreign.state import find_state


class PlainFunction(Adapter):
    """A function that steps one tensor, whose state is an argument: a container, or arrays by name.

    It returns the parameter, or a tuple of that and the state, or nothing where it works in place.

    Arguments:
        function: it. roles: of its arguments. subject: whose state to look for. wanted: PyTorch's hyperparameters.
    """

    def __init__(self, function: Callable[..., Any], roles: Roles, subject: str, wanted: tuple[str, ...]):
        self.function, self.roles, self.subject = function, roles, subject
        self.in_state = match(strings(function), [name for name in wanted if name not in roles.hyperparameters])
        self.words = f"{function.__name__}({', '.join(roles.order)}), one tensor at a time"

    def start(self, params, **hyperparameters):
        self.params, self.hyperparameters = params, dict(hyperparameters)
        self.counts = dict.fromkeys(params, 0)
        self.containers: dict[str, Any] = {name: told(self.in_state, hyperparameters) for name in params}
        self.arrays = {name: {key: np.zeros_like(a) for key in self.roles.arrays} for name, a in params.items()}

    def step(self, grads):
        for name, grad in grads.items():
            if grad is None:
                raise NotTaken("it is called for one tensor at a time, and never sees a missing gradient")
            self.counts[name] += 1
            self.one(name, grad)

    def one(self, name: str, grad: np.ndarray) -> None:
        roles = self.roles
        arguments: dict[str, Any] = {roles.params: self.params[name], roles.grads: grad}
        arguments |= {own: self.arrays[name][key] for key, own in roles.arrays.items()}
        arguments |= {roles.state: self.containers[name]} if roles.state else {}
        arguments |= {roles.step: self.counts[name]} if roles.step else {}
        arguments |= {roles.label: name} if roles.label else {}
        arguments |= {roles.loss: 0.0} if roles.loss else {}
        returned = self.function(**arguments, **told(roles.hyperparameters, self.hyperparameters))
        if returned is None:
            return
        new, *rest = returned if isinstance(returned, tuple) else (returned,)
        self.params[name] = np.asarray(new)
        for key, value in zip(self.in_order(), rest, strict=False):
            if key == "":
                self.containers[name] = value
            else:
                self.arrays[name][key] = value

    def in_order(self) -> list[str]:
        """State as it is returned: in the order of the arguments; "" is the container."""
        by_name = {own: key for key, own in self.roles.arrays.items()} | (
            {self.roles.state: ""} if self.roles.state else {}
        )
        return [by_name[name] for name in self.roles.order if name in by_name]

    def state(self):
        self.names = dict(self.roles.arrays)
        found: dict[str, dict[str, np.ndarray]] = {}
        for name, param in self.params.items():
            for key, array in self.arrays[name].items():
                found.setdefault(key, {})[name] = np.asarray(array)
            held = self.containers[name]
            held = held if isinstance(held, dict) else getattr(held, "__dict__", {})
            for key, (own, arrays) in find_state(self.subject, held, {name: param.shape}).items():
                found.setdefault(key, {}).update(arrays)
                self.names[key] = own
        return found

    def set(self, name, value):
        if name not in self.roles.hyperparameters and name not in self.in_state:
            raise NotTaken(f"it takes no {name}")
        self.hyperparameters[name] = value
        for container in self.containers.values():
            container.update(told(self.in_state, {name: value}))


def strings(function: Callable[..., Any]) -> list[str]:
    """The words in a function's code: the keys that it reads of its state."""
    code = getattr(function, "__code__", None)
    return [word for word in (code.co_consts if code else ()) if isinstance(word, str) and word.isidentifier()]
