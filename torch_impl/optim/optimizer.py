"""What the torch.optim counterparts share: arrays in, tensors stepped, arrays out."""

import functools
import itertools
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


EXECUTION = ("foreach", "fused", "capturable", "differentiable")  # how a step is executed, not what it is


class Optimizer:
    """A torch.optim optimizer over copies of named NumPy arrays.

    Arguments:
        params: name to array, or arrays alone (then named "0", "1", …); copied, so that no memory is
            shared with the caller. Or a list of groups: dicts of "params" and of hyperparameters of their own.
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
        self.tensors: dict[str, torch.Tensor] = {}
        self.settings: dict[str, Any] = (PATHS[path] if len(self.paths) > 1 else {}) | hyperparameters
        groups = []
        for group in groups_of(params):
            tensors = tensors_of(group["params"], len(self.tensors))
            groups.append({**group, "params": list(tensors.values())})
            self.tensors |= tensors
        self.optimizer = self.counterpart(groups, **self.settings)

    def add_param_group(self, param_group) -> None:
        """Step more tensors from now on, as torch.optim's."""
        tensors = tensors_of(param_group["params"], len(self.tensors))
        self.optimizer.add_param_group({**param_group, "params": list(tensors.values())})
        self.tensors |= tensors

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

    def state_dict(self) -> dict[str, Any]:
        """torch.optim's own, with arrays for tensors, and copies of them."""
        return as_arrays(self.optimizer.state_dict())

    def load_state_dict(self, state_dict) -> None:
        """Go on from a state that `state_dict` gave here or in NumPy, by torch.optim's own `load_state_dict`.

        What a group says of how a step is executed ("foreach", "fused") is kept where the state does not say it.

        Raises:
            KeyError, ValueError: for what torch.optim refuses, and what it takes without a word: entries and groups
                that are not as its own. All of them before anything is changed.
        """
        own, saved, state = self.optimizer.param_groups, state_dict["param_groups"], as_tensors(state_dict["state"])
        if [len(group["params"]) for group in own] == [len(group["params"]) for group in saved]:
            saved = [self.checked_group(*both) for both in enumerate(zip(own, saved, strict=True))]
            names = dict(
                zip(itertools.chain.from_iterable(group["params"] for group in saved), self.tensors, strict=True)
            )
            for place, entries in state.items():
                if place not in names:
                    raise KeyError(f"state for unknown parameter {place!r}; there are {len(names)}")
                group = next(group for group in saved if place in group["params"])
                own_entries = self.own_entries(self.tensors[names[place]], group)
                if missing := [key for key in own_entries if key not in entries]:
                    raise KeyError(f"state of {names[place]!r} has no {missing[0]!r}; it has {list(entries)}")
                check_entries(names[place], own_entries, entries)
        self.optimizer.load_state_dict({"state": state, "param_groups": saved})

    def checked_group(self, number: int, groups) -> dict[str, Any]:
        """A group that was saved, with what the own one says of how a step is executed."""
        own, saved = groups
        if missing := [name for name in own if name not in saved and name not in EXECUTION]:
            raise KeyError(f"param_groups[{number}] has no {missing[0]!r}; there are {', '.join(saved)}")
        return {**own, **saved}

    def own_entries(self, tensor: torch.Tensor, group=None) -> dict[str, Any]:
        """What PyTorch itself keeps of such a tensor after a step, for the shapes and dtypes; in a group like that."""
        alike = torch.zeros_like(tensor, requires_grad=True)
        alike.grad = self.no_gradient(tensor)
        optimizer = self.counterpart([alike], **self.settings)
        own = next(group for group in self.optimizer.param_groups if any(tensor is one for one in group["params"]))
        in_force = {name: value for name, value in (group or own).items() if name != "params"}
        optimizer.param_groups[0].update(in_force)
        optimizer.step()
        return dict(optimizer.state[alike])

    def no_gradient(self, tensor: torch.Tensor) -> torch.Tensor:
        """A gradient of zeros that PyTorch takes."""
        return torch.zeros_like(tensor)

    @property
    def hyperparameters(self) -> dict:
        return {name: value for name, value in self.optimizer.param_groups[0].items() if name != "params"}

    def set(self, name: str, value) -> None:
        """Change a hyperparameter of every group between steps."""
        if name not in self.hyperparameters:
            raise TypeError(f"no hyperparameter {name!r}; there are {', '.join(self.hyperparameters)}")
        for group in self.optimizer.param_groups:
            group[name] = value

    def step(self, grads) -> None:
        """One step with these gradients; None, or no entry, is a tensor without a gradient."""
        grads = grads if isinstance(grads, dict) else dict(zip(self.tensors, named(grads).values(), strict=False))
        unseen(functools.partial(self.take, grads))
        with torch.sparse.check_sparse_tensor_invariants(False):  # undecided, PyTorch would warn
            self.optimizer.step()

    def take(self, grads) -> None:
        """Hand every tensor its gradient, or none."""
        for name, held in self.tensors.items():
            grad = grads.get(name)
            held.grad = None if grad is None else made(grad)


def made(grad) -> torch.Tensor:
    return coo(grad) if hasattr(grad, "indices") else tensor(grad)


def groups_of(params) -> list[dict[str, Any]]:
    """The groups that are given, or the one of all that is given."""
    grouped = isinstance(params, list) and params and isinstance(params[0], dict)
    return params if grouped else [{"params": params}]


def tensors_of(params, start: int) -> dict[str, torch.Tensor]:
    """Parameters by name as tensors of their own; what is a tensor already stays that one."""
    return {
        name: given if isinstance(given, torch.Tensor) else tensor(given, requires_grad=True)
        for name, given in named(params, start).items()
    }


def named(arrays, start: int = 0) -> dict:
    """`arrays` by name; a list or a single array gets torch.optim's positions as names, from `start` on."""
    arrays = [arrays] if isinstance(arrays, np.ndarray) else arrays
    return dict(arrays) if isinstance(arrays, dict) else {str(i): array for i, array in enumerate(arrays, start)}


def entries(state) -> dict[str, np.ndarray]:
    """Tensors as arrays, a sparse one with all its zeros, and whole numbers as doubles."""
    return {key: entry(value) for key, value in state.items() if isinstance(value, torch.Tensor | int)}


def entry(value) -> np.ndarray:
    if isinstance(value, int):
        return np.asarray(value, np.float64)
    return array(value.to_dense() if value.is_sparse else value)


def as_arrays(value) -> Any:
    """A tree of tensors as one of arrays, which are copies."""
    return mapped(value, torch.Tensor, lambda one: np.array(array(one.to_dense() if one.is_sparse else one)))


def as_tensors(value) -> Any:
    """A tree of arrays as one of tensors, which are copies."""
    return mapped(value, np.ndarray | np.generic, tensor)


def mapped(value, kind, made) -> Any:
    """A tree of dicts, lists and tuples whose leaves of a kind are made another."""
    if isinstance(value, dict):
        return {key: mapped(one, kind, made) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(mapped(one, kind, made) for one in value)
    return made(value) if isinstance(value, kind) else value


def check_entries(name: str, own: dict[str, Any], copies: dict[str, Any]) -> None:
    """Refuse an entry unlike PyTorch's `own` of that key."""
    for key, entry in copies.items():
        if key not in own:
            raise KeyError(f"state of {name!r} has {list(copies)}, it takes {list(own)}")
        if not isinstance(entry, torch.Tensor):
            continue  # a number, or a list of what was seen so far
        kept = own[key]
        shape, dtype = (kept.shape, kept.dtype) if isinstance(kept, torch.Tensor) else ((), torch.float64)
        if entry.shape != shape or entry.dtype != dtype:
            raise ValueError(f"state {key!r} of {name!r} is {entry.dtype}{list(entry.shape)}, not {dtype}{list(shape)}")
