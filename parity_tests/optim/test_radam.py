"""optim.radam beside torch.optim.RAdam."""

import pytest

from parity_tests.optim.optimizer import SHAPES, OptimizerTests, drawn
from torch_impl.optim import radam


class TestRAdam(OptimizerTests):
    path = "optim.radam"
    options = {"decoupled_weight_decay": True, "weight_decay": 0.1}
    every_path = False


def test_there_is_no_fused_path():
    with pytest.raises(ValueError, match="RAdam has no path 'fused'; it has single, foreach"):
        radam.RAdam(drawn(SHAPES), path="fused")
