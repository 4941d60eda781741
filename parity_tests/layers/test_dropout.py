"""layers.dropout beside torch.nn.Dropout."""

import numpy as np
import pytest
import torch

from lockstep.cases.layers import LayerCase
from parity_tests.layers.layer import ModuleTests
from reference.layers.dropout import Dropout
from torch_impl.layers import dropout


class TestDropout(ModuleTests):
    path = "layers.dropout"
    left_out = {"Dropout": {"inplace"}}
    own = {"generator"}
    derivable = (
        LayerCase("small", layer="Dropout", masked=True, p=0.3, shape=(3, 4)),
        LayerCase("small, in evaluation", layer="Dropout", masked=True, p=0.3, shape=(3, 4), evaluate_from=1),
    )


@pytest.fixture
def x():
    return np.random.default_rng(0).standard_normal((50, 40)).astype(np.float32)


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_a_mask_given_is_what_torchs_own_module_does_with_it(x, p):
    """torch.nn.Dropout draws; the mask it drew, handed to both sides, gives its output and its gradient to the bit."""
    torch.manual_seed(3)
    drawn = dropout.Dropout(p)
    output, upstream = drawn.forward(x), x[::-1].copy()
    torch.manual_seed(3)
    assert np.array_equal(torch.nn.functional.dropout(torch.tensor(x), p).numpy(), output)
    gradient = drawn.backward(upstream)
    for layer in (dropout.Dropout(p), Dropout(p)):
        assert np.array_equal(layer.forward(x, drawn.mask), output)
        assert np.array_equal(layer.backward(upstream), gradient)


def test_the_share_that_is_kept_and_the_mean(x):
    """Each count lies within five standard deviations of its expectation: off once in two million draws."""
    p, ones = 0.3, np.ones_like(x)
    layer = Dropout(p, generator=np.random.default_rng(0))
    y = layer.forward(ones)
    kept, n = np.count_nonzero(y), y.size
    assert abs(kept - n * (1 - p)) < 5 * np.sqrt(n * p * (1 - p))
    assert set(np.unique(y)) == {np.float32(0), np.float32(1 / (1 - p))}
    assert np.array_equal(layer.backward(ones), y)


def test_a_mask_is_drawn_anew_for_every_pass_and_never_in_evaluation(x):
    layer = Dropout(0.5, generator=np.random.default_rng(0))
    first, second = layer.forward(x), layer.forward(x)
    assert not np.array_equal(first, second)
    state = layer.generator.bit_generator.state
    assert np.array_equal(layer.eval().forward(x), x)
    assert layer.generator.bit_generator.state == state


@pytest.mark.parametrize(
    ("given", "words"),
    [((), "Dropout in training needs a mask or a generator"), ((np.ones((2, 2)),), "the mask has shape")],
    ids=["neither mask nor generator", "a mask of another shape"],
)
def test_a_call_that_makes_no_sense_is_refused(x, given, words):
    with pytest.raises(ValueError, match=words):
        Dropout(0.5).forward(x, *given)
