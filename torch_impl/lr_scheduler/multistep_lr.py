"""torch.optim.lr_scheduler.MultiStepLR, the counterpart of reference/lr_scheduler/multistep_lr.py."""

import torch

from torch_impl.lr_scheduler.scheduler import Scheduler


class MultiStepLR(Scheduler):
    """torch.optim.lr_scheduler.MultiStepLR; arguments as there."""

    counterpart = torch.optim.lr_scheduler.MultiStepLR
