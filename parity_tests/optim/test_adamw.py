"""optim.adamw beside torch.optim.AdamW."""

import numpy as np

from parity_tests.optim.optimizer import SHAPES, OptimizerTests, drawn, held
from parity_tests.support.families import agree
from reference.optim.adam import Adam
from reference.optim.adamw import AdamW


class TestAdamW(OptimizerTests):
    path = "optim.adamw"
    options = {"amsgrad": True}


def test_it_is_adam_with_decoupled_weight_decay():
    ours = AdamW(drawn(SHAPES), weight_decay=0.3)
    adam = Adam(drawn(SHAPES), weight_decay=0.3, decoupled_weight_decay=True)
    coupled = Adam(drawn(SHAPES), weight_decay=0.3)
    for step in range(3):
        for optimizer in (ours, adam, coupled):
            optimizer.step(drawn(SHAPES, seed=step))
        agree(held(ours), held(adam))
    assert not np.array_equal(ours.params["weight"], coupled.params["weight"])
