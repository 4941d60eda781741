"""torch.optim.Adamax, the counterpart of reference/optim/adamax.py."""

import torch

from torch_impl.optim.optimizer import Optimizer


class Adamax(Optimizer):
    """torch.optim.Adamax, fed from NumPy; arguments and state as there, `path` as in `Optimizer`. None is fused."""

    counterpart = torch.optim.Adamax
    paths = ("single", "foreach")
