"""Gradients of which only some entries are kept, beside PyTorch's COO tensors; and who takes them."""

import numpy as np
import pytest
import torch

import lockstep
from lockstep.cases import Case, thinned
from lockstep.numerics.verdict import Verdict
from lockstep.subjects.registry import subjects
from parity_tests.optim.optimizer import drawn, held
from parity_tests.support.families import agree, refusal
from reference.sparse import LAYOUTS, Sparse, stored
from torch_impl.sparse import coo

OPTIMIZERS = [subject for subject in subjects() if subject.family.recorded == "steps"]
GIVEN = Sparse(np.array([[4, 1, 4, 0]]), np.arange(8, dtype=np.float32).reshape(4, 2) / 3, (5, 2))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("shape", [(), (1,), (7,), (5, 2), (2, 3, 4), (0,), (0, 3)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_an_array_is_stored_and_had_again(layout, shape, dtype):
    array = np.asarray(np.random.default_rng(0).standard_normal(shape), dtype)
    for step in range(3):
        sparse = stored(thinned(array, layout, step), layout)
        theirs = coo(sparse).coalesce()
        assert np.array_equal(sparse.dense(), thinned(array, layout, step))
        assert np.array_equal(sparse.dense(), theirs.to_dense().numpy())
        assert np.array_equal(sparse.coalesced().indices, theirs.indices().numpy())
        assert sparse.coalesced().values.tobytes() == theirs.values().numpy().tobytes()
        assert np.array_equal(
            sparse.kept(),
            torch.sparse_coo_tensor(theirs.indices(), torch.ones_like(theirs.values()), shape, check_invariants=True)
            .to_dense()
            .numpy()
            != 0,
        )
    assert (layout == "repeated") <= (len(stored(array, layout).values) == 2 * len(stored(array).values))


def test_a_third_is_kept_at_each_step_and_everything_once_in_three():
    array = np.ones((9, 4))
    kept = [thinned(array, "rows", step) for step in range(3)]
    assert [part.sum() for part in kept] == [12, 12, 12]
    assert np.array_equal(sum(kept), array)
    assert [thinned(array, "elements", step).sum() for step in range(3)] == [12, 12, 12]


def test_values_of_one_index_are_added_up():
    assert np.array_equal(GIVEN.dense()[4], GIVEN.values[0] + GIVEN.values[2])
    assert GIVEN.coalesced().indices.tolist() == [[0, 1, 4]]


@pytest.mark.parametrize("subject", OPTIMIZERS, ids=lambda subject: subject.path)
def test_who_takes_no_sparse_gradient_says_so_in_pytorchs_words(subject):
    start = {"weight": np.ones((5, 2), np.float32)}
    ours, theirs = subject.ours()(start), subject.theirs()(start)
    before = held(ours)
    if subject.ours().SPARSE:
        ours.step({"weight": GIVEN})
        theirs.step({"weight": GIVEN})
        assert not np.array_equal(held(ours)["param"]["weight"], before["param"]["weight"])
    else:
        assert refusal(lambda: ours.step({"weight": GIVEN})) == refusal(lambda: theirs.step({"weight": GIVEN}))
        agree(held(ours), before)


@pytest.mark.parametrize(
    "subject",
    [one for one in OPTIMIZERS if one.ours().SPARSE in ("entries", "whole")],
    ids=lambda subject: subject.path,
)
def test_weight_decay_is_refused_beside_one(subject):
    start = drawn({"weight": (5, 2)})
    ours, theirs = (kind(start, weight_decay=0.1) for kind in (subject.ours(), subject.theirs()))
    before = held(ours)
    assert refusal(lambda: ours.step({"weight": GIVEN})) == refusal(lambda: theirs.step({"weight": GIVEN}))
    agree(held(ours), before)


@pytest.mark.parametrize(
    ("grads", "error"),
    [
        (Sparse(GIVEN.indices, GIVEN.values.astype(np.float64), (5, 2)), ValueError),
        (Sparse(GIVEN.indices, GIVEN.values, (6, 2)), ValueError),
        (Sparse(GIVEN.indices, GIVEN.values.astype(int), (5, 2)), TypeError),
    ],
    ids=["another dtype", "another shape", "integers"],
)
def test_one_that_does_not_fit_is_refused(grads, error):
    for subject in OPTIMIZERS:
        ours = subject.ours()({"weight": np.ones((5, 2), np.float32)})
        expected = error if subject.ours().SPARSE or error is TypeError else RuntimeError
        assert refusal(lambda ours=ours: ours.step({"weight": grads}))[0] is expected


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_entries_that_stand_there_twice_pytorch_adds_one_by_one(dtype):
    """To the parameter, each for itself, where ours adds their sum: one formula, and bits that no ladder closes."""
    case = Case("rows twice", sparse="repeated", momentum=0.9, dampening=0.5, steps=6)
    run = lockstep.run("optim.sgd", case=case, dtype=dtype)
    assert run.verdict is Verdict.ROUNDING
    assert not lockstep.explain("optim.sgd", case=case, dtype=dtype, steps=2).explained
