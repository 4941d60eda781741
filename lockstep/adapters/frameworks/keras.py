"""Keras' optimizers, whichever backend it stands on."""

import sys
from typing import Any

from lockstep.adapters.frameworks.framework import FrameworkOptimizer
from lockstep.adapters.making import Maker
from lockstep.adapters.names import match, named


def optimizer(target: Any, subject: str, wanted: tuple[str, ...]) -> Any:
    """What drives a keras.optimizers.Optimizer, and what makes it; None for anything else."""
    kind = target if isinstance(target, type) else type(target)
    if not issubclass(kind, sys.modules["keras"].optimizers.Optimizer):
        return None
    if not isinstance(target, type):
        return KerasOptimizer, Maker(target, {}, None, everything=False)
    return KerasOptimizer, Maker(target, match(named(target), wanted), None, everything=False)


class KerasOptimizer(FrameworkOptimizer):
    """`apply_gradients` on keras.Variables."""

    framework = "Keras"

    def made(self, hyperparameters):
        made = self.maker.make(None, hyperparameters)
        made.build(list(self.tensors.values()))
        return made

    def tensor(self, array, name):
        return sys.modules["keras"].Variable(array, dtype=array.dtype.name, name=name)

    def array(self, tensor):
        return sys.modules["keras"].ops.convert_to_numpy(tensor)

    def step(self, grads):
        keras = sys.modules["keras"]
        given = {name: grad for name, grad in grads.items() if grad is not None}
        tensors = {name: keras.ops.convert_to_tensor(grad, dtype=grad.dtype.name) for name, grad in given.items()}
        self.optimizer.apply_gradients([(tensors.get(name), variable) for name, variable in self.tensors.items()])

    def held(self):
        lists = {key: value for key, value in vars(self.optimizer).items() if isinstance(value, list)}
        return {
            key: dict(zip(self.tensors, map(self.array, value), strict=True))
            for key, value in lists.items()
            if len(value) == len(self.tensors) and all(hasattr(one, "value") for one in value)
        }

    def set(self, name, value):
        if name != "lr":
            super().set(name, value)
        self.optimizer.learning_rate = value
