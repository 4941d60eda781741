"""Equinox' layers, which are functions of one example and of what they keep; its optimizers are optax's."""

import functools
import inspect
import sys
from typing import Any

import numpy as np

from lockstep.adapters.adapter import CannotCheck
from lockstep.adapters.frameworks.layer import FrameworkLayer
from lockstep.adapters.making import Maker, maker_of
from lockstep.text import message


def optimizer(target: Any, subject: str, wanted: tuple[str, ...]) -> None:
    """It has none of its own."""


def layer(target: Any, wanted: tuple[str, ...]) -> Any:
    """What drives an equinox.Module, and what makes it; None for anything else."""
    kind = target if isinstance(target, type) else type(target)
    if not issubclass(kind, sys.modules["equinox"].Module):
        return None
    if not isinstance(target, type):
        return EquinoxLayer, Maker(target, {}, None, everything=False)
    if issubclass(target, sys.modules["equinox"].nn.StatefulLayer):
        raise CannotCheck(message("reason.stateful-layer"))
    keyed = "key" in inspect.signature(target).parameters
    made: Any = functools.partial(target, key=sys.modules["jax"].random.PRNGKey(0)) if keyed else target
    if keyed:
        made.__name__ = target.__name__
    return EquinoxLayer, maker_of(made, wanted)


class EquinoxLayer(FrameworkLayer):
    """Differentiated by JAX, over a batch by vmap; a layer with a state of its own is not taken."""

    framework = "Equinox"

    def kept(self):
        return {name: value for name, value in vars(self.layer).items() if hasattr(value, "dtype")}

    def put(self, arrays):
        names, jax = [*arrays], sys.modules["jax"]
        values = [jax.numpy.asarray(array) for array in arrays.values()]
        if names:
            at = sys.modules["equinox"].tree_at
            self.layer = at(lambda one: [getattr(one, name) for name in names], self.layer, values)

    def passed(self, training, x, upstream):
        jax, eqx = sys.modules["jax"], sys.modules["equinox"]
        self.layer = eqx.nn.inference_mode(self.layer, not training)
        params, rest = eqx.partition(self.layer, eqx.is_inexact_array)

        def there(params, given):
            layer = eqx.combine(params, rest)
            for _ in range(x.ndim - len(getattr(layer, "shape", (1,)))):  # it takes one example
                layer = jax.vmap(layer)
            return layer(given)

        output, back = jax.vjp(there, params, jax.numpy.asarray(x))
        grads, grad = back(jax.numpy.asarray(upstream, output.dtype).reshape(output.shape))
        seen = {name: np.array(value) for name, value in vars(grads).items() if hasattr(value, "dtype")}
        return np.array(output), np.array(grad), seen
