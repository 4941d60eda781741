"""torch.optim.lr_scheduler.ChainedScheduler, the counterpart of reference/lr_scheduler/chained_scheduler.py."""

import torch

from torch_impl.lr_scheduler.scheduler import Scheduler, parts_of


class ChainedScheduler(Scheduler):
    """torch.optim.lr_scheduler.ChainedScheduler of schedules that are named; arguments as in the reference."""

    counterpart = torch.optim.lr_scheduler.ChainedScheduler
    paths = ("stepped",)

    def made(self, schedulers):
        """The schedule on the optimizer."""
        return self.counterpart(parts_of(self.optimizer, schedulers), self.optimizer)

    @property
    def base_lrs(self):
        """Those that its groups hold."""
        return [group["initial_lr"] for group in self.optimizer.param_groups]

    @property
    def last_epoch(self):
        """That of its first schedule: it counts none itself."""
        return self.scheduler._schedulers[0].last_epoch

    def load_state_dict(self, state):
        """Go on from there; where an epoch is said, each of its schedules is at that."""
        super().load_state_dict(state)
        for part in self.scheduler._schedulers:
            part.last_epoch = state.get("last_epoch", part.last_epoch)
