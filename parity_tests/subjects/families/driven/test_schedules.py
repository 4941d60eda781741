"""Somebody's own schedules, in every shape that is driven."""

import math

import pytest

import lockstep
from lockstep.numerics.verdict import Verdict
from parity_tests.support.families import SAME

EXPONENTIAL = "lr_scheduler.exponential_lr"


def function(step, lr, gamma):
    return lr * gamma**step


def factor(epoch, gamma):
    """As LambdaLR takes it."""
    return gamma**epoch


def generator(lr, gamma):
    while True:
        yield lr
        lr = lr * gamma


def factory(init_value, decay_rate):
    """As optax has it."""
    return lambda count: init_value * decay_rate**count


class Plain:
    """With step() and get_lr(), and no optimizer."""

    def __init__(self, base_lr, decay):
        self.base_lr, self.decay, self.t = base_lr, decay, 0

    def step(self):
        self.t += 1

    def get_lr(self):
        return self.base_lr * self.decay**self.t


class OnGroups:
    def __init__(self, optimizer, gamma):
        self.optimizer, self.gamma = optimizer, gamma

    def step(self):
        for group in self.optimizer.param_groups:
            group["lr"] *= self.gamma


class Answering:
    """Its step answers the rate."""

    def __init__(self, lr, gamma):
        self.start, self.gamma, self.count = lr, gamma, -1
        self.lr = lr

    def step(self):
        self.lr = self.lr * self.gamma
        return self.lr


def wrong(step, lr, gamma):
    return lr * gamma ** (step + 1)


def wrong_factor(epoch, gamma):
    return 1 / (1 + gamma * epoch)


def wrong_generator(lr, gamma):
    while True:
        yield lr
        lr = lr * gamma * gamma


@pytest.mark.parametrize("target", [function, factor, generator, factory, Plain, OnGroups, Answering])
def test_who_is_right_is_not_accused_in_whatever_shape(target):
    found = lockstep.check(target, like=EXPONENTIAL)
    assert found.verdict in SAME, str(found)


@pytest.mark.parametrize(
    ("target", "cause"),
    [
        (wrong, "schedule-one-ahead"),
        (wrong_factor, "inverse-time-decay"),
        (wrong_generator, "gamma-applied-twice"),
    ],
)
def test_who_is_wrong_is_told_what(target, cause):
    found = lockstep.check(target, like=EXPONENTIAL)
    assert found.verdict is Verdict.DIFFERENT
    assert [one["id"] for one in found.causes] == [cause]


def cosine(it, max_lr, min_lr, max_iters):
    """As in many training scripts."""
    return min_lr + 0.5 * (max_lr - min_lr) * (1.0 + math.cos(math.pi * it / max_iters))


def cosine_held(it, max_lr, min_lr, max_iters):
    return cosine(min(it, max_iters), max_lr, min_lr, max_iters)


def test_a_cosine_under_names_of_its_own():
    like = "lr_scheduler.cosine_annealing_lr"
    assert lockstep.check(cosine, like=like).verdict is Verdict.ROUNDING
    assert [one["id"] for one in lockstep.check(cosine_held, like=like).causes] == ["stays-at-the-floor"]


def test_what_makes_another_number_of_rates_than_there_are_groups_cannot_be_driven():
    class One(OnGroups):
        lrs = (0.1,)

        def step(self):
            """Moves nothing."""

    found = lockstep.check(One, like=EXPONENTIAL)
    assert any("1" in str(entry["reason"]) for entry in found.not_triggered)


class Halved:
    """A schedule of steps that can be saved; `kept` says what it goes on from."""

    kept = ("epoch", "lr0")

    def __init__(self, optimizer, step_size, gamma=0.1):
        self.optimizer, self.step_size, self.gamma, self.epoch = optimizer, step_size, gamma, 0
        self.lr0 = [group["lr"] for group in optimizer.param_groups]

    def step(self):
        self.epoch += 1
        for group, lr in zip(self.optimizer.param_groups, self.lr0, strict=True):
            group["lr"] = lr * self.gamma ** (self.epoch // self.step_size)

    def state_dict(self):
        return {name: vars(self)[name] for name in ("epoch", "lr0")}

    def load_state_dict(self, saved):
        vars(self).update({name: saved[name] for name in self.kept})


class Restarted(Halved):
    kept = ("lr0",)


class Decayed(Halved):
    """It takes the rate that it finds for the first one, and goes down from there once more."""

    def load_state_dict(self, saved):
        self.epoch, self.lr0 = saved["epoch"], [group["lr"] for group in self.optimizer.param_groups]


@pytest.mark.parametrize(
    ("kind", "cause"), [(Halved, []), (Restarted, ["schedule-restarted"]), (Decayed, ["not-resumed"])]
)
def test_a_schedule_that_is_stopped_goes_on_or_is_told_what_it_forgot(kind, cause):
    result = lockstep.check(kind, like="lr_scheduler.step_lr", only="resumed")
    assert result.outcomes, str(result)
    assert [remark.id for remark in result.remarks] == cause, str(result)
    assert result.verdict is (Verdict.DIFFERENT if cause else result.outcomes[0].verdict)
    assert result.outcomes[0].verdict in (Verdict.ROUNDING, Verdict.IDENTICAL)
