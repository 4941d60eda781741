"""Runs in lockstep: what is drift and what defect, from which step and on which line, and how little is kept of it."""

import dataclasses
import itertools
import tracemalloc

import numpy as np
import pytest

from lockstep.engine import stepping as module
from lockstep.engine.series import Series
from lockstep.engine.stepping import KEPT, run_pair
from lockstep.engine.wording import wording
from lockstep.numerics.bounded import Bounded
from lockstep.numerics.difference import compare
from lockstep.numerics.formats import FORMATS
from lockstep.numerics.verdict import Verdict, judge, worst
from lockstep.subjects.registry import asked
from parity_tests.support.planted import planted
from parity_tests.support.toy import Toy, exact, fused, gradient, pair, plain

STEPS = 12
RANK = ("identical", "rounding", "partial", "ill-conditioned", "different", "broken")


# verdicts


def test_verdicts_have_an_order():
    assert [str(verdict) for verdict in Verdict] == list(RANK)
    assert [verdict.severity for verdict in Verdict] == sorted(verdict.severity for verdict in Verdict)
    assert [verdict.passes for verdict in Verdict] == [True, True, True, True, False, False]


def test_the_worst_of_several_is_the_last_in_that_order():
    for one, other in itertools.product(Verdict, Verdict):
        assert worst([one, other]) is Verdict(RANK[max(RANK.index(one), RANK.index(other))])
    assert worst([]) is Verdict.IDENTICAL


def judged(ours, theirs, value, error, dtype=np.float32):
    """The judgement of two tensors beside an exact result and its allowance."""
    bound = None if value is None else Bounded(np.array(value, float), dtype, error=np.array(error, float))
    return judge(3, "param", "weight", "theta", np.array(ours, dtype), np.array(theirs, dtype), bound)


INF, NAN = np.inf, np.nan


@pytest.mark.parametrize(
    ("ours", "theirs", "value", "error", "verdict", "used", "nearer"),
    [
        ([1.0, 2.0], [1.0, 2.5], [1, 2.25], [0.5, 0.5], "rounding", 0.5, "both"),
        ([1.0, 2.0], [1.0, 2.5], [1, 2.125], [0.5, 0.5], "rounding", 0.75, "ours"),
        ([1.0, 2.5], [1.0, 2.0], [1, 2.125], [0.5, 0.5], "rounding", 0.75, "theirs"),
        ([1.0, 2.0], [1.0, 3.0], [1, 2.0], [0.5, 0.5], "different", 2.0, "ours"),
        ([1.0, 3.0], [1.0, 2.0], [1, 2.0], [0.5, 0.5], "different", 2.0, "theirs"),
        # both equally wrong: outside all the same
        ([1.0, 1.0], [1.0, 3.0], [1, 2.0], [0.5, 0.5], "different", 2.0, "both"),
        # a null gradient: the allowance covers the largest there is
        ([2**-30, 0.0], [-(2**-30), 0.0], [0, 0], [2**-27, 2**-27], "ill-conditioned", 0.125, "both"),
        # the same beside a number that is certain
        ([2**-30, 1.0], [-(2**-30), 1.0], [0, 1], [2**-27, 2**-27], "rounding", 0.125, "both"),
        # no allowance is known
        ([1.0, 2.0], [1.0, 3.0], [1, 2.0], [0.5, INF], "ill-conditioned", 0.0, "unknown"),
        ([1.0, 2.0], [1.0, 3.0], [1, NAN], [0.5, 0.5], "ill-conditioned", 0.0, "unknown"),
        # nor need it be, where both agree: one overflows on both sides
        ([INF, 2.0], [INF, 2.5], [1e39, 2.25], [INF, 0.5], "rounding", 0.5, "both"),
        # an infinity or NaN on one side is no rounding
        ([1.0, INF], [1.0, 2.0], [1, 2], [0.5, 0.5], "different", INF, "theirs"),
        ([1.0, 2.0], [1.0, NAN], [1, 2], [0.5, 0.5], "different", INF, "ours"),
        # zeros of either sign
        ([1.0, 0.0], [1.0, -0.0], [1, 0], [0, 0], "rounding", 0.0, "both"),
        # nothing is allowed where nothing rounds
        ([1.0, 2.0], [1.0, np.nextafter(np.float32(2), np.float32(3))], [1, 2], [0, 0], "different", INF, "ours"),
        # without an arbiter
        ([1.0, 2.0], [1.0, 2.5], None, None, "different", INF, "unknown"),
        ([1.0, 0.0], [1.0, -0.0], None, None, "different", INF, "unknown"),
    ],
)
def test_a_tensor_is_judged(ours, theirs, value, error, verdict, used, nearer):
    found = judged(ours, theirs, value, error)
    assert (found.verdict, found.finding.nearer) == (verdict, nearer)
    assert found.used == used
    assert found.nearer_ours == (nearer == "ours")
    assert found.nearer_theirs == (nearer == "theirs")
    sides = {"ours": "theirs", "theirs": "ours"}
    swapped = judged(theirs, ours, value, error)
    assert (swapped.verdict, swapped.finding.nearer) == (verdict, sides.get(nearer, nearer))
    assert swapped.used == found.used


def test_the_finding_is_the_element_that_used_most():
    ours = [[1.0, 1.5, 1.0], [1.0, 1.25, 1.0]]
    theirs = [[1.0, 1.0, 1.0], [1.0, 1.0, 1.5]]
    finding = judged(ours, theirs, np.ones((2, 3)), [[1, 2, 1], [1, 0.5, 0.625]]).finding
    assert (finding.index, finding.shape) == ((1, 2), (2, 3))
    assert (finding.step, finding.quantity, finding.tensor, finding.line) == (3, "param", "weight", "theta")
    assert (finding.ours, finding.theirs, finding.exact, finding.allowed) == (1.0, 1.5, 1.0, 0.625)
    assert (finding.ours_bits, finding.theirs_bits) == ("0x3f800000", "0x3fc00000")
    assert (finding.absolute, finding.ulp, finding.used) == (0.5, 2**22, 0.8)


# runs


def test_a_side_against_itself_is_identical():
    outcome = run_pair(pair(theirs=Toy), STEPS)
    assert outcome.verdict is Verdict.IDENTICAL
    assert (outcome.first_difference, outcome.evidence, outcome.first_drift, outcome.used) == (None, None, None, 0)
    for series in (outcome.drift, outcome.defect):
        assert set(series.columns) == {"param", "velocity"}
        for columns in series.columns.values():
            assert np.array_equal(columns["differing"], np.zeros(STEPS))
            assert np.array_equal(columns["elements"], np.full(STEPS, 17))


@pytest.mark.parametrize("subject", ["optim.adam", "layers.batchnorm", "models.mlp"])
def test_a_subject_against_itself_is_identical(subject):
    both = asked(subject).pair()
    outcome = run_pair(both._replace(theirs=both.ours), 3)
    assert (outcome.verdict, outcome.broken, outcome.first_drift) == (Verdict.IDENTICAL, None, None)


def test_rounding_is_rounding():
    outcome = run_pair(pair(), STEPS)
    assert outcome.verdict is Verdict.ROUNDING
    assert 0 < outcome.used <= 1
    assert outcome.first_difference is not None
    assert outcome.first_difference.verdict is Verdict.ROUNDING
    assert outcome.first_drift == outcome.first_difference.step


def test_swapping_the_sides_changes_nothing_but_their_names():
    """The drift at every step; and the defect of the first, which starts from the same place either way."""
    there = run_pair(pair(Toy, lambda: Toy(fused)), STEPS)
    back = run_pair(pair(lambda: Toy(fused), Toy), STEPS)
    assert there.verdict is back.verdict
    assert there.first_drift == back.first_drift
    for quantity, columns in there.drift.columns.items():
        for figure, column in columns.items():
            assert np.array_equal(column, back.drift.columns[quantity][figure], equal_nan=True), figure
        assert np.array_equal(there.drift.heat[quantity], back.drift.heat[quantity])
    names = {"nearer_ours": "nearer_theirs", "nearer_theirs": "nearer_ours"}
    for quantity, columns in there.defect.columns.items():
        for figure, column in columns.items():
            assert column[0] == back.defect.columns[quantity][names.get(figure, figure)][0]
    one, other = there.first_difference, back.first_difference
    assert one is not None
    assert other is not None
    assert (one.ours, one.theirs, one.ours_bits, one.theirs_bits) == (
        other.theirs,
        other.ours,
        other.theirs_bits,
        other.ours_bits,
    )
    alike = {"ours": one.ours, "theirs": one.theirs, "ours_bits": one.ours_bits, "theirs_bits": one.theirs_bits}
    assert dataclasses.replace(one, nearer="both") == dataclasses.replace(other, **alike, nearer="both")


def off(line: str, *at: int, factor=1 + 1e-4):
    """Toys whose formula is wrong in one line at some steps."""

    def wrong(param, velocity, grad):
        new_velocity, new_param = plain(param, velocity, grad)
        if line == "velocity":
            new_velocity, new_param = plain(param, velocity, grad * np.float32(factor))
        else:
            new_param = param - (param - new_param) * np.float32(factor)
        return new_velocity, new_param

    return lambda: Toy(changed=lambda step: wrong if step in at else None)


@pytest.mark.parametrize("line", ["velocity", "param"])
@pytest.mark.parametrize("at", [1, 7, STEPS])
@pytest.mark.parametrize("side", ["ours", "theirs"])
def test_a_wrong_formula_is_reported_from_its_step_and_its_line(line, at, side):
    other = {"ours": "theirs", "theirs": "ours"}[side]
    outcome = run_pair(pair(**{side: off(line, at), other: Toy}), STEPS)
    assert outcome.verdict is Verdict.DIFFERENT
    finding = outcome.evidence
    assert finding is not None
    assert outcome.first_difference == finding
    assert (finding.step, finding.line, finding.quantity) == (at, line, line)
    assert finding.nearer == {"ours": "theirs", "theirs": "ours"}[side]
    assert wording("toy", outcome.verdict, finding, None, "").startswith(
        f"toy: different from step {at}, line {line}\n"
    )
    for quantity in ("velocity", "param"):
        differing = outcome.defect.columns[quantity]["differing"]
        wrong = differing > 0
        assert wrong[at - 1] == (line in (quantity, "velocity"))
        assert not wrong[: at - 1].any()
        # the defect is over with its step, and the drift is not: the other side starts from the wrong place too
        assert not wrong[at:].any()
        assert (outcome.drift.columns[quantity]["differing"][at - 1 :] > 0).any() == (line in (quantity, "velocity"))
    assert outcome.first_drift == at


def test_the_evidence_is_the_first_of_the_worst_verdict():
    """Rounding from step 1 on, another formula at steps 7 and 9."""
    outcome = run_pair(pair(ours=off("param", 7, 9)), STEPS)
    assert outcome.first_difference is not None
    assert outcome.evidence is not None
    assert (outcome.first_difference.step, outcome.first_difference.verdict) == (1, Verdict.ROUNDING)
    assert (outcome.evidence.step, outcome.evidence.verdict, outcome.evidence.line) == (7, Verdict.DIFFERENT, "param")
    assert outcome.verdicts == {"velocity": Verdict.ROUNDING, "param": Verdict.DIFFERENT}
    used = outcome.defect.columns["param"]["used"]
    assert np.array_equal(np.flatnonzero(used > 1) + 1, [7, 9])
    assert outcome.closest_call is not None
    assert outcome.used == outcome.closest_call.used == used.max()
    assert outcome.closest_call.step == used.argmax() + 1


def test_a_drift_that_grows_is_no_defect():
    """An unstable problem: each step triples whatever is between the sides."""

    def tripled(param, velocity, grad):
        return 2 * velocity + 3 * param, 3 * param - velocity / 3

    def as_well(param, velocity, grad):
        return 3 * param + velocity * 2, (9 * param - velocity) / 3

    def of_it(stage, step, before):
        parts = {name: (before["param"][name], before["velocity"][name]) for name in before["param"]}
        lines = {name: tripled(*(Bounded(a, a.dtype) for a in both), None) for name, both in parts.items()}
        return {key: {name: line[i] for name, line in lines.items()} for i, key in enumerate(("velocity", "param"))}

    outcome = run_pair(pair(lambda: Toy(tripled), lambda: Toy(as_well), of_it), 30)
    drift, defect = (series.columns["param"]["absolute"] for series in (outcome.drift, outcome.defect))
    assert outcome.verdict is Verdict.ROUNDING
    assert drift[-1] > defect[-1] > 0


# ill-conditioned


def cancelling(order):
    """Toys that move by a sum that is exactly nothing, as a bias before BatchNorm does."""

    def nothing(param, velocity, grad):
        third, tenth = param * (1 / 3), param * 0.1
        noise = order(third, tenth)
        return noise, param - 0.1 * grad + 0 * noise

    return nothing


LEFT, RIGHT = cancelling(lambda a, b: (a + b) - b - a), cancelling(lambda a, b: (a - b) + b - a)


def of_nothing(stage, step, before):
    bounds = {"velocity": {}, "param": {}}
    for name, param in before["param"].items():
        numbers = (Bounded(array, param.dtype) for array in (param, gradient(step, name, param.shape, param.dtype)))
        x, g = numbers
        bounds["velocity"][name], bounds["param"][name] = LEFT(x, None, g)
    return bounds


def test_a_cancellation_is_ill_conditioned():
    outcome = run_pair(pair(lambda: Toy(LEFT), lambda: Toy(RIGHT), of_nothing), STEPS)
    assert outcome.verdict is Verdict.ILL_CONDITIONED
    assert outcome.verdicts["velocity"] is Verdict.ILL_CONDITIONED
    assert outcome.evidence is not None
    assert outcome.evidence.line == "velocity"
    assert abs(outcome.evidence.exact) < outcome.evidence.allowed
    assert outcome.evidence.ulp > 1e6  # which is why raw ulps accuse, and the allowance does not
    assert outcome.used <= 1


def test_the_root_of_a_cancellation_is_undecided():
    """Nothing can be said of it, and that is said, element by element."""

    def root(order):
        return lambda param, velocity, grad: (np.sqrt(abs(order(param, velocity, grad)[0])), param - 0.1 * grad)

    def exact_root(stage, step, before):
        bounds = of_nothing(stage, step, before)
        return {"velocity": {name: np.sqrt(b) for name, b in bounds["velocity"].items()}, "param": bounds["param"]}

    outcome = run_pair(pair(lambda: Toy(root(LEFT)), lambda: Toy(root(RIGHT)), exact_root), STEPS)
    assert outcome.verdict is Verdict.ILL_CONDITIONED


def test_a_branch_that_rounding_decides_is_undecided():
    """An arbiter that takes a branch on a cancellation knows nothing of the step; nobody is accused by it."""

    def branching(stage, step, before):
        bounds = of_nothing(stage, step, before)
        assert bounds["velocity"]["weight"][0, 0] > 0
        return bounds

    outcome = run_pair(pair(lambda: Toy(LEFT), lambda: Toy(RIGHT), branching), STEPS)
    assert outcome.verdict is Verdict.ILL_CONDITIONED
    assert outcome.used == 0
    assert outcome.evidence is not None
    assert outcome.evidence.nearer == "unknown"


def test_a_wrong_formula_is_not_excused_by_a_cancellation_beside_it():
    def wrong(param, velocity, grad):
        noise, new = LEFT(param, velocity, grad)
        return noise, new + np.float32(1e-4)

    outcome = run_pair(pair(lambda: Toy(wrong), lambda: Toy(RIGHT), of_nothing), STEPS)
    assert outcome.verdict is Verdict.DIFFERENT
    assert outcome.evidence is not None
    assert outcome.evidence.line == "param"


# what is found is what is in the arrays


@pytest.mark.parametrize("tensor", ["weight", "bias"])
@pytest.mark.parametrize("direction", [-np.inf, np.inf])
def test_the_first_difference_is_the_arrays_own(tensor, direction):
    shape = Toy().param[tensor].shape
    place = tuple(size - 2 for size in shape)
    seen = {}

    class Nudged(Toy):
        def advance(self, stage, step):
            super().advance(stage, step)
            if step == 5:
                array = self.param[tensor]
                seen["theirs"] = array[place].copy()
                array[place] = np.nextafter(array[place], np.float32(direction))
                seen["ours"] = array[place].copy()
                seen["window"] = array.copy()

    outcome = run_pair(pair(Nudged, Toy), STEPS)
    finding = outcome.first_difference
    assert finding is not None
    assert (finding.step, finding.quantity, finding.tensor, finding.index, finding.shape) == (
        5,
        "param",
        tensor,
        place,
        shape,
    )
    assert (finding.ours, finding.theirs) == (seen["ours"], seen["theirs"])
    assert (finding.ours_bits, finding.theirs_bits) == tuple(
        map(FORMATS[finding.dtype].bits, (seen["ours"], seen["theirs"]))
    )
    assert finding.ulp == 1
    assert finding.absolute == abs(float(seen["ours"]) - float(seen["theirs"]))
    columns = outcome.defect.columns["param"]
    flat = np.ravel_multi_index(place, shape)
    assert (columns["differing"][4], columns["index"][4], columns["ulp"][4]) == (1, flat, 1)
    assert outcome.defect.tensors["param"][4] == tensor
    window = outcome.window["first_difference/ours/param"]
    first = max(0, flat - KEPT)
    assert np.array_equal(window, seen["window"].reshape(-1)[first : flat + KEPT + 1])


def test_the_window_of_a_long_tensor_is_around_the_place():
    class Nudged(Toy):
        def advance(self, stage, step):
            super().advance(stage, step)
            self.param["weight"][500] += 1

    def make(kind):
        return lambda: kind(shapes={"weight": (1000,)})

    outcome = run_pair(pair(make(Nudged), make(Toy)), 1)
    ours, theirs = (outcome.window[f"first_difference/{side}/param"] for side in ("ours", "theirs"))
    assert ours.shape == theirs.shape == (2 * KEPT + 1,)
    assert np.array_equal(np.flatnonzero(ours != theirs), [KEPT])


def test_the_series_are_comparisons_of_the_arrays():
    kept = {"ours": [], "theirs": []}

    class Kept(Toy):
        def __init__(self, name, formula):
            super().__init__(formula)
            self.name = name

        def advance(self, stage, step):
            super().advance(stage, step)
            kept[self.name].append(self.param["bias"].copy())

    first = iter(("ours", "resynchronised"))
    kept["resynchronised"] = []
    outcome = run_pair(pair(lambda: Kept(next(first), plain), lambda: Kept("theirs", fused)), STEPS)
    for step in range(STEPS):
        found = compare(kept["ours"][step], kept["theirs"][step])
        columns = outcome.drift.columns["param"]
        assert columns["ulp"][step] >= found.ulp
        assert columns["absolute"][step] >= found.absolute
        if outcome.drift.tensors["param"][step] == "bias":
            assert columns["absolute"][step] == found.absolute
            assert columns["index"][step] == found.index


def test_judging_every_third_step_leaves_the_drift_as_it_is():
    every, third = (run_pair(pair(), STEPS, judge_every=n) for n in (1, 3))
    for quantity, columns in every.drift.columns.items():
        for figure, column in columns.items():
            assert np.array_equal(column, third.drift.columns[quantity][figure], equal_nan=True)
    judged_at = [step for step in range(1, STEPS + 1) if step == 1 or step % 3 == 0]
    for quantity, columns in every.defect.columns.items():
        for figure, column in columns.items():
            found = third.defect.columns[quantity][figure]
            assert np.array_equal(np.flatnonzero(~np.isnan(third.defect.columns[quantity]["elements"])) + 1, judged_at)
            assert np.array_equal(found[np.array(judged_at) - 1], column[np.array(judged_at) - 1], equal_nan=True)


def test_each_finished_step_is_told():
    told = []
    run_pair(pair(), 5, told.append)
    assert told == [1, 2, 3, 4, 5]


# memory


def kept_a_step() -> int:
    """Bytes that a step may leave behind: both modes' figures, heat rows and names, of two quantities."""
    figures = len(Series.FIGURES + Series.EXTRA)
    return 2 * 2 * (8 * figures + 4 * 64 + 8)


def peak(steps: int, elements: int) -> int:
    """What a run needs at most beside what was there before, in bytes."""

    def make(formula):
        return lambda: Toy(formula, {"weight": (elements,)})

    tracemalloc.start()
    try:
        run_pair(pair(make(plain), make(fused)), steps)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_steps_times_parameters():
    """60 steps more of 30 000 parameters leave their summaries behind: less than one array of the parameters."""
    elements, few, many = 30_000, 10, 70
    peak(2, elements)
    grown = peak(many, elements) - peak(few, elements)
    assert (many - few) * kept_a_step() < 4 * elements
    assert grown < (many - few) * kept_a_step() + 4 * elements


def test_keeping_an_array_a_step_would_be_noticed(monkeypatch):
    kept = []
    note = Series.note

    def hoarding(self, step, quantity, summary, **extra):
        kept.append(np.zeros(30_000, np.float32))
        note(self, step, quantity, summary, **extra)

    monkeypatch.setattr(Series, "note", hoarding)
    with pytest.raises(AssertionError):
        test_memory_does_not_grow_with_steps_times_parameters()


# the checks above would notice


def test_an_arbiter_that_is_left_out_accuses():
    assert run_pair(pair(arbiter=None), STEPS).verdict is Verdict.DIFFERENT


def test_an_arbiter_that_is_ten_times_too_strict_accuses():
    def strict(stage, step, before):
        bounds = exact(stage, step, before)
        return {
            key: {name: b.like(b.value, b.error / 10, b.sure) for name, b in named.items()}
            for key, named in bounds.items()
        }

    assert run_pair(pair(arbiter=strict), STEPS).verdict is Verdict.DIFFERENT


def test_a_run_without_resynchronising_would_be_noticed(monkeypatch):
    monkeypatch.setattr(Toy, "write", lambda self, quantities: None)
    with pytest.raises(AssertionError):
        test_a_wrong_formula_is_reported_from_its_step_and_its_line("param", 7, "ours")


MUTANTS = {
    "the last of the worst verdict": ("severity > outcome.verdict.severity", "severity >= outcome.verdict.severity"),
    "the first finding is the evidence": ("step_verdict.severity > outcome.verdict.severity:", "False:"),
    "evidence of any verdict": ("if j.verdict is step_verdict)", "if True)"),
    "lines in another order": ("in pair.order else -1)", "in pair.order else -1, reverse=True)"),
    "the latest difference": ("if outcome.first_difference is None:", "if True:"),
    "the farthest call": ("closest.used > outcome.closest_call.used", "closest.used < outcome.closest_call.used"),
    "the window at the start": ("max(0, flat - KEPT)", "0"),
    "never resynchronised": ("synced.write(before)", "pass"),
    "resynchronised with itself": ("before = theirs.read().copy()", "before = synced.read().copy()"),
    "theirs is not copied": ("before = theirs.read().copy()", "before = theirs.read()"),
    "drift of the resynchronised run": ("note_drift(step, free.read()", "note_drift(step, synced.read()"),
    "first drift is the last": ("outcome.first_drift or step", "step"),
    "the best verdict of a quantity": ("worst([before, *(j.verdict for j in tally.judged)])", "before"),
    "every step is judged": ("judged = step == 1 or step % judge_every == 0", "judged = True"),
    "the drift is read by itself": ("summary = summarise(parts)", "summary = summarise({})"),
}  # fmt: skip


def everything():
    """The checks above in brief."""
    test_a_side_against_itself_is_identical()
    test_rounding_is_rounding()
    test_swapping_the_sides_changes_nothing_but_their_names()
    for line, at, side in itertools.product(("velocity", "param"), (1, 7), ("ours", "theirs")):
        test_a_wrong_formula_is_reported_from_its_step_and_its_line(line, at, side)
    test_the_evidence_is_the_first_of_the_worst_verdict()
    test_a_wrong_formula_is_not_excused_by_a_cancellation_beside_it()
    test_the_window_of_a_long_tensor_is_around_the_place()
    test_the_series_are_comparisons_of_the_arrays()
    test_judging_every_third_step_leaves_the_drift_as_it_is()


def test_everything_passes():
    everything()


@pytest.mark.parametrize("name", MUTANTS)
def test_a_wrong_engine_is_noticed(name, monkeypatch):
    monkeypatch.setitem(globals(), "run_pair", planted(module, *MUTANTS[name]).run_pair)
    with pytest.raises((AssertionError, KeyError)):
        everything()
