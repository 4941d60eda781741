"""penalty.l2 beside the same expression in torch, and beside PyTorch's weight_decay."""

import numpy as np
import pytest

from lockstep.cases import Case
from lockstep.cases.layers import LayerCase
from lockstep.numerics.verdict import Verdict
from lockstep.subjects.families import optim
from lockstep.subjects.registry import asked, find
from parity_tests.penalty.penalty import PenaltyTests
from parity_tests.support.families import SAME, run_of
from reference.optim.sgd import SGD
from reference.penalty.l2 import L2, lam_of, weight_decay_of
from torch_impl.optim import sgd
from torch_impl.penalty import l2

LAM, M = 0.1, 40  # the notebook's


class TestL2(PenaltyTests):
    path = "penalty.l2"
    derivable = (LayerCase("small", layer="L2", shape=(3, 2), lam=0.3, m=7),)


def test_the_conventions_lead_back_to_each_other():
    """A quotient and a product: off by one ulp at most, and exact where m is a power of two."""
    assert weight_decay_of(LAM, M) == LAM / M
    assert abs(lam_of(weight_decay_of(LAM, M), M) - LAM) <= np.spacing(LAM)
    assert lam_of(weight_decay_of(LAM, 64), 64) == LAM


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_in_the_loss_or_as_weight_decay_the_steps_are_the_same_bits(dtype, momentum):
    rng = np.random.default_rng(0)
    start = rng.standard_normal((13, 7)).astype(dtype)
    decayed, penalised = (
        SGD({"weight": start.copy()}, lr=0.1, momentum=momentum, weight_decay=decay)
        for decay in (weight_decay_of(LAM, M), 0.0)
    )
    penalty = L2(LAM, M)
    for _ in range(10):
        grad = rng.standard_normal((13, 7)).astype(dtype)
        penalty.forward(penalised.params["weight"])
        decayed.step({"weight": grad})
        penalised.step({"weight": grad + penalty.backward()})
        assert np.array_equal(decayed.params["weight"], penalised.params["weight"])


def with_loss_term(lam, m):
    """torch.optim.SGD without weight decay, on a loss with the term in it: autograd's gradient is added."""

    class Penalised(sgd.SGD):
        def __init__(self, params, weight_decay, **others):
            super().__init__(params, **others)
            self.penalty = l2.L2(lam, m)

        def step(self, grads):
            self.penalty.forward(*self.params.values())
            terms = dict(zip(self.params, self.penalty.backward(), strict=True))
            super().step({name: grad + terms[name] for name, grad in grads.items()})

    return Penalised


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("lam", "m", "expected"),
    [(LAM, M, SAME), (LAM, 1, {Verdict.DIFFERENT}), (2 * LAM, M, {Verdict.DIFFERENT})],
    ids=["weight_decay_of", "not divided by m", "twice"],
)
def test_our_weight_decay_beside_the_loss_term_in_pytorch(lam, m, expected, dtype):
    case = Case("a penalty", momentum=0.9, weight_decay=weight_decay_of(LAM, M))
    pair = asked("optim.sgd", case, dtype, "single").pair()
    counterpart = pair.theirs()

    def theirs():
        optimizer = with_loss_term(lam, m)(counterpart.optimizer.params, **case.hyperparameters)
        return optim.OptimizerSide(optimizer, counterpart.gradient, case)

    run = run_of(find("optim.sgd"), case, dtype, pair._replace(theirs=theirs))
    assert run.verdict in expected, str(run)
