"""torch.nn.Dropout, the counterpart of reference/layers/dropout.py."""

import numpy as np
import torch

from torch_impl.layers.layer import Layer


class Dropout(Layer):
    """torch.nn.Dropout, fed from NumPy; the mask it drew is in `mask`.

    torch.nn.Dropout takes no mask. Given one, `forward` runs the operations that it runs on its own: the
    mask divided by 1 - p in place, then the product (for p = 1 the product with zero).

    Arguments:
        p: as torch.nn.Dropout.
        generator: a torch.Generator to draw from instead of PyTorch's global one; its state moves on by
            what the mask took.
    """

    counterpart = torch.nn.Dropout

    def __init__(self, p=0.5, *, generator=None):
        super().__init__(p)
        self.generator = torch.default_generator if generator is None else generator
        self.mask: np.ndarray | None = None

    def run(self, tensors):
        x, *given = tensors
        if not self.training:
            return self.module(x)
        output, kept = self.given(x, given[0].to(x.dtype)) if given else self.drawn(x)
        self.mask = kept.numpy()
        return output

    def given(self, x, kept):
        """What torch.nn.Dropout computes of a mask."""
        if self.module.p == 1:
            return x * torch.zeros((), dtype=x.dtype), kept
        return x * kept.clone().div_(1 - self.module.p), kept

    def drawn(self, x):
        """The module's output, and its mask: what the same draw leaves of ones."""
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.set_state(self.generator.get_state())
            start = torch.get_rng_state()
            output = self.module(x)
            end = torch.get_rng_state()
            torch.set_rng_state(start)
            kept = (self.module(torch.ones_like(x.detach())) != 0).to(x.dtype)
        self.generator.set_state(end)
        return output, kept
