"""torch.optim.Adafactor, the counterpart of reference/optim/adafactor.py."""

import torch

from torch_impl.optim.optimizer import Optimizer


class Adafactor(Optimizer):
    """torch.optim.Adafactor, fed from NumPy; arguments and state as there, `path` as in `Optimizer`. None is fused."""

    counterpart = torch.optim.Adafactor
    paths = ("single", "foreach")
