"""The network of reference/models/mlp.py, built of torch.nn's modules, differentiated by autograd."""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

ACTIVATIONS = {"relu": nn.ReLU, "sigmoid": nn.Sigmoid, "tanh": nn.Tanh}
LOSSES = {"cross entropy": nn.CrossEntropyLoss, "logits": nn.BCEWithLogitsLoss, "probabilities": nn.BCELoss}


class Pass(NamedTuple):
    """What one pass makes; `output` and `slope` hold each layer's output and autograd's gradient by it."""

    output: dict[str, np.ndarray]
    loss: np.ndarray
    slope: dict[str, np.ndarray]
    grad: dict[str, np.ndarray]
    buffers: dict[str, np.ndarray]


class Masked(nn.Module):
    """nn.Dropout's operations with a mask drawn beforehand."""

    def __init__(self, p: float):
        super().__init__()
        self.p = p
        self.mask: torch.Tensor | None = None

    def forward(self, x):
        return x * self.mask.clone().div_(1 - self.p) if self.training and self.mask is not None else x


class MLP:
    """The torch.nn network; arguments and names as in reference.models.mlp.MLP, arrays in and out.

    Attributes:
        modules: layer name to module, in order.
        tensors: the parameters themselves, for an optimizer to step.
        params, buffers: parameters and running statistics as arrays, each a view of its tensor's memory.
    """

    def __init__(
        self,
        widths,
        *,
        activation="relu",
        batchnorm=False,
        bias=True,
        dropout=0.0,
        loss="cross entropy",
        l1=0.0,
        l2=0.0,
        dtype=np.float32,
    ):
        self.numpy_dtype = np.dtype(dtype)
        self.module = nn.Sequential()
        for k, (inputs, outputs) in enumerate(pairwise(widths), start=1):
            hidden = k < len(widths) - 1
            biased = bias or not (hidden and batchnorm)
            self.module.add_module(f"linear{k}", nn.Linear(inputs, outputs, biased))
            if hidden and batchnorm:
                self.module.add_module(f"batchnorm{k}", nn.BatchNorm1d(outputs))
            if hidden:
                self.module.add_module(f"{activation}{k}", ACTIVATIONS[activation]())
            if hidden and dropout:
                self.module.add_module(f"dropout{k}", Masked(dropout))
        if loss == "probabilities":
            self.module.add_module("sigmoid", nn.Sigmoid())
        self.module.to(torch.from_numpy(np.zeros(0, dtype)).dtype)
        self.loss = LOSSES[loss]()
        self.l1, self.l2 = l1, l2
        self.modules = dict(self.module.named_children())
        self.tensors: dict[str, torch.Tensor] = dict(self.module.named_parameters())
        self.params = {name: tensor.detach().numpy() for name, tensor in self.tensors.items()}
        self.buffers = {name: tensor.numpy() for name, tensor in self.module.named_buffers()}

    def masks(self, generator, n: int) -> dict[str, np.ndarray]:
        """A mask a dropout layer for `n` samples, drawn in the order of the layers.

        `generator` is a torch_impl.random.Generator, whose stream is that of nn.Dropout.
        """
        masks, width = {}, 0
        for name, module in self.modules.items():
            width = module.out_features if isinstance(module, nn.Linear) else width
            if isinstance(module, Masked):
                masks[name] = generator.dropout_mask(module.p, (n, width), self.numpy_dtype)
        return masks

    def predict(self, x) -> np.ndarray:
        """The output in evaluation."""
        self.module.eval()
        with torch.no_grad():
            output = self.module(torch.tensor(x)).numpy()
        self.module.train()
        return output

    def loss_and_grads(self, x, t, masks=None) -> Pass:
        """One pass in training, differentiated by autograd; the running statistics are brought up to date."""
        for name, mask in (masks or {}).items():
            self.modules[name].mask = torch.tensor(mask)
        for tensor in self.tensors.values():
            tensor.grad = None
        outputs, value = {}, torch.tensor(x)
        for name, module in self.modules.items():
            outputs[name] = value = module(value)
            value.retain_grad()
        loss = self.loss(value, torch.tensor(t)) + self.penalty(x.shape[0])
        loss.backward()
        return Pass(
            output={name: tensor.detach().numpy() for name, tensor in outputs.items()},
            loss=loss.detach().numpy(),
            slope={name: gradient(tensor) for name, tensor in outputs.items()},
            grad={name: gradient(tensor).copy() for name, tensor in self.tensors.items()},
            buffers=self.buffers,
        )

    def penalty(self, m: int) -> torch.Tensor | int:
        if not (self.l1 or self.l2):
            return 0
        weights = [module.weight for module in self.modules.values() if isinstance(module, nn.Linear)]
        terms = [(weight.abs().sum()) * (self.l1 / m) for weight in weights if self.l1]
        terms += [weight.pow(2).sum() * (self.l2 / (2 * m)) for weight in weights if self.l2]
        return sum(terms[1:], start=terms[0])


def gradient(tensor: torch.Tensor) -> np.ndarray:
    """What autograd found; it reaches every parameter and every layer."""
    assert tensor.grad is not None
    return tensor.grad.numpy()
