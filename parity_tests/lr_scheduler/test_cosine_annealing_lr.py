"""lr_scheduler.cosine_annealing_lr beside torch.optim.lr_scheduler.CosineAnnealingLR."""

import math

import numpy as np
import pytest

from lockstep.cases.lr_scheduler import Schedule
from lockstep.subjects.registry import asked
from parity_tests.lr_scheduler.scheduler import ScheduleTests


class TestCosineAnnealingLR(ScheduleTests):
    path = "lr_scheduler.cosine_annealing_lr"


def apart(T_max: int) -> tuple[float, float]:
    """How far both forms are from the exact rate one whole period later, in roundings of it."""
    pair = asked("lr_scheduler.cosine_annealing_lr", Schedule("a period", T_max=T_max)).pair()
    closed, recursion = pair.ours(), pair.theirs()
    for step in range(1, 2 * T_max + 2):
        closed.advance("epoch", step)
        recursion.advance("epoch", step)
    off = [abs(rate - 0.1) / np.spacing(0.1) for side in (closed, recursion) for rate in side.traces().values()]
    return off[0], off[1]


@pytest.mark.parametrize("T_max", [30, 100, 300])
def test_up_again_pytorchs_recursion_is_farther_from_exact_the_longer_the_period(T_max):
    """What 1 - cos(π/T) rounds, u of a number of size (π/T)²/2, is carried up; the closed form is exact at 2T."""
    closed, recursion = apart(T_max)
    assert closed <= 1
    assert 1 < recursion <= 2 * 2 / (1 - math.cos(math.pi / T_max))
