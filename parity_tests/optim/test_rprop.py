"""optim.rprop beside torch.optim.Rprop."""

import pytest

from parity_tests.optim.optimizer import SHAPES, OptimizerTests, drawn
from torch_impl.optim import rprop


class TestRprop(OptimizerTests):
    path = "optim.rprop"
    options = {"lr": 0.1}
    every_path = False


def test_there_is_no_fused_path():
    with pytest.raises(ValueError, match="Rprop has no path 'fused'; it has single, foreach"):
        rprop.Rprop(drawn(SHAPES), path="fused")
