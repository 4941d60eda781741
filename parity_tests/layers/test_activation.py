"""layers.activation beside torch.nn.ReLU, Sigmoid and Tanh."""

import numpy as np
import pytest

import lockstep
from lockstep.cases.layers import LayerCase
from lockstep.cases.layers.activation import LAYERS
from parity_tests.layers.layer import ModuleTests
from parity_tests.support.digits import digits
from reference.layers import activation as ours
from torch_impl.layers import activation as theirs


class TestActivation(ModuleTests):
    path = "layers.activation"
    left_out = {"ReLU": {"inplace"}, "Sigmoid": set(), "Tanh": set()}
    derivable = tuple(LayerCase(f"{name}, small", layer=name, shape=(3, 2)) for name in LAYERS)


def passed(module, name, x, upstream):
    layer = getattr(module, name)()
    return layer.forward(x), layer.backward(upstream)


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("module", [ours, theirs], ids=["numpy", "torch"])
def test_at_zero(module, name):
    """The slope at the kink of ReLU is 0."""
    y, dx = passed(module, name, np.zeros(2), np.full(2, 3.0))
    value, slope = {"ReLU": (0, 0), "Sigmoid": (0.5, 0.25), "Tanh": (0, 1)}[name]
    assert y.tolist() == [value] * 2
    assert dx.tolist() == [3 * slope] * 2


def test_what_pytorchs_relu_does_with_minus_zero_and_nan():
    x, upstream = np.array([-0.0, np.nan]), np.ones(2)
    y, dx = passed(theirs, "ReLU", x, upstream)
    assert np.signbit(y[0])
    assert dx.tolist() == [0, 1]
    y, dx = passed(ours, "ReLU", x, upstream)
    assert not np.signbit(y[0])
    assert dx.tolist() == [0, 0]


def test_where_the_exponential_overflows_numpy_is_nearer():
    run = lockstep.run("layers.activation", case="Sigmoid, where exp overflows")
    assert run.evidence is not None
    assert run.evidence.nearer == "ours"
    assert run.evidence.theirs == 0
    assert 0 < run.evidence.ours < 1e-38


def test_sigmoid_is_right_to_eighty_digits_at_either_end():
    """1/(1 + exp(-x)) and the form without overflow are one function."""
    x = digits(np.array([-700.0, -30, -1, 0, 1, 30, 700]))
    forward, _ = ours.Sigmoid().evaluate((x,), None)
    assert [float(y) for y in forward.y] == [float(y) for y in 1 / (1 + np.exp(-x))]
