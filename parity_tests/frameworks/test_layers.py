"""Other frameworks' layers as objects: taken as they are, in their layouts, and what they do otherwise shows."""

import os

os.environ.setdefault("KERAS_BACKEND", "torch")
os.environ.setdefault("DEV", "PYTHON")  # tinygrad's, which needs no compiler

import equinox
import keras
import mlx.nn
import paddle
import pytest
import tinygrad.nn
from flax import nnx

import lockstep
from lockstep.numerics.verdict import Verdict
from parity_tests.support.families import SAME

pytestmark = pytest.mark.frameworks


def checked(target, like, only, **options):
    return lockstep.check(target, like=like, **({"dtypes": ("float32",), "only": only} | options))


RIGHT = {
    "Keras: LayerNormalization": (keras.layers.LayerNormalization, "layers.layernorm", "features"),
    "Keras: Dense": (keras.layers.Dense, "layers.linear", "plain"),
    "Keras: ReLU": (keras.layers.ReLU, "layers.activation.ReLU", None),
    "MLX: BatchNorm": (mlx.nn.BatchNorm, "layers.batchnorm", "features"),
    "MLX: LayerNorm": (mlx.nn.LayerNorm, "layers.layernorm", "features"),
    "MLX: Linear": (mlx.nn.Linear, "layers.linear", "plain"),
    "Paddle: LayerNorm": (paddle.nn.LayerNorm, "layers.layernorm", "features"),
    "Paddle: Linear": (paddle.nn.Linear, "layers.linear", "plain"),
    "tinygrad: LayerNorm": (tinygrad.nn.LayerNorm, "layers.layernorm", "features"),
    "Flax NNX: LayerNorm": (nnx.LayerNorm, "layers.layernorm", "features"),
    "Flax NNX: Linear": (nnx.Linear, "layers.linear", "plain"),
    "Equinox: LayerNorm": (equinox.nn.LayerNorm, "layers.layernorm", "features"),
    "Equinox: Linear": (equinox.nn.Linear, "layers.linear", "plain"),
}


@pytest.mark.parametrize("name", RIGHT)
def test_who_is_right_is_not_accused(name):
    found = checked(*RIGHT[name])
    assert found.verdict in SAME, str(found)
    assert not found.unseen


@pytest.mark.parametrize(
    "target",
    [keras.layers.BatchNormalization, paddle.nn.BatchNorm1D, nnx.BatchNorm],
    ids=["Keras", "Paddle", "Flax NNX"],
)
def test_momentum_that_means_the_rest_is_named(target):
    found = checked(target, "layers.batchnorm", "features")
    assert found.verdict is Verdict.DIFFERENT, str(found)
    assert {"momentum-complement", "running-variance-biased"} <= {one["id"] for one in found.causes}, str(found)


class KerasForgets(keras.layers.Dense):
    def call(self, inputs, training=None):
        return super().call(inputs) * 1.01


class MlxForgets(mlx.nn.BatchNorm):
    def __call__(self, x):
        kept = self.running_var
        made = super().__call__(x)
        self.running_var = kept
        return made


class PaddleForgets(paddle.nn.Linear):
    def forward(self, input):  # noqa: A002
        return super().forward(input) - self.bias


class FlaxForgets(nnx.Linear):
    def __call__(self, inputs):
        return super().__call__(inputs) - self.bias[...]


class TinygradForgets(tinygrad.nn.LayerNorm):
    def __call__(self, x):
        return super().__call__(x) - self.bias


class EquinoxForgets(equinox.nn.Linear):
    def __call__(self, x, *, key=None):
        return super().__call__(x) - self.bias


FORGETS = {
    "Keras": (KerasForgets, "layers.linear", "plain"),
    "MLX": (MlxForgets, "layers.batchnorm", "features"),
    "Paddle": (PaddleForgets, "layers.linear", "plain"),
    "tinygrad": (TinygradForgets, "layers.layernorm", "features"),
    "Flax NNX": (FlaxForgets, "layers.linear", "plain"),
    "Equinox": (EquinoxForgets, "layers.linear", "plain"),
}


@pytest.mark.parametrize("name", FORGETS)
def test_what_is_wrong_is_seen(name):
    assert checked(*FORGETS[name]).verdict is Verdict.DIFFERENT


def test_a_layer_with_a_state_beside_it_is_not_taken_and_that_is_said():
    found = checked(equinox.nn.BatchNorm, "layers.batchnorm", "features")
    assert found.verdict is Verdict.BROKEN
    assert "its state is handed in and out" in str(found)


def test_in_float64_keras_keeps_lr_in_float64_and_leaves_its_own_format_as_it_was():
    before = keras.config.floatx()
    found = checked(keras.optimizers.SGD, "optim.sgd", "normal gradients", dtypes=("float64",))
    assert found.verdict in SAME, str(found)
    assert keras.config.floatx() == before
