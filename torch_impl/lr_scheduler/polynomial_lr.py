"""torch.optim.lr_scheduler.PolynomialLR, the counterpart of reference/lr_scheduler/polynomial_lr.py."""

import torch

from torch_impl.lr_scheduler.scheduler import Scheduler


class PolynomialLR(Scheduler):
    """torch.optim.lr_scheduler.PolynomialLR; arguments as there."""

    counterpart = torch.optim.lr_scheduler.PolynomialLR
