"""What a formula does to many arrays at once is what it does to each, or it is refused."""

import numpy as np
import pytest

from lockstep.diagnose.by_line.many import Many

RNG = np.random.default_rng(0)
X = RNG.normal(size=(5, 4, 3))
COLUMNS = RNG.normal(size=3)

DONE = {
    "operators": lambda x: (-x + 2 * x - x / 3 + abs(x) ** 0.5) * 1.5,
    "from the left": lambda x: (1 - x) / (2 / (x * x + 1)),
    "with an array of its shape": lambda x: x * X[0] - X[0],
    "with one of fewer axes": lambda x: COLUMNS * x + COLUMNS,
    "with one of more axes": lambda x: x.sum(axis=0) * X[0],
    "conditions": lambda x: (x > 0) & ~(x > 1) | (x == 0),
    "functions": lambda x: np.sqrt(np.exp(x)) + np.maximum(x, 0) + np.sign(x) + np.log1p(x * x),
    "where": lambda x: np.where(x > 0, x, COLUMNS),
    "clip": lambda x: np.clip(x, -0.5, 0.5) + x.clip(None, 1),
    "sum of all": lambda x: x.sum(),
    "along the first axis": lambda x: x.mean(axis=0),
    "along the last axis": lambda x: x.max(axis=-1, keepdims=True) - x,
    "along two axes": lambda x: np.mean(x, axis=(0, 1)),
    "of a single number": lambda x: x.sum().sum(),
    "shapes": lambda x: x.reshape(-1, 1, 3) + x.reshape((4, 1, 3)) + np.ndim(x) + x.size + x.shape[0] + len(x),
    "places": lambda x: x[1:, 0] + x[None, 1:, 0] + x[..., 1:, 0],
    "transposed": lambda x: x.T @ x + np.transpose(x) @ X[0],
    "matrices": lambda x: X[0].T @ x,
    "end to end": lambda x: x.ravel().astype(np.float32).copy(),
}

REFUSED = {
    "an answer": lambda x: bool(x.sum() > 0),
    "a number": lambda x: float(x.sum()),
    "one after the other": lambda x: [*x],
    "as an array": np.asarray,
    "among arrays": lambda x: np.stack([x, x]),
    "vectors as matrices": lambda x: x[0] @ X[0].T,
    "in place": lambda x: np.add(x, 1, out=x.held),
    "what is not known": np.linalg.norm,
    "an accumulation": np.add.accumulate,
}


@pytest.mark.parametrize("name", DONE)
def test_many_at_once_are_what_each_is(name):
    made = DONE[name](Many(X))
    alone = np.stack([DONE[name](x) for x in X])
    assert made.shape == alone.shape[1:]
    assert np.array_equal(made.held, alone)


@pytest.mark.parametrize("name", REFUSED)
def test_what_would_mix_them_is_refused(name):
    with pytest.raises(TypeError):
        REFUSED[name](Many(X))


def test_one_that_gets_what_is_another_ones_is_noticed(monkeypatch):
    monkeypatch.setattr(Many, "reshape", lambda many, *shape: Many(many.held[::-1].reshape(len(many.held), *shape)))
    with pytest.raises(AssertionError):
        test_many_at_once_are_what_each_is("end to end")
