"""Objects with a method of parameters and gradients: the notebook's, scikit-learn's, numpy-ml's, and their like."""

import inspect
from typing import Any

import numpy as np

from lockstep.adapters.adapter import Adapter, CannotCheck, NotTaken, handed_on
from lockstep.adapters.making import Maker, change
from lockstep.adapters.names import OTHERS, named, told
from lockstep.adapters.optimizer.roles import Roles, is_grads
from lockstep.adapters.optimizer.state import as_array, find_state
from lockstep.numerics.shapes import Array
from lockstep.text import message

METHODS = ("step", "update", "update_params", "update_parameters", "apply_gradients", "apply", "optimize", "__call__")
PAIRED = {"grads_and_vars", "grads_and_params", "gradients_and_variables", "grad_var_pairs", "grads_vars"}
FORMS = ("dicts", "lists", "single arrays")


class ObjectStep(Adapter):
    """`optimizer.update(params, grads)`, in place or returning, on dicts, lists or one array at a time.

    Arguments:
        maker: makes the instance; for single arrays one for each tensor, unless the method takes its name.
        method: its name. roles: of the method's arguments. form: one of `FORMS`, or "pairs" of gradient and array.
        subject: whose state to look for.
    """

    def __init__(self, maker: Maker, method: str, roles: Roles, form: str, subject: str):
        self.maker, self.method, self.roles, self.form, self.subject = maker, method, roles, form, subject
        shape = {"arguments": ", ".join(roles.order), "form": message(f"shape.{form}")}
        self.words = message("shape.method", method=method, **shape)
        self.missing = "none"

    def start(self, params, **hyperparameters):
        self.params = params
        self.told, self.hyperparameters = dict(hyperparameters), dict(hyperparameters)
        self.counts = dict.fromkeys(params, 0)
        single = self.form == "single arrays"
        parts = (
            {name: {name: array} for name, array in params.items()} if single and not self.roles.label else {"": params}
        )
        self.objects = {key: self.maker.make(self.packed(part), hyperparameters) for key, part in parts.items()}

    def resume(self):
        before, counts, changed = self.objects, self.counts, self.hyperparameters
        self.start({name: np.array(array) for name, array in self.read().items()}, **self.told)
        for key, owner in self.objects.items():
            handed_on(before[key], owner)
        self.counts, self.hyperparameters = counts, changed

    def packed(self, arrays: dict[str, Any]) -> Any:
        """Arrays by name, as the implementation takes them."""
        if self.form == "dicts":
            return dict(arrays)
        return (
            list(arrays.values()) if self.form in ("lists", "pairs") or len(arrays) > 1 else next(iter(arrays.values()))
        )

    def step(self, grads):
        if self.form != "single arrays":
            self.counts = {name: count + 1 for name, count in self.counts.items()}
            given = {name: grad for name, grad in grads.items() if grad is not None or self.missing == "none"}
            if self.form == "lists" and len(given) < len(grads):
                raise NotTaken(message("reason.list-of-gradients"))
            if self.form == "pairs":
                returned = getattr(self.objects[""], self.method)([(grads[name], self.params[name]) for name in grads])
            else:
                handed = self.packed(self.params)
                returned = self.call(self.objects[""], handed, self.packed(given), "")
                self.take(handed, self.params)  # a dict or a list whose entries were replaced
            self.take(returned, self.params)
            return
        for name, grad in grads.items():
            if grad is None:
                raise NotTaken(message("reason.one-tensor"))
            self.counts[name] += 1
            owner = self.objects.get(name) or self.objects[""]
            self.take(self.call(owner, self.params[name], grad, name), {name: self.params[name]})

    def call(self, owner: Any, params: Any, grads: Any, name: str) -> Any:
        roles = self.roles
        count = self.counts[name] if name else max(self.counts.values())
        arguments = {roles.params: params, roles.grads: grads}
        arguments |= {roles.step: count} if roles.step else {}
        arguments |= {roles.label: name} if roles.label else {}
        arguments |= {roles.loss: 0.0} if roles.loss else {}
        return getattr(owner, self.method)(**arguments, **told(roles.hyperparameters, self.hyperparameters))

    def take(self, returned: Any, before: dict[str, Array]) -> None:
        """What a method returns is the new parameters, if it has their form; else they changed in place."""
        if isinstance(returned, tuple) and self.form != "lists" and returned:
            returned = returned[0]
        new: dict[str, Any] = {}
        if isinstance(returned, dict) and set(before) <= set(returned):
            new = {name: returned[name] for name in before}
        elif isinstance(returned, list | tuple) and len(returned) == len(before):
            new = dict(zip(before, returned, strict=True))
        elif len(before) == 1 and as_array(returned) is not None:
            new = dict.fromkeys(before, returned)
        self.params |= new

    def read(self):
        return {name: np.asarray(as_array(array)) for name, array in self.params.items()}

    def state(self):
        by_key: dict[str, dict[str, np.ndarray]] = {}
        self.names: dict[str, str] = {}
        shapes = {name: array.shape for name, array in self.params.items()}
        for name, owner in self.objects.items():
            held = dict(getattr(owner, "__dict__", {}))
            some = {name: shapes[name]} if name else shapes
            if isinstance(held.get("cache"), dict) and self.roles.label:  # numpy-ml: tensor to its entries
                held = by_entry(held["cache"])
            for key, (own, arrays) in find_state(self.subject, held, some).items():
                by_key.setdefault(key, {}).update(arrays)
                self.names[key] = own
        return by_key

    def set(self, name, value):
        before = self.hyperparameters[name]
        self.hyperparameters[name] = value
        if name in self.roles.hyperparameters:
            return
        for owner in self.objects.values():
            change(owner, {other.strip("_") for other in OTHERS.get(name, (name,))}, value, before)


def by_entry(cache: dict[str, Any]) -> dict[str, Any]:
    """{"weight": {"mean": a}} as {"mean": {"weight": a}}."""
    by_key: dict[str, Any] = {}
    for tensor, entries in cache.items():
        for key, value in (entries if isinstance(entries, dict) else {"cache": entries}).items():
            by_key.setdefault(key, {})[tensor] = value
    return by_key


def methods_of(kind: Any) -> list[str]:
    """Names of the methods that may step, of a class or an object: the usual ones, then others that take gradients."""
    usual = [name for name in METHODS if callable(getattr(kind, name, None)) and own_call(kind, name)]
    others = [name for name in dir(kind) if not name.startswith("_") and name not in METHODS]
    return usual + [name for name in others if takes_gradients(inspect.getattr_static(kind, name))]


def takes_gradients(method: Any) -> bool:
    """Whether it is a method of a gradient and something else. It is looked at, not asked for: a property would run."""
    arguments = [name for name in named(method) if name != "self"] if inspect.isfunction(method) else []
    return len(arguments) > 1 and any(map(is_grads, arguments))


def own_call(kind: Any, name: str) -> bool:
    """Calling a class makes an instance; only its own `__call__` steps."""
    return name != "__call__" or any(
        "__call__" in vars(base) for base in (kind if isinstance(kind, type) else type(kind)).__mro__[:-1]
    )


__all__ = ["FORMS", "METHODS", "PAIRED", "CannotCheck", "ObjectStep", "methods_of"]
