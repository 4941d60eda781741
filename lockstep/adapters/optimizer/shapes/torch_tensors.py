"""Code on torch tensors that is no torch.optim.Optimizer: classes and functions on tensors, or on their `.grad`."""

import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from lockstep.adapters.adapter import Adapter
from lockstep.adapters.code import calls
from lockstep.adapters.optimizer.holders import Built
from lockstep.adapters.optimizer.shapes.tensor_step import made
from lockstep.adapters.optimizer.state import as_array
from lockstep.numerics.shapes import Array
from lockstep.text import message


def uses_torch(target: Any) -> bool:
    """Whether its module knows torch."""
    return "torch" in sys.modules and calls(target, "torch")


def torch_tensors(target: Any) -> Iterator["TorchHolder"]:
    """The holder of code that knows torch."""
    if uses_torch(target):
        yield TorchHolder()


class TorchHolder:
    """A leaf with `.grad`."""

    keys = ("data",)
    slopes = ("grad",)

    def words(self) -> str:
        """As it is printed."""
        return ".grad (torch.Tensor)"

    def build(self, arrays: tuple[Array, ...]) -> Built:
        """A leaf of that array."""
        tensor = sys.modules["torch"].nn.Parameter(sys.modules["torch"].tensor(arrays[0]))
        return Built(tensor, [Leaf(tensor)], [Slope(tensor)])

    def entry(self, name: str, place: int) -> str:
        """Whatever else lies on a tensor is its own."""
        return name


class Leaf:
    """Where the array of a leaf lies."""

    def __init__(self, tensor: Any):
        self.tensor = tensor

    def get(self) -> np.ndarray:
        """A view of it."""
        return self.tensor.detach().numpy()


class Slope(Leaf):
    """Where its gradient lies."""

    def put(self, array: Array | None) -> None:
        """Set it."""
        self.tensor.grad = None if array is None else made(sys.modules["torch"], array)


class OnTensors(Adapter):
    """Around an adapter that hands arrays over: it hands over torch tensors."""

    def __init__(self, make: Callable[[], Any]):
        self.inner = make()
        self.words = message("shape.torch-tensors", shape=self.inner.words)

    def start(self, params, **hyperparameters):
        torch = sys.modules["torch"]
        self.inner.start({name: torch.tensor(array) for name, array in params.items()}, **hyperparameters)

    def step(self, grads):
        torch = sys.modules["torch"]
        self.inner.step({name: None if grad is None else made(torch, grad) for name, grad in grads.items()})

    def read(self):
        return {name: as_array(array) for name, array in self.inner.read().items()}

    def state(self):
        held = self.inner.state()
        self.names = getattr(self.inner, "names", {})
        return held

    def set(self, name, value):
        self.inner.set(name, value)
