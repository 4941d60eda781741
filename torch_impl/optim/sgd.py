"""torch.optim.SGD, the counterpart of reference/optim/sgd.py."""

import torch

from torch_impl.optim.optimizer import Optimizer


class SGD(Optimizer):
    """torch.optim.SGD, fed from NumPy; arguments and state as there, `path` as in `Optimizer`."""

    counterpart = torch.optim.SGD
