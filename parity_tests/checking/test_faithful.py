"""Whoever follows PyTorch's formula is never accused, however they write it and whatever they set."""

import functools
import inspect
import random

import pytest
import torch

from lockstep.adapters.adapter import NotTaken
from lockstep.adapters.optimizer.recognise import recognise
from lockstep.checking.driving.steps import Raised, record
from lockstep.checking.driving.trials import trials
from lockstep.diagnose.replay import replay
from lockstep.subjects.families.optim import defaults_of
from lockstep.subjects.registry import find
from parity_tests.support.rewrites import REWRITES

pytestmark = pytest.mark.slow

SUBJECTS = list(REWRITES)


def in_order(kind, order):
    """The class of the reference, with its formula in another order."""

    class InOrder(kind):
        def __init__(self, params, **hyperparameters):
            super().__init__(params, **hyperparameters)
            self.formula = self.ORDERS[order]

    InOrder.__name__ = f"{kind.__name__} in {order} order"
    InOrder.__signature__ = inspect.signature(kind)
    return InOrder


def faithful(path):
    """Everything that follows the formula: ours in its orders, PyTorch's on every path, the rewrites."""
    subject = find(path)
    ours, theirs = subject.ours(), subject.theirs()
    found = {f"reference, {order}": in_order(ours, order) for order in ours.ORDERS}
    paths = {"single": {"foreach": False}, "foreach": {"foreach": True}, "fused": {"fused": True}}
    found |= {
        f"torch, {name}": functools.partial(getattr(torch.optim, theirs.__name__), **paths[name])
        for name in theirs.paths
    }
    return found | {kind.__name__: kind for kind in REWRITES[path]}


def own(kind):
    """A path of PyTorch's as a subclass, as a user would hand it over."""
    if not isinstance(kind, functools.partial):
        return kind

    class OnItsPath(kind.func):
        def __init__(self, params, **hyperparameters):
            super().__init__(params, **hyperparameters, **kind.keywords)

    OnItsPath.__name__ = kind.func.__name__
    return OnItsPath


def hyperparameters(path, draw):
    """Random ones, as PyTorch allows them; `draw` is a random.Random."""
    lr = 10 ** draw.uniform(-5, 0.5)
    eps = 10 ** draw.uniform(-12, -2)
    decay = draw.choice([0.0, 10 ** draw.uniform(-5, 0)])
    maximize = draw.random() < 0.2
    own = {
        "optim.sgd": lambda: {
            "momentum": (momentum := draw.choice([0.0, draw.uniform(0.01, 0.999)])),
            "nesterov": (nesterov := momentum > 0 and draw.random() < 0.4),
            "dampening": 0.0 if nesterov else draw.choice([0.0, draw.uniform(0, 1)]),
        },
        "optim.adagrad": lambda: {
            "lr_decay": draw.choice([0.0, 10 ** draw.uniform(-3, 0)]),
            "initial_accumulator_value": draw.choice([0.0, 10 ** draw.uniform(-6, 0)]),
            "eps": eps,
        },
        "optim.rmsprop": lambda: {
            "alpha": draw.choice([0.99, draw.uniform(0.01, 0.9999)]),
            "momentum": draw.choice([0.0, draw.uniform(0.01, 0.99)]),
            "eps": eps,
        },
    }.get(
        path,
        lambda: {
            "betas": (draw.choice([0.9, draw.uniform(0, 0.999)]), draw.choice([0.999, draw.uniform(0.01, 0.9999)])),
            "amsgrad": draw.random() < 0.3,
            "eps": eps,
        },
    )
    return {"lr": lr, "weight_decay": decay, "maximize": maximize, **own()}


def draw_one(seed):
    """One implementation in one scenario under random hyperparameters: what it used of its allowance."""
    draw = random.Random(seed)
    path = draw.choice(SUBJECTS)
    subject = find(path)
    name, kind = draw.choice(list(faithful(path).items()))
    settings = hyperparameters(path, draw)
    trial = draw.choice([one for one in trials(subject) if one.mishap != "tied" and not one.defaults])
    settings = {key: value for key, value in settings.items() if key not in trial.case.hyperparameters}
    if trial.case.hyperparameters.get("nesterov"):
        settings["dampening"] = 0.0
    if trial.case.hyperparameters.get("dampening"):
        settings["nesterov"] = False
    dtype, seed = draw.choice(["float64", "float32"]), draw.randrange(2**32)
    found = recognise(own(kind), path, tuple(defaults_of(subject)))
    what = f"{path}, {name}, {trial.name}, {dtype}, {settings}"
    if (name, trial.mishap) == ("torch, fused", "strided"):
        return what, 0.0, False  # it is not right there: test_fused_kernels_do_not_see_strides
    try:
        recording = record(found, subject, trial, dtype, seed, settings)
    except NotTaken:
        return what, 0.0, False
    except Raised as error:
        if "Nesterov" in str(error):
            return what, 0.0, False
        raise
    left = replay(recording)
    return what, left.used, left.uncertain is not None


@pytest.mark.parametrize("path", [path for path in SUBJECTS if "torch, fused" in faithful(path)])
def test_fused_kernels_do_not_see_strides(path):
    """On a CPU, PyTorch's read and write what lies side by side, whatever the strides; so it is told who runs them."""
    kind = getattr(torch.optim, find(path).theirs().__name__)
    start, gradient = torch.arange(1.0, 8.0), torch.arange(7.0, 0.0, -1.0)

    def stepped(how, lay):
        param = torch.nn.Parameter(lay(start))
        param.grad = lay(gradient)
        kind([param], lr=0.5, **how).step()
        return param.detach().numpy().tobytes()

    def apart(array):
        return torch.stack([array, torch.zeros_like(array)], 1)[:, 0]

    assert stepped({"foreach": False}, torch.clone) == stepped({"foreach": False}, apart)
    assert stepped({"fused": True}, torch.clone) != stepped({"fused": True}, apart)
    strided = next(one for one in trials(find(path)) if one.mishap == "strided")
    for name, right in {"torch, single": True, "torch, fused": False}.items():
        found = recognise(own(faithful(path)[name]), path, tuple(defaults_of(find(path))))
        assert replay(record(found, find(path), strided, "float32", 0, {})).explains is right


@pytest.mark.parametrize("start", range(0, 60, 10))
def test_random_hyperparameters(start):
    for seed in range(start, start + 10):
        what, used, _ = draw_one(seed)
        assert used <= 1, what


ONCE_ACCUSED = [
    # a factor (1 - lr·λ) of the parameter is rounded by itself
    ("optim.sgd", "ShrinkingSGD", "lr changes", "float64", {"weight_decay": 0.033695052289822364}),
    # PyTorch's lerp rounds its weight to float32 before it takes it from 1
    ("optim.adam", "torch, fused", "lr changes", "float32", {"betas": (0.014288476408366406, 0.2381560518862559)}),
    # state that cannot be seen, carried along by a formula whose error would grow by itself
    ("optim.adam", "IncrementalAdam", "sixty steps", "float32", {"betas": (0.6284929500656786, 0.999), "eps": 1e-12}),
]


@pytest.mark.parametrize(("path", "name", "scenario", "dtype", "settings"), ONCE_ACCUSED)
def test_what_was_once_accused(path, name, scenario, dtype, settings):
    subject = find(path)
    found = recognise(own(faithful(path)[name]), path, tuple(defaults_of(subject)))
    trial = next(one for one in trials(subject) if one.name == scenario)
    for seed in range(4):
        left = replay(record(found, subject, trial, dtype, seed, settings))
        assert left.explains, left.first
        assert left.uncertain is None


def test_the_allowance_of_hidden_state_does_not_grow():
    """After sixty steps without a look at the state, a difference of a millionth of an update still shows."""
    hidden = REWRITES["optim.adam"][3]
    subject = find("optim.adam")
    trial = next(one for one in trials(subject) if one.name == "sixty steps")
    found = recognise(hidden, "optim.adam", tuple(defaults_of(subject)))
    recording = record(found, subject, trial, "float64", 0, {})
    assert not recording.steps[-1].state
    assert replay(recording).explains
    last = recording.steps[-1]
    for name, array in last.after.items():
        last.after[name][...] = array + 1e-6 * (array - last.before[name])
    left = replay(recording)
    assert left.first is not None
    assert left.first.step == 60


@pytest.mark.exhaustive
@pytest.mark.timeout(3600)
def test_a_thousand_draws():
    drawn = [draw_one(seed) for seed in range(1000)]
    what, worst, _ = max(drawn, key=lambda one: one[1])
    print(f"the largest share of an allowance in {len(drawn)} draws: {worst:.2f} ({what})")
    assert worst <= 1
    assert not any(uncertain for _, _, uncertain in drawn)
