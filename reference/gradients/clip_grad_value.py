"""Clipping by value: every number of a gradient by itself is held between two bounds."""

from typing import Any, NamedTuple

import numpy as np

from reference.arithmetic import PLAIN
from reference.gradients.transformation import Transformation

EQUATIONS = {
    "raised": r"h = \max(g, -c)",
    "clipped": r"g' = \min(h, c)",
}


class Lines(NamedTuple):
    raised: Any
    clipped: Any


def paper(grad, *, clip_value, ops=PLAIN):
    """Both orders are this one: a comparison rounds nothing, and a zero keeps its sign."""
    raised = np.where(grad < -clip_value, -clip_value, grad)
    clipped = np.where(raised > clip_value, clip_value, raised)
    return Lines(raised, clipped)


class ClipGradValue(Transformation):
    """min(max(g, -c), c) for every number of every gradient; the formula is `EQUATIONS`.

    Arguments:
        clip_value: c. One below 0 makes every gradient clip_value itself, as in PyTorch.

    Source: torch.nn.utils.clip_grad_value_ 2.13; Mikolov's thesis (2012), section 3.2.2, clips so.
    """

    ORDERS = {"paper": paper, "pytorch": paper}
    TENSORS = ("clipped",)

    def __init__(self, clip_value):
        super().__init__(clip_value=float(clip_value))
