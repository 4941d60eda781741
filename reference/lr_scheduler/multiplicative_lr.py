"""MultiplicativeLR: the learning rate before times a function of the epoch."""

from math import prod
from typing import Any, NamedTuple

from reference.lr_scheduler.scheduler import Scheduler

EQUATIONS = {
    "factor": r"c_t = \lambda(1) \cdots \lambda(t)",
    "change": r"c = \lambda(t)",
    "lr": r"\eta_t = \eta_0\,c_t",
}


class Closed(NamedTuple):
    factor: Any
    lr: Any


class Recursive(NamedTuple):
    change: Any
    lr: Any


def paper(lr, base_lr, *, last_epoch, lr_lambda):
    """The closed form, which PyTorch has not."""
    factor = prod([lr_lambda(epoch) for epoch in range(1, last_epoch + 1)])
    lr = base_lr * factor
    return Closed(factor, lr)


def pytorch(lr, base_lr, *, last_epoch, lr_lambda):
    """The recursion (`get_lr`)."""
    change = lr_lambda(last_epoch) if last_epoch > 0 else 1.0
    lr = lr * change
    return Recursive(change, lr)


class MultiplicativeLR(Scheduler):
    """η₀·λ(1)⋯λ(t) at epoch t: λ(0) is never asked for; the formula is `EQUATIONS`.

    Arguments:
        lrs: the learning rate of each group.
        lr_lambda: λ, a function of the epoch, or a list of them, one for each group.
        last_epoch, initial_lrs: as of `Scheduler`.

    PyTorch goes by the recursion, which rounds once an epoch.

    Raises:
        ValueError: for another number of functions than of groups, with PyTorch's wording.
        TypeError: for what is no function, with PyTorch's wording.

    Source: torch.optim.lr_scheduler.MultiplicativeLR 2.13.
    """

    ORDERS = {"paper": paper, "pytorch": pytorch}
    EACH = ("lr_lambda",)

    def __init__(self, lrs, lr_lambda, last_epoch=-1, initial_lrs=None):
        super().__init__(lrs, last_epoch, initial_lrs, lr_lambda=lr_lambda)

    def check_length(self, name, value):
        """Refuse another number of functions than of groups, and what is none, in PyTorch's words for it."""
        several = isinstance(value, list | tuple)
        if several and len(value) != len(self.lrs):
            raise ValueError(f"Expected {len(self.lrs)} lr_lambdas, but got {len(value)}")
        for function in value if several else [value]:
            if not callable(function):
                raise TypeError(f"lr_lambda should be a function, but got {type(function).__name__}")

    def state_dict(self):
        """What it takes to go on elsewhere; a function is no state."""
        return super().state_dict() | {"lr_lambdas": [None] * len(self.lrs)}
