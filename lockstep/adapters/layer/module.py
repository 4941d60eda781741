"""A torch.nn.Module, differentiated by autograd."""

import sys
from typing import Any

import numpy as np

from lockstep.adapters.layer.adapter import LayerAdapter, Made
from lockstep.adapters.layer.names import BUFFERS, PARAMS, like
from lockstep.adapters.making import Maker
from lockstep.text import message


class Module(LayerAdapter):
    """An nn.Module; its parameters and buffers are found by their names."""

    def __init__(self, maker: Maker):
        self.maker = maker
        self.words = message("shape.module")

    def start(self, params, buffers, **hyperparameters):
        torch = sys.modules["torch"]
        self.shapes = {key: np.shape(array) for key, array in (params | buffers).items()}
        self.module: Any = self.maker.make(None, hyperparameters)
        self.params = matched(dict(self.module.named_parameters()), PARAMS, params)
        tensors = self.params | self.buffers()
        self.unset = tuple(key for key in self.shapes if key not in tensors and key != "num_batches_tracked")
        shown = {key: tensor.detach().numpy() for key, tensor in tensors.items()}
        self.fresh = {key: array.reshape(self.shapes[key]).copy() for key, array in shown.items()}
        for own, given in ((self.params, params), (self.buffers(), buffers)):
            for key, tensor in own.items():
                tensor.data = torch.tensor(like(tensor, given[key]))

    def buffers(self) -> dict[str, Any]:
        """Its buffers as they are now: a module may put new tensors in their places."""
        return matched(dict(self.module.named_buffers()), BUFFERS, [key for key in self.shapes if key in BUFFERS])

    def run(self, training, inputs, upstream):
        torch = sys.modules["torch"]
        self.module.train(training)
        self.module.zero_grad()
        tensors = [torch.tensor(array) for array in inputs]
        tensors[0].requires_grad_()
        output = self.module(*tensors)
        if output.requires_grad:
            output.backward(torch.tensor(upstream).reshape(output.shape))
        seen = {key: t.grad for key, t in self.params.items() if t.grad is not None}
        grads = {key: grad.numpy().reshape(self.shapes[key]) for key, grad in seen.items()}
        buffers = {key: t.detach().numpy().reshape(self.shapes[key]) for key, t in self.buffers().items()}
        grad = tensors[0].grad
        return Made(output.detach().numpy(), None if grad is None else grad.numpy(), grads, buffers)


def matched(own: dict[str, Any], others: dict[str, tuple[str, ...]], wanted) -> dict[str, Any]:
    """PyTorch's name to the tensor that is meant by it."""
    plain = {name.rpartition(".")[2].strip("_").lower(): tensor for name, tensor in own.items()}
    hits = {key: next((plain[n] for n in (key, *others.get(key, ())) if n in plain), None) for key in wanted}
    return {key: tensor for key, tensor in hits.items() if tensor is not None}
