"""What shows late, beside another option or in memory alone passes no check; what is a format is told beside."""

import numpy as np
import pytest

import lockstep
from lockstep.checking.driving.trials import trials
from lockstep.diagnose.effort import Effort, limited, spend
from lockstep.numerics.verdict import Verdict
from lockstep.subjects.registry import find
from parity_tests.support import hasty

pytestmark = pytest.mark.slow

AGAIN = "momentum, gradients in the same arrays again"
WRONG = [
    (hasty.MaximizesTheDecay, hasty.Adam, "optim.adam", "weight decay, maximize"),
    (hasty.CountsInEightBits, hasty.Adam, "optim.adam", "three hundred steps"),
    (hasty.KeepsTheGradient, hasty.momentum, "optim.sgd", AGAIN),
]


@pytest.mark.usefixtures("unnamed")
@pytest.mark.parametrize(("kind", "right", "like", "scenario"), WRONG, ids=lambda one: getattr(one, "__name__", None))
def test_what_is_forgotten_shows_in_its_scenario_and_nobody_right_is_accused_there(kind, right, like, scenario):
    found = lockstep.check(kind, like=like, only=scenario, dtypes=["float64"])
    assert found.verdict is Verdict.DIFFERENT, str(found)
    assert lockstep.check(right, like=like, only=scenario, dtypes=["float64"]).exit_status == 0


def test_two_options_that_are_off_are_tried_together():
    names = {trial.name for trial in trials(find("optim.rmsprop"))}
    assert {"weight decay, maximize", "momentum, centered", "centered, maximize"} <= names


def test_an_option_without_effect_is_named():
    found = lockstep.check(hasty.IgnoresDecay, like="optim.adam", only="weight decay", dtypes=["float64"])
    assert [cause["id"] for cause in found.causes] == ["no-effect"]
    assert found.exit_status == 1


def test_moments_held_in_another_format_are_told_beside_the_verdict_on_the_formula():
    found = lockstep.check(hasty.NarrowMoments, like="optim.adam", only="normal gradients", dtypes=["float64"])
    assert found.verdict is Verdict.ROUNDING, str(found)
    assert found.formats == {"exp_avg": ("float64", "float32"), "exp_avg_sq": ("float64", "float32")}
    assert (found.exit_status, found.strict_status) == (0, 3)


def test_state_that_an_argument_takes_is_handed_back():
    assert lockstep.check(hasty.momentum, like="optim.sgd", only="momentum").verdict is Verdict.ROUNDING


def test_a_search_ends_at_the_same_count():
    effort, reached = Effort(10), []
    with limited(effort):
        for number in np.arange(6):
            spend(3)
            reached.append(number)
    assert effort.cut
    assert reached == [0, 1, 2]
