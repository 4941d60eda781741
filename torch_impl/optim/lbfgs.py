"""torch.optim.LBFGS, the counterpart of reference/optim/lbfgs.py."""

from typing import Any

import numpy as np
import torch

from torch_impl.ledger import unseen
from torch_impl.optim.optimizer import Optimizer, as_tensors, made, named
from torch_impl.tensors import array, tensor

COUNTS = ("func_evals", "n_iter")
DOUBLES = ("t", "prev_loss")
LISTS = ("old_dirs", "old_stps", "ro", "al")


class LBFGS(Optimizer):
    """torch.optim.LBFGS, fed from NumPy; arguments and state as there, whose lists are arrays. It has one path."""

    counterpart = torch.optim.LBFGS
    paths = ("single",)

    def step(self, closure) -> float:
        """One step; `closure` tells the loss and the gradients at the parameters as they are, as NumPy arrays."""

        def evaluated():
            loss, grads = unseen(closure)
            grads = grads if isinstance(grads, dict) else dict(zip(self.tensors, named(grads).values(), strict=False))
            for name, held in self.tensors.items():
                held.grad = None if grads.get(name) is None else unseen(lambda name=name: made(grads[name]))
            return loss

        return float(self.optimizer.step(evaluated))

    @property
    def state(self) -> dict[str, dict[str, np.ndarray]]:
        """The first tensor's state; of the others, which have none, nothing."""
        own = self.optimizer.state.get(next(iter(self.tensors.values())), {})
        whole = {key: self.entry(key, own.get(key)) for key in self.keys(own)}
        return {name: whole if place == 0 else {} for place, name in enumerate(self.tensors)}

    @staticmethod
    def keys(own) -> tuple[str, ...]:
        every = (*COUNTS, "d", "t", "old_dirs", "old_stps", "ro", "H_diag", "prev_flat_grad", "prev_loss", "al")
        return every if "d" in own else tuple(own)

    def entry(self, key: str, value: Any) -> np.ndarray:
        """An entry as an array: a list one below the other without what is not there, Python's numbers as doubles."""
        first = next(iter(self.tensors.values()))
        if key in LISTS:
            there = [one for one in value or [] if one is not None]
            size = sum(held.numel() for held in self.tensors.values())
            shape = (0, size) if key in ("old_dirs", "old_stps") else (0,)
            return array(torch.stack(there) if there else torch.zeros(shape, dtype=first.dtype))
        if key in (*COUNTS, *DOUBLES):
            return np.asarray(float(value), np.float64)
        return array(torch.as_tensor(value, dtype=first.dtype))

    def load_state(self, state) -> None:
        """As any optimizer's; what is an array here becomes a list there."""
        first = next(iter(self.tensors.values()))
        for key, given in state.items():
            if given and key not in (0, next(iter(self.tensors))):
                raise KeyError(f"state of {key!r}, which has none")
            if given:
                self.optimizer.state[first] = {name: self.loaded(name, value) for name, value in given.items()}

    def load_state_dict(self, state_dict) -> None:
        """Go on from a state that `state_dict` gave here or in NumPy, by torch.optim's own `load_state_dict`."""
        self.optimizer.load_state_dict({**state_dict, "state": as_tensors(state_dict["state"])})

    def loaded(self, key: str, value: Any) -> Any:
        if key in COUNTS:
            return int(value)
        if key in DOUBLES:
            return float(value)
        if key not in LISTS:
            return tensor(value)
        rows = [tensor(row) for row in value]
        return rows + [None] * (self.hyperparameters["history_size"] - len(rows)) if key == "al" else rows
