"""L2: a loss term that pulls every weight towards 0 in proportion to its size."""

from typing import Any, NamedTuple

from reference.arithmetic import PLAIN
from reference.layers.layer import Formula
from reference.penalty.penalty import Penalty

EQUATIONS = {
    "total": r"S = \sum_i w_i^2",
    "penalty": r"R = \frac{\lambda}{2m}\,S",
    "dtotal": r"\partial S = \frac{\lambda}{2m}\,\partial R",
    "dw": r"\partial w_i = \frac{\lambda}{m}\,w_i\,\partial R",
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
    """Forward, as in the notebook, section 2.2."""
    total = (w * w).sum()
    penalty = lam / (2 * m) * total
    return Forward(total, penalty)


def paper_backward(dpenalty, lines, w, *, lam, m):
    """Backward, as in the notebook, section 2.1."""
    dw = lam / m * w * dpenalty
    return Backward(dw)


def pytorch(w, *, lam, m, ops=PLAIN):
    """Forward as `w.pow(2).sum() * (lam / (2 * m))` in torch."""
    total = ops.sum(ops.mul(w, w))
    penalty = ops.mul(total, lam / (2 * m))
    return Forward(total, penalty)


def pytorch_backward(dpenalty, lines, w, *, lam, m, ops=PLAIN):
    """Backward as autograd of that expression."""
    dtotal = ops.mul(dpenalty, lam / (2 * m))
    dw = ops.mul(dtotal, 2 * w)
    return PyTorchBackward(dtotal, dw)


class L2(Penalty):
    """λ/2m · Σ w² of w of any shape; the formula is `EQUATIONS`.

    Arguments:
        lam: λ, not negative.
        m: the number of samples the loss is averaged over; 1 is the convention of the notebook's equation.

    PyTorch has no such loss term: torch.optim.SGD adds `weight_decay`·w to the gradient, which is this
    penalty's gradient with weight_decay = λ/m (see `weight_decay_of`, `lam_of`). It adds it to every
    parameter it is given, biases too, and the loss does not show it. Under Adam's first moment it is
    the same gradient still; AdamW's weight_decay is not a penalty of any kind.

    Raises:
        ValueError: for a negative λ or an m below 1.

    Source: the notebook, sections 2.1 and 2.2; torch.optim.SGD 2.13 for weight_decay.
    """

    ORDERS = {"paper": Formula(paper, paper_backward), "pytorch": Formula(pytorch, pytorch_backward)}


def weight_decay_of(lam, m):
    """The `weight_decay` of torch.optim.SGD that has the gradient of L2(λ, m): λ/m."""
    return lam / m


def lam_of(weight_decay, m):
    """The λ of L2(λ, m) that has the gradient of torch.optim.SGD's `weight_decay`: weight_decay·m."""
    return weight_decay * m
