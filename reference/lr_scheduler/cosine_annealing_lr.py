"""CosineAnnealingLR: down half a period of a cosine, and up again."""

from math import pi
from typing import Any, NamedTuple

from reference.lr_scheduler.scheduler import Scheduler, cos

EQUATIONS = {
    "angle": r"\varphi = \pi t / T",
    "share": r"s = \tfrac{1}{2}(1 + \cos\varphi)",
    "shrinkage": r"r = \frac{1 + \cos(\pi t / T)}{1 + \cos(\pi (t - 1) / T)}",
    "lr": r"\eta_t = \eta_{\min} + (\eta_0 - \eta_{\min})\,s",
}


class Paper(NamedTuple):
    angle: Any
    share: Any
    lr: Any


class Closed(NamedTuple):
    angle: Any
    lr: Any


class Recursive(NamedTuple):
    shrinkage: Any
    lr: Any


def paper(lr, base_lr, *, last_epoch, T_max, eta_min):
    """The closed form, in the order of the paper."""
    angle = last_epoch * pi / T_max
    share = (1 + cos(angle)) / 2
    lr = eta_min + (base_lr - eta_min) * share
    return Paper(angle, share, lr)


def closed(lr, base_lr, *, last_epoch, T_max, eta_min):
    """The closed form in PyTorch's order, which halves at the end (`_get_closed_form_lr`)."""
    angle = last_epoch * pi / T_max
    lr = eta_min + (base_lr - eta_min) * (1 + cos(angle)) / 2
    return Closed(angle, lr)


def recursive(lr, base_lr, *, last_epoch, T_max, eta_min):
    """The recursion, which multiplies by how much the distance from η_min shrinks (`get_lr`).

    One epoch after it is at η_min, where there is nothing to multiply, it starts again from what one epoch makes.
    """
    rises = (last_epoch - 1 - T_max) % (2 * T_max) == 0
    shrinkage = 1.0 if rises else (1 + cos(last_epoch * pi / T_max)) / (1 + cos((last_epoch - 1) * pi / T_max))
    first = lr if last_epoch == 0 else lr + (base_lr - eta_min) * (1 - cos(pi / T_max)) / 2
    lr = first if rises or last_epoch == 0 else shrinkage * (lr - eta_min) + eta_min
    return Recursive(shrinkage, lr)


class CosineAnnealingLR(Scheduler):
    """η_min + ½(η₀ - η_min)(1 + cos πt/T) at epoch t; the formula is `EQUATIONS`.

    Arguments:
        lrs: the learning rate of each group.
        T_max: T, in epochs: half a period.
        eta_min: η_min.
        last_epoch, initial_lrs: as of `Scheduler`.

    PyTorch goes by the recursion, and by the closed form where `step` is told the epoch. Close to T the recursion
    divides two small differences of cosines, and what it rounds there is carried up the next half period: its error
    grows with T², where that of the closed form does not grow. It checks neither argument.

    Raises:
        ZeroDivisionError: for a T_max of 0, as PyTorch.

    Source: torch.optim.lr_scheduler.CosineAnnealingLR 2.13; Loshchilov and Hutter 2017, SGDR, equation 5.
    """

    ORDERS = {"paper": paper, "pytorch": recursive, "closed": closed}

    def __init__(self, lrs, T_max, eta_min=0.0, last_epoch=-1, initial_lrs=None):
        super().__init__(lrs, last_epoch, initial_lrs, T_max=T_max, eta_min=eta_min)
