"""optim.sgd beside torch.optim.SGD."""

import numpy as np
import pytest

from parity_tests.optim.optimizer import SHAPES, OptimizerTests, drawn
from parity_tests.support.families import agree
from reference.optim.sgd import SGD
from torch_impl.optim import sgd


class TestSGD(OptimizerTests):
    path = "optim.sgd"
    options = {"momentum": 0.9}


def test_without_momentum_there_is_no_state():
    for kind in (SGD, sgd.SGD):
        optimizer = kind(drawn(SHAPES))
        optimizer.step(drawn(SHAPES, seed=1))
        assert set(optimizer.state) == set(SHAPES)
        assert not any(optimizer.state.values())


@pytest.mark.parametrize("dampening", [0.5, 1.0, -0.5])
def test_the_first_buffer_is_the_first_gradient_whatever_the_dampening(dampening):
    grads = drawn(SHAPES, seed=1)
    for kind in (SGD, sgd.SGD):
        optimizer = kind(drawn(SHAPES), momentum=0.9, dampening=dampening)
        optimizer.step(grads)
        agree({"buffer": {name: optimizer.state[name]["momentum_buffer"] for name in SHAPES}}, {"buffer": grads})
        optimizer.step(grads)
        assert not np.array_equal(optimizer.state["weight"]["momentum_buffer"], grads["weight"])
