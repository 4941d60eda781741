"""optim.adagrad beside torch.optim.Adagrad."""

import numpy as np
import torch

from parity_tests.optim.optimizer import SHAPES, OptimizerTests, drawn, held
from parity_tests.support.families import agree
from reference.optim.adagrad import Adagrad


class TestAdagrad(OptimizerTests):
    path = "optim.adagrad"
    options = {}


def test_the_sum_stands_before_the_first_step():
    """As PyTorch's does, and unlike any other optimizer's state."""
    ours = Adagrad(drawn(SHAPES), initial_accumulator_value=0.3)
    theirs = torch.optim.Adagrad([torch.ones(2)], initial_accumulator_value=0.3)
    agree(
        {"sum": {"bias": ours.state["bias"]["sum"]}}, {"sum": {"bias": theirs.state_dict()["state"][0]["sum"].numpy()}}
    )
    before = held(ours)
    ours.step({"weight": np.zeros((3, 2), np.float32)})
    agree({"bias": held(ours)["bias"]}, {"bias": before["bias"]})
