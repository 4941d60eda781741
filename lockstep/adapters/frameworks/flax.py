"""Flax NNX' optimizer, which is an optax transformation beside a module: an instance, or what makes one of a model."""

import inspect
import sys
from typing import Any

import numpy as np

from lockstep.adapters.frameworks.framework import FrameworkOptimizer
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
