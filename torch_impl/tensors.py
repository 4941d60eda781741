"""Arrays as tensors and back, in every format that both have; ml_dtypes is imported for its own alone."""

import importlib

import numpy as np
import torch


def tensor(array, requires_grad: bool = False) -> torch.Tensor:
    """A copy of an array; of ml_dtypes' formats, which PyTorch does not take, by their bits."""
    array = np.asarray(array)
    if array.dtype.type.__module__ != "ml_dtypes":
        return torch.tensor(array, requires_grad=requires_grad)
    bits = torch.tensor(array.view(f"u{array.dtype.itemsize}"))
    return bits.view(getattr(torch, array.dtype.name)).requires_grad_(requires_grad)


def array(tensor: torch.Tensor) -> np.ndarray:
    """A view of a tensor's memory as an array."""
    name = str(tensor.dtype).removeprefix("torch.")
    if hasattr(np, name):
        return tensor.detach().numpy()
    bits = tensor.detach().view(getattr(torch, f"uint{8 * tensor.element_size()}"))
    return bits.numpy().view(getattr(importlib.import_module("ml_dtypes"), name))
