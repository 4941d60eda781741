"""Optimizers that get what holds parameters and gradients: update_params(layer), update(layers), step() on tensors."""

from collections.abc import Callable
from typing import Any

import numpy as np

from lockstep.adapters.adapter import Adapter, NotTaken
from lockstep.adapters.making import Maker, change
from lockstep.adapters.names import OTHERS, Names, named, told
from lockstep.adapters.optimizer.filling import filled, seen, without_copies
from lockstep.adapters.optimizer.holders import Holder, by_holder
from lockstep.adapters.optimizer.state import as_array, find_state
from lockstep.text import message


class Holders(list):
    """The layers or tensors, as a list and as what has them: a network with `layers`, a model with `parameters()`."""

    def __getattr__(self, name: str) -> Any:
        if name.endswith("layers"):
            return self
        if name in ("parameters", "params", "get_params", "get_parameters", "trainable_parameters"):
            return Listed(self)
        raise AttributeError(name)


class Listed(list):
    """A list that may be called for, too."""

    def __call__(self) -> "Listed":
        return self


class HeldStep(Adapter):
    """A method, or a function, that gets layers or tensors, and steps on the gradients that lie on them.

    Arguments:
        call: (optimizer) to what steps; `name`, as it is printed. holder: what it gets.
        maker: makes the optimizer; None for a function.
        way: "one", a call for each of them, or "all", one with the list, or "start", where the constructor gets that.
        arguments: those of the call by their roles: "holder", "step", and "weight" and "bias" for gradients that are
            handed over beside a layer. hyperparameters: those of the call. subject: whose state to look for.
        each: whether each has an optimizer of its own.
    """

    def __init__(
        self,
        call: Callable[[Any], Callable[..., Any]],
        name: str,
        holder: Holder,
        maker: Maker | None,
        way: str,
        subject: str,
        arguments: dict[str, str] | None = None,
        hyperparameters: Names | None = None,
        each: bool = False,
    ):
        self.maker, self.call, self.holder, self.way, self.subject = maker, call, holder, way, subject
        self.arguments, self.names_told, self.each = arguments or {}, hyperparameters or {}, each
        self.words = message(f"shape.held-{way}", method=name, holder=holder.words())

    def start(self, params, **hyperparameters):
        self.hyperparameters, self.count = dict(hyperparameters), 0
        self.size = len(self.holder.keys)
        whole = filled(params, self.size)
        names = [*whole]
        self.pairs = [tuple(names[place : place + self.size]) for place in range(0, len(names), self.size)]
        built = [self.holder.build(tuple(whole[name] for name in pair)) for pair in self.pairs]
        self.holders = Holders(held.holder for held in built)
        self.own, self.slopes = {}, {}
        for pair, held in zip(self.pairs, built, strict=True):
            self.own |= dict(zip(pair, held.own, strict=True))
            self.slopes |= dict(zip(pair, held.slopes, strict=False))
        count = len(self.holders) if self.each else 1
        given = self.holders if self.way == "start" else None
        self.optimizers = [self.maker.make(given, hyperparameters) if self.maker else None for _ in range(count)]

    def step(self, grads):
        if self.size > 1 and any(grad is None for grad in grads.values()):
            raise NotTaken(message("reason.layer-gradients"))
        self.count += 1
        self.grads = filled(grads, self.size)
        for name, place in self.slopes.items():
            place.put(self.grads[name])
        for owner in self.optimizers:
            around(owner, "pre_")
        if self.way != "one":
            self.one(self.optimizers[0], self.holders, ())
        else:
            for place, holder in enumerate(self.holders):
                self.one(self.optimizers[place % len(self.optimizers)], holder, self.pairs[place])
        for owner in self.optimizers:
            around(owner, "post_")

    def one(self, owner: Any, holder: Any, pair: tuple[str, ...]) -> None:
        apart = isinstance(holder, dict)  # the parameters and their gradients, each an argument
        given = {} if self.way == "start" else dict(holder) if apart else {self.arguments["holder"]: holder}
        given |= {self.arguments["step"]: self.count} if "step" in self.arguments else {}
        for role, name in zip(("weight", "bias"), pair, strict=False):
            given |= {self.arguments[role]: self.grads[name]} if role in self.arguments else {}
        returned = self.call(owner)(**given, **told(self.names_told, self.hyperparameters))
        if apart and isinstance(returned, tuple | list):
            for name, array in zip(pair, returned, strict=True):
                self.own[name].put(array)

    def read(self):
        return seen({name: np.asarray(place.get()) for name, place in self.own.items()})

    def state(self):
        shapes = {name: np.shape(place.get()) for name, place in self.own.items()}
        held: dict[str, Any] = {}
        keys = tuple((key, f"d{key}") for key in self.holder.keys)
        for owner in self.optimizers:
            for key, value in getattr(owner, "__dict__", {}).items():
                held.setdefault(key, {}).update(by_holder(value, self.holders, self.pairs, keys))
        for pair, holder in zip(self.pairs, self.holders, strict=True):
            for name, array in getattr(holder, "__dict__", {}).items():
                for place, tensor in enumerate(pair) if as_array(array) is not None else ():
                    held.setdefault(self.holder.entry(name, place), {})[tensor] = array
        by_key = find_state(self.subject, held, shapes)
        self.names = {key: own for key, (own, _) in by_key.items()}
        return without_copies({key: arrays for key, (_, arrays) in by_key.items()})

    def set(self, name, value):
        before = self.hyperparameters[name]
        self.hyperparameters[name] = value
        if name in self.names_told:
            return
        for owner in self.optimizers:
            change(owner, {other.strip("_") for other in OTHERS.get(name, (name,))}, value, before)


def around(owner: Any, prefix: str) -> None:
    """Call what is to be called before or after an update, `pre_update_params` or `post_update_params`."""
    for name in dir(type(owner)) if owner is not None else ():
        method = getattr(owner, name) if name.startswith(prefix) else None
        if callable(method) and not named(method):
            method()
