"""backward of several losses, the counterpart of reference/gradients/accumulation.py."""

import torch
from torch.nn._reduction import get_enum

from torch_impl.gradients.transformation import Transformation
from torch_impl.tensors import array, tensor


def accumulated(parameters, grads, samples=None, reduction="mean") -> None:
    """Losses of these gradients, each weighed by its samples, go back one after the other."""
    counts = samples or [1] * len(grads[0])
    get_enum(reduction)  # which refuses another one
    for batch, count in enumerate(counts):
        pairs = zip(parameters, grads, strict=True)
        loss = torch.stack([(parameter * grad[batch]).sum() for parameter, grad in pairs]).sum()
        (loss * (count if reduction == "sum" else count / sum(counts))).backward()


class Accumulation(Transformation):
    """`.grad` after backward of each batch's loss; arguments as there."""

    counterpart = accumulated
    paths = ("single",)
    TENSORS = ("accumulated",)

    def step(self, arrays):
        grads = {name: tensor(given) for name, given in arrays.items()}
        parameters = [torch.zeros_like(grad[0], requires_grad=True) for grad in grads.values()]
        accumulated(parameters, list(grads.values()), **self.hyperparameters)
        made = {name: array(one.grad) for name, one in zip(grads, parameters, strict=True) if one.grad is not None}
        self.made = {"accumulated": made}
        return made
