"""The counterpart of reference/lr_scheduler/cosine_annealing_warm_restarts.py, in torch.optim.lr_scheduler."""

import torch

from torch_impl.lr_scheduler.scheduler import Scheduler


class CosineAnnealingWarmRestarts(Scheduler):
    """torch.optim.lr_scheduler.CosineAnnealingWarmRestarts; arguments as there."""

    counterpart = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts
    paths = ("stepped", "told")
