"""layers.linear beside torch.nn.Linear."""

import numpy as np
import pytest

from lockstep.cases.layers.linear import linear
from parity_tests.layers.layer import RefusingInputs
from reference.layers.linear import Linear


class TestLinear(RefusingInputs):
    path = "layers.linear"
    left_out = {"Linear": {"device"}}
    own = {"dtype", "generator"}
    good = {"Linear": (np.ones((4, 3), np.float32),)}
    derivable = (
        linear("small", 3, 2, shape=(4, 3)),
        linear("small, without bias", 3, 2, shape=(4, 3), bias=False),
        linear("small sequences", 2, 3, shape=(2, 3, 2)),
    )


@pytest.mark.parametrize("features", [1, 7, 64])
def test_the_start_lies_where_pytorchs_does(features):
    """Within 1/√in_features, and close to it somewhere: that is Kaiming's with a = √5."""
    layer = Linear(features, 300, dtype=np.float64, generator=np.random.default_rng(0))
    largest = np.abs(layer.params["weight"]).max() * np.sqrt(features)
    assert largest <= 1
    assert largest > 1 - 10 / layer.params["weight"].size  # missed once in e¹⁰ draws
