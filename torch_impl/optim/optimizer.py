"""What the torch.optim counterparts share: arrays in, tensors stepped, arrays out."""

from typing import ClassVar

import numpy as np
import torch

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
            name: array if isinstance(array, torch.Tensor) else torch.tensor(array, requires_grad=True)
            for name, array in params.items()
        }
        self.optimizer = self.counterpart(list(self.tensors.values()), **PATHS[path], **hyperparameters)

    @property
    def params(self) -> dict[str, np.ndarray]:
        """The parameters as arrays, each a view of its tensor's memory."""
        return {name: tensor.detach().numpy() for name, tensor in self.tensors.items()}

    @property
    def state(self) -> dict[str, dict[str, np.ndarray]]:
        """Tensor name to torch.optim's state entries, as views of their memory."""
        return {name: entries(self.optimizer.state.get(tensor, {})) for name, tensor in self.tensors.items()}

    def load_state(self, state) -> None:
        """Take over copies of the entries of `state`: tensor name, or PyTorch's position, to entries.

        A tensor with an empty entry has taken no step yet. What is not in `state` at all stays as it is.

        Raises:
            KeyError: for an unknown tensor.
            ValueError: for an entry of another shape or dtype than its tensor's. Both before anything is changed.
        """
        loaded = {}
        positions = dict(enumerate(self.tensors))
        for key, given in state.items():
            name = str(positions.get(key, key))
            if name not in self.tensors:
                raise KeyError(f"state for unknown parameter {name!r}; there are {list(self.tensors)}")
            copies = {entry: torch.tensor(np.asarray(value)) for entry, value in given.items() if value is not None}
            check_entries(name, self.tensors[name], copies)
            loaded[name] = copies
        for name, copies in loaded.items():
            self.optimizer.state[self.tensors[name]] = copies

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
        for name, tensor in self.tensors.items():
            grad = grads.get(name)
            tensor.grad = None if grad is None else torch.tensor(grad)
        self.optimizer.step()


def named(arrays) -> dict:
    """`arrays` by name; a list or a single array gets torch.optim's positions as names."""
    arrays = [arrays] if isinstance(arrays, np.ndarray) else arrays
    return dict(arrays) if isinstance(arrays, dict) else {str(i): array for i, array in enumerate(arrays)}


def entries(state) -> dict[str, np.ndarray]:
    return {key: value.numpy() for key, value in state.items() if isinstance(value, torch.Tensor)}


def check_entries(name: str, tensor: torch.Tensor, copies: dict[str, torch.Tensor]) -> None:
    """The count of steps is one float32 number, everything else like the tensor."""
    for key, entry in copies.items():
        shape, dtype = (torch.Size(), torch.float32) if key == "step" else (tensor.shape, tensor.dtype)
        if entry.shape != shape or entry.dtype != dtype:
            raise ValueError(f"state {key!r} of {name!r} is {entry.dtype}{list(entry.shape)}, not {dtype}{list(shape)}")
