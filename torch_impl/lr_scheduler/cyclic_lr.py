"""torch.optim.lr_scheduler.CyclicLR, the counterpart of reference/lr_scheduler/cyclic_lr.py."""

import torch

from torch_impl.lr_scheduler.scheduler import Scheduler


class CyclicLR(Scheduler):
    """torch.optim.lr_scheduler.CyclicLR, of SGD's momentum or of Adam's β₁; arguments as there."""

    counterpart = torch.optim.lr_scheduler.CyclicLR
    paths = ("momentum", "beta1")
