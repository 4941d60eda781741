"""The ATen operations that PyTorch runs, with what they read and what they made, as they run."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from torch.utils._python_dispatch import TorchDispatchMode, _disable_current_modes
from torch.utils._pytree import tree_leaves

from torch_impl.tensors import array

# operations that compute nothing
SILENT = {
    "_local_scalar_dense",
    "_indices",
    "_record_function_enter_new",
    "_record_function_exit",
    "_sparse_coo_tensor_with_dims_and_tensors",
    "_to_copy",
    "_unsafe_view",
    "_values",
    "alias",
    "as_strided",
    "clone",
    "copy_",
    "detach",
    "empty",
    "empty_like",
    "expand",
    "is_coalesced",
    "is_pinned",
    "lift_fresh",
    "new_empty_strided",
    "ones_like",
    "select",
    "set_",
    "t",
    "transpose",
    "unbind",
    "unsqueeze",
    "view",
    "zero_",
    "zeros",
    "zeros_like",
}

# what kernels with several results, or with a name of their own, show of the reference's lines, result by result
SHOWN = {
    "native_batch_norm": ("y", "mu", "invstd"),
    "native_batch_norm_backward": ("dx", "dgamma", "dbeta"),
    "_log_softmax": ("log_p",),
    "_log_softmax_backward_data": ("dz",),
    "nll_loss_forward": ("loss",),
}


class Operation(NamedTuple):
    """One call. name: ATen's, without its overload. results: copies, in-place ones as they are after the call.

    scalars: the numbers it was given. silent: it computes nothing.
    """

    name: str
    results: list[np.ndarray]
    scalars: list[float]
    silent: bool

    @property
    def base(self) -> str:
        """The name of what it computes, in place or not, of one tensor or of a list."""
        return self.name.removeprefix("_foreach_").removesuffix("_")

    def shows(self, line: str) -> np.ndarray | None:
        """The result that is this line of the reference's formula, where that is known of the kernel."""
        lines = SHOWN.get(self.name, ())
        return self.results[lines.index(line)] if line in lines else None


class Recorder(TorchDispatchMode):
    """Notes every operation while it is entered."""

    def __init__(self):
        super().__init__()
        self.operations: list[Operation] = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        name = func._schema.name.split("::")[-1]
        made = tensors(result)
        if not made:  # a list changed in place, a fused kernel
            written = zip(func._schema.arguments, args, strict=False)
            made = [t for argument, value in written if argument.is_write for t in tensors(value)]
        scalars = [float(x) for x in tree_leaves((args, kwargs or {})) if type(x) in (int, float)]
        silent = name in SILENT
        results = [] if silent else [copied(t) for t in made]
        self.operations.append(Operation(name, results, scalars, silent))
        return result


def tensors(tree) -> list[torch.Tensor]:
    return [leaf for leaf in tree_leaves(tree) if isinstance(leaf, torch.Tensor)]


def copied(tensor: torch.Tensor) -> np.ndarray:
    """Its numbers; of a sparse one those of its entries."""
    held = tensor.detach()
    return array((held._values() if held.is_sparse else held).clone())


def recorded(action: Callable[[], Any]) -> list[Operation]:
    """The operations that `action` runs, in order; PyTorch's answers are what they are without a look."""
    with Recorder() as recorder:
        action()
    return recorder.operations


def unseen(action: Callable[[], Any]) -> Any:
    """What `action` returns, unknown to a recorder at work: a look of ours is no part of a step."""
    with _disable_current_modes():
        return action()
