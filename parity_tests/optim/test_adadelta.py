"""optim.adadelta beside torch.optim.Adadelta."""

import pytest

from parity_tests.optim.optimizer import SHAPES, OptimizerTests, drawn
from torch_impl.optim import adadelta


class TestAdadelta(OptimizerTests):
    path = "optim.adadelta"
    options = {"weight_decay": 0.1}
    every_path = False


def test_there_is_no_fused_path():
    with pytest.raises(ValueError, match="Adadelta has no path 'fused'; it has single, foreach"):
        adadelta.Adadelta(drawn(SHAPES), path="fused")
