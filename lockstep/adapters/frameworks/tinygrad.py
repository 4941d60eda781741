"""tinygrad's optimizers, which are functions that make one, or its classes; and its layers."""

import inspect
import sys
from typing import Any

from lockstep.adapters.frameworks.framework import FrameworkOptimizer
from lockstep.adapters.frameworks.layer import FrameworkLayer
from lockstep.adapters.making import maker_of


def optimizer(target: Any, subject: str, wanted: tuple[str, ...]) -> Any:
    """What drives a tinygrad.nn.optim optimizer, and what makes it; None for anything else."""
    kind = sys.modules["tinygrad.nn.optim"].Optimizer
    known = (
        issubclass(target, kind)
        if isinstance(target, type)
        else inspect.isroutine(target) and "params" in (inspect.signature(target).parameters)
    )
    if not known:
        return None
    return TinygradOptimizer, maker_of(target, wanted, ("device", "fused"))


class TinygradOptimizer(FrameworkOptimizer):
    """`step()` on tensors with `.grad`, while training."""

    framework = "tinygrad"

    def tensor(self, array, name):
        made = sys.modules["tinygrad"].Tensor(array)
        made.requires_grad = True
        return made.realize()

    def array(self, tensor):
        return tensor.numpy()

    def step(self, grads):
        whole = self.all_given(grads)
        kind = sys.modules["tinygrad"].Tensor
        for name, tensor in self.tensors.items():
            tensor.grad = kind(whole[name])
        with sys.modules["tinygrad"].Context(TRAINING=1):
            self.optimizer.step()

    def held(self):
        lists = {key: value for key, value in vars(self.optimizer).items() if isinstance(value, list)}
        return {
            key: dict(zip(self.tensors, map(self.array, value), strict=True))
            for key, value in lists.items()
            if len(value) == len(self.tensors) and key != "params"
        }

    def set(self, name, value):
        if name != "lr":
            super().set(name, value)
        rate = self.optimizer.lr
        rate.assign(rate * 0 + value).realize()


def layer(target: Any, wanted: tuple[str, ...]) -> Any:
    """What drives one of tinygrad's layers, which have no class in common, and what makes it; None for what is none."""
    kind = target if isinstance(target, type) else type(target)
    own = any(base.__module__.partition(".")[0] == "tinygrad" for base in kind.__mro__)
    return (TinygradLayer, maker_of(target, wanted)) if own and callable(target) else None


class TinygradLayer(FrameworkLayer):
    """Differentiated by its autograd, from the output times the gradient from above."""

    framework = "tinygrad"

    def kept(self):
        kind = sys.modules["tinygrad"].Tensor
        return {name: value for name, value in vars(self.layer).items() if isinstance(value, kind)}

    def array(self, value):
        return value.numpy()

    def put(self, arrays):
        kind, held = sys.modules["tinygrad"].Tensor, self.kept()
        for name, array in arrays.items():
            made = kind(array).is_param_(held[name].is_param)
            setattr(self.layer, name, made.realize())

    def passed(self, training, x, upstream):
        kind = sys.modules["tinygrad"].Tensor
        held = {name: one for name, one in self.kept().items() if one.is_param}
        for tensor in held.values():
            tensor.grad = None
        given = kind(x)
        with sys.modules["tinygrad"].Context(TRAINING=int(training)):
            output = self.layer(given)
            (output * kind(upstream).reshape(output.shape)).sum().backward()
        grads = {name: tensor.grad.numpy() for name, tensor in held.items() if tensor.grad is not None}
        return output.numpy(), given.grad.numpy(), grads
