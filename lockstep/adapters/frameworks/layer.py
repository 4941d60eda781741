"""What the frameworks' layers have in common: arrays of their own kind, which they differentiate by themselves."""

import functools
from collections.abc import Mapping
from typing import Any

import numpy as np

from lockstep.adapters.adapter import NotTaken
from lockstep.adapters.layer.adapter import LayerAdapter, Made
from lockstep.adapters.layer.layout import PYTORCHS, Layout
from lockstep.adapters.layer.names import BUFFERS, PARAMS, like
from lockstep.adapters.making import Maker
from lockstep.numerics.shapes import Array, Inputs, Outputs
from lockstep.text import message


class FrameworkLayer(LayerAdapter):
    """A layer of a framework: each says how one is made, what it keeps under which name, and how it is differentiated.

    Arguments:
        maker: makes the layer. layout: what of its layout is not PyTorch's.
    """

    framework = ""
    calls: Mapping[str, str] = {}  # its own names of what it keeps, where they are no usual ones, to PyTorch's
    normalises_one_axis = False  # its normalized_shape is a number

    def __init__(self, maker: Maker, layout: Layout = PYTORCHS):
        self.maker, self.layout = maker, layout
        self.words = layout.described(message("shape.framework-layer", framework=self.framework))

    def again(self, layout, paths):
        return functools.partial(type(self), self.maker, layout)

    def start(self, params, buffers, **hyperparameters):
        self.params, self.given, self.hyperparameters = params, params | buffers, hyperparameters
        shape = hyperparameters.get("normalized_shape")
        if self.normalises_one_axis and isinstance(shape, tuple):
            size, *others = shape
            if others:
                raise NotTaken(message("reason.one-axis", framework=self.framework))
            hyperparameters["normalized_shape"] = size
        self.layer: Any = None

    def begin(self, x: Inputs) -> None:
        """Make the layer, which may want to see the input, and put parameters and buffers into it."""
        self.layer = self.made(x)
        own = {name.strip("_").lower(): name for name in self.kept()}
        known = {key: (key, *others) for key, others in (PARAMS | BUFFERS).items() if key in self.given}
        theirs = {pytorchs: name for name, pytorchs in self.calls.items()}
        hits = {
            key: next((own[name] for name in (theirs.get(key), *names) if name in own), None)
            for key, names in known.items()
        }
        self.names = {key: name for key, name in hits.items() if name is not None}
        self.called = {key: name for key, name in self.names.items() if name != key}
        self.unset = tuple(key for key in self.given if key not in self.names and key != "num_batches_tracked")
        held = self.kept()
        self.fresh = {key: self.fitted(key, self.array(held[name])) for key, name in self.names.items()}
        self.put({name: self.laid(key, self.array(held[name])) for key, name in self.names.items()})

    def run(self, training, inputs, upstream):
        given, *others = inputs
        if others:
            raise NotTaken(message("reason.framework-inputs", framework=self.framework))
        x = self.layout.theirs(given)
        if self.layer is None:
            self.begin(x)
        output, grad, grads = self.passed(training, x, self.layout.theirs(upstream))
        seen = {
            key: self.fitted(key, grads[name]) for key, name in self.names.items() if key in PARAMS and name in grads
        }
        held = self.kept()
        buffers = {key: self.fitted(key, self.array(held[name])) for key, name in self.names.items() if key in BUFFERS}
        return Made(self.layout.pytorchs(output), None if grad is None else self.layout.pytorchs(grad), seen, buffers)

    def laid(self, key: str, value: Array) -> np.ndarray:
        """What was given, in the layout and the shape of what it replaces."""
        given = self.given[key]
        return like(value, np.ascontiguousarray(given.T) if self.layout.turned and given.ndim == 2 else given)

    def fitted(self, key: str, value: Array) -> np.ndarray:
        """In PyTorch's shape."""
        given = self.given[key]
        if given.ndim == 2 and self.layout.turned and value.ndim == 2:
            return np.ascontiguousarray(value.T)
        return value.reshape(given.shape) if value.size == given.size else value

    def made(self, x: Inputs) -> Any:
        """A layer, told the hyperparameters, for inputs like this one."""
        return self.maker.make(None, self.hyperparameters)

    def kept(self) -> dict[str, Any]:
        """The parameters and buffers, as it keeps them now, by the names it has for them."""
        raise NotImplementedError

    def array(self, value: Any) -> np.ndarray:
        """What is in one of these."""
        return np.array(value)

    def put(self, arrays: dict[str, Array]) -> None:
        """Set these, in the format that they have."""
        raise NotImplementedError

    def passed(
        self, training: bool, x: Inputs, upstream: Outputs
    ) -> tuple[np.ndarray, np.ndarray | None, dict[str, np.ndarray]]:
        """The output, the gradient by the input, and those of the parameters by the names it has for them."""
        raise NotImplementedError
