"""Paddle's optimizers."""

import sys
from typing import Any

from lockstep.adapters.frameworks.framework import FrameworkOptimizer
from lockstep.adapters.making import maker_of


def optimizer(target: Any, subject: str, wanted: tuple[str, ...]) -> Any:
    """What drives a paddle.optimizer.Optimizer, and what makes it; None for anything else."""
    kind = target if isinstance(target, type) else type(target)
    if not issubclass(kind, sys.modules["paddle"].optimizer.Optimizer):
        return None
    return PaddleOptimizer, maker_of(target, wanted)


class PaddleOptimizer(FrameworkOptimizer):
    """`step()` on parameters with `.grad`, which are given to it at the start."""

    framework = "Paddle"

    def tensor(self, array, name):
        paddle = sys.modules["paddle"]
        return paddle.base.framework.EagerParamBase.from_tensor(paddle.to_tensor(array))

    def array(self, tensor):
        return tensor.numpy()

    def step(self, grads):
        for name, tensor in self.tensors.items():
            grad = grads[name]
            tensor.clear_grad() if grad is None else setattr(tensor, "grad", sys.modules["paddle"].to_tensor(grad))
        self.optimizer.step()
        self.optimizer.clear_grad(set_to_zero=False)

    def held(self):
        own = {tensor.name: name for name, tensor in self.tensors.items()}
        return {
            key: {own[one]: self.array(value) for one, value in named.items() if one in own}
            for key, named in self.optimizer._accumulators.items()
        }

    def set(self, name, value):
        if name != "lr":
            super().set(name, value)
        self.optimizer.set_lr(value)
