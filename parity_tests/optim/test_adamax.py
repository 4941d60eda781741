"""optim.adamax beside torch.optim.Adamax."""

import pytest

from parity_tests.optim.optimizer import SHAPES, OptimizerTests, drawn
from torch_impl.optim import adamax


class TestAdamax(OptimizerTests):
    path = "optim.adamax"
    options = {"weight_decay": 0.1}
    every_path = False


def test_there_is_no_fused_path():
    with pytest.raises(ValueError, match="Adamax has no path 'fused'; it has single, foreach"):
        adamax.Adamax(drawn(SHAPES), path="fused")
