"""torch.optim.lr_scheduler.LambdaLR, the counterpart of reference/lr_scheduler/lambda_lr.py."""

import torch

from torch_impl.lr_scheduler.scheduler import Scheduler


class LambdaLR(Scheduler):
    """torch.optim.lr_scheduler.LambdaLR; arguments as there."""

    counterpart = torch.optim.lr_scheduler.LambdaLR
    paths = ("stepped",)
