"""A walk shows every line of the paper on both sides and loses no operation; its records are checked entry by entry."""

import json
import shlex
import sys

import numpy as np
import pytest

from lockstep.cli import main as cli
from lockstep.experiments import planned, walks
from lockstep.explanation.matching import Match, OurLine
from lockstep.explanation.walk import Beside, element, shared_out, walk
from lockstep.numerics import probe
from lockstep.records.kinds.walk import WalkedLine, WalkedStage
from lockstep.records.loading import load
from lockstep.records.record import BadRecord, Record
from lockstep.subjects.registry import asked, find, subjects
from reference.optim.adam import Adam
from torch_impl.ledger import recorded

pytestmark = pytest.mark.slow

PLANNED = {name: arguments for subject in subjects() for name, arguments in walks.walks(subject).items()}
WORD = "the notebook's run"


def pair(path: str, desc: str, torch_path: str | None = None, ours: type | None = None):
    return asked(path, desc, path=torch_path).pair(ours)


def adam(steps: int = 1, desc: str = WORD, **settings) -> list[WalkedStage]:
    """The update of each step."""
    return [stages[-1] for stages in walk(pair("optim.adam", desc, "single", **settings), steps).steps]


def lines(stage: WalkedStage) -> dict[str, WalkedLine]:
    return {row.line: row for row in stage.lines}


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    """Path of each planned walk's record, by its name."""
    folder = tmp_path_factory.mktemp("walks")
    return {
        name: walks.walked(arguments).save(folder / f"{place}.json")
        for place, (name, arguments) in enumerate(PLANNED.items())
    }


# What is shown


def test_a_walk_goes_through_the_papers_lines_in_formula_order():
    stage = adam()[0]
    assert [row.line for row in stage.lines] == [*find("optim.adam").reference.EQUATIONS]
    assert [*stage.equations] == [row.line for row in stage.lines]


def test_what_only_the_paper_has_is_not_shown_and_nothing_is_claimed_of_it():
    for stage in adam(6):
        hidden = [row for row in stage.lines if not row.shown]
        assert [row.line for row in hidden] == ["m_hat", "v_hat"]
        for row in hidden:
            assert (row.theirs, row.theirs_bits, row.their_code, row.operations) == (None, None, None, ())
            assert (row.differing, row.elements) == (0, 0)


def test_each_line_has_the_operations_that_lead_to_it():
    ran = {row.line: [one.name for one in row.operations] for row in adam()[0].lines if row.operations}
    assert ran == {
        "m": ["add_", "lerp_"],  # the count of steps goes before
        "v": ["mul_", "addcmul_"],
        "denom": ["sqrt", "div", "add_"],
        "param": ["addcdiv_"],
    }


@pytest.mark.parametrize("name", PLANNED)
def test_no_operation_is_lost(name):
    arguments = PLANNED[name]
    request = asked(**arguments)
    subject, both = request.subject, request.pair()
    found = walk(both, 1).steps[0]
    theirs, ran = both.theirs(), []
    for stage in theirs.stages:
        if subject.family.name == "optim" and stage == "update":
            theirs.only(found[-1].tensor)  # of several a walk shows one
        ran.append(recorded(lambda stage=stage: theirs.advance(stage, 1)))
    calls = [one.name for stage in ran for one in stage if not one.silent]
    walked = [name for stage in found for name in stage.operations]
    assert walked or not calls  # of a schedule, which runs nothing that PyTorch dispatches
    if subject.family.name == "optim":
        calls = [one.name for one in ran[-1] if not one.silent]  # the gradient is the problem's, not the optimizer's
    if subject.family.name == "models":
        # the draws belong to no line, and the other parameters' updates are left out
        calls = calls[calls.index("bernoulli_") :]
        calls = calls[len(calls) - calls[::-1].index("ne") : calls.index("addcdiv_") + 1]
    assert walked == calls


def test_the_numbers_are_those_of_both_runs():
    """NumPy's from PyTorch's own state before the step, PyTorch's as its run goes on without a look."""
    both = pair("optim.adam", "defaults", "single")
    found = walk(both, 4, tensor="bias").steps
    mine, theirs = both.ours(), both.theirs()
    for step, stages in enumerate(found, 1):
        for stage in theirs.stages:
            mine.write(theirs.read().copy())
            theirs.advance(stage, step)
            mine.advance(stage, step)
        for quantity, line in {"param": "param", "exp_avg": "m", "exp_avg_sq": "v"}.items():
            row = lines(stages[-1])[line]
            ours, other = mine.read()[quantity]["bias"], theirs.read()[quantity]["bias"]
            assert (row.ours, row.theirs) == (ours[row.index], other[row.index])
            assert row.differing == np.count_nonzero(ours != other)


def test_a_network_is_walked_layer_by_layer_and_a_second_step_begins_where_pytorch_is():
    both = pair("models.mlp", "digits, Adam, dropout and BatchNorm", "single")
    stages = {one.stage: one for one in walk(both, 2).steps[1]}
    theirs = both.theirs()
    for step in (1, 2):
        for stage in theirs.stages:
            theirs.advance(stage, step)
    rows = lines(stages["forward batchnorm1"])
    assert rows["y"].theirs == theirs.read()["output"]["batchnorm1"][rows["y"].index]
    assert stages["forward relu1"].operations == ("relu",)
    assert stages["backward linear1"].operations == ("mm",)
    assert [*lines(stages["backward linear1"])] == ["dx", "dweight"]
    assert stages["backward linear1"].equations["dweight"].startswith(r"\partial W")
    param = lines(stages["update"])["param"]
    assert param.theirs == theirs.read()["param"]["linear1.weight"][param.index]
    assert "bernoulli_" not in stages["forward linear1"].operations


def test_a_layers_way_back_is_a_stage_of_its_own():
    forward, backward = walk(pair("layers.batchnorm", "the notebook's worked example"), 1).steps[0]
    assert (forward.stage, backward.stage) == ("forward", "backward")
    assert forward.operations == ("add_", "native_batch_norm")
    assert backward.operations == ("native_batch_norm_backward",)
    assert lines(forward)["mu"].shown
    assert not lines(forward)["x_hat"].shown
    assert lines(forward)["mu"].index == (0, lines(forward)["y"].index[1])


# Which element


def test_all_lines_of_a_step_show_one_element_in_which_the_first_line_that_differs_does():
    parted = 0
    for stages in walk(pair("optim.adam", "lr", "single"), 6).steps:
        rows = stages[-1].lines
        assert {row.index for row in rows} == {rows[0].index}
        if stages[-1].first:
            parted += 1
            assert lines(stages[-1])[stages[-1].first].ulp_here
    assert parted


@pytest.mark.parametrize(
    ("flags", "result", "expected"),
    [
        ([0, 1, 1], [0, 0, 1], (2,)),  # where both differ
        ([0, 1, 0], [1, 0, 1], (1,)),  # where the line does
        ([0, 0, 0], [0, 0, 1], (2,)),  # where the result does
        ([0, 0, 0], [0, 0, 0], (0,)),
    ],
)
def test_which_element_a_stage_is_read_at(flags, result, expected):
    both = pair("optim.adam", "defaults", "single")
    assert element(both, [beside("m", flags), beside("param", result)])[0] == expected


def test_a_line_of_a_column_says_which_of_its_elements():
    both = pair("layers.batchnorm", "features, in training", None)
    whole = np.zeros((3, 2))
    assert element(both, [beside("dbeta", [0, 1]), beside("dx", whole)]) == ((0, 1), (3, 2))
    assert element(both, [beside("other", [0, 1, 1, 1]), beside("dx", whole)]) == ((0, 0), (3, 2))


def beside(name: str, flags) -> Beside:
    """A line that differs where the flags are set."""
    flags = np.asarray(flags)
    line = OurLine(name, "", frozenset(), np.zeros(flags.shape))
    return Beside("update", pair, line, flags.astype(float), None, [], False)


def test_where_the_result_agrees_the_first_line_that_differs_says_which_element():
    found = [stage for stage in adam(12) if stage.first and not lines(stage)["param"].differing]
    assert found
    for stage in found:
        row = lines(stage)[stage.first or ""]
        assert row.ours_bits != row.theirs_bits
        assert row.ulp_here


# What is idle


@pytest.mark.parametrize(
    ("desc", "idle"),
    [
        ("defaults", {"g", "d", "decayed", "v_max"}),
        ("weight decay", {"g", "decayed", "v_max"}),
        ("maximize", {"d", "decayed", "v_max"}),
        ("amsgrad", {"g", "d", "decayed"}),
        ("decoupled weight decay", {"g", "d", "v_max"}),
    ],
)
def test_a_line_is_idle_where_its_option_is_off(desc, idle):
    for stage in adam(3, desc):
        assert {row.line for row in stage.lines if row.idle} == idle


def test_what_is_computed_and_comes_out_as_it_was_is_not_idle():
    stages = walk(pair("optim.adam", "lr is 0", "single"), 1).steps[0]
    assert not lines(stages[-1])["param"].idle


# Differences that are put in


@pytest.mark.parametrize("line", ["m", "v", "denom", "param"])
def test_a_line_off_by_one_ulp_is_the_first_that_differs(line):
    orders = {"paper": Adam.ORDERS["pytorch"], "pytorch": Adam.ORDERS["pytorch"]}

    def off(*arguments, **settings):
        lines = orders["pytorch"](*arguments, **settings)
        return lines._replace(**{line: np.nextafter(getattr(lines, line), np.float32(np.inf))})

    planted = type("Off", (Adam,), {"ORDERS": {**Adam.ORDERS, "paper": off}})
    before = [entry.line for entry in Adam.STATE.values() if not entry.when]
    stage = adam(1, ours=planted)[0]
    rows = lines(stage)
    assert rows[line].differing == rows[line].elements
    assert rows[line].ulp >= 1
    if line in before:
        assert stage.first == line


def test_a_zero_of_the_other_sign_is_a_difference_of_no_ulp():
    forward, _ = walk(pair("layers.activation", "ReLU, zeros among them"), 1).steps[0]
    row = lines(forward)["y"]
    assert forward.first == "y"
    assert {row.ours_bits, row.theirs_bits} == {"0x00000000", "0x80000000"}
    assert row.ulp == 0


def test_a_value_is_matched_by_its_line_and_not_by_another_of_that_kind():
    """Our order's line is a division like PyTorch's, of another name: it must stay without a counterpart."""
    rows = lines(adam()[0])
    assert rows["denom"].shown
    assert "div" in [one.name for one in rows["denom"].operations]
    assert rows["m_hat"].code == "m_hat = m / (1 - beta1**step)"
    assert not rows["m_hat"].operations


def test_a_line_of_the_other_order_hands_its_operations_to_the_one_it_leads_to():
    rows = lines(walk(pair("layers.dropout", "p = 0.3, shared masks"), 1).steps[0][0])
    assert [one.name for one in rows["y"].operations] == [
        "div_",
        "mul",
    ]  # PyTorch's `noise`, which the paper has not
    assert not rows["scale"].shown


def test_what_is_left_at_the_end_belongs_to_the_last_line_where_nothing_follows():
    known = [OurLine(name, "", frozenset(), np.zeros(1)) for name in ("a", "between", "b", "after")]
    matches = [Match(None, place) for place in (0, 1, 2, 3)]
    ran = list("pqrst")
    shared = {"a": ["p"], "b": ["q", "r"]}
    assert shared_out(known, matches, ["a", "b"], ran, to_the_end=False) == (shared, 4)
    assert shared_out(known, matches, ["a", "b"], ran, to_the_end=True) == (shared | {"b": list("qrst")}, 5)


def test_a_tensor_that_there_is_not_is_refused():
    with pytest.raises(ValueError, match="no tensor 'wait' with a gradient"):
        walk(pair("optim.adam", "defaults", "single"), 1, tensor="wait")


# The selection, and its records


def test_every_subject_is_walked_each_class_of_a_layer_once():
    assert {arguments["subject"] for arguments in PLANNED.values()} == {subject.path for subject in subjects()}
    layers = [arguments["case"].layer for arguments in PLANNED.values() if hasattr(arguments["case"], "layer")]
    assert len(set(layers)) == len(layers)
    for subject in subjects():
        name = "digits" if subject.family.name == "models" else subject.path
        titles = [task.name for task in planned(name, {})]
        assert set(walks.walks(subject)) <= set(titles)


@pytest.mark.parametrize("path", ["optim.sgd", "optim.adagrad", "optim.rmsprop", "optim.adam", "optim.adamw"])
def test_the_sides_of_an_optimizer_part_within_its_walk(path):
    """So that there is something to see; but SGD's two orders are one where no kernel fuses."""
    (arguments,) = walks.walks(find(path)).values()
    both = asked(**arguments).pair()
    same = path == "optim.sgd" and probe.findings().contraction["add"] != "fused"
    assert (walk(both, arguments["steps"]).first_step is None) is same


@pytest.mark.parametrize("name", PLANNED)
def test_a_record_is_whole(records, name):
    record = load(records[name])
    assert record.kind == "walk"
    assert [*record.source] == ["paper", "pytorch"]
    squeezed = {order: " ".join(text.split()) for order, text in record.source.items()}
    for stages in record.walked:
        for stage in stages:
            for line in stage.lines:
                assert line.code.startswith(f"{line.line} = ")
                assert " ".join(line.code.split()) in squeezed["paper"]
                assert line.their_code is None or " ".join(line.their_code.split()) in squeezed["pytorch"]
    assert record.rerun.startswith(f"lockstep ledger {record.subject} ")


def test_the_same_walk_gives_the_same_record(records, tmp_path):
    name = next(iter(PLANNED))
    again = walks.walked(PLANNED[name]).save(tmp_path / records[name].name)
    assert again.read_bytes() == records[name].read_bytes()


@pytest.mark.parametrize("name", PLANNED)
def test_what_it_says_to_run_again_shows_the_same_lines(records, monkeypatch, tmp_path, name):
    record = load(records[name])
    _, *words = shlex.split(record.rerun)
    monkeypatch.setattr(sys, "argv", ["lockstep", *words, "--json", str(tmp_path / "again.json")])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert not stop.value.code
    again = json.loads((tmp_path / "again.json").read_text("utf-8"))
    step = record.first_step or record.steps
    for one, stage in zip(again, record.walked[step - 1], strict=True):
        assert (one["step"], one["stage"], one["first"]) == (step, stage.stage, stage.first)
        assert [(e["line"], e["ours"], e["theirs"], e["ulp"]) for e in one["entries"]] == [
            (line.line, line.ours, line.theirs, line.ulp) for line in stage.lines
        ]


# Malformed records


def line_of(data, name="denom"):
    return next(line for line in data["walked"][0][0]["lines"] if line["line"] == name)


def set_line(key, value, line="denom"):
    return lambda data: line_of(data, line).update({key: value})


MALFORMED = {
    "steps that are too few": (lambda data: data["walked"].pop(), "walked has 11 steps, not 12"),
    "no steps": (lambda data: data.update(walked=[]), r"walked is \[\], not a list that is not empty"),
    "steps that are no list": (lambda data: data.update(walked={}), r"walked is \{\}, not a list"),
    "a step that is no list": (lambda data: data["walked"].__setitem__(0, 7), r"walked\[0\] is 7, not a list"),
    "no stages": (lambda data: data.update(walked=[[] for _ in data["walked"]]), "no step in which a formula is"),
    "no lines": (
        lambda data: data["walked"][0][0].update(lines=None),
        r"walked\[0\]\[0\]\.lines is None, not a list, each entry a table, WalkedLine",
    ),
    "a source that is no text": (lambda data: data["source"].update(paper=7), r"source\['paper'\] is 7, not a text"),
    "a case that is no table": (lambda data: data.update(case="x"), "case is 'x', not a table"),
    "a case that says nothing": (lambda data: data["case"].pop("desc"), "case has no 'desc'"),
    "a line without its bits": (lambda data: line_of(data, "m").pop("ours_bits"), "is without ours_bits"),
    "a line with more": (set_line("shown", True), r"lines\[\d\] has 'shown', which it cannot have"),
    "a number that is none": (set_line("ours", "many"), "ours is 'many', not a number"),
    "a truth value for a number": (set_line("ours", True), "ours is True, not a number"),
    "a number beyond all": (set_line("ours", 10**400), "not a number"),
    "bits of another number": (set_line("theirs_bits", "0x00000000"), "'0x00000000' are not the bits of"),
    "bits that are none": (set_line("theirs_bits", "0xzz"), "'0xzz' are not the bits of"),
    "a value that is half there": (set_line("theirs_bits", None), "PyTorch's value is half there"),
    "a difference from nothing": (set_line("differing", 1, "m_hat"), "differs from what is not shown"),
    "an index outside": (set_line("index", [2]), r"index \[2\] is none of shape \[2\]"),
    "an index from the end": (set_line("index", [-1]), r"index\[0\] is -1, not a whole number from 0 on"),
    "an index of another rank": (set_line("index", [0, 0]), r"index \[0, 0\] is none of shape \[2\]"),
    "more than all": (set_line("differing", 3), "differs in more elements than there are"),
    "idle and done": (set_line("idle", True), "is idle, and something was done"),
    "an operation without a name": (set_line("operations", [{"value": 1}]), r"operations\[0\] is without name"),
    "operations that are no list": (set_line("operations", "add_"), "operations is 'add_', not a list"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_walk_is_refused_by_its_entry(records, name):
    record = load(records[next(name for name in PLANNED if name.startswith("optim.adam "))])
    change, words = MALFORMED[name]
    data = record.to_json()
    change(data)
    with pytest.raises(BadRecord, match=words):
        Record.from_json(data, {})


def test_a_walk_with_arrays_is_refused(records):
    record = load(next(iter(records.values())))
    with pytest.raises(BadRecord, match="has arrays, which no walk has"):
        Record.from_json(record.to_json(), {"a": np.ones(3)})
