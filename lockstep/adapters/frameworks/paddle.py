"""Paddle's optimizers and layers."""

import sys
from types import MappingProxyType
from typing import Any

from lockstep.adapters.frameworks.framework import FrameworkOptimizer
from lockstep.adapters.frameworks.layer import FrameworkLayer
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


def layer(target: Any, wanted: tuple[str, ...]) -> Any:
    """What drives a paddle.nn.Layer, and what makes it; None for anything else."""
    kind = target if isinstance(target, type) else type(target)
    return (PaddleLayer, maker_of(target, wanted)) if issubclass(kind, sys.modules["paddle"].nn.Layer) else None


class PaddleLayer(FrameworkLayer):
    """Differentiated by its autograd."""

    framework = "Paddle"
    calls = MappingProxyType({"mean": "running_mean", "variance": "running_var"})

    def made(self, x):
        return super().made(x).to(dtype=x.dtype.name)

    def kept(self):
        return dict(self.layer.named_parameters()) | dict(self.layer.named_buffers())

    def array(self, value):
        return value.numpy()

    def put(self, arrays):
        held = self.kept()
        for name, array in arrays.items():
            held[name].set_value(array)

    def passed(self, training, x, upstream):
        paddle = sys.modules["paddle"]
        (self.layer.train if training else self.layer.eval)()
        self.layer.clear_gradients()
        given = paddle.to_tensor(x, stop_gradient=False)
        output = self.layer(given)
        output.backward(paddle.to_tensor(upstream).reshape(output.shape))
        grads = {name: one.grad.numpy() for name, one in self.layer.named_parameters() if one.grad is not None}
        return output.numpy(), given.grad.numpy(), grads
