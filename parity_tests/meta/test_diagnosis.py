"""The diagnosis: a planted cause is named and nothing else; near is not enough; what no cause explains is none."""

import dataclasses
import random
from collections import Counter

import numpy as np
import pytest

from lockstep.causes import Cause, causes, scenarios
from lockstep.causes.cause import DTYPES
from lockstep.checking.answer import TrialOutcome
from lockstep.checking.naming import with_state_or_without
from lockstep.diagnose.diagnosis import diagnose
from lockstep.diagnose.replay import replay
from lockstep.diagnose.search import Search
from lockstep.diagnose.solve import curve, fits, round_numbers, solve
from lockstep.numerics.verdict import Verdict
from lockstep.recordings.recording import Recording, Step
from lockstep.subjects.registry import find
from lockstep.text import ENGLISH
from parity_tests.support.pairs import ONE_SCALE, RIGHT, SUBJECTS, WRONG, pairs, shown, table, tried
from parity_tests.support.reference_recordings import recordings

pytestmark = pytest.mark.slow

ALL = [(cause, dtype) for path in SUBJECTS for cause in causes(path) for dtype in cause.dtypes]
# every run tries some of each kind; the table, with -m slow, all
SAMPLE = [
    one
    for path in SUBJECTS
    for one in random.Random(path).sample([(cause, dtype) for cause, dtype in ALL if cause.subject == path], 2)
]


def name(value):
    return f"{value.subject}-{value.name}" if isinstance(value, Cause) else str(value)


def known(path: str, row: str, variant: str = "") -> Cause:
    return next(cause for cause in causes(path) if cause.id == row and variant in cause.variant)


def some(path: str, *names: str):
    """These scenarios of the catalogue."""
    return [scenario for scenario in scenarios(path) if scenario.name in names]


def check_named(cause: Cause, dtype: str) -> None:
    """The answer is this cause and nothing else, in numbers that stay within their allowance everywhere."""
    found = diagnose(recordings(cause.subject, [cause], dtype))
    assert found.answer is not None
    if cause.id in ONE_SCALE:
        explanations = [[one.id for one in other.causes] for other in (found.answer, *found.equivalent)]
        assert sorted(explanations) == sorted([one] for one in ONE_SCALE)
    else:
        assert [one.id for one in found.causes] == [cause.id], str(found)
        assert found.causes[0].name == cause.name
        # what else explains it is the same formula with a number that makes it so
        assert all(one.free for other in found.equivalent for one in other.causes)
    assert found.verdict is cause.verdict
    assert found.answer.residual <= 1
    assert found.answer.used.keys() == found.residuals.keys()
    assert found.next_best is None or found.next_best.residual > 1


@pytest.mark.parametrize(("cause", "dtype"), SAMPLE, ids=name)
def test_some_causes_are_named(cause, dtype):
    check_named(cause, dtype)


@pytest.mark.parametrize("row", sorted(ONE_SCALE))
def test_two_causes_that_are_one_where_the_mask_is_given_are_both_named(row):
    check_named(known("layers.dropout", row), "float64")


@pytest.mark.parametrize("path", ["optim.sgd", "optim.adam", "layers.batchnorm"])
def test_a_faithful_implementation_is_accused_of_nothing(path):
    found = diagnose([one for dtype in DTYPES for one in recordings(path, [], dtype)])
    assert found.verdict is Verdict.ROUNDING
    assert found.causes == ()
    assert str(found) == ""


# Pairs


@pytest.mark.parametrize("path", ["optim.sgd", "optim.adagrad", "layers.batchnorm"])
def test_some_pairs_are_named(path):
    chosen = random.Random(1).sample(pairs(path, "float64"), 3)
    answers = Counter(tried(path, "float64", pair)[0] for pair in chosen)
    assert answers[RIGHT] == shown(answers) > 0


@pytest.mark.exhaustive
@pytest.mark.timeout(7200)
def test_every_cause_is_named_and_nine_pairs_of_ten_and_none_wrongly(capsys):
    """Of the pairs in which both causes show; the table is printed."""
    with capsys.disabled():
        single, double = table(SUBJECTS)
    assert single[RIGHT] == single.total()
    assert double[WRONG] == 0
    assert double[RIGHT] >= 0.9 * shown(double)


# Numbers


@pytest.mark.parametrize(
    ("row", "numbers"),
    [
        (("eps-value", "1e-07"), {"eps": 3e-6}),
        (("eps-twice", ""), {"eps_root": 2.5e-9}),
        (("beta-value", "β₂"), {"beta2": 0.98}),
        (("lr-value", ""), {"factor": 0.7310585786300049}),
        (("weight-decay-value", ""), {"factor": 0.3}),
    ],
    ids=str,
)
def test_a_number_nobody_has_seen_is_solved_for(row, numbers):
    planted = known("optim.adam", *row).solved(**numbers)
    chosen = some("optim.adam", "normal gradients", "gradients near eps", "weight decay")
    found = diagnose(recordings("optim.adam", [planted], "float64", chosen))
    (cause,) = found.causes
    assert cause.id == planted.id
    assert cause.free == numbers


def test_a_number_is_found_in_float32():
    planted = known("optim.rmsprop", "alpha-value").solved(alpha=0.95)
    chosen = some("optim.rmsprop", "normal gradients", "gradients of many sizes")
    found = diagnose(recordings("optim.rmsprop", [planted], "float32", chosen))
    assert [cause.name for cause in found.causes] == ["alpha-value (alpha=0.95)"]


def test_a_cause_and_a_number_nobody_has_seen():
    planted = [known("optim.sgd", "ema-momentum"), known("optim.sgd", "weight-decay-value").solved(factor=0.3)]
    chosen = some("optim.sgd", "normal gradients", "weight decay")
    found = diagnose(recordings("optim.sgd", planted, "float64", chosen))
    assert [cause.name for cause in found.causes] == ["ema-momentum", "weight-decay-value (factor=0.3)"]


def test_round_numbers_come_first():
    assert round_numbers(1.0000000001e-7, "eps")[0] == 1e-7
    assert 0.999 in round_numbers(0.99900000001, "beta2")
    assert round_numbers(0.123456789, "factor")[-1] == 0.123456789


def test_what_no_number_explains_is_not_solved():
    (recording,) = recordings(
        "optim.sgd", [known("optim.sgd", "ema-momentum")], "float64", some("optim.sgd", "normal gradients")
    )
    opened = (known("optim.sgd", "momentum-value").opened(),)
    assert solve(recording, opened, "momentum", 1) is None


@pytest.mark.parametrize(
    ("row", "variant"),
    [
        ("weight-decay-value", ""),
        ("gradient-norm-clipped", "each tensor's, nothing added"),
        ("gradient-norm-clipped", "of all, nothing added"),
    ],
)
def test_many_numbers_at_once_are_what_each_is_alone(row, variant):
    (recording,) = recordings("optim.adam", [], "float64", some("optim.adam", "weight decay"))
    opened = known("optim.adam", row, variant)
    ((name, _),) = opened.free.items()
    numbers = np.array([0.5, 1.0, 2.0])
    together = curve(recording, (opened.opened(),), name, numbers, 3)
    alone = [curve(recording, (opened.opened(),), name, numbers[[place]], 3)[0] for place in range(3)]
    assert together.tobytes() == np.stack(alone).tobytes()
    assert np.abs(together[0]).max() > 1e6  # and the number matters


@pytest.mark.parametrize("others", [[], ["l2-twice"]])
def test_what_cancels_is_named_all_the_same(others):
    """Centred and corrected, the variance of the first step is 0, and its root a matter of rounding."""
    cause = known("optim.rmsprop", "bias-corrected")
    variance = "v / (1 - alpha**step) - ({}) if centered else was / (1 - alpha**step)"
    rewritten = dataclasses.replace(
        cause, lines={"variance": variance.format("mean * mean / (1 - alpha**step) / (1 - alpha**step)")}
    )
    chosen = some("optim.rmsprop", "normal gradients", "centered", "weight decay")
    for planted in (cause, rewritten):
        together = [planted, *(known("optim.rmsprop", row) for row in others)]
        found = diagnose(recordings("optim.rmsprop", together, "float64", chosen))
        assert [one.id for one in found.causes] == ["bias-corrected", *others]


def test_what_the_screen_drops_is_replayed_with_bounds_where_nothing_else_is_left():
    """One number by itself is no NaN on both sides or on neither, and far off: the root of what cancels."""
    cause = known("optim.rmsprop", "bias-corrected")
    text = "v / (1 - alpha**step) - mean * mean / (1 - alpha**step) / (1 - alpha**step) + 1e-17 * d * d"
    rewritten = dataclasses.replace(cause, lines={"variance": text})
    chosen = [
        one._replace(case=one.case.replaced(shapes={"weight": (1,)})) for one in some("optim.rmsprop", "centered")
    ]
    recorded = recordings("optim.rmsprop", [rewritten], "float64", chosen)
    assert not fits(recorded[0], (cause,))
    assert [one.id for one in diagnose(recorded).causes] == ["bias-corrected"]


def test_one_counter_for_all_tensors_is_named_beside_another_cause():
    planted = [known("optim.adam", "eps-inside-sqrt"), known("optim.adam", "step-shared")]
    chosen = some("optim.adam", "gradients near eps", "a step without gradient")
    found = diagnose(recordings("optim.adam", planted, "float64", chosen))
    assert [cause.id for cause in found.causes] == ["eps-inside-sqrt", "step-shared"]


# More than two


@pytest.mark.parametrize(
    ("path", "rows"),
    [
        ("optim.adam", ["eps-inside-sqrt", "decoupled-for-l2", "step-shared"]),  # each has scenarios of its own
        ("optim.rmsprop", ["eps-inside-sqrt", "accumulator-starts-at-one", "lr-inside-momentum"]),  # TensorFlow 1's
        ("optim.sgd", ["lr-inside-momentum", "nesterov-ignored", "l2-twice", "none-gradient-decays"]),
    ],
    ids=str,
)
def test_more_causes_than_two_are_named(path, rows):
    planted = [known(path, row) for row in rows]
    found = diagnose(recordings(path, planted, "float64"))
    assert sorted(cause.id for cause in found.causes) == sorted(rows)
    assert found.next_best is not None  # all but one of them, and where that one shows
    assert len(found.next_best.causes) == len(rows) - 1
    assert {cause.id for cause in found.next_best.causes} < set(rows)
    assert found.next_best.residual > 1


def test_a_number_beside_two_causes():
    planted = [
        known("optim.adam", "eps-inside-sqrt"),
        known("optim.adam", "step-shared"),
        known("optim.adam", "weight-decay-value").solved(factor=0.3),
    ]
    found = diagnose(recordings("optim.adam", planted, "float64"))
    numbers = {name: number for cause in found.causes for name, number in cause.free.items()}
    assert sorted(cause.id for cause in found.causes) == sorted(cause.id for cause in planted)
    assert numbers == {"factor": 0.3}


def test_what_explains_nothing_more_is_not_named():
    """The pair explains everything, and so does each larger hypothesis that changes nothing on these recordings."""
    planted = [known("optim.sgd", "ema-momentum"), known("optim.sgd", "l2-twice")]
    recorded = recordings("optim.sgd", planted, "float64", some("optim.sgd", "normal gradients", "weight decay"))
    search = Search(find("optim.sgd"), recorded, {one.label: replay(one) for one in recorded})
    assert search.needed(tuple(planted)) == tuple(planted)
    assert search.needed((*planted, known("optim.sgd", "none-gradient-decays"))) == tuple(planted)


# Never a guess


def test_near_is_not_enough():
    """A number beside the one that was seen is another formula, if only by a thousandth."""
    planted = known("optim.adam", "eps-value", "1e-07").solved(eps=1.001e-7)
    found = diagnose(recordings("optim.adam", [planted], "float64", some("optim.adam", "gradients near eps")))
    assert [cause.free for cause in found.causes] == [{"eps": 1.001e-7}]


UNKNOWN = dataclasses.replace(known("optim.sgd", "ema-momentum"), lines={"update": "buf / (1 + abs(buf))"})


def test_what_no_cause_explains_is_none():
    found = diagnose(recordings("optim.sgd", [UNKNOWN], "float64"))
    assert found.verdict is Verdict.DIFFERENT
    assert found.causes == ()
    assert found.first is not None
    assert found.first[1].line == "param"
    assert f"none of the {len(causes('optim.sgd'))} known causes" in str(found)
    assert found.first[0] in str(found)
    assert found.to_json()["causes"] == []


def test_one_scenario_that_disagrees_acquits():
    """What explains all scenarios but one explains nothing."""
    cause = known("optim.sgd", "ema-momentum")
    chosen = some("optim.sgd", "normal gradients", "nesterov")
    first = recordings("optim.sgd", [cause], "float64", chosen[:1])
    second = recordings("optim.sgd", [UNKNOWN], "float64", chosen[1:])
    assert [one.id for one in diagnose(first).causes] == [cause.id]
    assert diagnose([*first, *second]).causes == ()


@pytest.mark.parametrize("its_own", [False, True], ids=["PyTorch's state and wrong", "no state of PyTorch's"])
def test_state_that_was_guessed_is_explained_or_left_out(its_own):
    """Eps under the root shows in the parameters; what v is kept as after one step shows in the state alone."""
    inside, root = known("optim.adam", "eps-inside-sqrt"), known("optim.adam", "state-aliased", "its root")
    chosen = some("optim.adam", "gradients near eps", "normal gradients")
    told = []
    for made in recordings("optim.adam", [inside, root], "float64", chosen):
        step = made.steps[0]
        if its_own:
            scaled = {name: 3 * array**0.7 for name, array in step.state["exp_avg_sq"].items()}
            step = dataclasses.replace(step, state=step.state | {"exp_avg_sq": scaled})
        recording = dataclasses.replace(made, steps=[step], names={"exp_avg_sq": "v"})
        told.append(TrialOutcome(recording, replay(recording)))
    left = {one.recording.label: one.residual for one in told}
    found, left_out = with_state_or_without(told, "optim.adam", left)
    assert {cause.id for cause in found.causes} == {"eps-inside-sqrt"} | (set() if its_own else {"state-aliased"})
    assert left_out is its_own


def test_where_every_allowance_is_infinite_nothing_is_explained(monkeypatch):
    (recording,) = recordings("optim.sgd", [UNKNOWN], "float64", some("optim.sgd", "normal gradients"))
    search = Search(find("optim.sgd"), [recording], {recording.label: replay(recording)})
    nothing = replay(recording)._replace(used=0.0)
    monkeypatch.setattr("lockstep.diagnose.search.tallied", lambda recording, observed: nothing)
    assert search.followed(()).residual == 0
    monkeypatch.setattr(
        "lockstep.diagnose.search.tallied", lambda recording, observed: nothing._replace(undecided=nothing.compared)
    )
    assert search.followed(()).residual == np.inf


# What is said of it


def test_the_answer_is_told_with_its_evidence():
    planted = known("optim.adam", "eps-inside-sqrt")
    found = diagnose(recordings("optim.adam", [planted], "float64", some("optim.adam", "gradients near eps")))
    text = str(found)
    said = [ENGLISH.say(part) for part in (planted.fix, planted.met, planted.note) if part]
    for part in (*said, "np.sqrt(v_hat + eps)", "np.sqrt(v_hat) + eps", "residual"):
        assert part in text
    (told,) = found.to_json()["causes"]
    assert told["id"] == "eps-inside-sqrt"
    assert told["residual"] <= 1
    assert told["scenario"] == "gradients near eps, float64"


def test_what_the_scenarios_cannot_tell_apart_is_all_named():
    """Under nesterov alone, both forms with lr inside the buffer are one."""
    planted = known("optim.sgd", "lr-inside-momentum")
    found = diagnose(recordings("optim.sgd", [planted], "float64", some("optim.sgd", "nesterov, lr changes")))
    ids = [found.causes[0].id, *(one.causes[0].id for one in found.equivalent)]
    assert set(ids) == {"nesterov-lookahead", "lr-inside-momentum"}
    assert ids[0] == "nesterov-lookahead"  # the one that says more
    assert f"or       {ids[1]}" in str(found)


def test_a_cause_without_a_number_is_preferred():
    planted = known("optim.adam", "weight-decay-value").solved(factor=2)
    found = diagnose(recordings("optim.adam", [planted], "float64", some("optim.adam", "weight decay")))
    assert [cause.id for cause in found.causes] == ["l2-twice"]
    assert "weight-decay-value" in {cause.id for other in found.equivalent for cause in other.causes}


# The comparison itself


def changed(recording: Recording, change) -> Recording:
    steps = [dataclasses.replace(step, after=change(step)) for step in recording.steps]
    return dataclasses.replace(recording, steps=steps)


@pytest.mark.parametrize(
    ("fault", "change"),
    [
        ("nothing-moved", lambda step: step.before),
        ("dtype-promoted", lambda step: {name: array.astype(np.float64) for name, array in step.after.items()}),
        (
            "layout-transposed",
            lambda step: {name: np.ascontiguousarray(array.T) for name, array in step.after.items()},
        ),
    ],
)
def test_a_fault_of_the_comparison_comes_first(fault, change):
    chosen = some("optim.sgd", "normal gradients")
    square = {"weight": (6, 6), "bias": (5,)}
    chosen = [chosen[0]._replace(case=chosen[0].case.replaced(shapes=square))]
    sound = recordings("optim.sgd", [], "float32", chosen)
    assert diagnose(sound).fault is None
    found = diagnose([changed(one, change) for one in sound])
    assert found.verdict is Verdict.BROKEN
    assert found.fault is not None
    assert found.fault.id == fault
    assert found.causes == ()
    assert fault in str(found)


def test_nothing_recorded_is_refused():
    with pytest.raises(ValueError, match="nothing was recorded"):
        diagnose([])


def test_two_recordings_of_one_name_are_refused():
    one = recordings("optim.sgd", [], "float64", some("optim.sgd", "normal gradients"))
    with pytest.raises(ValueError, match="same scenario"):
        diagnose([*one, *one])


def test_zero_gradients_move_nothing_and_that_is_no_fault():
    step = Step({"lr": 0.1}, {"w": np.zeros(3)}, {"w": np.ones(3)}, {"w": np.ones(3)})
    (like,) = recordings("optim.sgd", [], "float64", some("optim.sgd", "normal gradients"))
    still = dataclasses.replace(
        like,
        hyperparameters=like.hyperparameters | {"momentum": 0.0},
        steps=[dataclasses.replace(step, hyperparameters=like.hyperparameters | {"momentum": 0.0})],
    )
    assert diagnose([still]).fault is None
