"""optim.sparse_adam beside torch.optim.SparseAdam."""

import numpy as np
import pytest
import torch

from parity_tests.optim.optimizer import SHAPES, OptimizerTests, drawn, held
from parity_tests.support.families import agree, refusal
from reference.optim.sparse_adam import SparseAdam
from reference.sparse import Sparse
from torch_impl.optim import sparse_adam


class TestSparseAdam(OptimizerTests):
    path = "optim.sparse_adam"
    options = {}


def test_a_dense_gradient_is_refused_with_pytorchs_words_and_changes_nothing():
    start = drawn(SHAPES)
    theirs = sparse_adam.SparseAdam(start)
    ours = SparseAdam({name: array.copy() for name, array in start.items()})
    before = held(ours)
    assert refusal(lambda: ours.step(start)) == refusal(lambda: theirs.step(start))
    agree(held(ours), before)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_has_no_entry_keeps_its_moments_and_an_entry_of_zero_does_not(dtype):
    start = drawn({"weight": (5, 3)}, dtype)
    rows = np.array([[3, 0, 3]])
    values = np.array([[1, 0, 2], [0, 0, 0], [4, 5, 6]], dtype)
    ours, theirs = SparseAdam({"weight": start["weight"].copy()}), sparse_adam.SparseAdam(start)
    for optimizer in (ours, theirs):
        optimizer.step({"weight": Sparse(np.array([[0, 1, 3]]), np.ones((3, 3), dtype), (5, 3))})
        moved = held(optimizer)
        optimizer.step({"weight": Sparse(rows, values, (5, 3))})
        for key in ("exp_avg", "exp_avg_sq"):
            assert np.array_equal(held(optimizer)["weight"][key][1], moved["weight"][key][1])
            assert not np.array_equal(held(optimizer)["weight"][key][0], moved["weight"][key][0])
        assert np.array_equal(held(optimizer)["param"]["weight"][[1, 2, 4]], moved["param"]["weight"][[1, 2, 4]])


def test_without_an_entry_the_step_is_counted():
    """PyTorch's note says that nothing is updated; the correction goes on all the same."""
    start = drawn({"weight": (4, 3)})
    nothing = Sparse(np.zeros((1, 0), int), np.zeros((0, 3), np.float32), (4, 3))
    for optimizer in (SparseAdam(start), sparse_adam.SparseAdam(start)):
        optimizer.step({"weight": nothing})
        assert optimizer.state["weight"]["step"] == 1
        assert not optimizer.state["weight"]["exp_avg"].any()


def test_the_count_is_an_integer_of_pythons():
    theirs = sparse_adam.SparseAdam(drawn({"weight": (4, 3)}))
    moments = dict.fromkeys(("exp_avg", "exp_avg_sq"), np.zeros((4, 3), np.float32))
    theirs.load_state({"weight": {"step": np.float64(7), **moments}})
    (state,) = theirs.optimizer.state.values()
    assert type(state["step"]) is int
    assert state["step"] == 7


def test_parameters_that_are_sparse_are_refused_by_pytorch_alone():
    with pytest.raises(ValueError, match="requires dense parameter tensors"):
        torch.optim.SparseAdam([torch.zeros(3).to_sparse()])
