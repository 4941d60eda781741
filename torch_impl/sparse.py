"""The counterpart of reference/sparse.py: PyTorch's COO tensors."""

import torch

from torch_impl.tensors import tensor


def coo(grad) -> torch.Tensor:
    """A sparse gradient of the reference as PyTorch's, not coalesced."""
    return torch.sparse_coo_tensor(torch.tensor(grad.indices), tensor(grad.values), grad.shape, check_invariants=True)
