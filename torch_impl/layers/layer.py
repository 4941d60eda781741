"""What the torch.nn counterparts share: arrays in, a module run, arrays out, gradients from autograd."""

from typing import Any, ClassVar

import numpy as np
import torch

from torch_impl.ledger import unseen
from torch_impl.tensors import array, tensor


class Layer:
    """A torch.nn module over copies of NumPy arrays.

    Arguments:
        arguments, hyperparameters: handed to the module as they are.

    `lines` holds what PyTorch shows of the way to the output, by the names of the reference's lines.

    Raises:
        What the module itself raises.
    """

    counterpart: ClassVar[type[torch.nn.Module]]

    def __init__(self, *arguments, **hyperparameters):
        self.module: Any = self.counterpart(*arguments, **hyperparameters)
        self.grads: dict[str, np.ndarray] = {}
        self.lines: dict[str, np.ndarray] = {}
        self.input: Any = None
        self.output: Any = None

    @property
    def training(self) -> bool:
        return self.module.training

    def train(self, mode: bool = True):
        self.module.train(mode)
        return self

    def eval(self):
        return self.train(False)

    @property
    def params(self) -> dict[str, np.ndarray]:
        """The parameters as arrays, each a view of its tensor's memory."""
        return {name: array(held) for name, held in self.module.named_parameters()}

    @property
    def buffers(self) -> dict[str, np.ndarray]:
        """The buffers as arrays, each a view of its tensor's memory."""
        return {name: array(held) for name, held in self.module.named_buffers()}

    @property
    def state(self) -> dict[str, np.ndarray]:
        return self.params | self.buffers

    def load_state(self, state) -> None:
        """Take over copies of parameters and buffers, in the dtype they come in.

        Raises:
            KeyError: for a name the layer does not have.
            ValueError: for another shape, before anything is changed.
        """
        own = dict(self.module.named_parameters()) | dict(self.module.named_buffers())
        for name, value in state.items():
            if name not in own:
                raise KeyError(f"unexpected key {name!r}; there are {list(own)}")
            if np.shape(value) != tuple(own[name].shape):
                raise ValueError(f"size mismatch for {name}: {np.shape(value)}, not {tuple(own[name].shape)}")
        for name, value in state.items():
            own[name].data = tensor(value)

    def forward(self, *inputs) -> np.ndarray:
        """The module's output for copies of these arrays, in memory of its own."""
        tensors = [tensor(given) for given in inputs]
        self.input = tensors[0].requires_grad_()
        self.output = self.run(tensors)
        self.lines = unseen(lambda: self.shown(tensors))
        return array(self.output).copy()

    __call__ = forward

    def run(self, tensors: list) -> Any:
        return self.module(*tensors)

    def shown(self, tensors: list) -> dict[str, np.ndarray]:
        """The lines between input and output that PyTorch shows."""
        return {}

    def backward(self, grad_output=None) -> np.ndarray:
        """Autograd's gradient by the (first) input; `grads` gets those by the parameters.

        Raises:
            RuntimeError: without a `forward` before it, or what autograd itself raises.
        """
        if self.output is None:
            raise RuntimeError(f"{type(self).__name__}.backward needs a forward before it")
        self.module.zero_grad()
        self.input.grad = None
        self.output.backward(torch.ones_like(self.output) if grad_output is None else tensor(grad_output))
        grad: Any = self.input.grad
        self.grads = {name: array(held.grad) for name, held in self.module.named_parameters()}
        return array(grad)
