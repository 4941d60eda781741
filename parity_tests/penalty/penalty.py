"""What the tests of both penalties do, which are layers whose input is a weight."""

import inspect

import numpy as np
import pytest

from parity_tests.layers.layer import LayerTests


class PenaltyTests(LayerTests):
    def test_both_sides_have_the_same_arguments(self):
        """PyTorch has no such loss term, so its side is an expression in torch, of our names."""
        ours, theirs = (inspect.signature(kind()).parameters for kind in (self.reference, self.counterpart))
        assert list(ours) == list(theirs) == ["lam", "m"]
        assert ours["m"].default == theirs["m"].default == 1

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            ((-0.1,), "Invalid lam value: -0.1"),
            ((float("nan"),), "Invalid lam value: nan"),
            ((1, 0), "Invalid m value: 0"),
        ],
        ids=["negative", "no number", "no samples"],
    )
    def test_what_makes_no_sense_is_refused(self, arguments, words):
        with pytest.raises(ValueError, match=words):
            self.reference()(*arguments)

    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    def test_several_weights_are_penalised_each_by_itself(self, dtype):
        weights = [
            np.random.default_rng(k).standard_normal(shape).astype(dtype) for k, shape in enumerate([(3, 2), (4,)])
        ]
        penalty = self.reference()(0.3, 5)
        parts = [penalty.forward(w) for w in weights]
        slopes = [self.reference()(0.3, 5) for _ in weights]
        expected = []
        for one, w in zip(slopes, weights, strict=True):
            one.forward(w)
            expected.append(one.backward(2.0))
        assert penalty.forward(*weights) == parts[0] + parts[1]
        for found, alone in zip(penalty.backward(2.0), expected, strict=True):
            assert found.dtype == alone.dtype == np.dtype(dtype)
            assert np.array_equal(found, alone)
