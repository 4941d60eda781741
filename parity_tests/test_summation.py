"""Sums in PyTorch's order, bit for bit, and the orders that are not PyTorch's."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lockstep.numerics import probe
from lockstep.numerics.formats import FORMATS
from reference import summation
from reference.layers import batchnorm
from reference.summation import Ordered
from torch_impl import arithmetic as kernels

DTYPES = ("float32", "float64")
LENGTHS = (1, 2, 3, 7, 8, 15, 17, 61, 64, 100, 1000, 1024, 4099, 32_768, 32_769, 65_541, 200_003)
TABLES = (
    (5, 3),
    (64, 10),
    (64, 32),
    (100, 7),
    (33, 9),
    (64, 128),
    (1000, 65),
    (3000, 1),
    (1, 40),
    (9000, 4),
    (3, 20_000),
)
SAMPLES = ((64, 32), (64, 7), (100, 13), (3, 5), (2, 16), (2, 17), (3, 16), (3, 17), (300, 40), (70, 1))
IMAGES = ((64, 3, 5, 5), (8, 4, 33), (5, 3, 2, 2), (4, 3, 1, 1), (33, 10, 1), (2, 1, 3), (2, 3, 4, 4), (3, 17, 7))


@pytest.fixture(params=[1, 2, 3])
def threads(request):
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


def here():
    """The arithmetic of this machine on the threads it has now."""
    return probe.arithmetic(probe.findings())


def terms(shape, dtype):
    return np.random.default_rng(0).standard_normal(shape).astype(dtype)


@pytest.mark.parametrize("n", LENGTHS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_sum_of_all(n, dtype, threads):
    x = terms(n, dtype)
    assert here().sum(x).dtype == x.dtype
    assert here().sum(x) == kernels.sum(x)
    assert here().mean(x) == kernels.mean(x)


@pytest.mark.parametrize("axis", [None, 0, -1])
@pytest.mark.parametrize("shape", [*TABLES, (2, 5, 7), (64, 10, 13)])
@pytest.mark.parametrize("dtype", DTYPES)
def test_sum_along_an_axis(shape, axis, dtype, threads):
    x = terms(shape, dtype)
    assert here().sum(x, axis=axis).shape == kernels.sum(x, axis=axis).shape
    assert np.array_equal(here().sum(x, axis=axis), kernels.sum(x, axis=axis))


@given(st.integers(1, 3000), st.integers(1, 90), st.sampled_from(DTYPES), st.sampled_from([None, 0, 1]))
def test_sum_of_any_shape(rows, columns, dtype, axis):
    x = terms((rows, columns), dtype)
    assert np.array_equal(here().sum(x, axis=axis), kernels.sum(x, axis=axis))


def test_an_axis_between_is_refused():
    with pytest.raises(NotImplementedError, match="axis 1 of 3"):
        here().sum(np.zeros((2, 3, 4)), axis=1)


@pytest.mark.parametrize("columns", [2, 3, 5, 8, 10, 15, 16, 17, 33, 100])
@pytest.mark.parametrize("dtype", DTYPES)
def test_row_sum(columns, dtype, threads):
    """log_softmax shows the total of a row at its largest element, exactly while the total is near 1."""
    if dtype not in probe.measurable():
        pytest.skip("no type wider than float64 here to take the logarithm back in")
    rng = np.random.default_rng(columns)
    x = (rng.uniform(-6, -3, (400, columns)) - np.log(columns)).astype(dtype)
    x[np.arange(400), rng.integers(0, columns, 400)] = 0
    largest = kernels.log_softmax(x, None).max(axis=1, keepdims=True)
    total = np.exp(-largest.astype(FORMATS[dtype].wide)).astype(dtype)
    assert np.array_equal(here().row_sum(kernels.softmax_exp(x)), total)


@pytest.mark.parametrize("p", [2, 1, 3, 0.5, -1, 0, np.inf, -np.inf])
@pytest.mark.parametrize("n", [1, 3, 5, 8, 11, 15, 91, 1000, 32_768, 65_541])
@pytest.mark.parametrize("dtype", DTYPES)
def test_norm(n, p, dtype, threads):
    x = terms(n, dtype)
    assert here().norm(x, p).dtype == x.dtype
    assert here().norm(x, p) == kernels.norm(x, p)


@given(st.integers(1, 60), st.sampled_from(DTYPES), st.integers(0, 2**32 - 1))
def test_norm_of_any_length(n, dtype, seed):
    """What is left over after whole vectors is where lengths differ."""
    x = np.random.default_rng(seed).standard_normal(n).astype(dtype)
    assert here().norm(x, 2) == kernels.norm(x, 2)


@pytest.mark.parametrize("n", [1, 2, 15, 16, 17, 32, 33, 257, 258, 1000, 5000])
@pytest.mark.parametrize("dtype", DTYPES)
def test_loss_sum(n, dtype):
    x = np.abs(terms(n, dtype))
    assert here().loss_sum(x) == kernels.loss_sum(x)


def batch_norm(shape, dtype, ops) -> dict[str, int]:
    """How many elements of each result of BatchNorm, forward and backward, differ from PyTorch's."""
    rng = np.random.default_rng(0)
    x, dy = ((rng.standard_normal(shape) * 2 + 1).astype(dtype) for _ in range(2))
    weight, bias, running_mean, running_var = (rng.random(shape[1]).astype(dtype) for _ in range(4))
    theirs = [torch.tensor(array) for array in (x, running_mean, running_var, weight, bias)]
    for tensor in (theirs[0], theirs[3], theirs[4]):
        tensor.requires_grad_()
    y = torch.nn.functional.batch_norm(*theirs, training=True, momentum=0.1, eps=1e-5)
    y.backward(torch.tensor(dy))
    settings = {"eps": 1e-5, "track_running_stats": True, "training": True, "ops": ops}
    ours = batchnorm.pytorch(x, weight, bias, running_mean, running_var, np.int64(0), momentum=0.1, **settings)
    back = batchnorm.pytorch_backward(dy, ours, x, weight, **settings)
    pairs = {
        "y": (ours.y, y.detach()),
        "running_mean": (ours.running_mean, theirs[1]),
        "running_var": (ours.running_var, theirs[2]),
        "dx": (back.dx, theirs[0].grad),
        "dweight": (back.dgamma, theirs[3].grad),
        "dbias": (back.dbeta, theirs[4].grad),
    }
    return {name: int(np.count_nonzero(a != b.numpy())) for name, (a, b) in pairs.items() if (a != b.numpy()).any()}


@pytest.mark.parametrize("shape", [*SAMPLES, *IMAGES])
@pytest.mark.parametrize("dtype", DTYPES)
def test_channel_sums_carry_batch_norm(shape, dtype, threads):
    assert batch_norm(shape, dtype, here()) == {}


# orders that are not PyTorch's are seen

MUTANTS = {
    "cascade": lambda x, levels=4, first=0.0, count=None: summation.one_by_one(x, first),
    "side_by_side": summation.cascade,
    "one_by_one": lambda x, total=0.0: np.asarray(total, x.dtype) + x.sum(axis=0),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_another_order_is_seen(name, monkeypatch):
    ops = here()
    x = terms((3000, 90), "float32")
    assert np.array_equal(ops.sum(x, axis=-1), kernels.sum(x, axis=-1))
    monkeypatch.setattr(summation, name, MUTANTS[name])
    assert not all(np.array_equal(ops.sum(x, axis=axis), kernels.sum(x, axis=axis)) for axis in (0, -1))


def with_another(**changed):
    """This machine's arithmetic with another number of threads, of lanes, or order of the lanes."""
    ordered, found = Ordered.__new__(Ordered), here()
    vars(ordered).update(vars(found) | changed)
    return ordered


@pytest.mark.parametrize("kernel", ["sum", "channel"])
def test_other_lanes_are_seen(kernel):
    lanes = dict(here().lanes)
    lanes[kernel] = {dtype: 2 * width for dtype, width in lanes[kernel].items()}
    ops, x = with_another(lanes=lanes), terms((300, 90), "float32")
    if kernel == "sum":
        assert not np.array_equal(ops.sum(x, axis=-1), kernels.sum(x, axis=-1))
    else:
        assert "dbias" in batch_norm((8, 4, 33), "float32", ops)


def test_lanes_added_up_the_other_way_are_seen():
    other = {"channel", "row_sum"} - set(here().halves)
    assert "dbias" in batch_norm((8, 4, 33), "float32", with_another(halves=other))


def test_another_thread_count_is_seen():
    more = with_another(threads=torch.get_num_threads() + 1)
    x = terms(200_003, "float32")
    assert more.sum(x) != kernels.sum(x)
    assert "running_mean" in batch_norm((300, 40), "float32", more)
