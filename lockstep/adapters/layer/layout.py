"""How an implementation lays out what PyTorch lays out in one way; found by its numbers, and said."""

import itertools
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from lockstep.numerics.shapes import Array, Inputs, OtherArray, Outputs
from lockstep.text import Message, message


class Layout(NamedTuple):
    """What of the layout is not PyTorch's.

    features: "first" for (d, m) in place of (m, d), "last" for channels after height and width.
    turned: weights are (in, out). one_hot: classes are given as rows of 0 and 1.
    averages: "layer" where a layer's gradients are divided by the batch, "nobody" where the loss that takes the mean
        leaves its gradient undivided.
    """

    features: str = ""
    turned: bool = False
    one_hot: bool = False
    averages: str = ""

    def described(self, shape: Message) -> Message:
        """The shape that an implementation is driven in, and how it lays things out where that is not PyTorch's way."""
        keys = {
            "layout.features-first": self.features == "first",
            "layout.channels-last": self.features == "last",
            "layout.turned": self.turned,
            "layout.one-hot": self.one_hot,
            "layout.averaged-by-layer": self.averages == "layer",
            "layout.averaged-by-nobody": self.averages == "nobody",
        }
        parts = [message(key) for key, holds in keys.items() if holds]
        return message("shape.in-layout", shape=shape, layout=parts) if parts else shape

    def theirs(self, array: Inputs) -> np.ndarray:
        """An input or a gradient from above, from PyTorch's layout to theirs."""
        if self.features == "first" and array.ndim == 2:
            return np.ascontiguousarray(array.T)
        return np.ascontiguousarray(np.moveaxis(array, 1, -1)) if self.features == "last" and array.ndim > 2 else array

    def pytorchs(self, array: Outputs) -> np.ndarray:
        """An output or a gradient by the input, the other way."""
        if self.features == "first" and array.ndim == 2:
            return np.ascontiguousarray(array.T)
        return np.ascontiguousarray(np.moveaxis(array, -1, 1)) if self.features == "last" and array.ndim > 2 else array

    def target(self, target: OtherArray, x: Inputs) -> np.ndarray:
        """Classes, as rows where they are wanted so; targets that lie as the input does."""
        if target.ndim < x.ndim and self.one_hot:
            return self.theirs((np.arange(x.shape[1]) == target[:, None]).astype(x.dtype))
        return self.theirs(target) if target.shape == x.shape else target

    def averaged(
        self, grad: Array | None, grads: dict[str, Any], inputs: tuple[Inputs, ...], means: bool
    ) -> tuple[np.ndarray | None, dict[str, Any]]:
        """The gradients by the input and the parameters as they are where the loss divides, which `means`."""
        x, *others = inputs
        if self.averages == "layer":
            return grad, {key: np.asarray(array) * len(x) for key, array in grads.items()}
        if self.averages == "nobody" and means and grad is not None:
            return grad / (len(x) if others[0].ndim < x.ndim else x.size), grads
        return grad, grads


PYTORCHS = Layout()


def layouts(rank: int, matrix: bool, classes: bool, like: Layout | None = None) -> Iterator[Layout]:
    """Every layout there may be, PyTorch's first.

    Arguments:
        rank: of the input. matrix: whether a parameter is one. classes: whether the target is one class a row.
        like: what has been found with an input of another rank; only where the features are may differ.
    """
    features = ("", "first") if rank == 2 else ("", "last") if rank > 2 else ("",)
    if like is not None:
        yield from (like._replace(features=where) for where in features)
        return
    flags = itertools.product((False, True) if classes else (False,), (False, True) if matrix else (False,), features)
    yield from (Layout(where, turned, one_hot) for one_hot, turned, where in flags)
