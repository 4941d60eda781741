"""What the tests of every transformation of gradients do, beside their table of cases."""

import inspect
from typing import Any

import numpy as np
import pytest

import lockstep
from lockstep.causes import causes, plant
from lockstep.checking.torch_recordings import of_pytorch as recordings_of
from lockstep.numerics.verdict import Verdict
from lockstep.recordings.recording import load
from lockstep.subjects.registry import asked
from parity_tests.support.families import SubjectTests, mirrored, refusal, run_of, swapped

GRADS = {"weight": np.array([[3.0, -4.0], [0.5, 12.0]]), "bias": np.array([-0.25])}


class TransformationTests(SubjectTests):
    """The tests of a transformation. What comes in is the same to the bit, and so is what rounding is explained by."""

    grads = GRADS
    of_pytorch_alone: tuple[str, ...] = ()

    def test_the_ladder_ends_at_0(self, case, dtype, torch_path):
        """In the order of PyTorch's sums and roundings nothing is left, and no kernel of its own is needed."""
        found = lockstep.explain(self.path, case=case, dtype=dtype, path=torch_path)
        assert found.explained
        assert not found.kernels

    def test_arguments_have_pytorchs_names_and_defaults(self):
        ours = inspect.signature(self.subject.ours()).parameters
        theirs: Any = inspect.signature(self.subject.theirs().counterpart).parameters
        shared = [name for name in theirs if name not in ("parameters", "grads", "foreach", *self.of_pytorch_alone)]
        assert list(ours) == shared
        assert {name: ours[name].default for name in shared} == {name: theirs[name].default for name in shared}

    def test_bad_arguments_are_refused_with_pytorchs_words(self, bad):
        def theirs():
            self.subject.theirs()(**bad.hyperparameters).step(self.grads)

        assert refusal(theirs) == bad.error
        error, words = refusal(lambda: self.subject.ours()(**bad.hyperparameters))
        function = self.subject.theirs().counterpart.__name__
        assert (error, words.replace(f"{self.subject.ours().__name__}.__init__", function)) == bad.error

    def test_a_path_that_there_is_not_is_refused(self):
        with pytest.raises(ValueError, match=f"has no path 'fused'; it has {', '.join(self.subject.theirs().paths)}"):
            self.subject.theirs()(path="fused")

    def test_swapped_sides_show_one_difference_from_either_end(self):
        case = self.subject.cases.CASES[0]
        pair = asked(self.subject, case).pair()
        mirrored(*(run_of(self.subject, case, "float32", one) for one in (pair, swapped(pair))))

    def test_what_comes_in_stays_as_it_is(self):
        settings = self.subject.cases.CASES[0].hyperparameters
        for kind in (self.subject.ours(), self.subject.theirs()):
            given = {name: array.copy() for name, array in self.grads.items()}
            kind(**settings).step(given)
            assert all(np.array_equal(array, self.grads[name]) for name, array in given.items())

    def test_a_recording_of_pytorch_is_rounding_and_goes_through_a_folder(self, tmp_path):
        made = [one for one in recordings_of(self.path) if not holds_nan(one)]  # which a file may not
        for number, recording in enumerate(made):
            recording.save(tmp_path / f"{number:02d}")
        read = load(tmp_path)
        assert [one.scenario for one in read] == [one.scenario for one in made]
        assert lockstep.check_recordings(read).verdict in (Verdict.IDENTICAL, Verdict.ROUNDING)

    def test_a_cause_is_named_of_what_its_class_does(self):
        """Our class with the cause in it, driven as somebody's own function."""
        self.named(causes(self.path)[0])

    @pytest.mark.slow
    def test_every_cause_is_named_of_what_its_class_does(self):
        for cause in causes(self.path):
            self.named(cause)

    def named(self, cause):
        result = lockstep.check(self.function(plant(self.path, [cause])), like=self.path)
        assert result.verdict is Verdict.DIFFERENT, cause
        assert [one["id"] for one in result.causes] == [cause.id], cause

    def test_ours_is_never_accused(self):
        assert lockstep.check(self.function(self.subject.ours()), like=self.path).exit_status == 0

    def function(self, kind):
        """A function of gradients that does what the class does; it tells the number that it makes, if any."""

        def clip(grads, **settings):
            made = kind(**settings)
            return made.step(grads), *(made.made[key] for key in made.NUMBERS)

        known = inspect.signature(self.subject.ours()).parameters.values()
        first = inspect.Parameter("grads", inspect.Parameter.POSITIONAL_OR_KEYWORD)
        clip.__signature__ = inspect.Signature([first, *known])  # type: ignore[attr-defined]
        return clip


def holds_nan(recording) -> bool:
    return any(np.isnan(array).any() for step in recording.steps for of in step.after.values() for array in of.values())
