"""layers.batchnorm beside torch.nn.BatchNorm1d and BatchNorm2d."""

import statistics

import numpy as np
import pytest

from lockstep.cases.layers.batchnorm import VARIANTS, batchnorm
from parity_tests.layers.layer import RefusingInputs
from parity_tests.support.digits import digits
from reference.layers.batchnorm import BatchNorm, BatchNorm1d

SMALL = ("in training", "in evaluation", "not affine", "without running statistics, in evaluation", "large offset")


class TestBatchNorm(RefusingInputs):
    path = "layers.batchnorm"
    # `bias`, for a weight without one, came with torch 2.13
    left_out = {name: {"device", "bias"} for name in ("BatchNorm1d", "BatchNorm2d")}
    own = {"dtype"}
    good = {
        "BatchNorm1d": (np.random.default_rng(0).standard_normal((5, 3), np.float32),),
        "BatchNorm2d": (np.random.default_rng(0).standard_normal((2, 3, 2, 2), np.float32),),
    }
    derivable = (
        *(batchnorm(f"small, {words}", (4, 2), **VARIANTS[words]) for words in SMALL),
        batchnorm("small sequences", (2, 2, 3)),
        batchnorm("small images", (2, 2, 2, 1)),
    )


def test_the_notebooks_worked_example():
    """Its printed digits: rows are features there, columns here."""
    x = np.array([[2.0, 3.0, 4.0, 5.0], [1.0, 2.0, 3.0, 4.0]]).T
    y = BatchNorm1d(2, dtype=np.float64).forward(x)
    for column in y.T:
        assert str(column) == "[-1.34163542 -0.44721181  0.44721181  1.34163542]"
        assert f"{column.std():.6f}" == "0.999996"


def test_statistics_are_those_of_exact_fractions():
    """The batch's variance is the biased one, the running variance takes the unbiased one; 5/4 is exact."""
    x = np.random.default_rng(0).standard_normal((5, 2)) + 100
    layer = BatchNorm(2, momentum=1.0, dtype=np.float64)
    forward, _ = layer.evaluate((digits(x),), None)
    for column in range(2):
        values = x[:, column].tolist()
        assert float(forward.mu[0, column]) == statistics.mean(values)
        assert float(forward.var[0, column]) == statistics.pvariance(values)
        assert float(forward.running_mean[column]) == statistics.mean(values)
        assert float(forward.running_var[column]) == statistics.variance(values)


def test_without_a_momentum_all_batches_count_alike():
    batches = np.random.default_rng(0).standard_normal((4, 6, 3))
    layer = BatchNorm(3, momentum=None, dtype=np.float64)
    mean = np.zeros(3, object)
    for count, x in enumerate(batches, start=1):
        layer.forward(x)
        assert layer.buffers["num_batches_tracked"] == count
        mean = mean + digits(x).mean(axis=0)
    exact = np.vectorize(float)(mean / len(batches))
    # 1 - 1/t, two products and a sum a batch, each within half an ulp of at most 1, beside a mean of 6 terms
    assert np.abs(layer.buffers["running_mean"] - exact).max() <= 4 * (4 + 6) * 2.0**-53


@pytest.mark.parametrize("training", [True, False])
def test_evaluation_touches_no_statistics(training):
    x = np.random.default_rng(0).standard_normal((5, 3), np.float32)
    layer = BatchNorm(3).train(training)
    before = {name: np.array(array) for name, array in layer.buffers.items()}
    layer.forward(x)
    moved = {name for name in before if not np.array_equal(before[name], layer.buffers[name])}
    assert moved == (set(before) if training else set())


def test_another_dtype_is_refused():
    with pytest.raises(RuntimeError, match="expected input and weight to have the same dtype, but got float64"):
        BatchNorm(3).forward(np.ones((4, 3)))
