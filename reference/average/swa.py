"""SWA: the mean of all parameters since the averaging began."""

from typing import Any, NamedTuple

import numpy as np

from reference.arithmetic import PLAIN, SINGLE, item, met
from reference.average.averaged import Averaged

ONE = SINGLE.type(1)

EQUATIONS = {
    "moved": r"u = \bar w + \frac{w - \bar w}{n + 1}",
    "averaged": r"\bar w' = w \text{ at first}, \quad u \text{ then}",
    "n_averaged": r"n' = n + 1",
}


class Lines(NamedTuple):
    moved: Any
    averaged: Any
    n_averaged: Any


def paper(param, averaged, *, n_averaged, copied):
    """The mean of n + 1 from the mean of n; the first is copied."""
    moved = averaged + (param - averaged) / (n_averaged + 1)
    averaged = param if n_averaged == 0 else np.where(copied, param, moved)
    n_averaged = n_averaged + 1
    return Lines(moved, averaged, n_averaged)


def pytorch(param, averaged, *, n_averaged, copied, ops=PLAIN):
    """As `get_swa_avg_fn`."""
    moved = ops.add(averaged, ops.div(param - averaged, n_averaged + 1))
    averaged = param if n_averaged == 0 else np.where(copied, param, moved)
    n_averaged = n_averaged + 1
    return Lines(moved, averaged, n_averaged)


def foreach(param, averaged, *, n_averaged, copied, ops=PLAIN):
    """As `get_swa_multi_avg_fn` (`_foreach_lerp_`), whose weight is a float32 number, beside float64, too."""
    moved = ops.lerp(averaged, param, item(met(1 / (n_averaged + 1), ONE)))
    averaged = param if n_averaged == 0 else np.where(copied, param, moved)
    n_averaged = n_averaged + 1
    return Lines(moved, averaged, n_averaged)


class SWA(Averaged):
    """The mean of the parameters after every step, taken as it goes; the formula is `EQUATIONS`.

    Arguments:
        use_buffers: average buffers as well, and not copy them.

    PyTorch's foreach path takes 1/(n+1) from a tensor of whole numbers, which is a float32 number: beside float64
    parameters its mean is right to float32 alone. It refuses whole numbers among the buffers.

    Source: Izmailov et al., UAI 2018, algorithm 1; torch.optim.swa_utils.AveragedModel with get_swa_avg_fn,
    get_swa_multi_avg_fn 2.13.
    """

    ORDERS = {"paper": paper, "pytorch": pytorch, "foreach": foreach}

    def __init__(self, use_buffers=False):
        super().__init__(use_buffers)
