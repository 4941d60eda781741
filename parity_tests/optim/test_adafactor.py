"""optim.adafactor beside torch.optim.Adafactor."""

import numpy as np
import pytest

from parity_tests.optim.optimizer import SHAPES, OptimizerTests, drawn
from reference.optim.adafactor import Adafactor
from torch_impl.optim import adafactor


class TestAdafactor(OptimizerTests):
    path = "optim.adafactor"
    options = {"weight_decay": 0.1}
    every_path = False


def test_there_is_no_fused_path():
    with pytest.raises(ValueError, match="Adafactor has no path 'fused'; it has single, foreach"):
        adafactor.Adafactor(drawn(SHAPES), path="fused")


@pytest.mark.parametrize("shape", [(3, 2), (2, 3, 4, 5)])
def test_a_matrix_is_kept_as_its_rows_and_columns(shape):
    start, grads = drawn({"weight": shape}), drawn({"weight": shape}, seed=1)
    for optimizer in (Adafactor(start), adafactor.Adafactor(start)):
        optimizer.step(grads)
        state = optimizer.state["weight"]
        assert set(state) == {"step", "row_var", "col_var"}
        assert state["row_var"].shape == (*shape[:-1], 1)
        assert state["col_var"].shape == (*shape[:-2], 1, shape[-1])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_without_an_eps_of_its_own_it_has_the_spacing_of_its_parameters(dtype):
    start = drawn(SHAPES, dtype)
    assert Adafactor(start).hyperparameters["eps"] == (np.finfo(dtype).eps, 1e-3)
    assert Adafactor(start).eps == (None, 1e-3)
    assert Adafactor(start, eps=(1e-30, 0.1)).hyperparameters["eps"] == (1e-30, 0.1)


def test_pytorch_divides_by_zero_for_an_empty_tensor():
    start = drawn({"empty": (0,)})
    with pytest.raises(ZeroDivisionError):
        adafactor.Adafactor(start).step(start)
