"""A mistake that was made for the bias alone is looked for in the bias alone, and it is said."""

import pytest

import lockstep
from lockstep.diagnose.tensors import apart
from parity_tests.support import taken

pytestmark = pytest.mark.slow


def inside(p, g, m, v, t, lr, b1=0.9, b2=0.999, eps=1e-8):
    m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g * g
    return p - lr * (m / (1 - b1**t)) / (v / (1 - b2**t) + eps) ** 0.5, m, v


def checked():
    told = {"like": "optim.adam", "dtypes": ("float64",), "only": "gradients near eps"}
    return lockstep.check(taken.OfFourArraysAfterTheStep, **told)


def test_a_mistake_of_the_bias_alone_is_named_and_said_to_be_so(monkeypatch):
    monkeypatch.setattr(taken, "update_bias", inside)
    found = checked()
    assert [cause["id"] for cause in found.causes] == ["eps-inside-sqrt"], str(found)
    assert "bias alone" in str(found)


def test_a_mistake_of_all_tensors_is_not_said_to_be_one_of_some(monkeypatch):
    for name in ("update", "update_bias"):
        monkeypatch.setattr(taken, name, inside)
    found = checked()
    assert [cause["id"] for cause in found.causes] == ["eps-inside-sqrt"], str(found)
    assert "alone" not in str(found)
    assert apart([outcome.recording for outcome in found.outcomes]) == []
