"""torch.optim.lr_scheduler.SequentialLR, the counterpart of reference/lr_scheduler/sequential_lr.py."""

import torch

from torch_impl.lr_scheduler.scheduler import Scheduler, parts_of


class SequentialLR(Scheduler):
    """torch.optim.lr_scheduler.SequentialLR of schedules that are named; arguments as in the reference."""

    counterpart = torch.optim.lr_scheduler.SequentialLR
    paths = ("stepped",)

    def made(self, schedulers, milestones, **later):
        """The schedule on the optimizer."""
        return self.counterpart(self.optimizer, parts_of(self.optimizer, schedulers), list(milestones), **later)

    @property
    def base_lrs(self):
        """Those that its groups hold."""
        return [group["initial_lr"] for group in self.optimizer.param_groups]

    def load_state_dict(self, state):
        """Go on from there: each of its schedules is as far as its milestones let it be."""
        super().load_state_dict(state)
        begun = [0, *self.scheduler._milestones]
        ends = [*(milestone - 1 for milestone in self.scheduler._milestones), state["last_epoch"]]
        for part, first, end in zip(self.scheduler._schedulers, begun, ends, strict=True):
            part.last_epoch = max(min(state["last_epoch"], end) - first, -1)
