"""torch.optim.Adam, the counterpart of reference/optim/adam.py."""

import torch

from torch_impl.optim.optimizer import Optimizer


class Adam(Optimizer):
    """torch.optim.Adam, fed from NumPy; arguments and state as there, `path` as in `Optimizer`."""

    counterpart = torch.optim.Adam
