"""Foreign shapes are taken as they are; in each, a wrong formula shows, and so does a parameter that is not updated."""

import importlib

import pytest

import lockstep
from lockstep.numerics.verdict import Verdict
from parity_tests.support.families import SAME

MODULES = [importlib.import_module(f"parity_tests.support.{name}") for name in ("taken", "taken_torch")]
SHAPES = {name: (module, target) for module in MODULES for name, target in module.TAKEN.items()}
pytestmark = pytest.mark.slow


def checked(target, **options):
    return lockstep.check(target, like="optim.adam", **({"dtypes": ("float64",)} | options))


@pytest.mark.parametrize("name", SHAPES)
def test_a_shape_is_taken_and_faithful(name):
    found = checked(SHAPES[name][1])
    assert found.verdict in SAME, str(found)
    assert len(found.outcomes) >= 9
    assert not found.causes


@pytest.mark.parametrize("name", SHAPES)
def test_a_parameter_that_is_not_updated_is_seen_in_every_shape(name, monkeypatch):
    module, target = SHAPES[name]
    monkeypatch.setattr(module, "update_bias", lambda p, g, m, v, *told: (p, m, v))
    found = checked(target, only="normal gradients")
    assert found.verdict is Verdict.DIFFERENT, str(found)
    assert found.first_difference is not None
    assert found.first_difference.tensor == "bias"


@pytest.mark.parametrize("name", SHAPES)
def test_a_wrong_formula_is_named_in_every_shape(name, monkeypatch):
    module, target = SHAPES[name]

    def wrong(p, g, m, v, t, lr, b1=0.9, b2=0.999, eps=1e-8):
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g * g
        return p - lr * (m / (1 - b1**t)) / (v / (1 - b2**t) + eps) ** 0.5, m, v

    monkeypatch.setattr(module, "update", wrong)
    found = checked(target, only="gradients near eps")
    assert found.verdict is Verdict.DIFFERENT, str(found)
    assert [cause["id"] for cause in found.causes] == ["eps-inside-sqrt"], str(found)
