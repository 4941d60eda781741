"""gradients.clip_grad_norm beside torch.nn.utils.clip_grad_norm_."""

import numpy as np
import pytest
import torch

import lockstep
from lockstep.numerics.verdict import Verdict
from parity_tests.gradients.transformation import GRADS, TransformationTests
from reference.gradients.clip_grad_norm import ClipGradNorm, clip_grad_norm_
from torch_impl.gradients import clip_grad_norm as theirs


class TestClipGradNorm(TransformationTests):
    path = "gradients.clip_grad_norm"


@pytest.mark.parametrize("kind", [ClipGradNorm, theirs.ClipGradNorm], ids=["numpy", "torch"])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_norm_that_is_no_finite_number_is_refused_where_asked_for(kind, bad):
    given = GRADS | {"bias": np.array([bad])}
    words = "The total norm of order 2.0 for gradients from `parameters` is non-finite, so it cannot be clipped. To dis"
    with pytest.raises(RuntimeError, match=words):
        kind(max_norm=1.0, error_if_nonfinite=True).step(given)
    clipped = kind(max_norm=1.0).step(given)
    assert np.isnan(clipped["bias"]).all()
    assert np.array_equal(clipped["weight"], 0 * given["weight"], equal_nan=True) or np.isnan(clipped["weight"]).all()


def test_in_place_and_refused_before_anything_is_changed():
    grads = {name: array.copy() for name, array in GRADS.items()}
    total = clip_grad_norm_(grads, 1.0)
    assert total == np.sqrt(169.3125)
    assert 0.999999 < np.linalg.norm([np.linalg.norm(array) for array in grads.values()]) < 1
    grads["bias"][0] = np.inf
    before = {name: array.copy() for name, array in grads.items()}
    with pytest.raises(RuntimeError, match="non-finite"):
        clip_grad_norm_(grads, 1.0, error_if_nonfinite=True)
    assert all(np.array_equal(array, before[name]) for name, array in grads.items())


def test_of_order_0_pytorch_counts_tensors():
    """Its documentation says "as if the norms of the individual tensors were concatenated into a single vector"."""
    torch_side, ours = theirs.ClipGradNorm(max_norm=1.0, norm_type=0), ClipGradNorm(1.0, 0)
    torch_side.step(GRADS)
    ours.step(GRADS)
    assert (torch_side.made["total_norm"], ours.made["total_norm"]) == (2, 5)


# what people write


def right(grads, max_norm, norm_type=2.0):
    flat = np.abs(np.concatenate([g.ravel() for g in grads.values()]))
    if np.isinf(norm_type):
        total = flat.max() if norm_type > 0 else flat.min()
    else:
        total = (flat**norm_type).sum() ** (1 / norm_type)
    scale = min(1.0, max_norm / (total + 1e-6))
    for name in grads:
        grads[name] *= grads[name].dtype.type(scale)
    return total


def each_tensor(grads, clip_norm):
    clipped = {}
    for name, g in grads.items():
        clipped[name] = g * g.dtype.type(min(1.0, clip_norm / (np.linalg.norm(g.astype(np.float64)) + 1e-6)))
    return clipped


def without_eps(grads, max_norm):
    total = np.sqrt(sum((g.astype(np.float64) ** 2).sum() for g in grads.values()))
    return {name: g * g.dtype.type(max_norm / total) if total > max_norm else g for name, g in grads.items()}


def a_list(grads, max_norm):
    total = np.sqrt(sum((g.astype(np.float64) ** 2).sum() for g in grads))
    scale = max_norm / (total + 1e-6)
    return [g * g.dtype.type(scale) for g in grads] if scale < 1 else grads


def a_list_in_place(grads, max_norm):
    total = np.sqrt(sum((g.astype(np.float64) ** 2).sum() for g in grads))
    for g in grads:
        np.multiply(g, min(1.0, max_norm / (total + 1e-6)), out=g)
    return total


class Clipper:
    def __init__(self, max_norm):
        self.max_norm = max_norm

    def __call__(self, grads):
        return a_list(grads, self.max_norm)


def of_holders(params, max_norm):
    total = np.sqrt(sum(np.sum(np.square(p.grad, dtype=np.float64)) for p in params))
    for p in params:
        p.grad = np.multiply(p.grad, min(1.0, max_norm / (total + 1e-6)), dtype=p.grad.dtype)


def one_array(grad, max_norm):
    """What a tensor by itself becomes does not show whether one norm is taken of all."""
    total = np.linalg.norm(grad.astype(np.float64))
    return grad * grad.dtype.type(min(1.0, max_norm / (total + 1e-6)))


def by_pytorch(parameters, max_norm, norm_type=2.0):
    return torch.nn.utils.clip_grad_norm_(parameters, max_norm, norm_type)


def by_pytorch_each(parameters, max_norm, norm_type=2.0):
    for parameter in parameters:
        torch.nn.utils.clip_grad_norm_([parameter], max_norm, norm_type)


@pytest.mark.parametrize(
    ("target", "verdict", "ids"),
    [
        (right, Verdict.ROUNDING, []),
        (by_pytorch, Verdict.IDENTICAL, []),
        (a_list, Verdict.ROUNDING, []),
        pytest.param(a_list_in_place, Verdict.ROUNDING, [], marks=pytest.mark.slow),
        pytest.param(Clipper, Verdict.ROUNDING, [], marks=pytest.mark.slow),
        pytest.param(of_holders, Verdict.ROUNDING, [], marks=pytest.mark.slow),
        (each_tensor, Verdict.DIFFERENT, ["clipped-a-tensor-at-a-time"]),
        pytest.param(by_pytorch_each, Verdict.DIFFERENT, ["clipped-a-tensor-at-a-time"], marks=pytest.mark.slow),
        pytest.param(without_eps, Verdict.DIFFERENT, ["clip-eps-missing"], marks=pytest.mark.slow),
    ],
)
def test_somebodys_own_is_judged_and_what_is_wrong_with_it_is_named(target, verdict, ids):
    found = lockstep.check(target, like="gradients.clip_grad_norm")
    assert found.verdict is verdict, str(found)
    assert [cause["id"] for cause in found.causes] == ids


def test_an_array_by_itself_is_tried_where_there_is_one_tensor_alone():
    found = lockstep.check(one_array, like="gradients.clip_grad_norm", dtypes=("float64",))
    untried = [str(entry["reason"]) for entry in found.not_triggered]
    assert any("looks at all of them together" in reason for reason in untried), str(found)
    assert not found.causes


class Untold:
    """Has nothing that takes gradients."""

    def __init__(self, max_norm=1.0):
        self.max_norm = max_norm


def test_a_class_without_a_method_of_gradients_is_told_which_are_looked_for():
    found = lockstep.check(Untold, like="gradients.clip_grad_norm")
    assert found.verdict is Verdict.BROKEN
    assert "no method of gradients (__call__, clip, " in str(found)
