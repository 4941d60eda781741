"""optim.muon beside torch.optim.Muon."""

import numpy as np
import pytest
import torch

import lockstep
from lockstep.cases.optim.muon import LARGE, SHAPES
from lockstep.numerics.bounded import Bounded
from lockstep.numerics.verdict import Verdict
from parity_tests.optim.optimizer import OptimizerTests, drawn, held
from parity_tests.support.families import agree, refusal
from reference.arithmetic import bfloat16
from reference.optim.muon import Muon
from torch_impl import arithmetic as kernels
from torch_impl.optim import muon


class TestMuon(OptimizerTests):
    path = "optim.muon"
    options = {}
    shapes = {"weight": (3, 2), "bias": (2, 2), "scale": (1, 1)}

    def expected(self, case):
        """Where a number stands near the middle of two of bfloat16's, either is honest, and the rest is unbounded."""
        return super().expected(case) | {Verdict.ILL_CONDITIONED}


@pytest.mark.slow
def test_it_is_bounded_where_no_number_stands_in_the_middle():
    cases = [case for case in TestMuon().subject.cases.CASES if case.shapes == SHAPES and not case.still]
    verdicts = [lockstep.run("optim.muon", case=case, dtype="float64", steps=3).verdict for case in cases]
    assert verdicts.count(Verdict.ILL_CONDITIONED) <= len(cases) / 4


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_large_matrices_are_explained_to_the_last_bit(dtype):
    assert lockstep.explain("optim.muon", case="large matrices", dtype=dtype, steps=2).explained
    assert any(shape[0] > 100 for shape in LARGE.values())


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_number_in_bfloat16_is_pytorchs(dtype):
    rng = np.random.default_rng(0)
    x = (rng.standard_normal(5000) * 10.0 ** rng.integers(-38, 38, 5000)).astype(dtype)
    x[:4] = [np.nan, np.inf, -np.inf, -0.0]
    x[4:7] = [1 + 2**-8, 1 + 3 * 2**-8, 3.4e38]  # in the middle, to the even one; beyond the largest
    with np.errstate(over="ignore"):
        assert np.array_equal(bfloat16(x), kernels.bfloat16(x), equal_nan=True)
        assert np.array_equal(bfloat16(x), torch.tensor(x).bfloat16().float().numpy(), equal_nan=True)
    assert type(bfloat16(1e-7)) is np.float32


def test_a_rounding_to_bfloat16_is_certain_but_in_the_middle():
    number = Bounded(np.array([1.0, 1 + 2**-8]), np.float32, error=np.array([1e-6, 1e-6]))
    step = bfloat16(number)
    assert step.dtype == np.float32
    assert step.value.tolist() == [1.0, 1.0]
    assert step.error.tolist() == [0.0, 2**-7]


@pytest.mark.parametrize("shape", [(7, 5), (5, 7), (40, 130)])
def test_products_of_bfloat16_are_added_up_in_float32(shape):
    """What this CPU's kernels do: whatever else would show in one number of a hundred."""
    x = bfloat16(drawn({"x": shape})["x"])
    gram, exact = kernels.bfloat16_matmul(x, x.T), x.astype(np.float64) @ x.T.astype(np.float64)
    assert np.mean(gram != bfloat16(exact)) < 0.01
    moved = kernels.bfloat16_addmm(x, gram, x, beta=3.4445, alpha=1.0)
    assert np.mean(moved != bfloat16(3.4445 * x.astype(np.float64) + gram.astype(np.float64) @ x)) < 0.01


@pytest.mark.parametrize("shape", [(), (3,), (2, 3, 4)])
def test_what_is_no_matrix_is_refused_with_pytorchs_words(shape):
    start = drawn({"weight": (3, 2), "other": shape})
    theirs = refusal(lambda: muon.Muon(start))
    assert refusal(lambda: Muon(start)) == theirs
    assert theirs[1].startswith("Muon only supports 2D parameters")


@pytest.mark.parametrize("settings", [{"ns_steps": 100}, {"ns_coefficients": (3.0, 1.0)}])
def test_what_pytorch_refuses_at_the_step_changes_nothing(settings):
    start = drawn({"weight": (3, 2)})
    ours, theirs = (kind({"weight": start["weight"].copy()}, **settings) for kind in (Muon, muon.Muon))
    before = held(ours)
    assert refusal(lambda: ours.step(start)) == refusal(lambda: theirs.step(start))
    agree(held(ours), before)
