"""torch.optim.lr_scheduler.LinearLR, the counterpart of reference/lr_scheduler/linear_lr.py."""

import torch

from torch_impl.lr_scheduler.scheduler import Scheduler


class LinearLR(Scheduler):
    """torch.optim.lr_scheduler.LinearLR; arguments as there."""

    counterpart = torch.optim.lr_scheduler.LinearLR
