"""MultiStepLR: multiply the learning rate by γ at each milestone."""

from bisect import bisect_right
from typing import Any, NamedTuple

from reference.lr_scheduler.scheduler import Scheduler

EQUATIONS = {
    "decays": r"k = |\{i : m_i \le t\}|",
    "due": r"d = |\{i : m_i = t\}|",
    "lr": r"\eta_t = \eta_0\,\gamma^k",
}


class Closed(NamedTuple):
    decays: Any
    lr: Any


class Recursive(NamedTuple):
    due: Any
    lr: Any


def closed(lr, base_lr, *, last_epoch, milestones, gamma):
    """The closed form, whose error does not grow (`_get_closed_form_lr`)."""
    decays = bisect_right(milestones, last_epoch)
    lr = base_lr * gamma**decays
    return Closed(decays, lr)


def recursive(lr, base_lr, *, last_epoch, milestones, gamma):
    """The recursion, which rounds once a milestone (`get_lr`)."""
    due = milestones.count(last_epoch)
    lr = lr * gamma**due if due else lr
    return Recursive(due, lr)


class MultiStepLR(Scheduler):
    """η₀·γᵏ after k milestones; the formula is `EQUATIONS`.

    Arguments:
        lrs: the learning rate of each group.
        milestones: m, in epochs; one that stands there twice counts twice.
        gamma: γ.
        last_epoch, initial_lrs: as of `Scheduler`.

    PyTorch goes by the recursion, and by the closed form where `step` is told the epoch. It checks neither argument.
    Made for a later epoch that is a milestone, it decays once more.

    Raises:
        TypeError: for milestones that are none, as PyTorch.

    Source: torch.optim.lr_scheduler.MultiStepLR 2.13.
    """

    ORDERS = {"paper": closed, "pytorch": recursive, "closed": closed}
    STARTS_WITH_A_STEP = True

    def __init__(self, lrs, milestones, gamma=0.1, last_epoch=-1, initial_lrs=None):
        super().__init__(lrs, last_epoch, initial_lrs, milestones=tuple(sorted(milestones)), gamma=gamma)
