"""Averages of weights as people write them, held against average.ema."""

import copy

import numpy as np
import pytest
import torch

import lockstep
from lockstep.numerics.verdict import Verdict

pytestmark = pytest.mark.slow


def function(average, new, decay):
    return decay * average + (1 - decay) * new


class FirstCopied:
    def __init__(self, decay=0.999):
        self.decay, self.average = decay, None

    def update(self, params):
        if self.average is None:
            self.average = {name: array.copy() for name, array in params.items()}
            return
        for name, array in params.items():
            self.average[name] += (array.dtype.type(1) - array.dtype.type(self.decay)) * (array - self.average[name])


class ByName:
    def __init__(self, mu=0.999):
        self.mu, self.shadow = mu, {}

    def register(self, name, value):
        self.shadow[name] = value.copy()

    def __call__(self, name, x):
        self.shadow[name] = (self.mu * self.shadow[name] + (1 - self.mu) * x).astype(x.dtype)
        return self.shadow[name]


class Swapped:
    def __init__(self, params, decay=0.999):
        self.decay = decay
        self.shadow = {name: array.copy() for name, array in params.items()}

    def update(self, params):
        for name, array in params.items():
            self.shadow[name] = ((1 - self.decay) * self.shadow[name] + self.decay * array).astype(array.dtype)


class OfModule:
    def __init__(self, model, decay=0.999):
        self.module, self.decay = copy.deepcopy(model), decay

    @torch.no_grad()
    def update(self, model):
        for average, value in zip(self.module.state_dict().values(), model.state_dict().values(), strict=True):
            average.copy_(self.decay * average + (1 - self.decay) * value)


class HoldsModule:
    def __init__(self, model, decay=0.999):
        self.model, self.decay = model, decay
        self.shadow = {name: p.detach().clone() for name, p in model.named_parameters()}

    def update(self):
        for name, p in self.model.named_parameters():
            self.shadow[name] = (1 - self.decay) * p.detach() + self.decay * self.shadow[name]


class OfParameters:
    def __init__(self, parameters, decay=0.999):
        self.decay, self.updates = decay, 0
        self.shadow_params = [p.detach().clone() for p in parameters]

    @torch.no_grad()
    def update(self, parameters):
        self.updates += 1
        share = 1 - min(self.decay, (1 + self.updates) / (10 + self.updates))
        for average, p in zip(self.shadow_params, parameters, strict=True):
            average.sub_(share * (average - p))


class HalfThere:
    """Holds no more than one of the parameters: nothing is to be taken for the others."""

    def __init__(self, params, decay=0.999):
        self.shadow = {next(iter(params)): np.array(1.0)}

    def update(self, params):
        pass


class KeepsWhatItIsGiven:
    """Holds what it was made of under a name that an average may have, and its average under no usual one."""

    def __init__(self, params, decay=0.999):
        self.params, self.decay = params, decay
        self.smoothed = {name: array.copy() for name, array in params.items()}

    def update(self, params):
        for name, array in params.items():
            self.smoothed[name] = (self.decay * self.smoothed[name] + (1 - self.decay) * array).astype(array.dtype)


BEFORE, LATER = "average-starts-before", "average-warmed-up (counted from 1)"


@pytest.mark.parametrize(
    ("target", "names"),
    [
        (function, []),
        (FirstCopied, []),
        (ByName, [BEFORE]),
        (Swapped, [BEFORE, "decay-for-its-complement"]),
        (OfModule, [BEFORE, "buffers-averaged"]),
        (HoldsModule, [BEFORE]),
        (OfParameters, [BEFORE, LATER]),
    ],
)
def test_it_is_taken_as_it_is_and_what_is_wrong_is_named(target, names):
    found = lockstep.check(target, like="average.ema")
    known = [f"{one['id']} ({one['variant']})" if one.get("variant") else one["id"] for one in found.causes]
    assert known == names, str(found)
    assert (found.verdict is Verdict.DIFFERENT) == bool(names)


@pytest.mark.parametrize("target", [HalfThere, KeepsWhatItIsGiven])
def test_what_holds_no_average_is_not_taken(target):
    found = lockstep.check(target, like="average.ema")
    assert found.verdict is Verdict.BROKEN
    assert "nothing that holds the average" in str(found)
