"""Plain functions: step(param, grad, state, t), adam(w, dw, config), adam(p, g, m, v, t, lr, …), sgd(params, grads)."""

from collections.abc import Callable
from typing import Any

import numpy as np

from lockstep.adapters.adapter import Adapter, NotTaken
from lockstep.adapters.code import strings
from lockstep.adapters.names import match, told
from lockstep.adapters.optimizer.roles import Roles
from lockstep.adapters.optimizer.state import as_array, by_tensor, find_state
from lockstep.numerics.shapes import Array
from lockstep.subjects.families.optim import entries_of, fresh_state
from lockstep.text import message


class PlainFunction(Adapter):
    """A function that steps one tensor, or all of them, whose state is an argument: a container, or arrays by name.

    It returns the parameters, or a tuple of those and the state, or nothing where it works in place.

    Arguments:
        function: it. roles: of its arguments. subject: whose state to look for. wanted: PyTorch's hyperparameters.
        form: "single arrays", "dicts" or "lists". fresh: the container before the first step, a dict or None, or what
            makes it of the parameters.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        roles: Roles,
        subject: str,
        wanted: tuple[str, ...],
        form: str = "single arrays",
        fresh: Any = None,
        begin: Callable[[Any], Any] | None = None,
        slope: str = "{0}",
    ):
        self.begin, self.slope = begin, slope
        self.function, self.roles, self.subject, self.form, self.fresh = function, roles, subject, form, fresh
        self.in_state = match(strings(function), [name for name in wanted if name not in roles.hyperparameters])
        plural = message("shape.on", form=message(f"shape.{form}"))
        how = message("shape.one-tensor") if form == "single arrays" else plural
        called = {"function": function.__name__, "arguments": ", ".join(roles.order)}
        self.words = message("shape.function", **called, form=how)

    def start(self, params, **hyperparameters):
        self.params, self.hyperparameters = params, dict(hyperparameters)
        self.parts = {name: [name] for name in params} if self.form == "single arrays" else {"": [*params]}
        self.counts = dict.fromkeys(self.parts, 0)
        told_so = told(self.in_state, hyperparameters)
        self.containers: dict[str, Any] = {
            part: self.fresh(self.packed(params, names))
            if callable(self.fresh)
            else None
            if self.fresh is None and not told_so
            else dict(told_so)
            for part, names in self.parts.items()
        }
        fresh = {name: self.fresh_state(array, hyperparameters) for name, array in params.items()}
        self.arrays = {
            part: self.begun(params)
            if self.begin
            else {key: self.called({name: fresh[name][key] for name in names}, names) for key in self.roles.arrays}
            for part, names in self.parts.items()
        }

    def fresh_state(self, array: Any, hyperparameters: dict[str, Any]) -> dict[str, Any]:
        """The state of one tensor before the first step, of the kind that the tensor is."""
        plain = np.asarray(as_array(array))
        nothing = dict.fromkeys(self.roles.arrays, np.zeros_like(plain))
        known = nothing | fresh_state(self.subject, plain, hyperparameters)
        return {key: array.new_tensor(value) if hasattr(array, "new_tensor") else value for key, value in known.items()}

    def begun(self, params: dict[str, Array]) -> dict[str, Any]:
        """What the function that stands beside this one begins with, in the order of its arguments."""
        assert self.begin is not None
        made = self.begin(dict(params))
        keys = [key for key in self.in_order() if key]
        return dict(zip(keys, made if isinstance(made, tuple) else (made,), strict=True))

    def called(self, arrays: dict[str, Any], names: list[str]) -> Any:
        """The arrays of one call, by the names that state has in a dict."""
        packed = self.packed(arrays, names)
        return {self.slope.format(name): array for name, array in packed.items()} if self.form == "dicts" else packed

    def packed(self, arrays: dict[str, Any], names: list[str]) -> Any:
        """The arrays of one call, as the function takes them."""
        chosen = {name: arrays[name] for name in names}
        if self.form == "dicts":
            return chosen
        return list(chosen.values()) if self.form == "lists" else next(iter(chosen.values()))

    def step(self, grads):
        if self.form == "single arrays" and any(grad is None for grad in grads.values()):
            raise NotTaken(message("reason.one-tensor"))
        for part, names in self.parts.items():
            self.counts[part] += 1
            self.one(part, names, dict(grads) if self.form == "dicts" else self.packed(grads, names))

    def one(self, part: str, names: list[str], grads: Any) -> None:
        roles = self.roles
        params = self.packed(self.params, names)
        arguments: dict[str, Any] = {roles.params: params, roles.grads: grads}
        arguments |= {own: self.arrays[part][key] for key, own in roles.arrays.items()}
        arguments |= {roles.state: self.containers[part]} if roles.state else {}
        arguments |= {roles.step: self.counts[part]} if roles.step else {}
        arguments |= {roles.label: part} if roles.label else {}
        arguments |= {roles.loss: 0.0} if roles.loss else {}
        returned = self.function(**arguments, **told(roles.hyperparameters, self.hyperparameters))
        self.take(params, names)  # a dict or a list whose entries were replaced
        if returned is None:
            return
        new, *rest = returned if self.with_state(returned, names) else (returned,)
        self.take(new, names)
        for key, value in zip(self.in_order(), rest, strict=False):
            if key == "":
                self.containers[part] = value
            else:
                self.arrays[part][key] = value

    def with_state(self, returned: Any, names: list[str]) -> bool:
        """Whether what is returned is a tuple of the parameters and the state, and not of parameters alone."""
        if not isinstance(returned, tuple):
            return False
        return self.form != "lists" or len(returned) != len(names) or isinstance(returned[0], list | tuple)

    def take(self, new: Any, names: list[str]) -> None:
        if self.form == "dicts":
            arrays = {name: new[name] for name in names} if isinstance(new, dict) and set(names) <= set(new) else {}
        elif self.form == "lists":
            alike = isinstance(new, list | tuple) and len(new) == len(names)
            arrays = dict(zip(names, new, strict=True)) if alike else {}
        else:
            arrays = dict.fromkeys(names, new)
        self.params |= {name: array for name, array in arrays.items() if as_array(array) is not None}  # type: ignore[assignment]

    def read(self):
        return {name: np.asarray(as_array(array)) for name, array in self.params.items()}

    def in_order(self) -> list[str]:
        """State as it is returned: in the order of the arguments; "" is the container."""
        by_name = {own: key for key, own in self.roles.arrays.items()} | (
            {self.roles.state: ""} if self.roles.state else {}
        )
        return [by_name[name] for name in self.roles.order if name in by_name]

    def state(self):
        self.names, declared = dict(self.roles.arrays), entries_of(self.subject)
        by_key: dict[str, dict[str, np.ndarray]] = {}
        for part, names in self.parts.items():
            shapes = {name: self.params[name].shape for name in names}
            for key, value in self.arrays[part].items():
                wanted = {name: declared[key].shape(shape) for name, shape in shapes.items()}
                by_key.setdefault(key, {}).update(by_tensor(value, wanted) or {})
            held = self.containers[part]
            held = held if isinstance(held, dict) else getattr(held, "__dict__", {})
            for key, (own, arrays) in find_state(self.subject, held, shapes).items():
                by_key.setdefault(key, {}).update(arrays)
                self.names[key] = own
        return by_key

    def set(self, name, value):
        if name not in self.roles.hyperparameters and name not in self.in_state:
            raise NotTaken(message("reason.no-names", names=name))
        self.hyperparameters[name] = value
        for container in self.containers.values():
            if isinstance(container, dict):
                container.update(told(self.in_state, {name: value}))
