"""LinearLR: from one fraction of the learning rate to another in a straight line."""

from typing import Any, NamedTuple

from reference.lr_scheduler.scheduler import Scheduler

EQUATIONS = {
    "done": r"d = \min(T, t)",
    "factor": r"c_t = c_0 + (c_1 - c_0)\,d / T",
    "growth": r"g = 1 + \frac{c_1 - c_0}{T c_0 + (t - 1)(c_1 - c_0)}",
    "lr": r"\eta_t = \eta_0\,c_t",
}


class Closed(NamedTuple):
    done: Any
    factor: Any
    lr: Any


class Recursive(NamedTuple):
    growth: Any
    lr: Any


def closed(lr, base_lr, *, last_epoch, start_factor, end_factor, total_iters):
    """The closed form (`_get_closed_form_lr`)."""
    done = min(total_iters, last_epoch)
    factor = start_factor + (end_factor - start_factor) * done / total_iters
    lr = base_lr * factor
    return Closed(done, factor, lr)


def recursive(lr, base_lr, *, last_epoch, start_factor, end_factor, total_iters):
    """The recursion, which multiplies by how much the factor grows (`get_lr`)."""
    rise = end_factor - start_factor
    due = 0 < last_epoch <= total_iters
    growth = 1.0 + rise / (total_iters * start_factor + (last_epoch - 1) * rise) if due else 1.0
    lr = lr * start_factor if last_epoch == 0 else lr * growth
    return Recursive(growth, lr)


class LinearLR(Scheduler):
    """η₀ times a factor that goes from c₀ to c₁ in T epochs, and stays there; the formula is `EQUATIONS`.

    Arguments:
        lrs: the learning rate of each group.
        start_factor, end_factor: c₀ and c₁.
        total_iters: T, in epochs.
        last_epoch, initial_lrs: as of `Scheduler`.

    PyTorch goes by the recursion, which rounds a few times an epoch, so that a warm-up ends beside the learning rate
    and a line that goes down to 0 ends beside 0; by the closed form where `step` is told the epoch. T is not checked.

    Raises:
        ValueError: for a start_factor outside (0, 1] or an end_factor outside [0, 1], with PyTorch's wording.

    Source: torch.optim.lr_scheduler.LinearLR 2.13.
    """

    ORDERS = {"paper": closed, "pytorch": recursive, "closed": closed}

    def __init__(self, lrs, start_factor=1.0 / 3, end_factor=1.0, total_iters=5, last_epoch=-1, initial_lrs=None):
        if start_factor > 1.0 or start_factor <= 0:
            raise ValueError("Starting multiplicative factor expected to be greater than 0 and less or equal to 1.")
        if end_factor > 1.0 or end_factor < 0:
            raise ValueError("Ending multiplicative factor expected to be between 0 and 1.")
        factors = {"start_factor": start_factor, "end_factor": end_factor}
        super().__init__(lrs, last_epoch, initial_lrs, **factors, total_iters=total_iters)
