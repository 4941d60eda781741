"""L-BFGS as people write it, held against optim.lbfgs."""

import numpy as np
import pytest
import torch

import lockstep
from lockstep.checking.check import check_recordings
from lockstep.numerics.bounded import Bounded, Ways
from lockstep.numerics.verdict import Verdict
from lockstep.recordings.recording import load
from parity_tests.support import foreign_closures as foreign

FAITHFUL = {
    "a class of arrays": foreign.named(),
    "torch's kind": foreign.InTorch,
    "a function": foreign.lbfgs,
    "a function and its slope": foreign.lbfgs_apart,
    "a step of a gradient": foreign.Steps,
}


def checked(target, **settings):
    return lockstep.check(target, like="optim.lbfgs", **settings)


@pytest.mark.slow
@pytest.mark.parametrize("name", FAITHFUL)
def test_a_faithful_one_is_not_accused(name):
    result = checked(FAITHFUL[name])
    assert result.verdict is Verdict.ROUNDING, str(result)
    assert all(outcome.residual.compared and not outcome.residual.undecided for outcome in result.outcomes)


@pytest.mark.slow
def test_pytorchs_own_is_identical_in_every_scenario():
    result = checked(torch.optim.LBFGS)
    assert result.verdict is Verdict.IDENTICAL, str(result)
    assert len(result.outcomes) == 49


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("cause", foreign.WRONG)
def test_a_wrong_one_is_named(cause):
    result = checked(foreign.named(cause))
    assert result.verdict is Verdict.DIFFERENT, str(result)
    assert [named["id"] for named in result.causes] == [cause] * bool(cause)


@pytest.mark.slow
def test_a_run_is_told_from_another_as_well():
    assert [cause["id"] for cause in checked(foreign.lbfgs_unshortened).causes] == ["first-step-not-shortened"]
    assert checked(foreign.lbfgs_backtracking).verdict is Verdict.DIFFERENT


def test_one_scenario_of_a_right_and_of_a_wrong_one():
    only = {"only": "one direction a step, beale", "dtypes": ("float64",)}
    assert checked(foreign.named(), **only).verdict is Verdict.ROUNDING
    assert checked(foreign.named("ascends"), **only).verdict is Verdict.DIFFERENT


def test_a_recording_is_judged_as_what_was_driven(tmp_path):
    only = {"only": "one direction a step, beale", "dtypes": ("float64",)}
    for cause in (None, "ascends"):
        (outcome,) = checked(foreign.named(cause), **only).outcomes
        outcome.recording.save(tmp_path / str(cause))
        result = check_recordings(load(tmp_path / str(cause)))
        assert result.verdict is outcome.verdict
        assert result.used == outcome.residual.used


@pytest.mark.parametrize("target", [lambda a, b: None, type("Nothing", (), {"draw": None})])
def test_what_cannot_be_driven_is_told_so(target):
    result = checked(target)
    assert result.verdict is Verdict.BROKEN
    assert result.broken
    assert result.broken.id == "not-recognised"


def test_every_way_that_rounding_leaves_open_is_gone():
    """Once each, and a condition that is asked twice answers the same."""
    ways, gone = Ways(), []
    unsure = [Bounded(1.0, np.float64, error=0.5) > 1.25 for _ in range(2)]
    more = True
    while more:
        with ways:
            gone.append(tuple(bool(condition) for condition in (unsure[0], unsure[1], unsure[0])))
        more = ways.more()
    assert sorted(gone) == [(a, b, a) for a in (False, True) for b in (False, True)]
