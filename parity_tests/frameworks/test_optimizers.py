"""Other frameworks' optimizers as objects: who is right is not accused, who is not is named, and what stays is seen.

Collected where the frameworks are installed, and nowhere else: `make frameworks`.
"""

import os

os.environ.setdefault("KERAS_BACKEND", "torch")
os.environ.setdefault("DEV", "PYTHON")  # tinygrad's, which needs no compiler

import jax
import keras
import mlx.optimizers
import optax
import optimi
import paddle
import pytest
import tinygrad.nn.optim
from flax import nnx

import lockstep
from lockstep.numerics.verdict import Verdict
from parity_tests.support.families import SAME

pytestmark = pytest.mark.frameworks
PLAIN = "normal gradients"


def checked(target, like, **options):
    return lockstep.check(target, like=like, **({"dtypes": ("float32",), "only": PLAIN} | options))


def flax_sgd(model, lr=1e-3, momentum=0.0):
    return nnx.Optimizer(model, optax.sgd(lr, momentum), wrt=nnx.Param)


RIGHT = {
    "Keras": keras.optimizers.SGD,
    "MLX": mlx.optimizers.SGD,
    "Paddle": paddle.optimizer.SGD,
    "tinygrad": tinygrad.nn.optim.SGD,
    "Flax NNX": flax_sgd,
    "optax": optax.sgd,
    "Optimi": optimi.SGD,
}


@pytest.mark.parametrize("name", RIGHT)
def test_who_is_right_is_not_accused(name):
    found = checked(RIGHT[name], "optim.sgd")
    assert found.verdict in SAME, str(found)
    assert found.names["lr"] in ("lr", "learning_rate")


@pytest.mark.parametrize("name", ["Keras", "MLX", "Paddle", "Optimi"])
def test_lr_is_changed_between_steps(name):
    assert checked(RIGHT[name], "optim.sgd", only="lr changes").verdict in SAME


class KerasForgets(keras.optimizers.SGD):
    def update_step(self, gradient, variable, learning_rate):
        if len(variable.shape) > 1:
            super().update_step(gradient, variable, learning_rate)


class MlxForgets(mlx.optimizers.SGD):
    def apply_single(self, gradient, parameter, state):
        return super().apply_single(gradient, parameter, state) if parameter.ndim > 1 else parameter


class PaddleForgets(paddle.optimizer.SGD):
    def step(self):
        for parameter in self._parameter_list:
            if parameter.ndim == 1:
                parameter.clear_grad()
        super().step()


class OptimiForgets(optimi.SGD):
    def step(self, closure=None):
        for parameter in self.param_groups[0]["params"]:
            parameter.grad = parameter.grad if parameter.dim() > 1 else None
        return super().step(closure)


def tinygrad_forgets(params, lr=1e-3):
    made = tinygrad.nn.optim.SGD(params, lr)
    made._apply_update = lambda tensor, update: tensor.detach() - (update if tensor.ndim > 1 else update * 0)
    return made


def flax_forgets(model, lr=1e-3):
    made = optax.sgd(lr)
    skips = optax.stateless(lambda updates, params: jax.tree.map(lambda u: u if u.ndim > 1 else 0 * u, updates))
    return nnx.Optimizer(model, optax.chain(made, skips), wrt=nnx.Param)


FORGETS = {
    "Keras": KerasForgets,
    "MLX": MlxForgets,
    "Paddle": PaddleForgets,
    "tinygrad": tinygrad_forgets,
    "Flax NNX": flax_forgets,
    "Optimi": OptimiForgets,
}


@pytest.mark.parametrize("name", FORGETS)
def test_a_parameter_that_is_not_updated_is_seen(name):
    found = checked(FORGETS[name], "optim.sgd")
    assert found.verdict is Verdict.DIFFERENT, str(found)
    assert found.first_difference is not None
    assert found.first_difference.tensor == "bias"


def flax_rmsprop(model, lr=1e-2, decay=0.99):
    return nnx.Optimizer(model, optax.rmsprop(lr, decay), wrt=nnx.Param)


@pytest.mark.parametrize(
    ("target", "like", "cause"),
    [
        (keras.optimizers.RMSprop, "optim.rmsprop", "eps-inside-sqrt"),
        (mlx.optimizers.Adam, "optim.adam", "no-bias-correction"),
        (paddle.optimizer.RMSProp, "optim.rmsprop", "eps-inside-sqrt"),
        (optax.rmsprop, "optim.rmsprop", "eps-inside-sqrt"),
        (flax_rmsprop, "optim.rmsprop", "eps-inside-sqrt"),
    ],
)
def test_what_they_do_otherwise_is_named(target, like, cause):
    found = checked(target, like)
    assert found.verdict is Verdict.DIFFERENT, str(found)
    assert cause in [one["id"] for one in found.causes], str(found)


@pytest.mark.parametrize("name", ["Flax NNX", "optax"])
def test_jax_without_64_bits_is_checked_in_float32_and_that_is_said(name):
    found = checked(RIGHT[name], "optim.sgd", dtypes=("float64", "float32"))
    assert found.verdict in SAME, str(found)
    assert {one.recording.dtype for one in found.outcomes} == {"float32"}
    assert "float64 is not judged" in str(found)
    assert found.strict_status == 3


def test_state_is_found_beside_the_tensors():
    for target, like in (
        (keras.optimizers.Adam, "adam"),
        (mlx.optimizers.Adam, "adam"),
        (paddle.optimizer.Adam, "adam"),
    ):
        found = checked(target, f"optim.{like}")
        assert set(found.outcomes[0].recording.steps[0].state) == {"exp_avg", "exp_avg_sq"}, str(found)
