"""average.swa beside torch.optim.swa_utils.AveragedModel."""

import numpy as np
import pytest
import torch
from torch.optim.swa_utils import AveragedModel, get_swa_avg_fn, get_swa_multi_avg_fn

from parity_tests.average.averaged import AverageTests, beside_pytorch, same
from reference.average.swa import SWA
from torch_impl.average import swa as theirs


class TestSWA(AverageTests):
    path = "average.swa"
    test_bad_arguments_are_refused_with_pytorchs_words = None  # type: ignore[assignment]  # it has none


@pytest.mark.parametrize("use_buffers", [False, True])
def test_buffers_are_copied_or_averaged_as_pytorchs_model_does(use_buffers):
    fill = {"avg_fn": get_swa_avg_fn(), "use_buffers": use_buffers}
    assert same(beside_pytorch(SWA(use_buffers), fill))
    assert not same(beside_pytorch(SWA(not use_buffers), fill))


def test_beside_float64_pytorchs_foreach_mean_is_right_to_float32_alone():
    """Its weight 1/(n+1) is that of a tensor of whole numbers: a float32 number."""
    stream = [{"weight": np.array([1.0])}, {"weight": np.array([0.0])}, {"weight": np.array([0.0])}]
    errors = {}
    for path in ("single", "foreach"):
        average = theirs.SWA(path=path)
        average.made = {"averaged": stream[0], "n_averaged": 0.0}
        for params in stream:
            average.step(params)
        errors[path] = abs(average.made["averaged"]["weight"][0] - 1 / 3)
    assert errors["single"] <= np.spacing(1 / 3)
    assert errors["foreach"] > 1e-9


def test_its_foreach_mean_refuses_whole_numbers_among_buffers():
    model = torch.nn.BatchNorm1d(2)
    average = AveragedModel(model, multi_avg_fn=get_swa_multi_avg_fn(), use_buffers=True)
    average.update_parameters(model)
    with pytest.raises(RuntimeError, match="Integer division with addcdiv"):
        average.update_parameters(model)
