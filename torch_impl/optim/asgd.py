"""torch.optim.ASGD, the counterpart of reference/optim/asgd.py."""

import torch

from torch_impl.optim.optimizer import Optimizer


class ASGD(Optimizer):
    """torch.optim.ASGD, fed from NumPy; arguments and state as there, `path` as in `Optimizer`. None is fused."""

    counterpart = torch.optim.ASGD
    paths = ("single", "foreach")
