"""torch.optim.RMSprop, the counterpart of reference/optim/rmsprop.py."""

import torch

from torch_impl.optim.optimizer import Optimizer


class RMSprop(Optimizer):
    """torch.optim.RMSprop, fed from NumPy; arguments and state as there, `path` as in `Optimizer`."""

    counterpart = torch.optim.RMSprop
    paths = ("single", "foreach")
