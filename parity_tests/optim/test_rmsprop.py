"""optim.rmsprop beside torch.optim.RMSprop."""

import pytest

from parity_tests.optim.optimizer import SHAPES, OptimizerTests, drawn
from reference.optim.rmsprop import RMSprop
from torch_impl.optim import rmsprop


class TestRMSprop(OptimizerTests):
    path = "optim.rmsprop"
    options = {"momentum": 0.9, "centered": True}


def test_there_is_no_fused_path():
    with pytest.raises(ValueError, match="RMSprop has no path 'fused'; it has single, foreach"):
        rmsprop.RMSprop(drawn(SHAPES), path="fused")


@pytest.mark.parametrize(
    ("options", "entries"),
    [
        ({}, {"square_avg"}),
        ({"momentum": 0.9}, {"square_avg", "momentum_buffer"}),
        ({"centered": True}, {"square_avg", "grad_avg"}),
        ({"momentum": 0.9, "centered": True}, {"square_avg", "momentum_buffer", "grad_avg"}),
    ],
    ids=["plain", "momentum", "centered", "both"],
)
def test_an_option_brings_its_entry(options, entries):
    for kind in (RMSprop, rmsprop.RMSprop):
        optimizer = kind(drawn(SHAPES), **options)
        optimizer.step(drawn(SHAPES, seed=1))
        assert set(optimizer.state["weight"]) == {"step", *entries}
