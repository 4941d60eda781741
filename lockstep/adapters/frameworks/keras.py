"""Keras' optimizers and layers, whichever backend it stands on."""

import contextlib
import sys
from collections.abc import Iterator
from types import MappingProxyType
from typing import Any

import numpy as np

from lockstep.adapters.frameworks.framework import FrameworkOptimizer
from lockstep.adapters.frameworks.layer import FrameworkLayer
from lockstep.adapters.making import Maker
from lockstep.adapters.names import match, named, told
from lockstep.numerics.shapes import Inputs, Outputs


def optimizer(target: Any, subject: str, wanted: tuple[str, ...]) -> Any:
    """What drives a keras.optimizers.Optimizer, and what makes it; None for anything else."""
    kind = target if isinstance(target, type) else type(target)
    if not issubclass(kind, sys.modules["keras"].optimizers.Optimizer):
        return None
    if not isinstance(target, type):
        return KerasOptimizer, Maker(target, {}, None, everything=False)
    return KerasOptimizer, Maker(target, match(named(target), wanted), None, everything=False)


@contextlib.contextmanager
def working_in(dtype: str) -> Iterator[None]:
    """Keras' own format, in which it keeps lr, is that of the scenario meanwhile."""
    config = sys.modules["keras"].config
    before = config.floatx()
    config.set_floatx(dtype)
    try:
        yield
    finally:
        config.set_floatx(before)


class KerasOptimizer(FrameworkOptimizer):
    """`apply_gradients` on keras.Variables."""

    framework = "Keras"

    def start(self, params, **hyperparameters):
        self.dtype = next(iter(params.values())).dtype.name
        with working_in(self.dtype):
            super().start(params, **hyperparameters)

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
        with working_in(self.dtype):
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


def layer(target: Any, wanted: tuple[str, ...]) -> Any:
    """What drives a keras.layers.Layer, and what makes it; None for anything else."""
    kind = target if isinstance(target, type) else type(target)
    if not issubclass(kind, sys.modules["keras"].layers.Layer):
        return None
    known = match(named(kind), wanted) if isinstance(target, type) else {}
    return KerasLayer, Maker(target, known, None, everything=False)


class KerasLayer(FrameworkLayer):
    """Differentiated by its backend, torch or JAX; with another backend it goes there alone."""

    framework = "Keras"
    calls = MappingProxyType({"moving_variance": "running_var"})

    def run(self, training, inputs, upstream):
        with working_in(inputs[0].dtype.name):
            return super().run(training, inputs, upstream)

    def made(self, x):
        keras = sys.modules["keras"]
        if isinstance(self.maker.target, type):
            made = self.maker.target(**told(self.maker.names, self.hyperparameters), dtype=x.dtype.name)
        else:
            made = type(self.maker.target).from_config(self.maker.target.get_config() | {"dtype": x.dtype.name})
        made(keras.ops.convert_to_tensor(x, dtype=x.dtype.name))
        return made

    def kept(self):
        return {weight.path.rpartition("/")[2]: weight for weight in self.layer.weights}

    def array(self, value):
        return sys.modules["keras"].ops.convert_to_numpy(value)

    def put(self, arrays):
        held = self.kept()
        for name, array in arrays.items():
            held[name].assign(array)

    def passed(self, training, x, upstream):
        keras = sys.modules["keras"]
        if keras.backend.backend() == "jax":
            return self.passed_in_jax(training, x, upstream)
        given = keras.ops.convert_to_tensor(x, dtype=x.dtype.name)
        if keras.backend.backend() != "torch":
            return self.array(self.layer(given, **self.mode(training))), None, {}
        given = given.detach().clone().requires_grad_()
        for weight in self.layer.trainable_weights:
            weight.value.grad = None
        output = self.layer(given, **self.mode(training))
        output.backward(output.new_tensor(upstream).reshape(output.shape))
        grads = {name: one.value.grad.numpy() for name, one in self.kept().items() if one.value.grad is not None}
        return output.detach().numpy(), given.grad.numpy(), grads

    def mode(self, training: bool) -> dict[str, bool]:
        """What it is told of that, if it knows a difference."""
        return {"training": training} if "training" in named(self.layer.call) else {}

    def passed_in_jax(self, training: bool, x: Inputs, upstream: Outputs):
        """The same through JAX, where the layer is a function of what it keeps."""
        jax = sys.modules["jax"]
        trained, others = self.layer.trainable_variables, self.layer.non_trainable_variables

        def there(values, given):
            return self.layer.stateless_call(values, [weight.value for weight in others], given, **self.mode(training))

        output, back, kept = jax.vjp(there, [weight.value for weight in trained], jax.numpy.asarray(x), has_aux=True)
        grads, grad = back(jax.numpy.asarray(upstream, output.dtype).reshape(output.shape))
        for variable, value in zip(others, kept, strict=True):
            variable.assign(value)
        names = [weight.path.rpartition("/")[2] for weight in trained]
        return np.array(output), np.array(grad), dict(zip(names, map(np.array, grads), strict=True))
