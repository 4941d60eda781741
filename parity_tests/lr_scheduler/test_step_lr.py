"""lr_scheduler.step_lr beside torch.optim.lr_scheduler.StepLR."""

import numpy as np
import pytest
import torch

import lockstep
from lockstep.numerics.verdict import Verdict
from parity_tests.lr_scheduler.scheduler import ScheduleTests
from reference.lr_scheduler.step_lr import StepLR


class TestStepLR(ScheduleTests):
    path = "lr_scheduler.step_lr"


def test_the_recursion_is_pytorchs_to_the_bit_and_the_closed_form_is_up_to_half_the_decays_apart():
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.1)
    theirs, ours, closed = (
        torch.optim.lr_scheduler.StepLR(optimizer, 2, 0.99),
        StepLR([0.1], 2, 0.99),
        StepLR([0.1], 2, 0.99),
    )
    ours.formula = ours.ORDERS["pytorch"]
    apart = 0.0
    for epoch in range(1, 401):
        optimizer.step()
        theirs.step()
        ours.step()
        closed.step()
        assert ours.lrs[0] == optimizer.param_groups[0]["lr"]
        apart = abs(closed.lrs[0] - ours.lrs[0]) / np.spacing(ours.lrs[0])
        assert apart <= epoch // 2 / 2 + 1
    assert apart > 0


def test_made_for_a_later_epoch_at_which_it_decays_both_sides_decay_once_more():
    """What a checkpoint holds is the rate of that epoch already: PyTorch's goes down twice, and so does ours."""
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.05)
    optimizer.param_groups[0]["initial_lr"] = 0.1
    theirs = torch.optim.lr_scheduler.StepLR(optimizer, 5, 0.5, last_epoch=4)
    ours = StepLR([0.05], 5, 0.5, last_epoch=4, initial_lrs=[0.1])
    assert theirs.get_last_lr() == ours.lrs == [0.025]
    assert StepLR.ORDERS["closed"](0.05, 0.1, last_epoch=5, step_size=5, gamma=0.5).lr == 0.05


def right(epoch, lr0, step_size, gamma=0.1):
    return lr0 * gamma ** (epoch // step_size)


def other_default(epoch, lr0, step_size, gamma=0.5):
    return lr0 * gamma ** (epoch // step_size)


def one_ahead(epoch, lr0, step_size, gamma=0.1):
    return lr0 * gamma ** ((epoch + 1) // step_size)


class Groups:
    """On the optimizer's own groups, as torch's schedules are."""

    times = 1

    def __init__(self, optimizer, step_size, gamma=0.1):
        self.optimizer, self.step_size, self.gamma, self.epoch = optimizer, step_size, gamma, 0

    def step(self):
        self.epoch += 1
        if self.epoch % self.step_size == 0:
            for group in self.optimizer.param_groups:
                group["lr"] *= self.gamma**self.times


class Twice(Groups):
    times = 2


@pytest.mark.parametrize(
    ("target", "verdict", "ids"),
    [
        (right, Verdict.ROUNDING, []),
        (Groups, Verdict.IDENTICAL, []),
        (one_ahead, Verdict.DIFFERENT, ["schedule-one-ahead"]),
        (Twice, Verdict.DIFFERENT, ["gamma-applied-twice"]),
        (other_default, Verdict.DIFFERENT, ["gamma-value"]),
    ],
)
def test_somebodys_own_is_judged_and_what_is_wrong_with_it_is_named(target, verdict, ids):
    found = lockstep.check(target, like="lr_scheduler.step_lr")
    assert found.verdict is verdict
    assert [cause["id"] for cause in found.causes] == ids
