"""Functions: batchnorm_forward(x, gamma, beta, …) with its backward beside it, or a callable of the input alone."""

from collections.abc import Callable
from typing import Any

import numpy as np

from lockstep.adapters.adapter import NotTaken
from lockstep.adapters.layer.adapter import LayerAdapter, Made
from lockstep.adapters.layer.names import BUFFERS, MASKS, PARAMS, TARGETS, TRAINING
from lockstep.adapters.layer.object import WORDS, first_of
from lockstep.adapters.names import Names, match, named, required, told
from lockstep.adapters.optimizer.plain_function import strings
from lockstep.text import message

DICTS = ("bn_param", "dropout_param", "param", "config", "state", "cache")


class LayerFunction(LayerAdapter):
    """A forward function, and the backward one that its module has under the name to match.

    Arguments:
        function: forward. wanted: PyTorch's hyperparameters. turned: whether it wants features first, (d, m).
    """

    def __init__(self, function: Callable[..., Any], wanted: tuple[str, ...], turned: bool = False):
        self.function, self.turned = function, turned
        self.backward = counterpart(function)
        arguments = list(named(function))[1:]
        taken = {key: hit(arguments, (key, *others)) for key, others in (PARAMS | BUFFERS).items()}
        self.taken = {key: name for key, name in taken.items() if name}
        self.mode, self.mask, self.target = (hit(arguments, known) for known in (TRAINING, MASKS, TARGETS))
        self.holder = hit(arguments, DICTS)
        self.takes_mask = self.mask is not None
        used = {*self.taken.values(), self.mode, self.mask, self.target, self.holder}
        self.names: Names = match([name for name in arguments if name not in used], wanted)
        self.in_dict: Names = match(strings(function), [name for name in wanted if name not in self.names])
        self.lacks = [n for n in required(function)[1:] if n not in used and n not in told_names(self.names)]
        back = f" and {self.backward.__name__}" if self.backward else ", forward alone"
        self.words = f"{function.__name__}{back}" + (", features first" if turned else "")

    def start(self, params, buffers, **hyperparameters):
        self.params, self.buffers = dict(params), dict(buffers)
        self.hyperparameters = hyperparameters
        self.held: dict[str, Any] = told(self.in_dict, hyperparameters)
        if self.holder:
            self.held |= {key: array.copy() for key, array in buffers.items() if key in strings(self.function)}

    def run(self, training, inputs, upstream):
        if not training and not (self.mode or (self.holder and "mode" in strings(self.function))):
            raise NotTaken(message("reason.no-evaluation"))
        arguments = told(self.names, self.hyperparameters)
        for key, name in self.taken.items():
            arguments[name] = self.column((self.params | self.buffers)[key])
        if self.mode:
            default = named(self.function)[self.mode].default
            arguments[self.mode] = WORDS[training] if isinstance(default, str) else training
        if self.holder:
            self.held |= {"mode": WORDS[training]}
            arguments[self.holder] = self.held
        rest = list(inputs[1:])
        for name in (self.target, self.mask):
            if name and rest:
                arguments[name] = rest.pop(0)
        returned = self.function(self.way(inputs[0]), **arguments)
        output = np.asarray(first_of(returned))
        kept = {key: self.held[key].reshape(-1) for key in BUFFERS if isinstance(self.held.get(key), np.ndarray)}
        return self.back(self.way(output), returned, arguments, inputs, upstream, kept)

    def back(self, output, returned, arguments, inputs, upstream, kept) -> Made:
        if self.backward is None:
            return Made(output, buffers=kept)
        cache = returned[1:] if isinstance(returned, tuple) else ()
        count = len(required(self.backward))
        if cache and count >= 2:
            grads = self.backward(self.way(upstream), *cache[: count - 1])
        elif count == len(required(self.function)):
            upstream = np.ones_like(output)
            own = {name: value for name, value in arguments.items() if name in named(self.backward)}
            grads = self.backward(self.way(inputs[0]), **own)
        else:
            grads = self.backward(self.way(upstream), self.way(inputs[0]))
        grad, *others = grads if isinstance(grads, tuple) else (grads,)
        found = dict(zip([key for key in PARAMS if key in self.taken], map(flat, others), strict=False))
        return Made(output, self.way(np.asarray(grad)), found, kept, upstream)

    def column(self, array: np.ndarray) -> np.ndarray:
        return array.reshape(-1, 1) if self.turned else array

    def way(self, array: np.ndarray) -> np.ndarray:
        """Between PyTorch's layout and theirs."""
        return np.ascontiguousarray(array.T) if self.turned and array.ndim == 2 else array


def hit(arguments: list[str], known: tuple[str, ...]) -> str | None:
    return next((name for name in arguments if name.strip("_").lower() in known), None)


def told_names(names: Names) -> set[str]:
    return {part for own in names.values() for part in (own if isinstance(own, tuple) else (own,))}


def flat(value: Any) -> np.ndarray:
    return np.asarray(value).reshape(-1)


def counterpart(function: Callable[..., Any]) -> Callable[..., Any] | None:
    """The backward function beside a forward one."""
    name, around = function.__name__, getattr(function, "__globals__", {})
    forms = [name.replace("forward", "backward"), f"{name}_backward", f"{name}_grad", f"{name}_gradient"]
    forms += [f"{name}_derivative", f"d_{name}", f"d{name}", f"grad_{name}"]
    return next((around[form] for form in forms if form != name and callable(around.get(form))), None)
