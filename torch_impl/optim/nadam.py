"""torch.optim.NAdam, the counterpart of reference/optim/nadam.py."""

import torch

from torch_impl.optim.optimizer import Optimizer


class NAdam(Optimizer):
    """torch.optim.NAdam, fed from NumPy; arguments and state as there, `path` as in `Optimizer`. None is fused."""

    counterpart = torch.optim.NAdam
    paths = ("single", "foreach")
