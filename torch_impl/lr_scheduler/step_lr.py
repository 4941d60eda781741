"""torch.optim.lr_scheduler.StepLR, the counterpart of reference/lr_scheduler/step_lr.py."""

import torch

from torch_impl.lr_scheduler.scheduler import Scheduler


class StepLR(Scheduler):
    """torch.optim.lr_scheduler.StepLR; arguments as there."""

    counterpart = torch.optim.lr_scheduler.StepLR
