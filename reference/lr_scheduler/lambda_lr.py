"""LambdaLR: the learning rate times a function of the epoch."""

from typing import Any, NamedTuple

from reference.lr_scheduler.scheduler import Scheduler

EQUATIONS = {"factor": r"c_t = \lambda(t)", "lr": r"\eta_t = \eta_0\,c_t"}


class Lines(NamedTuple):
    factor: Any
    lr: Any


def paper(lr, base_lr, *, last_epoch, lr_lambda):
    """The formula, which is PyTorch's (`get_lr`)."""
    factor = lr_lambda(last_epoch)
    lr = base_lr * factor
    return Lines(factor, lr)


class LambdaLR(Scheduler):
    """η₀·λ(t) at epoch t; the formula is `EQUATIONS`.

    Arguments:
        lrs: the learning rate of each group.
        lr_lambda: λ, a function of the epoch, or a list of them, one for each group.
        last_epoch, initial_lrs: as of `Scheduler`.

    PyTorch does the same.

    Raises:
        ValueError: for another number of functions than of groups, with PyTorch's wording.

    Source: torch.optim.lr_scheduler.LambdaLR 2.13.
    """

    ORDERS = {"paper": paper, "pytorch": paper}
    STARTS_WITH_A_STEP = True
    EACH = ("lr_lambda",)

    def __init__(self, lrs, lr_lambda, last_epoch=-1, initial_lrs=None):
        super().__init__(lrs, last_epoch, initial_lrs, lr_lambda=lr_lambda)

    def check_length(self, name, value):
        """Refuse another number of functions than of groups, in PyTorch's words for it."""
        if isinstance(value, list | tuple) and len(value) != len(self.lrs):
            raise ValueError(f"Expected {len(self.lrs)} lr_lambdas, but got {len(value)}")

    def state_dict(self):
        """What it takes to go on elsewhere; a function is no state."""
        return super().state_dict() | {"lr_lambdas": [None] * len(self.lrs)}
