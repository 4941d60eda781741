"""A torch.nn.Module, differentiated by autograd."""

import functools
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

from lockstep.adapters.adapter import CannotCheck
from lockstep.adapters.layer.adapter import Made
from lockstep.adapters.layer.find import FoundLayer, by_role, only_one, plain_like
from lockstep.adapters.layer.names import BUFFERS, PARAMS, like
from lockstep.numerics.shapes import Array, Inputs
from lockstep.text import message


class Module(FoundLayer):
    """An nn.Module."""

    shape = message("shape.module")

    def again(self, layout, paths):
        known = self.paths | {key: (name,) for key, name in self.names.items()}
        return None if layout.averages else functools.partial(Module, self.maker, layout, self.roles, known)

    def start(self, params, buffers, **hyperparameters):
        self.given = params | buffers
        self.module: Any = self.maker.make(None, hyperparameters)
        self.fresh: dict[str, Any] = {}
        self.names: dict[str, str] = {}
        self.searched = False
        self.load({key: ".".join(path) for key, path in self.paths.items() if key in self.given})
        self.load(matched(tensors(self.module, PARAMS), PARAMS, params))
        self.load(matched(tensors(self.module, BUFFERS), BUFFERS, buffers))

    @property
    def called(self):
        return self.names

    @property
    def unset(self):
        return tuple(key for key in self.given if key not in self.names and key != "num_batches_tracked")

    def load(self, names: Mapping[str, str]) -> None:
        """Put what was given into the tensors of these names.

        Raises:
            CannotCheck: where there is none of a name.
        """
        torch, held = sys.modules["torch"], tensors(self.module, self.given)
        for key, name in names.items():
            if name not in held:
                known = ", ".join(held) or message("recognise.no-arrays")
                raise CannotCheck(message("recognise.no-such-thing", key=key, path=name, known=known))
            if key not in self.names:
                self.names[key] = name
                self.fresh[key] = self.fitted(key, held[name]).copy()
                given = self.given[key]
                laid = like(held[name], np.ascontiguousarray(given.T) if self.layout.turned else given)
                held[name].data = torch.tensor(laid)

    def find(self, x: Inputs) -> None:
        """Look for what has no usual name, among what is of its kind: parameters, or buffers."""
        torch = sys.modules["torch"]
        self.module.to(torch.tensor(x).dtype)
        plain = plain_like(x)

        def runs(module: Any, training: bool) -> np.ndarray:
            with torch.no_grad():
                output = module.train(training)(torch.tensor(self.layout.theirs(plain)))
            return self.layout.pytorchs(output.numpy())

        for kind in (PARAMS, BUFFERS):
            roles = {key: self.roles[key] for key in self.unset if key in kind and key in self.roles}
            wanted = {key: (self.given[key].shape, role) for key, role in roles.items() if set(role) != {"nothing"}}
            free = tensors(self.module, kind).items()
            free = {(name,): t.detach().numpy() for name, t in free if name not in self.names.values()}
            found = by_role(self.module, free, TensorPlace, wanted, runs, (True, False))
            self.load({key: path[0] for key, path in only_one(found).items()})

    def run(self, training, inputs, upstream):
        torch = sys.modules["torch"]
        if self.unset and not self.searched:
            self.find(inputs[0])
            self.searched = True
        self.module.train(training)
        self.module.zero_grad()
        x, *others = inputs
        laid = [self.layout.theirs(x), *(self.layout.target(one, x) if one.ndim < x.ndim else one for one in others)]
        first, *rest = (torch.tensor(array) for array in laid)
        first.requires_grad_()
        output = self.module(first, *rest)
        if output.requires_grad:
            output.backward(torch.tensor(self.layout.theirs(upstream)).reshape(output.shape))
        held = tensors(self.module, self.given)
        grads = {key: reaching(held[name], training) for key, name in self.names.items() if key in PARAMS}
        seen = {key: self.fitted(key, grad) for key, grad in grads.items() if grad is not None}
        buffers = {key: self.fitted(key, held[name]) for key, name in self.names.items() if key in BUFFERS}
        grad = reaching(first, training)
        grad = None if grad is None else self.layout.pytorchs(grad.numpy())
        return Made(self.layout.pytorchs(output.detach().numpy()), grad, seen, buffers)

    def keeps(self, keys, last):
        return list(matched(tensors(self.module, PARAMS), PARAMS, keys))

    def fitted(self, key, value):
        """In PyTorch's shape: (1, d) as (d,), (in, out) as (out, in)."""
        array = value.detach().numpy()
        turned = self.layout.turned and array.ndim == 2
        return (np.ascontiguousarray(array.T) if turned else array).reshape(self.given[key].shape)


class TensorPlace:
    """The place of a parameter or a buffer of a module, as `find` asks for it."""

    def __init__(self, module: Any, path: tuple[str, ...]):
        self.tensor = tensors(module, PARAMS | BUFFERS)[path[0]]

    def get(self) -> np.ndarray:
        return self.tensor.detach().numpy()

    def put(self, value: Array) -> None:
        self.tensor.data = sys.modules["torch"].tensor(value)


def reaching(tensor: Any, training: bool) -> Any:
    """The gradient of a tensor; where autograd brings none, 0, by which an optimizer would step as little.

    In evaluation None, because many layers are not differentiated there, by intention.
    """
    absent = tensor.grad is None and training and tensor.requires_grad
    return sys.modules["torch"].zeros_like(tensor) if absent else tensor.grad


def tensors(module: Any, keys) -> dict[str, Any]:
    """What a module holds under which name: its parameters, where any of `keys` is one, and its buffers likewise."""
    params = dict(module.named_parameters()) if PARAMS.keys() & set(keys) else {}
    return params | (dict(module.named_buffers()) if BUFFERS.keys() & set(keys) else {})


def matched(own: dict[str, Any], others: Mapping[str, tuple[str, ...]], wanted) -> dict[str, str]:
    """PyTorch's name to the name of the tensor that is meant by it."""
    plain = {name.rpartition(".")[2].strip("_").lower(): name for name in own}
    hits = {key: next((plain[n] for n in (key, *others.get(key, ())) if n in plain), None) for key in wanted}
    return {key: name for key, name in hits.items() if name is not None}
