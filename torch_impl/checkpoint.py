"""States as PyTorch's files hold them: trees of arrays, written by torch.save and read without unpickling code."""

import os
import pathlib
import tempfile
from typing import Any

import torch

from torch_impl.optim.optimizer import as_arrays, as_tensors


def save(path, tree: Any) -> None:
    """Write a tree of dicts, lists, tuples, arrays and plain values as torch.save does, whole or not at all."""
    path = pathlib.Path(path)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            torch.save(as_tensors(tree), file)
        pathlib.Path(name).replace(path)
    finally:
        pathlib.Path(name).unlink(missing_ok=True)


def load(path) -> Any:
    """The tree of a file that torch.save wrote, here or elsewhere, with arrays for tensors.

    Raises:
        pickle.UnpicklingError: for a file with anything but tensors and plain values in it; none of its code is run.
    """
    return as_arrays(torch.load(path, map_location="cpu", weights_only=True))
