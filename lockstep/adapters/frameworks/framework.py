"""What the frameworks have in common: named tensors of their own kind, and state beside each of them."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from lockstep.adapters.adapter import Adapter, NotTaken
from lockstep.adapters.making import Maker
from lockstep.adapters.optimizer.state import find_state
from lockstep.numerics.shapes import Array
from lockstep.text import Message, message


class FrameworkOptimizer(Adapter):
    """An optimizer over a framework's tensors: each framework says how these are made, stepped on and read.

    Arguments:
        maker: makes the optimizer. subject: whose state to look for.
    """

    framework = ""
    foreign = True  # it may know no float64

    def __init__(self, maker: Maker, subject: str):
        self.maker, self.subject = maker, subject
        self.words: Message | str = message("shape.framework-optimizer", framework=self.framework)

    def start(self, params, **hyperparameters):
        self.tensors = {name: self.tensor(array, name) for name, array in params.items()}
        self.optimizer = self.made(hyperparameters)

    def made(self, hyperparameters: dict[str, Any]) -> Any:
        """The optimizer of these tensors, told these hyperparameters under PyTorch's names."""
        return self.maker.make(list(self.tensors.values()), hyperparameters)

    def tensor(self, array: Array, name: str) -> Any:
        """A parameter of the framework's own kind, with this array in it."""
        raise NotImplementedError

    def array(self, tensor: Any) -> np.ndarray:
        """What is in a tensor."""
        return np.array(tensor)

    def read(self):
        return {name: self.array(tensor) for name, tensor in self.tensors.items()}

    def held(self) -> Mapping[str, Any]:
        """The state as it is kept: its names to arrays by tensor."""
        return {}

    def state(self):
        shapes = {name: self.array(tensor).shape for name, tensor in self.tensors.items()}
        by_key = find_state(self.subject, self.held(), shapes)
        self.names = {key: own for key, (own, _) in by_key.items()}
        return {key: arrays for key, (_, arrays) in by_key.items()}

    def all_given(self, grads: Mapping[str, Array | None]) -> dict[str, np.ndarray]:
        """The gradients, where none is missing: the framework has no word for that.

        Raises:
            NotTaken: where one is.
        """
        given = {name: grad for name, grad in grads.items() if grad is not None}
        if len(given) < len(grads):
            raise NotTaken(message("reason.pure-update"))
        return given
