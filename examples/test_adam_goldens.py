"""A parity test in the manner of many: five steps against numbers written down to four decimals."""

import numpy as np
import pytest

from reference.optim.adam import Adam

START = [1.0, -2.0, 0.5, 3.0]
GRADS = [
    [0.1, -0.2, 0.3, 0.4],
    [0.2, 0.1, -0.3, 0.5],
    [-0.1, 0.3, 0.2, 0.1],
    [0.4, -0.1, 0.1, -0.2],
    [0.1, 0.2, -0.2, 0.3],
]
GOLDENS = [  # of torch.optim.Adam with lr=0.01
    [0.99, -1.99, 0.49, 2.99],
    [0.9803, -1.9873, 0.4905, 2.98],
    [0.9761, -1.9912, 0.4882, 2.9714],
    [0.9694, -1.9928, 0.4851, 2.9664],
    [0.9627, -1.9965, 0.4848, 2.9603],
]


@pytest.fixture
def implementation():
    """What is tested; `lockstep score` puts wrong variants in its place."""
    return Adam


def test_goldens(implementation):
    params = {"w": np.array(START, np.float32)}
    adam = implementation(params, lr=0.01)
    for grad, golden in zip(GRADS, GOLDENS, strict=True):
        adam.step({"w": np.array(grad, np.float32)})
        assert [round(float(value), 4) for value in params["w"]] == golden
