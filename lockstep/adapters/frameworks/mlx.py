"""MLX' optimizers and layers, on the CPU, where it knows float64."""

import sys
from typing import Any

import numpy as np

from lockstep.adapters.frameworks.framework import FrameworkOptimizer
from lockstep.adapters.frameworks.layer import FrameworkLayer
from lockstep.adapters.making import maker_of
from lockstep.numerics.shapes import Array


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
        by_key: dict[str, dict[str, Any]] = {}
        for name in self.tensors:
            for key, value in self.optimizer.state.get(name, {}).items():
                by_key.setdefault(key, {})[name] = self.array(value)
        return by_key

    def set(self, name, value):
        if name != "lr":
            super().set(name, value)
        self.optimizer.learning_rate = value


def layer(target: Any, wanted: tuple[str, ...]) -> Any:
    """What drives an mlx.nn.Module, and what makes it; None for anything else."""
    kind = target if isinstance(target, type) else type(target)
    known = sys.modules.get("mlx.nn")
    return (MlxLayer, maker_of(target, wanted)) if known and issubclass(kind, known.Module) else None


class MlxLayer(FrameworkLayer):
    """Differentiated by `mlx.core.vjp`, on the CPU."""

    framework = "MLX"
    normalises_one_axis = True

    def made(self, x):
        with self.stream():
            return super().made(x)

    def stream(self):
        """On the CPU."""
        core = sys.modules["mlx.core"]
        return core.stream(core.cpu)

    def kept(self):
        return {name: value for name, value in self.layer.items() if isinstance(value, sys.modules["mlx.core"].array)}

    def array(self, value):
        with self.stream():
            return np.array(value)

    def tensor(self, array: Array) -> Any:
        """In its own kind, in the format it has."""
        core = sys.modules["mlx.core"]
        return core.array(array, dtype=getattr(core, array.dtype.name))

    def put(self, arrays):
        with self.stream():
            for name, array in arrays.items():
                self.layer[name] = self.tensor(array)

    def passed(self, training, x, upstream):
        core = sys.modules["mlx.core"]
        self.layer.train(training)
        names = [name for name in self.layer.trainable_parameters() if name in self.kept()]
        with self.stream():
            before = {name: self.layer[name] for name in names}

            def there(given, *values):
                for name, value in zip(names, values, strict=True):
                    self.layer[name] = value
                return self.layer(given)

            (output,), (grad, *grads) = core.vjp(there, [self.tensor(x), *before.values()], [self.tensor(upstream)])
            for name, value in before.items():
                self.layer[name] = value
            made = [np.array(one) for one in (output, grad, *grads)]
        return made[0], made[1], dict(zip(names, made[2:], strict=True))
