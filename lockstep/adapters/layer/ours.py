"""The interface of reference.layers and torch_impl.layers: load_state, train, forward, backward, grads."""

from typing import Any

import numpy as np

from lockstep.adapters.layer.adapter import LayerAdapter, Made
from lockstep.adapters.making import Maker
from lockstep.text import message


class OurLayer(LayerAdapter):
    """A layer, loss or penalty of ours; masks and targets are handed over after the input."""

    takes_mask = True

    def __init__(self, maker: Maker):
        self.maker = maker
        self.words = message("shape.our-layer")

    def start(self, params, buffers, **hyperparameters):
        self.layer: Any = self.maker.make(None, hyperparameters)
        self.fresh = {name: np.array(array) for name, array in getattr(self.layer, "state", {}).items()}
        if params or buffers:
            self.layer.load_state(params | buffers)

    def run(self, training, inputs, upstream):
        if hasattr(self.layer, "train"):
            self.layer.train(training)
        output = self.layer.forward(*inputs)
        grad = self.layer.backward(upstream)
        return Made(output, grad, dict(getattr(self.layer, "grads", {})), held(self.layer))


def held(layer: Any) -> dict[str, np.ndarray]:
    """Its buffers."""
    return {name: np.array(array) for name, array in getattr(layer, "buffers", {}).items()}
