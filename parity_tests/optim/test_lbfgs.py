"""optim.lbfgs: each case on both sides; what is ill-conditioned is told to the last bit."""

from typing import Any

import numpy as np
import pytest
import torch

import lockstep
from lockstep.numerics.verdict import Verdict
from lockstep.subjects.registry import asked
from parity_tests.support.families import SAME, SubjectTests, refusal, refused_as
from reference.optim.lbfgs import LBFGS
from reference.strong_wolfe import Point, strong_wolfe


class TestLBFGS(SubjectTests):
    path = "optim.lbfgs"

    def expected(self, case):
        return SAME | {Verdict.ILL_CONDITIONED}

    @pytest.mark.slow
    def test_case(self, case, dtype, torch_paths):
        run = self.run(case, dtype, *torch_paths)
        assert run.verdict in self.expected(case), str(run)
        assert lockstep.explain(self.path, case=case, dtype=dtype, thorough=False).explained

    @pytest.mark.parametrize("desc", ["one direction a step", "two pairs are kept", "a tensor frozen, then thawed"])
    def test_a_plain_case(self, desc):
        run = lockstep.run(self.path, case=desc, dtype="float64")
        assert run.verdict in SAME, str(run)

    def test_bad_hyperparameters_are_refused_with_pytorchs_words(self, bad):
        start, tensor = {"w": np.ones(3)}, torch.ones(3, requires_grad=True)
        refused_as(
            bad, lambda: LBFGS(start, **bad.hyperparameters), lambda: torch.optim.LBFGS([tensor], **bad.hyperparameters)
        )

    def test_the_ladder_of_a_long_run_ends_at_nothing(self):
        told = lockstep.explain(self.path, case="strong Wolfe", dtype="float32")
        assert told.explained
        assert "matmul" in told.kernels
        assert not told.rungs[0].closes  # and not for want of a difference


def optimizers(dtype="float64", **options) -> list[Any]:
    start = {"w": np.arange(1, 4, dtype=dtype), "b": np.array(0.5, dtype)}
    return [
        kind({name: array.copy() for name, array in start.items()}, **options)
        for kind in (asked("optim.lbfgs").subject.ours(), asked("optim.lbfgs").subject.theirs())
    ]


def bowl(optimizer, calls=None):
    """Half the square of each parameter; a list of what it was called with."""

    def closure():
        params = {name: np.array(array) for name, array in optimizer.params.items()}
        (calls if calls is not None else []).append(params)
        return sum(float((array**2).sum()) for array in params.values()) / 2, params

    return closure


@pytest.mark.parametrize("options", [{}, {"line_search_fn": "strong_wolfe"}], ids=["lr", "strong Wolfe"])
def test_the_closure_is_called_as_often_and_at_the_same_points(options):
    calls: list[list[Any]] = [[], []]
    for optimizer, own in zip(optimizers(**options), calls, strict=True):
        for _ in range(2):
            optimizer.step(bowl(optimizer, own))
    assert len(calls[0]) == len(calls[1]) > 2
    for ours, theirs in zip(*calls, strict=True):
        assert [array.shape for array in ours.values()] == [array.shape for array in theirs.values()]


def test_a_line_search_that_there_is_not_is_refused_before_anything_is_changed():
    ours, theirs = optimizers(line_search_fn="wolfe")
    words = refusal(lambda: theirs.step(bowl(theirs)))
    assert refusal(lambda: ours.step(bowl(ours))) == words
    assert not ours.state["w"]
    assert ours.params["w"].tolist() == [1, 2, 3]


def test_the_state_goes_to_and_fro_and_both_go_on_together():
    ours, theirs = optimizers(max_iter=2)
    theirs.step(bowl(theirs))
    for name, array in theirs.params.items():
        ours.params[name][...] = array
    ours.load_state(theirs.state)
    assert {k: v.tobytes() for k, v in ours.state["w"].items()} == {
        k: v.tobytes() for k, v in theirs.state["w"].items()
    }
    _, third = optimizers(max_iter=2)
    third.load_state(ours.state)
    for name, array in ours.params.items():
        third.params[name][...] = array
    theirs.step(bowl(theirs))
    third.step(bowl(third))
    assert third.params["w"].tobytes() == theirs.params["w"].tobytes()
    assert {k: v.tobytes() for k, v in third.state["w"].items()} == {
        k: v.tobytes() for k, v in theirs.state["w"].items()
    }


@pytest.mark.parametrize(
    "spoilt",
    [
        lambda state: {key: value for key, value in state.items() if key != "ro"},
        lambda state: state | {"momentum": state["d"]},
        lambda state: state | {"d": state["d"][:1]},
        lambda state: state | {"old_dirs": state["old_dirs"].astype(np.float32)},
    ],
    ids=["half a state", "an entry of nobody's", "another shape", "another dtype"],
)
def test_a_refused_state_changes_nothing(spoilt):
    ours, _ = optimizers(max_iter=2)
    ours.step(bowl(ours))
    before = {key: value.tobytes() for key, value in ours.state["w"].items()}
    with pytest.raises((KeyError, ValueError)):
        ours.load_state({"w": spoilt(ours.state["w"])})
    assert {key: value.tobytes() for key, value in ours.state["w"].items()} == before


def test_a_branch_that_rounding_decides_is_ill_conditioned_and_not_different():
    """The free runs part for good on it."""
    run = lockstep.run("optim.lbfgs", case="Rosenbrock", dtype="float32", steps=4)
    assert run.verdict is Verdict.ILL_CONDITIONED
    assert run.evidence is not None
    assert run.evidence.nearer == "unknown"
    assert float(run.outcome.drift.columns["func_evals"]["absolute"][-1]) > 0


def test_the_search_stops_where_both_conditions_hold():
    def at(t):  # falls at first, then rises
        return Point(t, (t - 3.0) ** 2, np.array([2 * (t - 3.0)]), 2 * (t - 3.0))

    for first in (0.01, 3.0, 40.0):
        point, tried = strong_wolfe(at, at(0.0), first, 1.0, 1e-9, 25)
        assert point.f <= 9 + 1e-4 * point.t * -6
        assert abs(point.gtd) <= 0.9 * 6
        assert tried >= 1
    point, _ = strong_wolfe(at, at(0.0), 40.0, 1.0, 1e-9, 25, c2=1e-3)
    assert abs(point.gtd) <= 6e-3


def test_a_saved_state_is_gone_on_from_by_either_side():
    """To the bit of who goes on."""
    for place in (0, 1):
        saved, (ours, theirs) = optimizers(max_iter=2)[place], optimizers(max_iter=2)
        saved.step(bowl(saved))
        for optimizer in (ours, theirs):
            for name, array in saved.params.items():
                optimizer.params[name][...] = array
            optimizer.load_state_dict(saved.state_dict())
        saved.step(bowl(saved))
        alike = (ours, theirs)[place]
        alike.step(bowl(alike))
        assert {k: v.tobytes() for k, v in alike.state["w"].items()} == {
            k: v.tobytes() for k, v in saved.state["w"].items()
        }
        other = (theirs, ours)[place]
        other.step(bowl(other))
        assert other.state["w"].keys() == saved.state["w"].keys()
        assert float(other.state["w"]["n_iter"]) == float(saved.state["w"]["n_iter"])


def test_groups_of_parameters_are_refused_with_pytorchs_words():
    groups = [{"params": [np.ones(2)]}, {"params": [np.ones(3)]}]
    tensors = [{"params": [torch.ones(2, requires_grad=True)]}, {"params": [torch.ones(3, requires_grad=True)]}]
    assert refusal(lambda: LBFGS(groups)) == refusal(lambda: torch.optim.LBFGS(tensors))
