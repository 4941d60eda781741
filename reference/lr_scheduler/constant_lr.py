"""ConstantLR: a fraction of the learning rate for so many epochs, and then the whole."""

from typing import Any, NamedTuple

from reference.lr_scheduler.scheduler import Scheduler

EQUATIONS = {
    "over": r"o = [t \ge T]",
    "factor": r"c_t = c + o\,(1 - c)",
    "lr": r"\eta_t = \eta_0\,c_t",
}


class Closed(NamedTuple):
    over: Any
    factor: Any
    lr: Any


class Recursive(NamedTuple):
    lr: Any


def closed(lr, base_lr, *, last_epoch, factor, total_iters):
    """The closed form (`_get_closed_form_lr`)."""
    over = last_epoch >= total_iters
    factor = factor + over * (1 - factor)
    lr = base_lr * factor
    return Closed(over, factor, lr)


def recursive(lr, base_lr, *, last_epoch, factor, total_iters):
    """The recursion, which divides by the factor again (`get_lr`)."""
    lr = lr * factor if last_epoch == 0 else lr * (1.0 / factor) if last_epoch == total_iters else lr
    return Recursive(lr)


class ConstantLR(Scheduler):
    """c·η₀ before epoch T, and η₀ from then on; the formula is `EQUATIONS`.

    Arguments:
        lrs: the learning rate of each group.
        factor: c.
        total_iters: T, in epochs.
        last_epoch, initial_lrs: as of `Scheduler`.

    PyTorch goes by the recursion, whose 1/c need not bring η₀ back to the last bit, and by the closed form where
    `step` is told the epoch. With T = 0 the recursion never leaves c·η₀, and with c = 0 it ends in a division by 0.
    Made for a later epoch that is T, it multiplies by 1/c whatever the learning rate is.

    Raises:
        ValueError: for a factor that is not between 0 and 1, with PyTorch's wording.

    Source: torch.optim.lr_scheduler.ConstantLR 2.13.
    """

    ORDERS = {"paper": closed, "pytorch": recursive, "closed": closed}
    STARTS_WITH_A_STEP = True

    def __init__(self, lrs, factor=1.0 / 3, total_iters=5, last_epoch=-1, initial_lrs=None):
        if factor > 1.0 or factor < 0:
            raise ValueError("Constant multiplicative factor expected to be between 0 and 1.")
        super().__init__(lrs, last_epoch, initial_lrs, factor=factor, total_iters=total_iters)
