"""Functions: batchnorm_forward(x, gamma, beta, …) with its backward beside it, or a callable of the input alone."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from lockstep.adapters.adapter import NotTaken
from lockstep.adapters.code import strings
from lockstep.adapters.layer.adapter import LayerAdapter, Made
from lockstep.adapters.layer.layout import PYTORCHS, Layout
from lockstep.adapters.layer.names import BUFFERS, MASKS, PARAMS, TRAINING, target_of
from lockstep.adapters.layer.object import WORDS, beside, first_of
from lockstep.adapters.names import Names, match, named, required, told
from lockstep.numerics.shapes import Array, Inputs
from lockstep.text import message

DICTS = ("bn_param", "ln_param", "dropout_param", "param", "config", "state", "cache")


class LayerFunction(LayerAdapter):
    """A forward function, and the backward one that its module has under the name to match.

    Arguments:
        function: forward. wanted: PyTorch's hyperparameters. layout: what of its layout is not PyTorch's.
    """

    def __init__(self, function: Callable[..., Any], wanted: tuple[str, ...], layout: Layout = PYTORCHS):
        self.function, self.wanted, self.layout = function, wanted, layout
        self.backward = counterpart(function)
        every = list(named(function))
        self.target = target_of(every)
        self.first = next((name for name in every if name != self.target), "")
        arguments = [name for name in every if name != self.first]
        taken = {key: hit(arguments, (key, *others)) for key, others in (PARAMS | BUFFERS).items()}
        self.taken = {key: name for key, name in taken.items() if name}
        self.mode, self.mask = (hit(arguments, known) for known in (TRAINING, MASKS))
        self.holder = hit(arguments, DICTS)
        self.takes_mask = self.mask is not None
        used = {*self.taken.values(), self.mode, self.mask, self.target, self.holder}
        self.names: Names = match([name for name in arguments if name not in used], wanted)
        self.in_dict: Names = match(strings(function), [name for name in wanted if name not in self.names])
        used |= {self.first, *told_names(self.names)}
        self.lacks = [name for name in required(function) if name not in used]
        alone = message("shape.forward-alone", function=function.__name__)
        back = self.backward and self.backward.__name__
        both = message("shape.two-functions", function=function.__name__, backward=back)
        self.words = layout.described(both if back else alone)

    def again(self, layout, paths):
        return functools.partial(LayerFunction, self.function, self.wanted, layout)

    def start(self, params, buffers, **hyperparameters):
        self.params, self.buffers = dict(params), dict(buffers)
        self.hyperparameters = hyperparameters
        self.means = hyperparameters.get("reduction", "mean") == "mean"
        known = (*self.taken, *(strings(self.function) if self.holder else ()))
        self.unset = tuple(key for key in (*params, *buffers) if key not in known and key != "num_batches_tracked")
        self.held: dict[str, Any] = told(self.in_dict, hyperparameters)
        if self.holder:
            self.held |= {key: array.copy() for key, array in buffers.items() if key in strings(self.function)}

    def run(self, training, inputs, upstream):
        if not training and not (self.mode or (self.holder and "mode" in strings(self.function))):
            raise NotTaken(message("reason.no-evaluation"))
        arguments = told(self.names, self.hyperparameters)
        for key, name in self.taken.items():
            if key in self.params | self.buffers:
                arguments[name] = self.column((self.params | self.buffers)[key])
        if self.mode:
            default = named(self.function)[self.mode].default
            arguments[self.mode] = WORDS[training] if isinstance(default, str) else training
        if self.holder:
            self.held |= {"mode": WORDS[training]}
            arguments[self.holder] = self.held
        rest = list(inputs[1:])
        if self.target and rest:
            arguments[self.target] = self.layout.target(rest.pop(0), inputs[0])
        if self.mask and rest:
            arguments[self.mask] = self.layout.theirs(rest.pop(0))
        returned = self.passed(self.function, inputs[0], arguments)
        output = np.asarray(first_of(returned))
        kept = {key: self.held[key].reshape(-1) for key in BUFFERS if isinstance(self.held.get(key), np.ndarray)}
        return self.back(self.layout.pytorchs(output), returned, arguments, inputs, upstream, kept)

    def back(self, output, returned, arguments, inputs, upstream, kept) -> Made:
        if self.backward is None:
            grad = beside(returned, self.layout.theirs(inputs[0])) if self.target else None
            if grad is None:
                return Made(output, buffers=kept)
            grad, _ = self.layout.averaged(self.layout.pytorchs(grad), {}, inputs, self.means)
            return Made(output, grad, buffers=kept, upstream=np.ones_like(output))
        cache = returned[1:] if isinstance(returned, tuple) else ()
        count = len(required(self.backward))
        if cache and count >= 2:
            grads = self.backward(self.layout.theirs(upstream), *cache[: count - 1])
        elif count == len(required(self.function)):
            upstream = np.ones_like(output)
            own = {name: value for name, value in arguments.items() if name in named(self.backward)}
            grads = self.passed(self.backward, inputs[0], own)
        else:
            grads = self.backward(self.layout.theirs(upstream), self.layout.theirs(inputs[0]))
        grad, *others = grads if isinstance(grads, tuple) else (grads,)
        keys = [key for key in PARAMS if key in self.taken and key in self.params]
        by_key = {key: self.fitted(key, value) for key, value in zip(keys, others, strict=False)}
        grad = self.layout.pytorchs(np.asarray(grad))
        grad, by_key = self.layout.averaged(grad, by_key, inputs, self.means)
        return Made(output, grad, by_key, kept, upstream)

    def passed(self, function: Callable[..., Any], x: Inputs, arguments: dict[str, Any]) -> Any:
        """The input by its name where the target stands before it."""
        first = self.layout.theirs(x)
        if next(iter(named(function)), None) == self.target and self.target is not None:
            return function(**{self.first: first}, **arguments)
        return function(first, **arguments)

    def column(self, array: Array) -> np.ndarray:
        if array.ndim == 2 and self.layout.turned:
            return np.ascontiguousarray(array.T)
        return array.reshape(-1, 1) if self.layout.features == "first" and array.ndim == 1 else array

    def fitted(self, key: str, value: Any) -> np.ndarray:
        """A gradient in PyTorch's shape."""
        array, given = np.asarray(value), self.params[key]
        if given.ndim == 2:
            return np.ascontiguousarray(array.T) if self.layout.turned else array
        return array.reshape(given.shape) if array.size == given.size else array


def hit(arguments: list[str], known: tuple[str, ...]) -> str | None:
    return next((name for name in arguments if name.strip("_").lower() in known), None)


def told_names(names: Names) -> set[str]:
    return {part for own in names.values() for part in (own if isinstance(own, tuple) else (own,))}


def counterpart(function: Callable[..., Any]) -> Callable[..., Any] | None:
    """The backward function beside a forward one."""
    name, around = function.__name__, getattr(function, "__globals__", {})
    forms = [name.replace("forward", "backward"), f"{name}_backward", f"{name}_grad", f"{name}_gradient"]
    forms += [f"{name}_derivative", f"d_{name}", f"d{name}", f"grad_{name}"]
    return next((around[form] for form in forms if form != name and callable(around.get(form))), None)
