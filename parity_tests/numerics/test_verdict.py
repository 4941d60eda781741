import numpy as np
import pytest

from lockstep.numerics.bounded import Bounded
from lockstep.numerics.verdict import Verdict, judge


def verdict(ours, theirs, exact):
    return judge(1, "param", "weight", "param", np.array(ours), np.array(theirs), exact).verdict


@pytest.mark.parametrize("error", [0.0, 2.0**-1073])
def test_zeros_that_differ_in_sign_alone_are_rounding(error):
    """Nothing of the tensor is certain but that it is 0; both sides say so."""
    exact = Bounded(np.zeros(2), np.float64, error=error)
    assert verdict([0.0, -0.0], [-0.0, -0.0], exact) is Verdict.ROUNDING


def test_a_tensor_of_noise_is_ill_conditioned():
    exact = Bounded(np.zeros(2), np.float64, error=1e-20)
    assert verdict([1e-21, 0.0], [-1e-21, 0.0], exact) is Verdict.ILL_CONDITIONED


def test_outside_the_allowance_is_another_formula():
    exact = Bounded(np.zeros(2), np.float64, error=1e-20)
    assert verdict([1e-19, 0.0], [-1e-21, 0.0], exact) is Verdict.DIFFERENT
