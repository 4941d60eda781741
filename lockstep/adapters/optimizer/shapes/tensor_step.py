"""Optimizers that are given their parameters and step on what lies in `.grad`: torch.optim's, and micrograd's like."""

import sys
from typing import Any

import numpy as np

from lockstep.adapters.adapter import Adapter, NotTaken, handed_on
from lockstep.adapters.making import Maker, change
from lockstep.adapters.names import OTHERS
from lockstep.adapters.optimizer.state import as_array, find_state, names_of
from lockstep.text import message


class TorchOptimizer(Adapter):
    """A subclass of torch.optim.Optimizer, over tensors of its own."""

    def __init__(self, maker: Maker, subject: str):
        self.maker, self.subject = maker, subject
        self.words = message("shape.torch-optimizer")

    def start(self, params, **hyperparameters):
        torch = sys.modules["torch"]
        self.tensors = {name: torch.nn.Parameter(torch.from_numpy(array)) for name, array in params.items()}
        self.told = dict(hyperparameters)
        self.optimizer = self.maker.make(list(self.tensors.values()), hyperparameters)

    def resume(self):
        before, params = self.optimizer, {name: array.copy() for name, array in self.read().items()}
        self.start(params, **self.told)
        handed_on(before, self.optimizer)

    def step(self, grads):
        torch = sys.modules["torch"]
        for name, tensor in self.tensors.items():
            grad = grads[name]
            tensor.grad = None if grad is None else made(torch, grad)
        self.optimizer.step()

    def read(self):
        return {name: tensor.detach().numpy() for name, tensor in self.tensors.items()}

    def state(self):
        by_key: dict[str, dict[str, np.ndarray]] = {}
        self.names: dict[str, str] = {}
        for name, tensor in self.tensors.items():
            held = dict(self.optimizer.state.get(tensor, {}))
            for key, (own, arrays) in find_state(self.subject, held, {name: tuple(tensor.shape)}).items():
                by_key.setdefault(key, {}).update(arrays)
                self.names[key] = own
        return by_key

    def set(self, name, value):
        group = self.optimizer.param_groups[0]
        own = self.maker.names.get(name, name)
        if not isinstance(own, str) or own not in group:
            raise NotTaken(message("reason.no-group", name=name))
        group[own] = value


def made(torch: Any, grad: Any) -> Any:
    """A gradient as a tensor, sparse where it is."""
    if not hasattr(grad, "indices"):
        return torch.from_numpy(grad)
    return torch.sparse_coo_tensor(grad.indices, torch.tensor(grad.values), grad.shape, check_invariants=True)


class Ours(Adapter):
    """The interface of reference.optim and torch_impl.optim: named arrays at the start, then step(grads)."""

    words = message("shape.named")

    def __init__(self, maker: Maker, subject: str, form: str = "dicts", method: str = "step"):
        self.maker, self.subject, self.form, self.method = maker, subject, form, method
        self.words = message("shape.at-the-start", form=message(f"shape.{form}"), method=method)

    def start(self, params, **hyperparameters):
        self.given = params
        self.told, self.hyperparameters = dict(hyperparameters), dict(hyperparameters)
        self.optimizer = self.maker.make(self.packed(params), hyperparameters)

    def resume(self):
        before, changed = self.optimizer, self.hyperparameters
        self.start({name: np.array(array) for name, array in self.read().items()}, **self.told)
        handed_on(before, self.optimizer)
        self.hyperparameters = changed

    def packed(self, arrays):
        return dict(arrays) if self.form == "dicts" else list(arrays.values())

    def step(self, grads):
        returned = getattr(self.optimizer, self.method)(self.packed(grads))
        if isinstance(returned, dict) and set(self.given) <= set(returned):
            self.given = {name: returned[name] for name in self.given}
        elif isinstance(returned, list | tuple) and len(returned) == len(self.given):
            self.given = dict(zip(self.given, returned, strict=True))

    def read(self):
        for name in ("params", "parameters", "weights"):
            held = getattr(self.optimizer, name, None)
            if isinstance(held, dict) and set(held) >= set(self.given):
                return {name: np.asarray(held[name]) for name in self.given}
            if (
                isinstance(held, list | tuple)
                and len(held) == len(self.given)
                and all(as_array(a) is not None for a in held)
            ):
                return {name: np.asarray(array) for name, array in zip(self.given, held, strict=True)}
        return self.given

    def state(self):
        held = dict(vars(self.optimizer))
        state = getattr(self.optimizer, "state", None)
        if isinstance(state, dict) and all(isinstance(entries, dict) for entries in state.values()) and state:
            entries: dict[str, dict[str, Any]] = {}
            for name, parts in state.items():
                for key, value in parts.items():
                    if value is not None and key in names_of(self.subject):
                        entries.setdefault(key, {})[name] = np.asarray(value)
            self.names = {}
            return entries
        by_key = find_state(self.subject, held, {name: array.shape for name, array in self.given.items()})
        self.names = {key: own for key, (own, _) in by_key.items()}
        return {key: arrays for key, (_, arrays) in by_key.items()}

    def set(self, name, value):
        if callable(getattr(self.optimizer, "set", None)):
            self.optimizer.set(name, value)
        else:
            change(self.optimizer, set(OTHERS.get(name, (name,))), value, self.hyperparameters[name])
        self.hyperparameters[name] = value
