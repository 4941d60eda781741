"""torch.optim.lr_scheduler.OneCycleLR, the counterpart of reference/lr_scheduler/one_cycle_lr.py."""

import torch

from torch_impl.lr_scheduler.scheduler import Scheduler


class OneCycleLR(Scheduler):
    """torch.optim.lr_scheduler.OneCycleLR, of SGD's momentum or of Adam's β₁; arguments as there."""

    counterpart = torch.optim.lr_scheduler.OneCycleLR
    paths = ("momentum", "beta1")
