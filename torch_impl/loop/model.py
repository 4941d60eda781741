"""A model for training loops of PyTorch's whose gradients are known: each sample's loss is linear in the parameters."""

from collections.abc import Callable

import numpy as np
import torch

from torch_impl.tensors import array, tensor


class Linear(torch.nn.Module):
    """Σ w·g for each sample: the gradient of the mean over a batch is the mean of its samples' g.

    Arguments:
        grads: name to one gradient a sample.
        start: name to the parameter that it is of.
        note: told of every batch in training: its samples, and the parameters as they are.
    """

    def __init__(self, grads, start, note: Callable[[np.ndarray, dict[str, np.ndarray]], None]):
        super().__init__()
        self.grads, self.note = {name: tensor(value) for name, value in grads.items()}, note
        for name, value in start.items():
            self.register_parameter(name, torch.nn.Parameter(tensor(value)))

    def arrays(self) -> dict[str, np.ndarray]:
        """The parameters as they are."""
        return {name: array(one).copy() for name, one in self.named_parameters()}

    def forward(self, x):
        samples = x.long()
        if self.training and torch.is_grad_enabled():
            self.note(samples.numpy(), self.arrays())
        return Losses.apply(samples, self.grads, list(self.grads), *self.parameters())


class Losses(torch.autograd.Function):
    """One loss a sample; on the way back their mean is the mean of the samples' gradients, as NumPy takes it."""

    @staticmethod
    def forward(ctx, samples, grads, names, *parameters):
        ctx.picked = [grads[name][samples] for name in names]
        return sum((one * picked).flatten(1).sum(1) for one, picked in zip(parameters, ctx.picked, strict=True))

    @staticmethod
    def backward(ctx, upstream):
        made = []
        for picked in ctx.picked:
            alike = bool((upstream == upstream[0]).all())
            mean = torch.from_numpy(np.asarray(picked.numpy().mean(axis=0), picked.numpy().dtype))
            weighted = upstream.reshape(-1, *[1] * (picked.ndim - 1)) * picked
            made.append(mean * (upstream[0] * len(picked)) if alike else weighted.sum(0))
        return None, None, None, *made


def mean(output, *targets):
    """The mean loss of a batch."""
    return output.mean()


def loader(batches) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """The batches as tensors: which samples, and targets that nothing depends on."""
    return [(torch.tensor(x), torch.tensor(t)) for x, t in batches]
