"""A parity test in the manner of many: ten steps, the parameters alone, an absolute tolerance of 1e-5."""

import numpy as np
import pytest
import torch

from reference.optim.adam import Adam


@pytest.fixture
def implementation():
    """What is tested; `lockstep score` puts wrong variants in its place."""
    return Adam


def test_ten_steps(implementation):
    rng = np.random.default_rng(0)
    start = rng.standard_normal((10, 10)).astype(np.float32)
    params = {"w": start.copy()}
    weight = torch.nn.Parameter(torch.tensor(start))
    mine = implementation(params, lr=1e-3)
    theirs = torch.optim.Adam([weight], lr=1e-3)
    for _ in range(10):
        grad = rng.standard_normal((10, 10)).astype(np.float32)
        mine.step({"w": grad})
        weight.grad = torch.tensor(grad)
        theirs.step()
    assert np.max(np.abs(params["w"] - weight.detach().numpy())) < 1e-5
