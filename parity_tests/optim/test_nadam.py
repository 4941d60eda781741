"""optim.nadam beside torch.optim.NAdam."""

import numpy as np
import pytest

from parity_tests.optim.optimizer import SHAPES, OptimizerTests, drawn
from reference.optim.nadam import NAdam
from torch_impl.optim import nadam


class TestNAdam(OptimizerTests):
    path = "optim.nadam"
    options = {"momentum_decay": 0.1}
    every_path = False


def test_there_is_no_fused_path():
    with pytest.raises(ValueError, match="NAdam has no path 'fused'; it has single, foreach"):
        nadam.NAdam(drawn(SHAPES), path="fused")


def test_pytorchs_own_load_state_dict_makes_another_number_of_the_product():
    """In float64 a run that is resumed from its own state goes on otherwise than one that never stopped."""
    start = drawn(SHAPES, "float64")
    first, resumed = nadam.NAdam(start), nadam.NAdam(start)
    for step in range(3):
        first.step(drawn(SHAPES, "float64", seed=step))
    for name, array in first.params.items():
        resumed.params[name][...] = array
    resumed.optimizer.load_state_dict(first.optimizer.state_dict())
    assert first.state["weight"]["mu_product"].dtype == np.float32
    assert resumed.state["weight"]["mu_product"].dtype == np.float64
    for optimizer in (first, resumed):
        optimizer.step(drawn(SHAPES, "float64", seed=3))
    assert not np.array_equal(first.params["weight"], resumed.params["weight"])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_product_of_the_momenta_is_one_float32_a_tensor(dtype):
    start = drawn(SHAPES, dtype)
    for optimizer in (NAdam(start), nadam.NAdam(start)):
        optimizer.step(drawn(SHAPES, dtype, seed=1))
        product = optimizer.state["weight"]["mu_product"]
        assert (product.shape, product.dtype) == ((), np.float32)
        assert product == np.float32(0.9 * (1 - 0.5 * 0.96**0.004))
