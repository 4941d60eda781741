"""StepLR: multiply the learning rate by γ every so many epochs."""

from typing import Any, NamedTuple

from reference.lr_scheduler.scheduler import Scheduler

EQUATIONS = {
    "decays": r"k = \lfloor t / s \rfloor",
    "due": r"d = [t > 0 \wedge t \bmod s = 0]",
    "lr": r"\eta_t = \eta_0\,\gamma^k",
}


class Closed(NamedTuple):
    decays: Any
    lr: Any


class Recursive(NamedTuple):
    due: Any
    lr: Any


def closed(lr, base_lr, *, last_epoch, step_size, gamma):
    """The closed form, whose error does not grow (`_get_closed_form_lr`)."""
    decays = last_epoch // step_size
    lr = base_lr * gamma**decays
    return Closed(decays, lr)


def recursive(lr, base_lr, *, last_epoch, step_size, gamma):
    """The recursion, which rounds once a decay (`get_lr`)."""
    due = last_epoch > 0 and last_epoch % step_size == 0
    lr = lr * gamma if due else lr
    return Recursive(due, lr)


class StepLR(Scheduler):
    """η₀·γ^⌊t/s⌋ at epoch t; the formula is `EQUATIONS`.

    Arguments:
        lrs: the learning rate of each group.
        step_size: s, in epochs.
        gamma: γ.
        last_epoch, initial_lrs: as of `Scheduler`.

    PyTorch goes by the recursion, and by the closed form where `step` is told the epoch; after k decays the two are up
    to k/2 roundings apart. It checks neither argument. Made for a later epoch at which it decays, it decays once more.

    Raises:
        ZeroDivisionError: for a step_size of 0, as PyTorch at its first step.

    Source: torch.optim.lr_scheduler.StepLR 2.13.
    """

    ORDERS = {"paper": closed, "pytorch": recursive, "closed": closed}
    STARTS_WITH_A_STEP = True

    def __init__(self, lrs, step_size, gamma=0.1, last_epoch=-1, initial_lrs=None):
        super().__init__(lrs, last_epoch, initial_lrs, step_size=step_size, gamma=gamma)
