"""Foreign shapes are taken as they are; in each, a wrong formula shows, and so does a parameter that is not updated."""

import importlib
import math
import textwrap

import numpy as np
import pytest

import lockstep
from lockstep.checking.driving.trials import trials
from lockstep.numerics.verdict import Verdict
from lockstep.subjects.registry import find
from parity_tests.support.families import AGREES

MODULES = [importlib.import_module(f"parity_tests.support.{name}") for name in ("taken", "taken_torch")]
SHAPES = {name: (module, target) for module in MODULES for name, target in module.TAKEN.items()}
pytestmark = pytest.mark.slow


def checked(target, **options):
    return lockstep.check(target, like="optim.adam", **({"dtypes": ("float64",)} | options))


@pytest.mark.parametrize("name", SHAPES)
def test_a_shape_is_taken_and_faithful(name):
    found = checked(SHAPES[name][1])
    assert found.verdict in AGREES, str(found)
    assert len(found.outcomes) >= 9
    assert not found.causes


@pytest.mark.usefixtures("unnamed")
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


# what is not taken


class OfOddNames:
    """Nothing in it is called as anywhere else."""

    def __init__(self, lr=1e-3):
        self.lr = lr

    def advance(self, tensors, slopes):
        for name in tensors:
            tensors[name] -= self.lr * slopes[name]


class ActivationOfOddNames:
    def compute(self, x):
        self.on = x > 0
        return x * self.on

    def gradient(self, dy):
        return dy * self.on


def suggested(found, target):
    """What the lines at the end of a message make."""
    assert found.broken is not None
    assert found.broken.id == "not-recognised"
    text = str(found.to_json()["broken"]["message"])
    lines = text[text.index("  class Wrapped") :].splitlines()
    assert len(lines) == 3
    around = {"lockstep": lockstep, target.__name__: target}
    exec(textwrap.dedent("\n".join(lines)), around)
    return around["Wrapped"]


def test_an_optimizer_that_is_not_taken_is_told_its_wrapper_which_works():
    found = lockstep.check(OfOddNames, like="optim.sgd")
    wrapped = suggested(found, OfOddNames)
    assert lockstep.check(wrapped, like="optim.sgd", dtypes=("float64",)).verdict in AGREES


def test_a_layer_that_is_not_taken_is_told_its_wrapper_which_works():
    found = lockstep.check(ActivationOfOddNames, like="layers.activation.ReLU")
    wrapped = suggested(found, ActivationOfOddNames)
    assert lockstep.check(wrapped, like="layers.activation.ReLU", dtypes=("float64",)).verdict in AGREES


def test_a_fault_of_locksteps_own_is_not_called_theirs(monkeypatch):
    made = {"math": math}
    exec(compile("def scheduled(self, grads, step): return math.log(-1.0)", lockstep.__file__, "exec"), made)
    monkeypatch.setattr("lockstep.cases.Case.scheduled", made["scheduled"])
    with pytest.raises(ValueError, match="math domain error"):
        lockstep.check(SHAPES["layers"][1], like="optim.adam")


def test_what_an_adapter_needs_is_exported():
    assert {"Adapter", "LayerAdapter", "Made", "NotTaken", "CannotCheck"} <= set(lockstep.__all__)


def seeded(seed):
    """A shape, a scenario and hyperparameters that somebody may have."""
    draw = np.random.default_rng(seed)
    name = draw.choice([*SHAPES])
    trial = draw.choice(
        [one.name for one in trials(find("optim.adam")) if not (one.needs or one.mishap or one.defaults)]
    )
    return name, trial, {"lr": float(10 ** draw.uniform(-4, 0))}, draw.choice(["float64", "float32"])


@pytest.mark.parametrize("start", range(0, 40, 10))
def test_drawn_shapes_accuse_nobody(start):
    for seed in range(start, start + 10):
        name, trial, settings, dtype = seeded(seed)
        found = checked(SHAPES[name][1], only=trial, hyperparameters=settings, dtypes=(dtype,), seed=seed)
        assert found.verdict in AGREES, f"{seed}: {name}, {trial}, {settings}, {dtype}: {found}"
