"""torch.optim.lr_scheduler.CosineAnnealingLR, the counterpart of reference/lr_scheduler/cosine_annealing_lr.py."""

import torch

from torch_impl.lr_scheduler.scheduler import Scheduler


class CosineAnnealingLR(Scheduler):
    """torch.optim.lr_scheduler.CosineAnnealingLR; arguments as there."""

    counterpart = torch.optim.lr_scheduler.CosineAnnealingLR
