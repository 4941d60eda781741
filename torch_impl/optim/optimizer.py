"""What the torch.optim counterparts share: arrays in, tensors stepped, arrays out."""

import functools
from typing import Any, ClassVar

import numpy as np
import torch

from torch_impl.ledger import unseen
from torch_impl.sparse import coo
from torch_impl.tensors import array, tensor

PATHS = {
    "single": {"foreach": False},
    "foreach": {"foreach": True},
    "fused": {"fused": True},
}


class Optimizer:
    """A torch.optim optimizer over copies of named NumPy arrays.

    Arguments:
        params: name to array, or arrays alone (then named "0", "1", …); copied, so that no memory is
            shared with the caller.
        path: "single", "foreach" or "fused": which of PyTorch's implementations steps.
        hyperparameters: handed to torch.optim as they are.

    Raises:
        ValueError: for a path the optimizer does not have; and what torch.optim itself raises.
    """

    counterpart: ClassVar[type[torch.optim.Optimizer]]
    paths: ClassVar[tuple[str, ...]] = ("single", "foreach", "fused")

    def __init__(self, params, *, path: str = "single", **hyperparameters):
        if path not in self.paths:
            raise ValueError(f"{self.counterpart.__name__} has no path {path!r}; it has {', '.join(self.paths)}")
        params = named(params)
        self.tensors = {
            name: given if isinstance(given, torch.Tensor) else tensor(given, requires_grad=True)
            for name, given in params.items()
        }
        self.settings: dict[str, Any] = (PATHS[path] if len(self.paths) > 1 else {}) | hyperparameters
        self.optimizer = self.counterpart(list(self.tensors.values()), **self.settings)

    @property
    def params(self) -> dict[str, np.ndarray]:
        """The parameters as arrays, each a view of its tensor's memory."""
        return {name: array(held) for name, held in self.tensors.items()}

    @property
    def state(self) -> dict[str, dict[str, np.ndarray]]:
        """Tensor name to torch.optim's state entries, as views of their memory."""
        return {name: entries(self.optimizer.state.get(tensor, {})) for name, tensor in self.tensors.items()}

    def load_state(self, state) -> None:
        """Take over copies of the entries of `state`: tensor name, or PyTorch's position, to entries.

        A tensor with an empty entry has taken no step yet. What is not in `state` at all stays as it is.

        Raises:
            KeyError: for an unknown tensor, and for an entry that PyTorch has not.
            ValueError: for an entry of another shape or dtype than PyTorch's. All of them before anything is changed.
        """
        loaded = {}
        positions = dict(enumerate(self.tensors))
        for key, given in state.items():
            name = str(positions.get(key, key))
            if name not in self.tensors:
                raise KeyError(f"state for unknown parameter {name!r}; there are {list(self.tensors)}")
            copies = {entry: tensor(value) for entry, value in given.items() if value is not None}
            own = self.own_entries(self.tensors[name])
            check_entries(name, own, copies)
            whole = {key: int(value) for key, value in copies.items() if isinstance(own[key], int)}
            loaded[name] = copies | whole
        for name, copies in loaded.items():
            self.optimizer.state[self.tensors[name]] = copies

    def own_entries(self, tensor: torch.Tensor) -> dict[str, torch.Tensor | int]:
        """What PyTorch itself keeps of such a tensor after a step, for the shapes and dtypes."""
        alike = torch.zeros_like(tensor, requires_grad=True)
        alike.grad = self.no_gradient(tensor)
        optimizer = self.counterpart([alike], **self.settings)
        optimizer.param_groups[0].update(self.hyperparameters)
        optimizer.step()
        return dict(optimizer.state[alike])

    def no_gradient(self, tensor: torch.Tensor) -> torch.Tensor:
        """A gradient of zeros that PyTorch takes."""
        return torch.zeros_like(tensor)

    @property
    def hyperparameters(self) -> dict:
        return {name: value for name, value in self.optimizer.param_groups[0].items() if name != "params"}

    def set(self, name: str, value) -> None:
        """Change a hyperparameter between steps."""
        if name not in self.hyperparameters:
            raise TypeError(f"no hyperparameter {name!r}; there are {', '.join(self.hyperparameters)}")
        self.optimizer.param_groups[0][name] = value

    def step(self, grads) -> None:
        """One step with these gradients; None, or no entry, is a tensor without a gradient."""
        grads = grads if isinstance(grads, dict) else dict(zip(self.tensors, named(grads).values(), strict=False))
        for name, held in self.tensors.items():
            grad = grads.get(name)
            held.grad = None if grad is None else unseen(functools.partial(made, grad))
        with torch.sparse.check_sparse_tensor_invariants(False):  # undecided, PyTorch would warn
            self.optimizer.step()


def made(grad) -> torch.Tensor:
    return coo(grad) if hasattr(grad, "indices") else tensor(grad)


def named(arrays) -> dict:
    """`arrays` by name; a list or a single array gets torch.optim's positions as names."""
    arrays = [arrays] if isinstance(arrays, np.ndarray) else arrays
    return dict(arrays) if isinstance(arrays, dict) else {str(i): array for i, array in enumerate(arrays)}


def entries(state) -> dict[str, np.ndarray]:
    """Tensors as arrays, a sparse one with all its zeros, and whole numbers as doubles."""
    return {key: entry(value) for key, value in state.items() if isinstance(value, torch.Tensor | int)}


def entry(value) -> np.ndarray:
    if isinstance(value, int):
        return np.asarray(value, np.float64)
    return array(value.to_dense() if value.is_sparse else value)


def check_entries(name: str, own: dict[str, torch.Tensor | int], copies: dict[str, torch.Tensor]) -> None:
    """Refuse an entry unlike PyTorch's `own` of that key."""
    for key, entry in copies.items():
        if key not in own:
            raise KeyError(f"state of {name!r} has {list(copies)}, it takes {list(own)}")
        kept = own[key]
        shape, dtype = (kept.shape, kept.dtype) if isinstance(kept, torch.Tensor) else ((), torch.float64)
        if entry.shape != shape or entry.dtype != dtype:
            raise ValueError(f"state {key!r} of {name!r} is {entry.dtype}{list(entry.shape)}, not {dtype}{list(shape)}")
