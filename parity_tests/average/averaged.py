"""What the tests of every average do."""

import inspect

import numpy as np
import torch
from torch.optim.swa_utils import AveragedModel

from parity_tests.gradients.transformation import TransformationTests
from parity_tests.support.families import refused_as


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
