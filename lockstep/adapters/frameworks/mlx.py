"""MLX' optimizers, on the CPU, where it knows float64."""

import sys
from typing import Any

import numpy as np

from lockstep.adapters.frameworks.framework import FrameworkOptimizer
from lockstep.adapters.making import maker_of


def optimizer(target: Any, subject: str, wanted: tuple[str, ...]) -> Any:
    """What drives an mlx.optimizers.Optimizer, and what makes it; None for anything else."""
    kind = target if isinstance(target, type) else type(target)
    known = sys.modules.get("mlx.optimizers")
    return (MlxOptimizer, maker_of(target, wanted)) if known and issubclass(kind, known.Optimizer) else None


class MlxOptimizer(FrameworkOptimizer):
    """`apply_gradients(gradients, parameters)` on dicts of arrays; nothing is changed in place."""

    framework = "MLX"

    def made(self, hyperparameters):
        with self.stream():
            made = self.maker.make(None, hyperparameters)
            made.init(dict(self.tensors))
        return made

    def stream(self):
        """On the CPU."""
        core = sys.modules["mlx.core"]
        return core.stream(core.cpu)

    def tensor(self, array, name):
        core = sys.modules["mlx.core"]
        with self.stream():
            return core.array(array, dtype=getattr(core, array.dtype.name))

    def array(self, tensor):
        with self.stream():
            sys.modules["mlx.core"].eval(tensor)
            return np.array(tensor)

    def step(self, grads):
        whole = self.all_given(grads)
        with self.stream():
            given = {name: self.tensor(grad, name) for name, grad in whole.items()}
            self.tensors = self.optimizer.apply_gradients(given, self.tensors)

    def held(self):
        found: dict[str, dict[str, Any]] = {}
        for name in self.tensors:
            for key, value in self.optimizer.state.get(name, {}).items():
                found.setdefault(key, {})[name] = self.array(value)
        return found

    def set(self, name, value):
        if name != "lr":
            super().set(name, value)
        self.optimizer.learning_rate = value
