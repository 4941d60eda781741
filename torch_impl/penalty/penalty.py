"""What the penalties share: an expression in torch over the weights, gradients from autograd."""

import numpy as np
import torch


class Penalty:
    """A loss term of the weights alone, fed from NumPy.

    Arguments:
        lam: λ.
        m: the number of samples the loss is averaged over.
    """

    def __init__(self, lam, m=1):
        self.lam, self.m = lam, m
        self.tensors: list[torch.Tensor] = []
        self.output: torch.Tensor | None = None

    def term(self, w) -> torch.Tensor:
        """The penalty of one weight."""
        raise NotImplementedError

    def forward(self, *weights) -> np.ndarray:
        """The sum of the terms of all weights, arrays of any shape."""
        self.tensors = [torch.tensor(w, requires_grad=True) for w in weights]
        first, *others = [self.term(w) for w in self.tensors]
        self.output = output = sum(others, start=first)
        return output.detach().numpy().copy()

    __call__ = forward

    def backward(self, grad_output=1.0):
        """Autograd's gradients: of one weight an array, of several a tuple."""
        if self.output is None:
            raise RuntimeError(f"{type(self).__name__}.backward needs a forward before it")
        upstream = torch.tensor(grad_output, dtype=self.output.dtype)
        grads = tuple(grad.numpy() for grad in torch.autograd.grad(self.output, self.tensors, upstream))
        return grads[0] if len(grads) == 1 else grads

    def descended(self, w, grad, lr) -> np.ndarray:
        """The weight a step of torch.optim.SGD later, down this penalty and a function whose gradient is `grad`."""
        weight = torch.nn.Parameter(torch.tensor(w))
        self.term(weight).backward()
        assert weight.grad is not None
        weight.grad += torch.tensor(grad)
        torch.optim.SGD([weight], lr).step()
        return weight.detach().numpy().copy()
