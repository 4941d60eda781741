"""average.ema beside torch.optim.swa_utils.AveragedModel."""

import functools

import numpy as np
import pytest
import torch
from torch.optim.swa_utils import AveragedModel, get_ema_avg_fn, update_bn

from parity_tests.average.averaged import AverageTests, beside_pytorch, same
from reference.average import averaged
from reference.average.ema import EMA
from reference.layers.batchnorm import BatchNorm1d


class TestEMA(AverageTests):
    path = "average.ema"


@pytest.mark.parametrize("use_buffers", [False, True])
def test_buffers_are_copied_or_averaged_as_pytorchs_model_does(use_buffers):
    fill = {"avg_fn": get_ema_avg_fn(0.9), "use_buffers": use_buffers}
    assert same(beside_pytorch(EMA(0.9, use_buffers), fill))
    assert not same(beside_pytorch(EMA(0.9, not use_buffers), fill))


def test_whole_numbers_stay_where_they_are_in_pytorch():
    """num_batches_tracked with use_buffers: what is behind the point is cut off, so that 1 stays 1."""
    model = torch.nn.BatchNorm1d(2)
    average = AveragedModel(model, avg_fn=get_ema_avg_fn(0.9), use_buffers=True)
    for _ in range(5):
        model(torch.randn(4, 2))
        average.update_parameters(model)
    assert model.num_batches_tracked == 5
    assert average.module.num_batches_tracked == 1


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_statistics_of_an_averaged_model_are_those_of_one_more_pass(dtype):
    rng = np.random.default_rng(0)
    batches = [rng.standard_normal((n, 3)).astype(dtype) for n in (8, 8, 4)]
    theirs = torch.nn.BatchNorm1d(3, dtype=getattr(torch, dtype))
    ours = BatchNorm1d(3, dtype=np.dtype(dtype))
    for one in (theirs.running_mean, theirs.running_var):
        one.fill_(7)
    for name in ("running_mean", "running_var"):
        ours.buffers[name][...] = 7
    update_bn([torch.tensor(batch) for batch in batches], theirs)
    averaged.update_bn(batches, ours.forward, ours.buffers, [ours])
    assert ours.momentum == theirs.momentum == 0.1
    for name in ("running_mean", "running_var", "num_batches_tracked"):
        found, expected = np.asarray(ours.buffers[name]), getattr(theirs, name).numpy()
        # each of the three batches rounds a handful of times at the size of the largest
        assert (abs(found - expected) <= 16 * np.spacing(np.asarray(1, dtype))).all(), name
    wrong = functools.partial(averaged.update_bn, batches[:2], ours.forward, ours.buffers, [ours])
    wrong()
    assert (abs(ours.buffers["running_mean"] - theirs.running_mean.numpy()) > 1e-3).any()
