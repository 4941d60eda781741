"""penalty.l1 beside the same expression in torch."""

import numpy as np
import pytest

from lockstep.cases.layers import LayerCase
from parity_tests.penalty.penalty import PenaltyTests
from reference.penalty import l1 as ours
from torch_impl.penalty import l1 as theirs


class TestL1(PenaltyTests):
    path = "penalty.l1"
    derivable = (LayerCase("small", layer="L1", shape=(3, 2), lam=0.3, m=7),)


@pytest.mark.parametrize("module", [ours, theirs], ids=["numpy", "torch"])
def test_a_weight_of_zero_is_left_there(module):
    penalty = module.L1(0.3, 2)
    penalty.forward(np.array([0.0, -0.0, 2.0, -2.0]))
    assert penalty.backward().tolist() == [0, 0, 0.15, -0.15]
