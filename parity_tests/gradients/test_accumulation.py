"""gradients.accumulation beside backward of several losses."""

import numpy as np
import pytest

import lockstep
from lockstep.numerics.verdict import Verdict
from parity_tests.gradients.transformation import GRADS, TransformationTests


class TestAccumulation(TransformationTests):
    path = "gradients.accumulation"
    grads = {name: np.stack([array, 2 * array]) for name, array in GRADS.items()}


def by_samples(grads, samples=None, reduction="mean"):
    counts = np.array(samples or [1] * len(next(iter(grads.values()))))
    total = 1 if reduction == "sum" else counts.sum()
    return {name: np.einsum("k,k...->...", counts, array) / total for name, array in grads.items()}


def mean_of_means(grads, samples=None):
    return {name: array.mean(axis=0) for name, array in grads.items()}


@pytest.mark.parametrize(("target", "ids"), [(by_samples, []), (mean_of_means, ["mean-of-unequal-batches"])])
def test_somebodys_own_is_judged_and_what_is_wrong_with_it_is_named(target, ids):
    result = lockstep.check(target, like="gradients.accumulation", dtypes=["float64"])
    assert (result.verdict is Verdict.DIFFERENT) == bool(ids), str(result)
    assert result.exit_status == (1 if ids else 0)
    assert [cause["id"] for cause in result.causes] == ids
