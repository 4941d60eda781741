"""SequentialLR: one schedule after the other."""

from bisect import bisect_right
from typing import Any, NamedTuple

from reference.lr_scheduler.scheduler import Part, Scheduler

EQUATIONS = {
    "which": r"i = |\{j : m_j \le t\}|",
    "begun": r"b = m_i",
    "lr": r"\eta_t = \eta^{(i)}_{t - b}",
}


class Lines(NamedTuple):
    which: Any
    begun: Any
    lr: Any


def paper(*, lr, base_lr, last_epoch, schedulers, milestones):
    """The closed form of whichever it is, whose epochs begin with it."""
    which = bisect_right(milestones, last_epoch)
    begun = (0, *milestones)[which]
    lr = schedulers[which].closed(base_lr, last_epoch - begun)
    return Lines(which, begun, lr)


def pytorch(*, lr, base_lr, last_epoch, schedulers, milestones):
    """The recursion of whichever it is, which begins at a milestone by the closed form (`step`)."""
    which = bisect_right(milestones, last_epoch)
    begun = (0, *milestones)[which]
    begins = which > 0 and begun == last_epoch > 0
    lr = (
        schedulers[which].closed(base_lr, 0) if begins else schedulers[which].recursive(lr, base_lr, last_epoch - begun)
    )
    return Lines(which, begun, lr)


class SequentialLR(Scheduler):
    """A schedule until its milestone, and the next one from there; the formula is `EQUATIONS`.

    Arguments:
        lrs: the learning rate of each group.
        schedulers: the name of the class and the hyperparameters of each, in order.
        milestones: m, the epoch at which each but the first begins.
        last_epoch, initial_lrs: as of `Scheduler`; PyTorch takes a later epoch and begins with the first all the same.

    PyTorch is given schedules that are made already, whose steps it takes back. One without a closed form, such as
    MultiplicativeLR, goes on at its milestone from wherever the one before ended.

    Raises:
        ValueError: for no schedules, for other milestones than there are changes, with PyTorch's wording, and for a
            schedule that there is not.

    Source: torch.optim.lr_scheduler.SequentialLR 2.13.
    """

    ORDERS = {"paper": paper, "pytorch": pytorch}
    OF_THE_FIRST = ("base_lrs",)

    def __init__(self, lrs, schedulers, milestones, last_epoch=-1, initial_lrs=None):
        if len(schedulers) < 1:
            raise ValueError("SequentialLR expects at least one scheduler, but got no scheduler.")
        if len(milestones) != len(schedulers) - 1:
            raise ValueError(
                "Sequential Schedulers expects number of schedulers provided to be one more than the number of "
                f"milestone points, but got number of schedulers {len(schedulers)} and the number of milestones to be "
                f"equal to {len(milestones)}"
            )
        parts = tuple(Part(name, settings) for name, settings in schedulers)
        super().__init__(lrs, last_epoch, initial_lrs, schedulers=parts, milestones=tuple(milestones))

    def state_dict(self):
        """What it takes to go on elsewhere, with the epoch that each schedule is at."""
        milestones = self.hyperparameters["milestones"]
        ends = [*(milestone - 1 for milestone in milestones), self.last_epoch]
        begun = (0, *milestones)
        epochs = [max(min(self.last_epoch, end) - first, -1) for first, end in zip(begun, ends, strict=True)]
        rates = {"base_lrs": list(self.base_lrs), "_last_lr": list(self.lrs)}
        return super().state_dict() | {"_schedulers": [{"last_epoch": epoch, **rates} for epoch in epochs]}
