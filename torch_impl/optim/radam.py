"""torch.optim.RAdam, the counterpart of reference/optim/radam.py."""

import torch

from torch_impl.optim.optimizer import Optimizer


class RAdam(Optimizer):
    """torch.optim.RAdam, fed from NumPy; arguments and state as there, `path` as in `Optimizer`. None is fused."""

    counterpart = torch.optim.RAdam
    paths = ("single", "foreach")
