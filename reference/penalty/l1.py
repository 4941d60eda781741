"""L1: a loss term that pulls every weight towards 0 with the same force, and holds it there."""

from typing import Any, NamedTuple

import numpy as np

from reference.arithmetic import PLAIN
from reference.layers.layer import Formula
from reference.penalty.penalty import Penalty

EQUATIONS = {
    "total": r"S = \sum_i |w_i|",
    "penalty": r"R = \frac{\lambda}{m}\,S",
    "dtotal": r"\partial S = \frac{\lambda}{m}\,\partial R",
    "dw": r"\partial w_i = \frac{\lambda}{m}\,\operatorname{sign}(w_i)\,\partial R, \quad \operatorname{sign}(0) = 0",
}


class Forward(NamedTuple):
    total: Any
    penalty: Any


class Backward(NamedTuple):
    dw: Any


class PyTorchBackward(NamedTuple):
    dtotal: Any
    dw: Any


def paper(w, *, lam, m):
    """Forward."""
    total = abs(w).sum()
    penalty = lam / m * total
    return Forward(total, penalty)


def paper_backward(dpenalty, lines, w, *, lam, m):
    """Backward; of the subgradients at 0 the one that leaves a weight there."""
    dw = lam / m * np.sign(w) * dpenalty
    return Backward(dw)


def pytorch(w, *, lam, m, ops=PLAIN):
    """Forward as `w.abs().sum() * (lam / m)` in torch."""
    total = ops.sum(abs(w))
    penalty = ops.mul(total, lam / m)
    return Forward(total, penalty)


def pytorch_backward(dpenalty, lines, w, *, lam, m, ops=PLAIN):
    """Backward as autograd of that expression: sgn(0) is 0."""
    dtotal = ops.mul(dpenalty, lam / m)
    dw = ops.mul(dtotal, np.sign(w))
    return PyTorchBackward(dtotal, dw)


class L1(Penalty):
    """λ/m · Σ |w|, with the subgradient 0 at 0; the formula is `EQUATIONS`.

    Arguments:
        lam: λ, not negative.
        m: the number of samples the loss is averaged over.

    PyTorch has neither such a loss term nor a weight decay of this kind; people write
    `lam * w.abs().sum()`, whose gradient at 0 is 0, too.

    Raises:
        ValueError: for a negative λ or an m below 1.

    Source: Tibshirani, J. R. Stat. Soc. B 58 (1996), in Lagrangian form; scaled by 1/m as the notebook's L2.
    """

    ORDERS = {"paper": Formula(paper, paper_backward), "pytorch": Formula(pytorch, pytorch_backward)}
