"""What is wrong far out alone, or for some arrays alone, passes no check: each slip with the scenario that shows it."""

import numpy as np
import pytest

import lockstep
from lockstep.numerics.verdict import Verdict

pytestmark = pytest.mark.slow


class Faithful:
    """Adam; a variant spoils one thing."""

    def __init__(self, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
        self.lr, self.betas, self.eps, self.weight_decay = lr, betas, eps, weight_decay
        self.count, self.exp_avg, self.exp_avg_sq = {}, {}, {}

    def step(self, params, grads):
        for name, grad in grads.items():
            if grad is not None:
                params[name][...] = self.one(name, params[name], grad)

    def one(self, name, param, grad):
        grad = self.decayed(param, grad)
        b1, b2 = self.betas
        t = self.count[name] = self.count.get(name, 0) + 1
        key = self.key(name, param)
        m = self.exp_avg[key] = b1 * self.exp_avg.get(key, 0 * grad) + (1 - b1) * grad
        v = self.exp_avg_sq[key] = b2 * self.exp_avg_sq.get(key, 0 * grad) + (1 - b2) * grad**2
        return param - self.scaled(param, self.lr * (m / (1 - b1**t)) / (np.sqrt(v / (1 - b2**t)) + self.eps))

    def decayed(self, param, grad):
        return grad + self.weight_decay * param

    def key(self, name, param):
        return name

    def scaled(self, param, update):
        return update


class SharesState(Faithful):
    def key(self, name, param):
        return param.shape


class HalvesCubes(Faithful):
    def scaled(self, param, update):
        return update / 2 if param.ndim == 3 else update


class HalvesWhatIsLarge(Faithful):
    def scaled(self, param, update):
        return update / 2 if param.size > 4096 else update


class HalvesWhatIsStrided(Faithful):
    def scaled(self, param, update):
        return update if param.flags.c_contiguous else update / 2


class LeavesScalars(Faithful):
    def decayed(self, param, grad):
        return grad + self.weight_decay * param if param.ndim else grad


class DecaysALot(Faithful):
    def decayed(self, param, grad):
        return grad + self.weight_decay * param if self.weight_decay > 1e-3 else grad


class HidesNaN(Faithful):
    def decayed(self, param, grad):
        return super().decayed(param, np.nan_to_num(grad))


class SkipsTheInfinite(Faithful):
    def one(self, name, param, grad):
        return super().one(name, param, grad) if np.isfinite(grad).all() else param


class ClipsAMillion(Faithful):
    def decayed(self, param, grad):
        return super().decayed(param, np.clip(grad, -1e6, 1e6))


class TakesNoZero(Faithful):
    def __init__(self, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
        super().__init__(lr, (betas[0] or 0.9, betas[1]), eps or 1e-8, weight_decay)


class RemembersLr(Faithful):
    """Takes the lr of the step before: its own `_lr` is none of ours to change."""

    def step(self, params, grads):
        now, self.lr = self.lr, getattr(self, "_lr", self.lr)
        super().step(params, grads)
        self.lr = self._lr = now


SLIPS = [
    (SharesState, "a little weight decay, odd sizes"),
    (HalvesCubes, "odd sizes"),
    (HalvesWhatIsLarge, "many tensors, many elements"),
    (HalvesWhatIsStrided, "arrays that are not contiguous"),
    (LeavesScalars, "weight decay of a scalar"),
    (DecaysALot, "a little weight decay, odd sizes"),
    (HidesNaN, "infinite gradients and NaN"),
    (SkipsTheInfinite, "infinite gradients and NaN"),
    (ClipsAMillion, "gradients huge and tiny"),
    (TakesNoZero, "eps is 0"),
    (TakesNoZero, "betas of 0 and nearly 1"),
    (RemembersLr, "lr changes"),
]


@pytest.mark.usefixtures("unnamed")
@pytest.mark.parametrize(("kind", "scenario"), SLIPS)
def test_what_is_wrong_far_out_alone_is_different(kind, scenario):
    assert lockstep.check(kind, like="optim.adam", only=scenario).verdict is Verdict.DIFFERENT


@pytest.mark.parametrize("scenario", dict.fromkeys(scenario for _, scenario in SLIPS))
def test_who_is_right_is_right_there_too(scenario):
    assert lockstep.check(Faithful, like="optim.adam", only=scenario).exit_status == 0


def test_what_shows_far_out_alone_is_said_to_and_several_causes_are_not_looked_for():
    found = lockstep.check(HidesNaN, like="optim.adam", dtypes=("float64",))
    assert "infinite gradients and NaN; in 28 others it agrees" in str(found)
    assert "several at once were not looked for" in str(found)


def test_a_cause_that_does_not_explain_what_is_far_out_explains_some():
    class Both(HidesNaN):
        def scaled(self, param, update):
            return -update

    found = lockstep.check(Both, like="optim.adam", dtypes=("float64",))
    assert found.diagnosis.answer is None
    assert [cause.id for cause in found.diagnosis.partly.causes] == ["ascends"]
    assert found.diagnosis.partly.left[0] == "infinite gradients and NaN, float64"


def test_an_empty_tensor_that_is_refused_is_said():
    class Refuses(Faithful):
        def one(self, name, param, grad):
            grad.max()
            return super().one(name, param, grad)

    found = lockstep.check(Refuses, like="optim.adam", dtypes=("float64",))
    assert found.exit_status == 0
    assert "an empty tensor" in [entry["scenario"] for entry in found.not_triggered]


class Ramp:
    """ReLU; a variant spoils one thing."""

    def forward(self, x):
        self.above = x > 0
        return np.where(self.above, x, 0)

    def backward(self, grad):
        return np.where(self.above, grad, 0)


class RampOfAMillion(Ramp):
    def forward(self, x):
        return np.minimum(super().forward(x), 1e6).astype(x.dtype)


class RampInPlace(Ramp):
    def forward(self, x):
        x[...] = super().forward(x)
        return x.copy()


class RampBackInPlace(Ramp):
    def backward(self, grad):
        made = super().backward(grad)
        grad *= 0
        return made


def test_a_layer_that_clips_far_out_is_different():
    found = lockstep.check(RampOfAMillion, like="layers.activation.ReLU")
    assert found.verdict is Verdict.DIFFERENT
    assert {one.recording.scenario for one in found.outcomes if one.verdict is Verdict.DIFFERENT} == {"ReLU, huge"}


@pytest.mark.parametrize(("kind", "status"), [(Ramp, 0), (RampInPlace, 3), (RampBackInPlace, 3)])
def test_a_layer_that_writes_into_what_it_is_given_agrees_with_a_reservation(kind, status):
    found = lockstep.check(kind, like="layers.activation.ReLU")
    assert (found.exit_status, found.strict_status) == (0, status), str(found)
    assert ("which PyTorch leaves as they are" in str(found)) == (status == 3)


class Hides(Faithful):
    """Its first moment has a name that nobody knows."""

    def __setattr__(self, name, value):
        super().__setattr__({"exp_avg": "hidden"}.get(name, name), value)

    def __getattr__(self, name):
        if name == "exp_avg":
            return vars(self)["hidden"]
        raise AttributeError(name)


@pytest.mark.parametrize(("kind", "status"), [(Faithful, 0), (Hides, 3)])
def test_state_that_is_not_seen_is_said_and_no_agreement_without_reservation(kind, status):
    found = lockstep.check(kind, like="optim.adam", only="normal gradients")
    assert (found.exit_status, found.strict_status) == (0, status), str(found)
    assert (found.verdict is Verdict.PARTIAL) == ("not seen: exp_avg" in str(found)) == (status == 3)
