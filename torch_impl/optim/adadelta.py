"""torch.optim.Adadelta, the counterpart of reference/optim/adadelta.py."""

import torch

from torch_impl.optim.optimizer import Optimizer


class Adadelta(Optimizer):
    """torch.optim.Adadelta, fed from NumPy; arguments and state as there, `path` as in `Optimizer`. None is fused."""

    counterpart = torch.optim.Adadelta
    paths = ("single", "foreach")
