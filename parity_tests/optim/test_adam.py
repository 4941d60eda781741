"""optim.adam beside torch.optim.Adam."""

import numpy as np
import pytest
import torch

from lockstep.cases import Case
from lockstep.engine.stepping import run_pair
from lockstep.numerics.verdict import Verdict
from parity_tests.optim.optimizer import OptimizerTests
from reference.optim.adam import Adam


class TestAdam(OptimizerTests):
    path = "optim.adam"
    options = {"amsgrad": True}


@pytest.mark.parametrize(("ours", "theirs"), [(True, False), (False, True)], ids=["only ours", "only theirs"])
def test_a_maximum_on_one_side_alone_is_refused_before_any_number(ours, theirs):
    class Other(Adam):
        def __init__(self, params, **hyperparameters):
            super().__init__(params, **{**hyperparameters, "amsgrad": ours})

    pair = TestAdam().pair(Case("one maximum", amsgrad=theirs), "float32", ours=Other)
    outcome = run_pair(pair, 3)
    assert outcome.verdict is Verdict.BROKEN
    assert outcome.broken is not None
    assert outcome.broken.id == "names-differ"
    whose = "yours" if ours else "PyTorch's"
    assert f"only {whose} has max_exp_avg_sq" in str(outcome.broken.message)
    assert not outcome.defect.columns.get("param")


def test_what_pytorch_takes_and_numpy_cannot():
    """A tensor as lr is for PyTorch's compiler; here it is no number."""
    with pytest.raises(TypeError, match="lr must be a number, not tensor"):
        Adam({"weight": np.ones(3)}, lr=torch.tensor(0.1))
