"""optim.asgd beside torch.optim.ASGD."""

import pytest

from parity_tests.optim.optimizer import SHAPES, OptimizerTests, drawn
from torch_impl.optim import asgd


class TestASGD(OptimizerTests):
    path = "optim.asgd"
    options = {"t0": 2.0, "lr": 0.1}
    every_path = False


def test_there_is_no_fused_path():
    with pytest.raises(ValueError, match="ASGD has no path 'fused'; it has single, foreach"):
        asgd.ASGD(drawn(SHAPES), path="fused")
