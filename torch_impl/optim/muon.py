"""torch.optim.Muon, the counterpart of reference/optim/muon.py."""

import torch

from torch_impl.optim.optimizer import Optimizer


class Muon(Optimizer):
    """torch.optim.Muon, fed from NumPy; arguments and state as there. It has one path."""

    counterpart = torch.optim.Muon
    paths = ("single",)
