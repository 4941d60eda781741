"""PolynomialLR: down to 0 as a power of the epochs that are left."""

from typing import Any, NamedTuple

from reference.lr_scheduler.scheduler import Scheduler

EQUATIONS = {
    "done": r"d = \min(T, t)",
    "left": r"l = 1 - d / T",
    "shrinkage": r"s = \left(\frac{1 - t / T}{1 - (t - 1) / T}\right)^p",
    "lr": r"\eta_t = \eta_0\,l^p",
}


class Closed(NamedTuple):
    done: Any
    left: Any
    lr: Any


class Recursive(NamedTuple):
    shrinkage: Any
    lr: Any


def closed(lr, base_lr, *, last_epoch, total_iters, power):
    """The closed form (`_get_closed_form_lr`)."""
    done = min(total_iters, last_epoch)
    left = 1.0 - done / total_iters
    lr = base_lr * left**power
    return Closed(done, left, lr)


def recursive(lr, base_lr, *, last_epoch, total_iters, power):
    """The recursion, which multiplies by how much that shrinks (`get_lr`)."""
    due = 0 < last_epoch <= total_iters
    shrinkage = ((1.0 - last_epoch / total_iters) / (1.0 - (last_epoch - 1) / total_iters)) ** power if due else 1.0
    lr = lr * shrinkage
    return Recursive(shrinkage, lr)


class PolynomialLR(Scheduler):
    """η₀·(1 - t/T)ᵖ until epoch T, and 0 from then on; the formula is `EQUATIONS`.

    Arguments:
        lrs: the learning rate of each group.
        total_iters: T, in epochs.
        power: p.
        last_epoch, initial_lrs: as of `Scheduler`.

    PyTorch goes by the recursion, and by the closed form where `step` is told the epoch. It checks neither argument.

    Raises:
        ZeroDivisionError: for a total_iters of 0 in the closed form, as PyTorch there; its recursion stays at η₀.

    Source: torch.optim.lr_scheduler.PolynomialLR 2.13.
    """

    ORDERS = {"paper": closed, "pytorch": recursive, "closed": closed}

    def __init__(self, lrs, total_iters=5, power=1.0, last_epoch=-1, initial_lrs=None):
        super().__init__(lrs, last_epoch, initial_lrs, total_iters=total_iters, power=power)
