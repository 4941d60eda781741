"""What the tests of every schedule do, beside their table of cases."""

import inspect
from typing import Any

import pytest

import lockstep
from lockstep.causes import causes, plant
from lockstep.checking.torch_recordings import of_pytorch as recordings_of
from lockstep.engine.resuming import resumed
from lockstep.engine.stepping import run_pair
from lockstep.numerics.verdict import Verdict
from lockstep.recordings.recording import load
from lockstep.subjects.registry import asked
from parity_tests.support.families import SAME, SubjectTests, agree, mirrored, refused_as, run_of, swapped


class ScheduleTests(SubjectTests):
    """The tests of a schedule. A learning rate is a Python double: equal to the bit, or the operation is named."""

    every_path = False

    def test_the_ladder_ends_at_0(self, case, dtype, torch_path):
        """The closed form beside the recursion, and PyTorch's own order beside either."""
        found = lockstep.explain(self.path, case=case, path=torch_path)
        assert found.explained
        assert not found.kernels

    def test_arguments_have_pytorchs_names_and_defaults(self):
        ours = inspect.signature(self.subject.ours()).parameters
        theirs: Any = inspect.signature(self.subject.theirs().counterpart).parameters
        shared = [name for name in ours if name not in ("lrs", "initial_lrs")]
        assert shared == [name for name in theirs if name != "optimizer"]
        assert {name: ours[name].default for name in shared} == {name: theirs[name].default for name in shared}

    def test_bad_arguments_are_refused_with_pytorchs_words(self, bad):
        refused_as(
            bad,
            lambda: self.subject.ours()([0.1], **bad.hyperparameters),
            lambda: self.subject.theirs()([0.1], **bad.hyperparameters),
        )

    def test_swapped_sides_show_one_difference_from_either_end(self):
        case = self.subject.cases.CASES[0]
        pair = asked(self.subject, case).pair()
        straight, back = (run_of(self.subject, case, "float64", one) for one in (pair, swapped(pair)))
        mirrored(straight, back)

    def test_the_state_goes_there_and_back(self):
        """To the bit, as if it had not been interrupted, from either side to the other."""
        case = self.subject.cases.CASES[0]
        for makes in (("ours", "theirs"), ("theirs", "ours")):
            pair = asked(self.subject, case).pair()
            sides = {name: getattr(pair, name)() for name in makes}
            sides["ours"].rewrite(pair.written_like, None)
            one, other = sides.values()
            for step in range(1, 12):
                one.advance("epoch", step)
            other.advance("epoch", 1)
            other.write(one.read())
            assert other.schedule.lrs == one.schedule.lrs
            assert other.schedule.last_epoch == one.schedule.last_epoch == 10
            for step in range(12, 16):
                one.advance("epoch", step)
                other.advance("epoch", step)
                agree(one.read(), other.read())

    @pytest.mark.parametrize("lost", ["last_epoch", "base_lr", "lr", "shared"])
    def test_a_run_that_goes_on_wrongly_is_caught_at_once(self, lost):
        """And what was lost is named: the epoch, the first learning rates, those of now, or what is one for all."""

        class Forgetful(self.subject.ours()):
            def state_dict(self):
                wrong = {
                    "last_epoch": {"last_epoch": self.last_epoch + 1},
                    "base_lr": {"base_lrs": [2 * rate for rate in self.base_lrs]},
                    "lr": {"_last_lr": [2 * rate for rate in self.lrs]},
                    "shared": dict.fromkeys(self.SHARED, 0),
                }
                return super().state_dict() | wrong[lost]

        stopped = next(case for case in self.subject.cases.CASES if case.desc == "resumed")
        request = asked(self.subject, stopped)
        assert run_pair(resumed(request), stopped.resumed + 1).verdict in SAME
        outcome = run_pair(resumed(request, Forgetful), stopped.resumed + 1)
        if lost == "shared" and not self.subject.ours().SHARED:
            assert outcome.verdict in SAME
        else:
            assert outcome.verdict is Verdict.DIFFERENT
            assert outcome.evidence is not None
            assert outcome.evidence.step == stopped.resumed
            assert outcome.evidence.quantity in (lost, *self.subject.ours().SHARED)

    def test_a_state_that_lacks_something_is_refused_before_anything_changes(self):
        case = self.subject.cases.CASES[0]
        side: Any = asked(self.subject, case).pair().ours()
        side.advance("epoch", 1)
        schedule = side.schedule
        whole = schedule.state_dict()
        for spoilt in ({key: value for key, value in whole.items() if key != "_last_lr"}, whole | {"base_lrs": []}):
            with pytest.raises((KeyError, ValueError), match=r"_last_lr|base_lrs"):
                schedule.load_state_dict(spoilt | {"last_epoch": 5})
            assert schedule.state_dict() == whole

    def test_a_recording_of_pytorch_is_rounding_and_goes_through_a_folder(self, tmp_path):
        made = recordings_of(self.path)
        for number, recording in enumerate(made):
            recording.save(tmp_path / f"{number:02d}")
        read = load(tmp_path)
        assert [one.scenario for one in read] == [one.scenario for one in made]
        assert lockstep.check_recordings(read).verdict in (Verdict.IDENTICAL, Verdict.ROUNDING)

    @pytest.mark.slow
    def test_every_cause_is_named_of_what_its_class_does(self):
        """Our class with the cause in it, driven as somebody's own."""
        for cause in causes(self.path):
            planted = plant(self.path, [cause])

            def schedule(*arguments, planted=planted, **settings):
                return planted(*arguments, **settings)

            schedule.__signature__ = inspect.signature(self.subject.ours())  # type: ignore[attr-defined]
            result = lockstep.check(schedule, like=self.path)
            assert result.verdict is Verdict.DIFFERENT, cause
            assert [one["id"] for one in result.causes] == [cause.id], cause

    def test_pytorchs_own_is_identical_and_ours_is_at_most_rounding(self):
        def theirs(lrs, **settings):
            return self.subject.theirs()(lrs, **settings)

        theirs.__signature__ = inspect.signature(self.subject.ours())  # type: ignore[attr-defined]
        assert lockstep.check(theirs, like=self.path).verdict is Verdict.IDENTICAL
        assert lockstep.check(self.subject.ours(), like=self.path).verdict in SAME
