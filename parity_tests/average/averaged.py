"""What the tests of every average do."""

import inspect

import numpy as np
import pytest
import torch
from torch.optim.swa_utils import AveragedModel

from lockstep.engine.resuming import resumed
from lockstep.engine.stepping import run_pair
from lockstep.numerics.verdict import Verdict
from lockstep.subjects.registry import asked
from parity_tests.gradients.transformation import TransformationTests
from parity_tests.support.families import SAME, refusal, refused_as


class AverageTests(TransformationTests):
    def test_arguments_have_pytorchs_names_and_defaults(self):
        ours = inspect.signature(self.subject.ours()).parameters
        known = inspect.signature(self.subject.theirs().counterpart).parameters
        assert [*ours] == [*known, "use_buffers"]
        assert [one.default for one in ours.values()] == [*(one.default for one in known.values()), False]

    def test_bad_arguments_are_refused_with_pytorchs_words(self, bad):
        ours, theirs = self.subject.ours(), self.subject.theirs()
        refused_as(bad, lambda: ours(**bad.hyperparameters), lambda: theirs(**bad.hyperparameters))

    test_what_comes_in_stays_as_it_is = None  # type: ignore[assignment]  # an average keeps what comes in

    @pytest.mark.parametrize("lost", ["n_averaged", "averaged"])
    @pytest.mark.parametrize("whose", ["numpy", "torch"])
    def test_a_run_that_goes_on_wrongly_is_caught_at_once(self, lost, whose, monkeypatch):
        """And what was lost is named, of either side."""
        kind = self.subject.ours() if whose == "numpy" else self.subject.theirs()
        right = kind.load_state_dict

        def forgetful(self, state):
            right(self, state)
            first, *_ = self.made["averaged"]
            anew = {"n_averaged": 0.0, "averaged": self.made["averaged"] | {first: 2 * self.made["averaged"][first]}}
            self.made |= {lost: anew[lost]}

        request = asked(self.subject, "resumed")
        assert run_pair(resumed(request), 4).verdict in SAME
        monkeypatch.setattr(kind, "load_state_dict", forgetful)
        outcome = run_pair(resumed(request), 4)
        assert outcome.verdict is Verdict.DIFFERENT
        assert outcome.evidence is not None
        assert (outcome.evidence.step, outcome.evidence.quantity) == (3, lost)

    @pytest.mark.parametrize(
        "spoil",
        [
            lambda saved: saved.pop("module.weight"),
            lambda saved: saved.update(another=np.ones(2, np.float32)),
            lambda saved: saved.update({"module.weight": np.ones(2, np.float32)}),
        ],
        ids=["missing", "superfluous", "another shape"],
    )
    def test_a_state_that_does_not_fit_is_refused_in_pytorchs_words_and_changes_nothing(self, spoil):
        refusals = []
        for kind in (self.subject.ours(), self.subject.theirs()):
            average = kind()
            average.made = self.subject.ours()().start({"weight": np.ones((3, 2), np.float32)})
            saved = average.state_dict()
            before = repr(average.made)
            spoil(saved)
            refusals.append(refusal(lambda average=average, saved=saved: average.load_state_dict(saved)))
            assert repr(average.made) == before
        assert refusals[0] == refusals[1]

    def function(self, kind):
        """A class that is made of parameters, brought up to date with them, and keeps the average."""

        class Average:
            def __init__(self, params, **settings):
                self.kept = kind(**settings)
                self.kept.made = self.kept.start(params)

            def update(self, params):
                self.averaged = self.kept.step(params)

            averaged = None

        known = inspect.signature(self.subject.ours()).parameters.values()
        first = inspect.Parameter("params", inspect.Parameter.POSITIONAL_OR_KEYWORD)
        Average.__signature__ = inspect.Signature([first, *known])  # type: ignore[attr-defined]
        return Average


def beside_pytorch(ours, fill, steps: int = 4):
    """Our average beside an AveragedModel of the same network, to the bit of one rounding; buffers, too."""
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2)).double()
    theirs = AveragedModel(model, **fill)
    for _ in range(steps):
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(torch.randn_like(parameter))
        model(torch.randn(5, 3, dtype=torch.float64))
        theirs.update_parameters(model)
        given = {name: t.detach().numpy().copy() for name, t in (*model.named_parameters(), *model.named_buffers())}
        ours.step({name: array for name, array in given.items() if array.dtype.kind == "f"})
    known = dict(theirs.module.named_parameters()) | dict(theirs.module.named_buffers())
    return {name: (array, known[name].detach().numpy()) for name, array in ours.made["averaged"].items()}


def same(pairs) -> bool:
    return all(np.array_equal(ours, theirs) for ours, theirs in pairs.values())
