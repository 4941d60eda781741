"""torch.optim.lr_scheduler.ExponentialLR, the counterpart of reference/lr_scheduler/exponential_lr.py."""

import torch

from torch_impl.lr_scheduler.scheduler import Scheduler


class ExponentialLR(Scheduler):
    """torch.optim.lr_scheduler.ExponentialLR; arguments as there."""

    counterpart = torch.optim.lr_scheduler.ExponentialLR
