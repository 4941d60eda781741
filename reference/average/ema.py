"""EMA: the average of all parameters so far, which forgets the old ones at a steady rate."""

from typing import Any, NamedTuple

import numpy as np

from reference.arithmetic import PLAIN
from reference.average.averaged import Averaged

EQUATIONS = {
    "moved": r"u = \beta\,\bar w + (1 - \beta)\,w",
    "averaged": r"\bar w' = w \text{ at first}, \quad u \text{ then}",
    "n_averaged": r"n' = n + 1",
}


class Lines(NamedTuple):
    moved: Any
    averaged: Any
    n_averaged: Any


def paper(param, averaged, *, n_averaged, copied, decay):
    """The mean of two, weighted; the first is copied."""
    moved = decay * averaged + (1 - decay) * param
    averaged = param if n_averaged == 0 else np.where(copied, param, moved)
    n_averaged = n_averaged + 1
    return Lines(moved, averaged, n_averaged)


def pytorch(param, averaged, *, n_averaged, copied, decay, ops=PLAIN):
    """As `get_ema_avg_fn`, each operation by itself."""
    moved = ops.add(ops.mul(averaged, decay), ops.mul(param, 1 - decay))
    averaged = param if n_averaged == 0 else np.where(copied, param, moved)
    n_averaged = n_averaged + 1
    return Lines(moved, averaged, n_averaged)


def foreach(param, averaged, *, n_averaged, copied, decay, ops=PLAIN):
    """As `get_ema_multi_avg_fn`: on the way from one to the other (`_foreach_lerp_`)."""
    moved = ops.lerp(averaged, param, 1 - decay)
    averaged = param if n_averaged == 0 else np.where(copied, param, moved)
    n_averaged = n_averaged + 1
    return Lines(moved, averaged, n_averaged)


class EMA(Averaged):
    """β·average + (1-β)·parameter after every step, begun with the first parameters; the formula is `EQUATIONS`.

    Arguments:
        decay: β, within [0, 1].
        use_buffers: average buffers as well, and not copy them.

    PyTorch's foreach path goes on from the average by a share of the difference: rounding apart, the same. Whole
    numbers among buffers (`num_batches_tracked`) it averages too, and cuts off what is behind the point: they stay.

    Raises:
        ValueError: for a decay outside, with PyTorch's wording.

    Source: torch.optim.swa_utils.AveragedModel with get_ema_avg_fn, get_ema_multi_avg_fn 2.13.
    """

    ORDERS = {"paper": paper, "pytorch": pytorch, "foreach": foreach}

    def __init__(self, decay=0.999, use_buffers=False):
        if decay < 0.0 or decay > 1.0:
            raise ValueError(f"Invalid decay value {decay} provided. Please provide a value in [0,1] range.")
        super().__init__(use_buffers, decay=decay)
