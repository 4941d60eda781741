"""torch.optim.lr_scheduler.MultiplicativeLR, the counterpart of reference/lr_scheduler/multiplicative_lr.py."""

import torch

from torch_impl.lr_scheduler.scheduler import Scheduler


class MultiplicativeLR(Scheduler):
    """torch.optim.lr_scheduler.MultiplicativeLR; arguments as there."""

    counterpart = torch.optim.lr_scheduler.MultiplicativeLR
    paths = ("stepped",)
