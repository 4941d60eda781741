"""What an optimizer declares of its state is what it keeps, and what either side refuses."""

import numpy as np
import pytest

from reference.optim.adam import Adam
from reference.optim.optimizer import Optimizer
from reference.state import STEP, Entry, Number

PARAM = np.asfortranarray(np.ones((3, 2)))


class Lines:
    """What `Declared`'s formula makes."""

    def __init__(self, param, product, mean):
        self.param, self.product, self.mean = param, product, mean


def formula(param, grad, mean=None, *, step, product, lr):
    product = product * lr
    mean = grad if mean is None else mean + grad
    return Lines(param - product.item() * mean, product, mean)


class Declared(Optimizer):
    ORDERS = {"paper": formula}
    STATE = {
        "step": STEP,
        "product": Number("product", start=1.0),
        "mean": Entry("mean", start=None),
        "length": Entry("mean", start="lr", when="sized"),
    }

    def __init__(self, params, lr=0.3, sized=False):
        super().__init__(params, lr=lr)
        self.sized = sized


@pytest.mark.parametrize(
    ("entry", "shape", "dtype", "start"),
    [
        (Entry("m"), (3, 2), np.float64, 0.0),
        (Entry("m", start=2.0), (3, 2), np.float64, 2.0),
        (Entry("m", start="lr"), (3, 2), np.float64, 0.3),
        (Number("m", start=1.0), (), np.float32, 1.0),
        (STEP, (), np.float32, 0.0),
    ],
    ids=["like its parameter", "from a number", "from a hyperparameter", "a number", "a count"],
)
def test_an_entry_starts_as_it_is_declared(entry, shape, dtype, start):
    fresh = entry.new(PARAM, Declared({"w": PARAM.copy()}))
    assert (fresh.shape, fresh.dtype) == (shape, dtype)
    assert np.all(fresh == start)
    assert not fresh.ndim or fresh.flags.f_contiguous
    assert not entry.fault(PARAM, fresh)
    assert entry.fault(PARAM, fresh.astype(np.float16)).startswith("float16")
    assert "not" in entry.fault(PARAM, np.stack([fresh, fresh]))


def test_a_hyperparameter_puts_an_entry_to_use():
    assert [*Declared({"w": PARAM.copy()}).entries(PARAM)] == ["step", "product", "mean"]
    assert [*Declared({"w": PARAM.copy()}, sized=True).entries(PARAM)] == ["step", "product", "mean", "length"]
    assert Entry("m", start=None).new(PARAM, None) is None


@pytest.mark.parametrize("size", [5, 60_000], ids=["small", "of several blocks"])
def test_a_number_is_one_a_tensor_and_counted_once_a_step(size):
    """Not once a block: its own tensors go on by themselves."""
    params = {"seldom": np.ones(size, np.float32), "often": np.ones(size, np.float32)}
    optimizer = Declared(params)
    grads = {name: np.ones(size, np.float32) for name in params}
    optimizer.step(grads)
    optimizer.step(grads | {"seldom": None})
    lr, once = np.float32(0.3), np.float32(1) * np.float32(0.3)
    for name, product, count in (("seldom", once, 1), ("often", once * lr, 2)):
        state = optimizer.state[name]
        assert (state["product"].dtype, state["product"].shape) == (np.float32, ())
        assert (state["product"], state["step"]) == (product, count)


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"product": np.ones((2,), np.float32)}, r"state 'product' of 'w' is float32\[2\], not float32\[\]"),
        ({"product": np.ones((), np.float64)}, r"state 'product' of 'w' is float64\[\], not float32\[\]"),
        ({"step": np.ones((1,), np.float32)}, r"state 'step' of 'w' is float32\[1\], not float32\[\]"),
        ({"mean": np.ones((2, 3))}, r"state 'mean' of 'w' is float64\[2, 3\], not float64\[3, 2\]"),
    ],
    ids=["another shape", "another dtype", "a count of another shape", "transposed"],
)
def test_state_that_is_not_as_declared_is_refused_before_anything_changes(entry, words):
    optimizer = Declared({"w": PARAM.copy()})
    optimizer.step({"w": PARAM})
    before = dict(optimizer.state["w"])
    with pytest.raises(ValueError, match=words):
        optimizer.load_state({"w": before | entry})
    assert optimizer.state["w"] == before


def test_a_count_is_taken_over_from_any_type():
    optimizer = Adam({"w": PARAM.copy()})
    optimizer.step({"w": PARAM})
    optimizer.load_state({"w": optimizer.state["w"] | {"step": 7}})
    assert optimizer.state["w"]["step"].dtype == np.float32
    optimizer.step({"w": PARAM})
    assert optimizer.state["w"]["step"] == 8
