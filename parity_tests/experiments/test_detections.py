"""Which wrong one is yours: the table of causes as a record, its trajectories, and what is refused of it."""

import json

import numpy as np
import pytest

from lockstep.causes import causes, plant, scenarios
from lockstep.experiments import planned
from lockstep.experiments.detection import detections
from lockstep.experiments.detection.table import FAITHFUL, causes_table
from lockstep.experiments.detection.trajectory import apart, furthest, trajectory
from lockstep.explanation.ladder import advance
from lockstep.records.kinds.detection import ChangeEntry
from lockstep.records.loading import load
from lockstep.records.record import BadRecord, Record
from lockstep.subjects.registry import asked, subjects
from lockstep.text import LANGUAGES, Voice

pytestmark = pytest.mark.slow

WITH_CAUSES = [subject.path for subject in subjects() if causes(subject)]
SMALL = ("penalty.l1", "layers.dropout", "layers.batchnorm")


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    """Path of the record of a few subjects, by subject."""
    folder = tmp_path_factory.mktemp("detections")
    return {path: detections.detected({"subject": path}).save(folder / f"{path}.json") for path in SMALL}


def cause(path: str, name: str):
    return next(one for one in causes(path) if one.name == name)


def scenario(path: str, name: str):
    return next(one for one in scenarios(path) if one.name == name)


# Trajectories


def test_a_trajectory_is_that_of_two_free_runs():
    wrong = cause("optim.adam", "eps-inside-sqrt")
    case = scenario("optim.adam", wrong.shows).case
    found = trajectory(wrong, scenario("optim.adam", wrong.shows), 5)
    pair = asked("optim.adam", case).pair(plant("optim.adam", [wrong]))
    for made, kept in ((pair.ours(), found.ours), (pair.theirs(), found.theirs)):
        for step in range(1, 6):
            advance(made, step)
            assert made.read()["param"][found.tensor][found.index] == kept[step - 1]
    assert found.drift[-1] == abs(float(found.ours[-1]) - float(found.theirs[-1]))
    assert (found.drift >= np.abs(found.ours.astype(np.float64) - found.theirs)).all()


def test_of_a_layer_the_quantity_is_followed_in_which_the_cause_shows():
    for name, quantity in {"running-variance-biased": "running_var", "statistics-detached": "grad_input"}.items():
        wrong = cause("layers.batchnorm", name)
        found = trajectory(wrong, scenario("layers.batchnorm", wrong.shows), 6)
        assert found.quantity == quantity
        assert found.drift.all()


def test_a_cause_that_float32_hides_is_followed_in_float64():
    wrong = cause("optim.adam", "hyperparameter-low-precision (lr)")
    found = trajectory(wrong, scenario("optim.adam", wrong.shows), 3)
    assert found.dtype == "float64"
    assert found.ours.dtype == np.float64
    assert 0 < found.drift[-1] < 1e-6


def test_where_both_meet_again_the_element_is_that_of_the_widest_gap():
    wrong = cause("layers.dropout", "keep-for-drop")
    found = trajectory(wrong, scenario("layers.dropout", wrong.shows), 4)
    assert found.drift[-1] == 0  # in evaluation nothing is dropped
    assert np.abs(found.ours.astype(np.float64) - found.theirs).max() == found.drift.max() > 0


def test_no_number_on_one_side_is_infinitely_far():
    ours, theirs = {"w": np.array([1, np.nan, np.inf, np.nan])}, {"w": np.array([2, 0, np.inf, np.nan])}
    assert apart(ours, theirs)["w"].tolist() == [1, np.inf, 0, 0]
    assert furthest(apart(ours, theirs)) == ("w", (1,))
    wrong = cause("optim.adam", "step-off-by-one (t - 1)")
    found = trajectory(wrong, scenario("optim.adam", wrong.shows), 3)
    assert np.isinf(found.drift).all()


# Records


def test_every_subject_with_causes_has_its_table(monkeypatch):
    assert [path for path in WITH_CAUSES if detections.detections(path)] == WITH_CAUSES
    monkeypatch.setattr(detections, "causes", lambda path: [])
    assert not any(detections.detections(path) for path in WITH_CAUSES)
    monkeypatch.undo()
    for path in WITH_CAUSES:
        name = "digits" if path == "models.mlp" else path
        assert set(detections.detections(path)) <= {task.name for task in planned(name, {})}


@pytest.mark.parametrize("path", SMALL)
def test_a_record_holds_the_table_and_every_cause_of_it(records, path):
    record, table = load(records[path]), causes(path)
    assert [row.cause and row.cause.id for row in record.rows] == [None, *(one.id for one in table)]
    assert {row.name: row.cells for row in record.rows} == causes_table(path)
    for number, one in enumerate(table, 1):
        name, row = record.rows[number].name, record.cause(number)
        assert (name, row.formula, row.shows) == (one.name, one.formula, one.shows)
        assert [change.line for change in row.changes] == [change.line for change in one.changes()]
        assert (row.behaviour is None) == (one.behaviour is None)
        shown = scenario(path, one.shows)
        whole = getattr(shown.case, "evaluate_from", None) is None
        assert row.steps == (detections.STEPS if whole else shown.case.steps)
        way = trajectory(one, shown, row.steps)
        assert (row.tensor, row.index) == (way.tensor, way.index)
        for side in ("ours", "theirs", "drift"):
            assert record.arrays[f"trajectory/{number}/{side}"].tobytes() == getattr(way, side).tobytes()
        assert way.drift.any()


def test_a_record_says_which_line_of_pytorchs_is_exchanged_and_for_what(records):
    rows = {row.name: row.cause for row in load(records["layers.batchnorm"]).rows}
    biased = rows["running-variance-biased"]
    assert biased.equations == {"unbiased": r"s^2 = \tfrac{m}{m-1}\,\sigma^2"}
    (change,) = biased.changes
    assert (change.of, change.line, change.theirs) == ("line", "unbiased", "var")
    assert biased.threads == ("pytorch/pytorch#3122",)
    (argument,) = rows["eps-value (0.001)"].changes
    assert argument == ChangeEntry(of="argument", line="eps", ours="eps", theirs="0.001")


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_said_of_a_cause_is_a_message_in_either_language(records, language):
    voice, table = Voice(language), causes("layers.batchnorm")
    record = load(records["layers.batchnorm"])
    for row, one in zip(record.rows[1:], table, strict=True):
        assert voice.say(row.cause.fix) == voice.say(one.fix)
        assert voice.say(row.cause.first_shows) == voice.say(one.first_shows)
        assert (row.cause.note is None) == (one.note is None)
        assert (row.cause.seen is None) == (one.met is None)
    assert all(voice.say(one.why) for one in record.scenarios)


def test_a_line_that_is_kept_otherwise_is_told_from_one_that_is_exchanged():
    aliased = cause("optim.adam", "state-aliased (v becomes its root)")
    (change,) = (detections.exchange(aliased, change) for change in aliased.changes())
    assert change == ChangeEntry(of="kept", line="v", ours="v", theirs="np.sqrt(v)")


def test_twins_are_rows_that_no_scenario_tells_apart(records):
    record = load(records["penalty.l1"])
    rows = {row.name: record.twins(number) for number, row in enumerate(record.rows)}
    plus, minus = (f"l1-subgradient-at-zero (sign(0) = {sign}1)" for sign in "+-")
    assert (rows[plus], rows[minus]) == ([minus], [plus])
    assert rows["faithful"] == []


def test_the_same_table_gives_the_same_record(records, tmp_path):
    again = detections.detected({"subject": "penalty.l1"}).save(tmp_path / "penalty.l1.json")
    assert again.read_bytes() == records["penalty.l1"].read_bytes()


# Malformed records


def altered(name: str):
    def change(arrays):
        array = arrays[name].copy()
        array[-1] = 0
        return arrays | {name: array}

    return change


def cause_in(data, number=1):
    return data["rows"][number]["cause"]


MALFORMED = {
    "a unit that is none": (lambda data: data.update(unit="miles"), "unit is 'miles', which has no name here"),
    "no scenarios": (lambda data: data.update(scenarios=[]), r"scenarios is \[\], not a list that is not empty"),
    "a scenario without its case": (lambda data: data["scenarios"][0].pop("case"), r"scenarios\[0\] is without case"),
    "rows that are no list": (lambda data: data.update(rows={}), r"rows is \{\}, not a list"),
    "a first row that is a cause": (lambda data: data["rows"].reverse(), r"rows\[0\]: the first row alone is without"),
    "a cause without a formula": (lambda data: cause_in(data).pop("formula"), r"rows\[1\]\.cause is without formula"),
    "words that are no message": (
        lambda data: cause_in(data).update(fix="swap"),
        r"rows\[1\]\.cause\.fix is 'swap', not a message",
    ),
    "a cause without a first step": (lambda data: cause_in(data).pop("first"), r"rows\[1\]\.cause is without first"),
    "a scenario that there is not": (
        lambda data: cause_in(data).update(shows="fog"),
        r"rows\[1\]: shows in 'fog', which is none of the scenarios",
    ),
    "a change of nothing known": (
        lambda data: cause_in(data)["changes"][0].update(of="mood"),
        r"rows\[1\]\.cause\.changes\[0\]\.of is 'mood', not one of line, kept, argument",
    ),
    "changes that are no list": (lambda data: cause_in(data).update(changes=None), "changes is None, not a list"),
    "a cell too few": (lambda data: data["rows"][0]["cells"].pop(), r"rows\[0\]\.cells: not a cell a scenario"),
    "a cell without an error": (
        lambda data: data["rows"][0]["cells"][0].pop("error"),
        r"rows\[0\]\.cells\[0\] is without error",
    ),
    "a cell of words": (
        lambda data: data["rows"][0]["cells"][0].update(used="some"),
        r"rows\[0\]\.cells\[0\]\.used is 'some', not a number",
    ),
    "no steps": (lambda data: cause_in(data, 2).update(steps=0), r"steps is 0, not a whole number from 1 on"),
    "more steps": (lambda data: cause_in(data, 2).update(steps=41), "'trajectory/2/ours' is not 41 numbers"),
}
SPOILT = {
    "no trajectory": (
        lambda arrays: {k: v for k, v in arrays.items() if k != "trajectory/2/theirs"},
        "missing, or of no cause: .*/2/theirs",
    ),
    "one too many": (
        lambda arrays: arrays | {"trajectory/9/theirs": np.ones(40)},
        "or of no cause: trajectory/9/theirs",
    ),
    "one that is short": (lambda arrays: arrays | {"trajectory/1/drift": np.ones(3)}, "is not 40 numbers"),
    "one of whole numbers": (lambda arrays: arrays | {"trajectory/1/drift": np.ones(40, int)}, "is not 40 numbers"),
    "a drift that is too small": (altered("trajectory/3/drift"), "less than the sides are apart at its element"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_table_is_refused_by_its_entry(records, name):
    record = load(records["penalty.l1"])
    change, words = MALFORMED[name]
    data = record.to_json()
    change(data)
    with pytest.raises(BadRecord, match=words):
        Record.from_json(data, record.arrays)


@pytest.mark.parametrize("name", SPOILT)
def test_trajectories_that_do_not_fit_are_refused(records, name):
    record = load(records["penalty.l1"])
    change, words = SPOILT[name]
    with pytest.raises(BadRecord, match=words):
        Record.from_json(record.to_json(), change(record.arrays))


def test_what_is_written_is_plain_json(records):
    text = records["layers.batchnorm"].read_text("utf-8")
    assert json.loads(text)["rows"]
    assert "NaN" not in text


def test_a_cause_of_one_class_of_a_file_changes_nothing_of_another():
    cells, tried = causes_table("layers.loss"), [scenario.case.layer for scenario in scenarios("layers.loss")]
    faithful, shown = next(iter(cells.values())), 0
    for cause in causes("layers.loss"):
        for layer, cell, right in zip(tried, cells[cause.name], faithful, strict=True):
            assert cell == right or layer == cause.layer
            shown += cell != right
    assert shown


def test_where_rounding_decides_which_way_a_search_goes_the_right_one_stays_right():
    """In float32 a line search ends one way or the other by the last bit: nothing is known of such a step."""
    assert all(cell.step is None for cell in causes_table("optim.lbfgs", "float32")[FAITHFUL])
