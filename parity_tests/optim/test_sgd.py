"""optim.sgd beside torch.optim.SGD."""

import numpy as np
import pytest
import torch

import lockstep
from lockstep.engine.stepping import run_pair
from lockstep.numerics.formats import FORMATS
from lockstep.numerics.verdict import Verdict
from lockstep.subjects.registry import asked, find
from parity_tests.optim.optimizer import SHAPES, OptimizerTests, drawn
from parity_tests.support.families import agree
from reference.optim.sgd import SGD
from torch_impl.optim import sgd


class TestSGD(OptimizerTests):
    path = "optim.sgd"
    options = {"momentum": 0.9}


def test_without_momentum_there_is_no_state():
    for kind in (SGD, sgd.SGD):
        optimizer = kind(drawn(SHAPES))
        optimizer.step(drawn(SHAPES, seed=1))
        assert set(optimizer.state) == set(SHAPES)
        assert not any(optimizer.state.values())


@pytest.mark.parametrize("dampening", [0.5, 1.0, -0.5])
def test_the_first_buffer_is_the_first_gradient_whatever_the_dampening(dampening):
    grads = drawn(SHAPES, seed=1)
    for kind in (SGD, sgd.SGD):
        optimizer = kind(drawn(SHAPES), momentum=0.9, dampening=dampening)
        optimizer.step(grads)
        agree({"buffer": {name: optimizer.state[name]["momentum_buffer"] for name in SHAPES}}, {"buffer": grads})
        optimizer.step(grads)
        assert not np.array_equal(optimizer.state["weight"]["momentum_buffer"], grads["weight"])


# formats of 16 bits

NARROW = [name for name, held in FORMATS.items() if held.size == 2]
CASES = [case for case in find("optim.sgd").cases.CASES if not case.sparse]  # which PyTorch adds in no float16


@pytest.mark.parametrize("dtype", NARROW)
@pytest.mark.parametrize("path", ["single", "foreach"])
def test_a_run_in_sixteen_bits_is_rounding_at_most(path, dtype):
    """In every case; where a format is so coarse that every step rounds away on either side, that is said."""
    verdicts = {}
    for case in CASES:
        run = lockstep.run("optim.sgd", case=case, dtype=dtype, path=path)
        verdicts[case.desc] = run.verdict
        if run.verdict is Verdict.BROKEN:
            assert run.outcome.broken is not None
            assert run.outcome.broken.id == "nothing-moved", str(run)
        else:
            assert run.verdict.passes, str(run)
            assert run.used <= 1
    assert list(verdicts.values()).count(Verdict.ROUNDING) > len(CASES) / 2
    assert list(verdicts.values()).count(Verdict.BROKEN) <= 3


@pytest.mark.parametrize("dtype", NARROW)
def test_another_formula_shows_in_sixteen_bits(dtype):
    """A rate four units too large, which is more than the two roundings of an operation each way."""
    wrong = 1 + 16 * FORMATS[dtype].unit

    class Wrong(SGD):
        def __init__(self, params, lr=1e-3, **settings):
            super().__init__(params, lr=lr * wrong, **settings)

    request = asked("optim.sgd", "defaults", dtype, hyperparameters={"lr": 0.5})
    assert run_pair(request.pair(ours=Wrong), 3).verdict is Verdict.DIFFERENT
    assert run_pair(request.pair(), 3).verdict.passes


def moves_whole_vectors(dtype: str) -> bool:
    """Whether PyTorch's fused kernel updates more than what is left over after whole vectors (pytorch#191763)."""
    param = torch.nn.Parameter(torch.zeros(64, dtype=getattr(torch, dtype)))
    param.grad = torch.ones_like(param)
    torch.optim.SGD([param], lr=1.0, fused=True).step()
    return bool((param == -1).all())


@pytest.mark.parametrize("dtype", NARROW)
def test_the_fused_kernel_is_judged_by_what_it_does(dtype):
    """PyTorch 2.13 leaves whole vectors of 16-bit numbers as they were, and is told so; one that moves them agrees."""
    run = lockstep.run("optim.sgd", dtype=dtype, path="fused")
    if moves_whole_vectors(dtype):
        assert run.verdict.passes
        return
    assert run.verdict is Verdict.DIFFERENT
    assert run.evidence is not None
    assert (run.evidence.line, run.evidence.nearer) == ("param", "ours")


@pytest.mark.parametrize("dtype", NARROW)
@pytest.mark.parametrize("desc", ["defaults", "momentum"])
def test_the_ladder_closes_in_sixteen_bits(desc, dtype):
    """By PyTorch's order and its kernel of `add`, whose whole vectors round otherwise than what is left over."""
    found = lockstep.explain("optim.sgd", case=desc, dtype=dtype, path="single")
    assert found.explained
    assert set(found.kernels) <= {"add", "mul"}


def test_a_record_of_sixteen_bits_comes_back(tmp_path):
    run = lockstep.run("optim.sgd", case="momentum", dtype="bfloat16")
    run.save(tmp_path / "run.json")
    assert lockstep.load(tmp_path / "run.json").dtype == "bfloat16"
    assert run.evidence is not None
    assert len(run.evidence.ours_bits) == 6
    assert FORMATS["bfloat16"].from_bits(run.evidence.ours_bits) == run.evidence.ours
