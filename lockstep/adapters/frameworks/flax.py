"""Flax NNX' layers, and its optimizer: an optax transformation beside a module, or what makes one of a model."""

import inspect
import sys
from types import MappingProxyType
from typing import Any

import numpy as np

from lockstep.adapters.frameworks.framework import FrameworkOptimizer
from lockstep.adapters.frameworks.layer import FrameworkLayer
from lockstep.adapters.making import Maker, maker_of


def optimizer(target: Any, subject: str, wanted: tuple[str, ...]) -> Any:
    """What drives an nnx.Optimizer, and what makes it; None for anything else."""
    nnx = sys.modules["flax"].nnx
    if isinstance(target, nnx.Optimizer):
        return FlaxOptimizer, Maker(lambda model: nnx.Optimizer(model, target.tx, wrt=nnx.Param), {}, "model", False)
    if inspect.isroutine(target) and "model" in inspect.signature(target).parameters:
        return FlaxOptimizer, maker_of(target, wanted)
    return None


class FlaxOptimizer(FrameworkOptimizer):
    """`update(model, grads)` on a module of parameters."""

    framework = "Flax NNX"

    def made(self, hyperparameters):
        nnx = sys.modules["flax"].nnx
        self.model = nnx.Module()
        for place, tensor in enumerate(self.tensors.values()):
            setattr(self.model, f"p{place}", tensor)
        return self.maker.make(self.model, hyperparameters)

    def tensor(self, array, name):
        return sys.modules["flax"].nnx.Param(sys.modules["jax"].numpy.asarray(array))

    def array(self, tensor):
        return np.array(tensor[...])

    def step(self, grads):
        whole = self.all_given(grads)
        nnx = sys.modules["flax"].nnx
        state = nnx.state(self.model, nnx.Param)
        for place, grad in enumerate(whole.values()):
            state[f"p{place}"] = nnx.Param(sys.modules["jax"].numpy.asarray(grad))
        self.optimizer.update(self.model, state)


def layer(target: Any, wanted: tuple[str, ...]) -> Any:
    """What drives an nnx.Module, and what makes it; None for anything else."""
    nnx = sys.modules["flax"].nnx
    kind = target if isinstance(target, type) else type(target)
    if not issubclass(kind, nnx.Module):
        return None
    if not isinstance(target, type):
        return FlaxLayer, Maker(target, {}, None, everything=False)

    def made(**settings: Any) -> Any:
        return target(**settings, rngs=nnx.Rngs(0))

    shown = [one for one in inspect.signature(target.__init__).parameters.values() if one.name not in ("self", "rngs")]
    made.__signature__ = inspect.Signature(shown)
    made.__name__ = target.__name__
    return FlaxLayer, maker_of(made, wanted)


class FlaxLayer(FrameworkLayer):
    """Differentiated by JAX, as a function of its parameters; what else it keeps is carried along."""

    framework = "Flax NNX"
    normalises_one_axis = True
    calls = MappingProxyType({"mean": "running_mean", "var": "running_var"})

    def kept(self):
        return {
            name: value
            for name, value in vars(self.layer).items()
            if isinstance(value, sys.modules["flax"].nnx.Variable)
        }

    def array(self, value):
        return np.array(value[...])

    def put(self, arrays):
        held = self.kept()
        for name, array in arrays.items():
            held[name].set_value(sys.modules["jax"].numpy.asarray(array))

    def passed(self, training, x, upstream):
        nnx, jax = sys.modules["flax"].nnx, sys.modules["jax"]
        (self.layer.train if training else self.layer.eval)()
        graph, params, others = nnx.split(self.layer, nnx.Param, ...)

        def there(params, given):
            layer = nnx.merge(graph, params, jax.tree.map(lambda array: array, others))  # its own, to be changed
            output = layer(given)
            return output, nnx.split(layer, nnx.Param, ...)[2]

        output, back, kept = jax.vjp(there, params, jax.numpy.asarray(x), has_aux=True)
        grads, grad = back(jax.numpy.asarray(upstream, output.dtype).reshape(output.shape))
        nnx.update(self.layer, kept)
        return np.array(output), np.array(grad), {str(name): np.array(one[...]) for name, one in grads.items()}
