"""torch.optim.Rprop, the counterpart of reference/optim/rprop.py."""

import torch

from torch_impl.optim.optimizer import Optimizer


class Rprop(Optimizer):
    """torch.optim.Rprop, fed from NumPy; arguments and state as there, `path` as in `Optimizer`. None is fused."""

    counterpart = torch.optim.Rprop
    paths = ("single", "foreach")
