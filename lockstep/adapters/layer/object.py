"""An object with forward and backward, or a callable one, on arrays."""

import functools
import inspect
from typing import Any

import numpy as np

from lockstep.adapters.adapter import NotTaken
from lockstep.adapters.layer.adapter import LayerAdapter, Made
from lockstep.adapters.layer.names import BUFFERS, MASKS, PARAMS, TARGETS, TRAINING, Place, gradient_names, like, places
from lockstep.adapters.making import Maker
from lockstep.adapters.names import named, required
from lockstep.text import message

FORWARD = ("forward", "__call__", "call")
BACKWARD = ("backward", "backprop", "bprop")
WORDS = {True: "train", False: "test"}  # where the mode is a word


class LayerObject(LayerAdapter):
    """`layer.forward(x)` and `layer.backward(grad)`; parameters and statistics found by their names.

    Arguments:
        maker: makes the instance. turned: whether it wants features first, (d, m).
    """

    def __init__(self, maker: Maker, turned: bool = False):
        self.maker, self.turned = maker, turned
        self.words = "forward and backward" + (", features first" if turned else "")

    def start(self, params, buffers, **hyperparameters):
        self.given = {**params, **buffers}
        own = arrays_of(self.maker.target) if inspect.isclass(self.maker.target) else {}
        filled = {name: self.column(self.given[key]) for name, key in own.items() if key in self.given}
        maker = self.maker._replace(target=functools.partial(self.maker.target, **filled)) if filled else self.maker
        self.layer: Any = maker.make(None, hyperparameters)
        self.forward = next(getattr(self.layer, name) for name in FORWARD if callable(getattr(self.layer, name, None)))
        hits = [getattr(self.layer, name) for name in BACKWARD if callable(getattr(self.layer, name, None))]
        self.backward = hits[0] if hits else None
        self.arguments = list(named(self.forward))
        self.mask = next((name for name in self.arguments if name.lower() in MASKS), None)
        self.target = next((name for name in self.arguments[1:] if name.lower() in TARGETS), None)
        self.mode = next((name for name in self.arguments if name.lower() in TRAINING), None)
        self.takes_mask = self.mask is not None
        self.loaded = False
        self.load()

    def load(self) -> None:
        """Put parameters and statistics where it keeps them; later, if it makes them with the first input."""
        found = places(self.layer, PARAMS | BUFFERS)
        self.places = {key: place for key, place in found.items() if key in self.given and is_array(place.get())}
        missing = [key for key in self.given if key not in self.places and key != "num_batches_tracked"]
        self.loaded = not missing
        for key, place in self.places.items():
            place.put(like(place.get(), self.given[key]).copy())

    def run(self, training, inputs, upstream):
        x = self.way(inputs[0])
        if not self.loaded:
            self.pass_forward(True, x, inputs[1:])
            self.load()
            self.loaded = True
        output = first_of(self.pass_forward(training, x, inputs[1:]))
        output = self.way(np.asarray(output))
        grad, grads, up = None, {}, upstream
        if self.backward is not None:
            takes = [p for p in named(self.backward).values() if p.default is inspect.Parameter.empty]
            up = upstream if takes else np.ones_like(output)
            returned = self.backward(self.way(upstream)) if takes else self.backward()
            grad = first_of(returned)
            grad = None if grad is None else self.way(np.asarray(grad))
            grads = self.gradients(returned)
        buffers = {key: self.fitted(key, self.places[key].get()) for key in BUFFERS if key in self.places}
        return Made(output, grad, grads, buffers, up)

    def pass_forward(self, training: bool, x: np.ndarray, others: tuple[np.ndarray, ...]) -> Any:
        arguments: dict[str, Any] = {}
        if self.mode:
            default = named(self.forward)[self.mode].default
            arguments[self.mode] = WORDS[training] if isinstance(default, str) else training
        else:
            self.switch(training)
        rest = list(others)
        for name in (self.target, self.mask):
            if name and rest:
                arguments[name] = rest.pop(0)
        return self.forward(x, **arguments)

    def switch(self, training: bool) -> None:
        """Tell the layer whether it trains."""
        layer = self.layer
        if callable(getattr(layer, "eval", None)) and callable(getattr(layer, "train", None)):
            (layer.train if training else layer.eval)()
            return
        held = next((name for name in TRAINING if isinstance(getattr(layer, name, None), bool | str)), None)
        if held:
            setattr(layer, held, WORDS[training] if isinstance(getattr(layer, held), str) else training)
        elif callable(getattr(layer, "freeze", None)) and callable(getattr(layer, "unfreeze", None)):
            (layer.unfreeze if training else layer.freeze)()
        elif not training:
            raise NotTaken(message("reason.no-evaluation"))

    def gradients(self, returned: Any) -> dict[str, Any]:
        """Of the parameters: attributes, entries of a dict, or what backward returns after the input's."""
        wanted = [key for key in self.places if key in PARAMS]
        found = places(self.layer, {key: gradient_names(key) for key in wanted})
        for holder in ("grads", "gradients", "grad"):
            held = getattr(self.layer, holder, None)
            if isinstance(held, dict):
                for key in wanted:
                    own = next((name for name in held if str(name).lower() in PARAMS[key]), None)
                    if own is not None and key not in found:
                        found[key] = Place(held, own)
        if isinstance(returned, tuple) and len(returned) == 1 + len(wanted) and not found:
            return {key: self.fitted(key, value) for key, value in zip(wanted, returned[1:], strict=True)}
        return {key: self.fitted(key, place.get()) for key, place in found.items() if is_array(place.get())}

    def fitted(self, key: str, value: Any) -> np.ndarray:
        """In PyTorch's shape: (1, d) and (d, 1) as (d,)."""
        array, given = np.asarray(value), self.given[key]
        return array.reshape(given.shape) if given.ndim == 1 and array.size == given.size else array

    def column(self, array: np.ndarray) -> np.ndarray:
        """An array of its own, a column where features come first."""
        return array.reshape(-1, 1).copy() if self.turned and array.ndim == 1 else array.copy()

    def way(self, array: np.ndarray) -> np.ndarray:
        """Between PyTorch's layout and theirs."""
        return np.ascontiguousarray(array.T) if self.turned and array.ndim == 2 else array


def arrays_of(kind: type) -> dict[str, str]:
    """Arguments that a class cannot be made without and that are arrays: gamma and beta, say, to PyTorch's names."""
    known = PARAMS | BUFFERS
    return {name: key for name in required(kind) for key, others in known.items() if name.lower() in (key, *others)}


def first_of(returned: Any) -> Any:
    alone = isinstance(returned, list) and len(returned) == 1  # of each input, and there is one
    return returned[0] if alone or isinstance(returned, tuple) else returned


def is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray | np.generic) or (
        isinstance(value, float | int) and not isinstance(value, bool)
    )
