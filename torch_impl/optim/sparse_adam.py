"""torch.optim.SparseAdam, the counterpart of reference/optim/sparse_adam.py."""

import torch

from torch_impl.optim.optimizer import Optimizer


class SparseAdam(Optimizer):
    """torch.optim.SparseAdam, fed from NumPy; arguments and state as there. It has one path."""

    counterpart = torch.optim.SparseAdam
    paths = ("single",)

    def no_gradient(self, tensor):
        return torch.zeros_like(tensor).to_sparse(min(1, tensor.ndim))
