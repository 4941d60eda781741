"""torch.optim.lr_scheduler.ConstantLR, the counterpart of reference/lr_scheduler/constant_lr.py."""

import torch

from torch_impl.lr_scheduler.scheduler import Scheduler


class ConstantLR(Scheduler):
    """torch.optim.lr_scheduler.ConstantLR; arguments as there."""

    counterpart = torch.optim.lr_scheduler.ConstantLR
