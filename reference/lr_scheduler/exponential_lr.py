"""ExponentialLR: multiply the learning rate by γ every epoch."""

from typing import Any, NamedTuple

from reference.lr_scheduler.scheduler import Scheduler

EQUATIONS = {"decay": r"d = \gamma^t", "lr": r"\eta_t = \eta_0\,d"}


class Closed(NamedTuple):
    decay: Any
    lr: Any


class Recursive(NamedTuple):
    lr: Any


def closed(lr, base_lr, *, last_epoch, gamma):
    """The closed form, whose error does not grow (`_get_closed_form_lr`)."""
    decay = gamma**last_epoch
    lr = base_lr * decay
    return Closed(decay, lr)


def recursive(lr, base_lr, *, last_epoch, gamma):
    """The recursion, which rounds once an epoch (`get_lr`)."""
    lr = lr * gamma if last_epoch > 0 else lr
    return Recursive(lr)


class ExponentialLR(Scheduler):
    """η₀·γᵗ at epoch t; the formula is `EQUATIONS`.

    Arguments:
        lrs: the learning rate of each group.
        gamma: γ.
        last_epoch, initial_lrs: as of `Scheduler`.

    PyTorch goes by the recursion, and by the closed form where `step` is told the epoch; after t epochs the two are
    up to t/2 roundings apart. It does not check γ.

    Source: torch.optim.lr_scheduler.ExponentialLR 2.13.
    """

    ORDERS = {"paper": closed, "pytorch": recursive, "closed": closed}

    def __init__(self, lrs, gamma, last_epoch=-1, initial_lrs=None):
        super().__init__(lrs, last_epoch, initial_lrs, gamma=gamma)
