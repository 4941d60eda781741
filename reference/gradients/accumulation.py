"""Accumulation: the gradients of several small batches make that of a large one."""

from typing import Any, NamedTuple

import numpy as np

from reference.arithmetic import PLAIN
from reference.gradients.transformation import Transformation

EQUATIONS = {
    "shares": r"s_k = m_k / \textstyle\sum_j m_j, \quad m_k \text{ of a sum}",
    "scaled": r"m_k\,g_k",
    "accumulated": r"a = \sum_k m_k\,g_k / \sum_j m_j",
}


class Paper(NamedTuple):
    scaled: Any
    accumulated: Any


class PyTorch(NamedTuple):
    shares: Any
    scaled: Any
    accumulated: Any


def paper(grads, *, samples, summed):
    """The mean over all samples, or their sum, of the means over each batch."""
    scaled = samples * grads
    accumulated = scaled.sum(axis=0) / (1 if summed else samples.sum())
    return Paper(scaled, accumulated)


def pytorch(grads, *, samples, summed, ops=PLAIN):
    """As `(loss * share).backward()` of one batch after the other, which adds to `.grad`."""
    shares = samples if summed else samples / samples.sum()
    scaled = ops.mul(grads, shares)
    accumulated = scaled.sum(axis=0)
    return PyTorch(shares, scaled, accumulated)


class Accumulation(Transformation):
    """Σ mₖ·gₖ / Σ mₖ, the gradient of the mean loss over all samples; the formula is `EQUATIONS`.

    What comes in has a first axis more than the parameters: one gradient a batch, of that batch's mean loss.

    Arguments:
        samples: mₖ, how many each batch has; as many in each if None.
        reduction: "mean", or "sum" for the gradient of the summed loss.

    PyTorch has no function for it: `backward` adds to `.grad`, and each loss is to be weighed by its samples. Its
    documentation's examples divide each by the number of batches, the mean of means, which is that of all samples
    where every batch is as large.

    Raises:
        ValueError: for another reduction, with PyTorch's words.

    Source: torch.autograd.backward and torch.amp's examples, 2.13 (gradient accumulation).
    """

    ORDERS = {"paper": paper, "pytorch": pytorch}
    GIVEN = "grads"
    TENSORS = ("accumulated",)
    CHOICES = ("samples", "summed")

    def __init__(self, samples=None, reduction="mean"):
        if reduction not in ("mean", "sum"):
            raise ValueError(f"{reduction} is not a valid value for reduction")
        super().__init__(samples=samples, reduction=reduction)

    def given(self, arrays):
        return np.concatenate([array.reshape(len(array), -1) for array in arrays.values()], axis=1)

    def shapes(self, arrays):
        return {name: array[0] for name, array in arrays.items()}

    def numbers(self, arrays):
        first = next(iter(arrays.values()))
        counts = np.reshape(self.hyperparameters["samples"] or [1] * len(first), (-1, 1)).astype(first.dtype)
        return {"samples": counts, "summed": self.hyperparameters["reduction"] == "sum"}
