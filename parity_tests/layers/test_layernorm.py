"""layers.layernorm beside torch.nn.LayerNorm."""

import statistics

import numpy as np
import pytest
import torch

import lockstep
from lockstep.cases.layers.layernorm import layernorm
from lockstep.numerics import probe
from lockstep.numerics.verdict import Verdict
from parity_tests.layers.layer import RefusingInputs
from parity_tests.support.digits import digits
from reference.layers.layernorm import LayerNorm, by_welford


class TestLayerNorm(RefusingInputs):
    path = "layers.layernorm"
    left_out = {"LayerNorm": {"device"}}
    own = {"dtype"}
    good = {"LayerNorm": (np.random.default_rng(0).standard_normal((5, 3), np.float32),)}
    derivable = (
        layernorm("small", (4, 3)),
        layernorm("small, not affine", (4, 3), elementwise_affine=False),
        layernorm("small, without bias", (4, 3), bias=False),
        layernorm("small, two axes", (2, 2, 3), axes=2),
    )


@pytest.mark.parametrize(
    ("desc", "settings"),
    [
        ("one number", {"shape": (5, 1)}),
        ("large offset", {"shape": (13, 64), "kind": "large offset"}),
        ("constant", {"kind": "constant"}),
    ],
)
def test_where_float32_has_no_digit_left_nobody_is_accused_and_the_ladder_closes(desc, settings):
    case = layernorm(desc, **settings)
    assert lockstep.run("layers.layernorm", case=case).verdict is Verdict.ILL_CONDITIONED
    assert lockstep.explain("layers.layernorm", case=case).explained


def test_statistics_are_those_of_exact_fractions():
    """The biased variance, of a sample's own numbers."""
    x = np.random.default_rng(0).standard_normal((2, 5)) + 100
    forward, _ = LayerNorm(5, dtype=np.float64).evaluate((digits(x),), None)
    for row in range(2):
        values = x[row].tolist()
        assert float(forward.mu[row, 0]) == statistics.mean(values)
        assert float(forward.var[row, 0]) == statistics.pvariance(values)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n", [1, 7, 8, 9, 61, 128, 129, 256, 300, 4099])
def test_the_moments_are_pytorchs_to_the_last_bit(n, dtype):
    x = (3 * np.random.default_rng(0).standard_normal((50, n)) + 1).astype(dtype)
    _, mean, rstd = torch.native_layer_norm(torch.tensor(x), (n,), None, None, 1e-5)
    mu, var = by_welford(x, probe.arithmetic(probe.findings()))
    assert mu.tobytes() == mean.numpy().tobytes()
    assert (1 / np.sqrt(var + np.dtype(dtype).type(1e-5))).tobytes() == rstd.numpy().tobytes()


@pytest.mark.parametrize("threads", [1, 2, 3, 5])
def test_each_thread_adds_up_its_share_of_the_samples(threads):
    """The gradients of γ and β depend on how many there are; to the last bit on each."""
    x, dy = np.random.default_rng(0).standard_normal((2, 301, 20)).astype(np.float32)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        layer, weight = torch.nn.LayerNorm(20), np.ones(20, np.float32)
        layer(torch.tensor(x)).backward(torch.tensor(dy))
    finally:
        torch.set_num_threads(before)
    ops = probe.arithmetic(probe.findings())
    ops.threads = threads
    ours = LayerNorm(20)
    ours.formula = ours.ORDERS["pytorch"]
    _, backward = ours.evaluate((x,), dy, {"weight": weight, "bias": 0 * weight}, ops=ops)
    assert backward.dgamma.tobytes() == layer.weight.grad.numpy().tobytes()
    assert backward.dbeta.tobytes() == layer.bias.grad.numpy().tobytes()


def test_one_more_addition_in_double_is_noticed():
    """As BatchNorm's threads are put together: of three shares, two additions instead of three roundings."""
    from reference.summation import of_rows, one_by_one, shares

    x = np.random.default_rng(0).standard_normal((301, 400)).astype(np.float32)
    parts = np.stack([one_by_one(x[share]) for share in shares(len(x), 3, 1)])
    assert (one_by_one(parts) != of_rows(x, None, 3, None).astype(np.float32)).any()
