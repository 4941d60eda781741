"""ChainedScheduler: several schedules at once, each of what the others leave."""

from math import prod
from typing import Any, NamedTuple

from reference.lr_scheduler.scheduler import Part, Scheduler

EQUATIONS = {
    "factors": r"c^{(i)}_t = \eta^{(i)}_t / \eta_0",
    "lr": r"\eta_t = \eta_0\,c^{(1)}_t \cdots c^{(n)}_t",
}


class Closed(NamedTuple):
    factors: Any
    lr: Any


class Recursive(NamedTuple):
    lr: Any


def paper(*, lr, base_lr, last_epoch, schedulers):
    """The product of what each makes of 1; true of schedules that multiply."""
    factors = tuple(part.closed(1.0, last_epoch) for part in schedulers)
    lr = base_lr * prod(factors)
    return Closed(factors, lr)


def pytorch(*, lr, base_lr, last_epoch, schedulers):
    """The recursion of each, on what the one before it left (`step`)."""
    lr = in_turn(schedulers, lr, base_lr, last_epoch)
    return Recursive(lr)


def in_turn(schedulers, lr, base_lr, epoch):
    """What is left of a learning rate after a step of each."""
    for part in schedulers:
        lr = part.recursive(lr, base_lr, epoch)
    return lr


class ChainedScheduler(Scheduler):
    """All schedules at once, each multiplying what the others leave; the formula is `EQUATIONS`.

    Arguments:
        lrs: the learning rate of each group.
        schedulers: the name of the class and the hyperparameters of each, in order.

    PyTorch is given schedules that are made already and takes a step of each. One that adds (a cosine above a floor) or
    starts anew (LambdaLR) is no factor: the closed form here is not that of such a chain.

    Raises:
        ValueError: for no schedules, with PyTorch's wording, and for one that there is not.

    Source: torch.optim.lr_scheduler.ChainedScheduler 2.13.
    """

    ORDERS = {"paper": paper, "pytorch": pytorch}
    OF_THE_FIRST = ("last_epoch", "base_lrs")

    def __init__(self, lrs, schedulers):
        if len(schedulers) < 1:
            raise ValueError("ChainedScheduler expects at least one scheduler to be chained, but got no scheduler.")
        super().__init__(lrs, schedulers=tuple(Part(name, settings) for name, settings in schedulers))

    def state_dict(self):
        """What it takes to go on elsewhere: each schedule is at the same epoch."""
        own = super().state_dict()
        return own | {"_schedulers": [dict(own) for _ in self.hyperparameters["schedulers"]]}
