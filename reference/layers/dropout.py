"""Dropout: silence each unit with probability p and scale up the rest, so that the mean stays."""

from typing import Any, NamedTuple

import numpy as np

from reference.arithmetic import PLAIN
from reference.layers.layer import Formula, Layer

EQUATIONS = {
    "scale": r"s = 1 / (1 - p)",
    "noise": r"n_i = r_i / (1 - p)",
    "y": r"y = s \cdot r \odot x, \quad r_i \sim \mathrm{Bernoulli}(1 - p)",
    "dx": r"\partial x = s \cdot r \odot \partial y",
}


class Paper(NamedTuple):
    scale: Any
    y: Any


class PyTorch(NamedTuple):
    noise: Any
    y: Any


class Backward(NamedTuple):
    dx: Any


def paper(x, r=None, *, p, training):
    """Forward; in evaluation nothing is dropped and nothing is scaled."""
    scale = 1 / (1 - p) if p < 1 else 0.0
    y = x * r * scale if training else x.copy()
    return Paper(scale, y)


def paper_backward(dy, lines, x, r=None, *, training):
    """Backward: the same units, the same scale."""
    dx = dy * r * lines.scale if training else dy.copy()
    return Backward(dx)


def pytorch(x, r=None, *, p, training, ops=PLAIN):
    """Forward as torch.nn.functional.dropout on the CPU (`_dropout`, Dropout.cpp, 2.13)."""
    noise = None if r is None or not training else ops.div(r, 1 - p) if p < 1 else ops.mul(r, 0)
    y = ops.mul(x, noise) if training else x.copy()
    return PyTorch(noise, y)


def pytorch_backward(dy, lines, x, r=None, *, training, ops=PLAIN):
    """Backward: autograd of that product."""
    dx = ops.mul(dy, lines.noise) if training else dy.copy()
    return Backward(dx)


class Dropout(Layer):
    """Inverted dropout; the formula is `EQUATIONS`.

    Arguments:
        p: the probability of a unit to be dropped (not kept), in [0, 1].
        generator: draws the masks: `reference.random.Generator` PyTorch's, NumPy's its own.

    `forward(x, mask)` takes a mask instead: 1 or True where a unit is kept. The one used is in `mask`.

    PyTorch scales the mask, not the units: it divides r by 1 - p, rounded once, and multiplies x by that.
    Both give the same number, because r is 0 or 1. It does not refuse a p that is no number.

    Raises:
        ValueError: for p out of range, with PyTorch's wording; for a mask of another shape; for training
            with neither a mask nor a generator.

    Source: Srivastava et al., JMLR 15 (2014), section 4, inverted as in torch.nn.Dropout 2.13.
    """

    ORDERS = {"paper": Formula(paper, paper_backward), "pytorch": Formula(pytorch, pytorch_backward)}
    SETTINGS = ("p",)
    p: float

    def __init__(self, p=0.5, *, generator=None):
        if not 0 <= p <= 1:
            raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
        super().__init__(p=p)
        self.generator = generator
        self.mask: Any = None

    def accepted(self, inputs):
        x, *given = inputs
        if not self.training:
            return (x,)
        mask = np.asarray(given[0]) if given else self.draw(x.shape)
        if mask.shape != x.shape:
            raise ValueError(f"the mask has shape {mask.shape}, the input {x.shape}")
        self.mask = mask.astype(x.dtype)
        return x, self.mask

    def draw(self, shape):
        if self.generator is None:
            raise ValueError("Dropout in training needs a mask or a generator")
        if hasattr(self.generator, "dropout_mask"):
            return self.generator.dropout_mask(self.p, shape)
        return self.generator.random(shape) < 1 - self.p
