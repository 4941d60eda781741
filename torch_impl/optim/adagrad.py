"""torch.optim.Adagrad, the counterpart of reference/optim/adagrad.py."""

import torch

from torch_impl.optim.optimizer import Optimizer


class Adagrad(Optimizer):
    """torch.optim.Adagrad, fed from NumPy; arguments and state as there, `path` as in `Optimizer`."""

    counterpart = torch.optim.Adagrad
