"""torch.optim.lr_scheduler.ReduceLROnPlateau, the counterpart of reference/lr_scheduler/reduce_lr_on_plateau.py."""

import torch

from torch_impl.lr_scheduler.scheduler import Scheduler


class ReduceLROnPlateau(Scheduler):
    """torch.optim.lr_scheduler.ReduceLROnPlateau; arguments as there."""

    counterpart = torch.optim.lr_scheduler.ReduceLROnPlateau
    paths = ("stepped",)

    def __init__(self, lrs, **settings):
        self.first = list(lrs)
        super().__init__(lrs, **settings)

    @property
    def base_lrs(self):
        """Those that it was made with, which PyTorch does not keep."""
        return self.first

    @property
    def shared(self):
        """The state that is one for all groups."""
        names = ("best", "num_bad_epochs", "cooldown_counter")
        return {name: getattr(self.scheduler, name) for name in names}
