"""tinygrad's optimizers: functions that make one, or its classes."""

import inspect
import sys
from typing import Any

from lockstep.adapters.frameworks.framework import FrameworkOptimizer
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
