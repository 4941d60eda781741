"""Every kind of record: what is made is what is read, and what it cannot hold is refused by its entry."""

import pathlib
import re

import numpy as np
import pytest

from lockstep.records import documentation
from lockstep.records.record import BadRecord, Record
from lockstep.records.schema import fields, nested
from parity_tests.reports.made import (
    FINDINGS,
    NEXT,
    STEPS,
    chapter,
    claim,
    detection_record,
    experiment_record,
    explanation_record,
    finding,
    growth_record,
    identical_record,
    laboratory_record,
    left,
    printed,
    run_record,
    setting,
    unexplained_record,
    walk_record,
)

ROOT = pathlib.Path(__file__).parents[2]
MADE = {
    "run": run_record,
    "identical": identical_record,
    "experiment": experiment_record,
    "explanation": explanation_record,
    "unexplained": unexplained_record,
    "growth": growth_record,
    "walk": walk_record,
    "detection": detection_record,
    "laboratory": laboratory_record,
}


def rung(**changes):
    return {"name": "a rung", "differing": 0, "elements": 6, "max_ulp": 0.0, "first_step": None, **changes}


@pytest.mark.parametrize("name", MADE)
def test_what_is_read_is_what_was_written(name):
    record = MADE[name]()
    again = Record.from_json(record.to_json(), record.arrays)
    assert type(again) is type(record)
    assert again.to_json() == record.to_json()


@pytest.mark.parametrize("name", MADE)
def test_every_entry_has_to_be_there_and_no_other(name):
    record = MADE[name]()
    data = record.to_json()
    for entry in fields(type(record)):
        with pytest.raises(BadRecord, match=f"^the record is without {entry}$"):
            Record.from_json({key: value for key, value in data.items() if key != entry}, record.arrays)
    with pytest.raises(BadRecord, match=r"^the record has 'mood', which it cannot have$"):
        Record.from_json(data | {"mood": "good"}, record.arrays)


def test_a_record_does_not_change():
    with pytest.raises(AttributeError, match="cannot assign to field 'steps'"):
        run_record().steps = 3


MALFORMED = [
    (run_record, {"verdict": "fine"}, "verdict is 'fine', not one of identical, rounding"),
    (run_record, {"steps": 0}, "steps is 0, not a whole number from 1 on"),
    (run_record, {"steps": True}, "steps is True, not a whole number"),
    (run_record, {"used": "much"}, "used is 'much', not a number"),
    (run_record, {"quantities": {"v": 3}}, "quantities['v'] is 3, not a table, Quantity"),
    (run_record, {"quantities": []}, "quantities is [], not a table"),
    (run_record, {"broken": {"id": "x"}}, "broken is without message"),
    (run_record, {"notes": "few"}, "notes is 'few', not a list"),
    (run_record, {"notes": [{"key": "no", "values": {}}]}, "notes[0] says 'no', which this Lockstep has no words for"),
    (run_record, {"evidence": finding(ulp=None)}, "evidence.ulp is None, not a number"),
    (run_record, {"evidence": {}}, "evidence is without step, stage, line"),
    (run_record, {"evidence": finding(index=[2])}, "evidence: index [2] is none of shape [2]"),
    (run_record, {"evidence": finding(theirs=NEXT + 1)}, "evidence: '0x3e800001' are not the bits of 1.25"),
    (run_record, {"evidence": finding(ours_bits="3e800000")}, "evidence: '3e800000' are not the bits of 0.25"),
    (run_record, {"evidence": finding(dtype="float64")}, "are not the bits of 0.25 in 'float64'"),
    (run_record, {"evidence": finding(dtype="mood")}, "are not the bits of 0.25 in 'mood'"),
    (run_record, {"evidence": finding(nearer="me")}, "evidence.nearer is 'me', not one of ours, theirs, both, unknown"),
    (run_record, {"case": {}}, "case has no 'desc'"),
    (explanation_record, {"rungs": []}, "rungs is [], not a list that is not empty"),
    (explanation_record, {"rungs": [rung(first_step="never")]}, "rungs[0].first_step is 'never', not a whole number"),
    (explanation_record, {"rungs": [rung(max_ulp="much")]}, "rungs[0].max_ulp is 'much', not a number"),
    (explanation_record, {"rungs": [rung(name=f"rung {n}") for n in range(5)]}, "rung 'rung 4' has no series of"),
    (explanation_record, {"rungs": [rung(name="first")]}, "explained, and rung 'first' leaves a difference"),
    (explanation_record, {"steps": 5}, "has shape (12,), not a value for each of 5 steps"),
    (explanation_record, {"explained": "yes"}, "explained is 'yes', not true or false"),
    (explanation_record, {"kernels": "sqrt"}, "kernels is 'sqrt', not a list, each entry a text"),
    (explanation_record, {"left": left(ulp="far")}, "left.ulp is 'far', not a number"),
    (explanation_record, {"findings": FINDINGS | {"threads": {"sum": 2}}}, "findings.threads['sum'] is 2, not a text"),
    (
        explanation_record,
        {"findings": FINDINGS | {"kernels": {"exp": {"float32": {"numpy": {}}}}}},
        "findings.kernels['exp']['float32']['numpy'] is without error, off, at",
    ),
    (laboratory_record, {"settings": []}, "settings is [], not a list that is not empty"),
    (laboratory_record, {"settings": [setting(steps=3)]}, "array '0/param' is not 2 numbers for each of 4 steps"),
    (laboratory_record, {"state": {}}, "arrays that are missing, or of no setting: 0/state/momentum_buffer"),
    (laboratory_record, {"source": {"paper": 3}}, "source['paper'] is 3, not a text"),
    (growth_record, {"worst": ["bias", 7, "ill"]}, "worst[1] is 7, not a list"),
    (growth_record, {"worst": ["bias", [7]]}, "worst is ['bias', [7]], not a list of a text, a list"),
    (growth_record, {"classes": {"added": "many"}}, "classes['added'] is 'many', not a whole number"),
    (growth_record, {"start": None}, "start is None, not a number"),
    (experiment_record, {"title": None}, "title is None, not a message or a text"),
    (experiment_record, {"claims": [{"claim": "x"}]}, "claims[0] is without original, holds, found, why, theirs"),
    (experiment_record, {"claims": [claim("x", 1, "y", "z")]}, "claims[0].holds is 1, not one of true, false, partly"),
    (experiment_record, {"printed": "none"}, "printed is 'none', not a list"),
    (experiment_record, {"printed": [3]}, "printed[0] is 3, not a table, PrintedNumber"),
    (experiment_record, {"printed": [printed(equal="so")]}, "printed[0].equal is 'so', not true or false"),
    (experiment_record, {"optimum": [1]}, "optimum is [1], not a list of a number, a number"),
    (experiment_record, {"chapters": [chapter("x", claims=3)]}, "chapters[0].claims is 3, not true or false"),
    (experiment_record, {"chapters": [chapter("x", figures=3)]}, "chapters[0].figures is 3, not a list"),
    (
        experiment_record,
        {"settings": {"a": [{"key": 1, "values": {}}]}},
        "settings['a'][0] says 1, which this Lockstep",
    ),
    (experiment_record, {"subject": ["notebook"]}, "subject is ['notebook'], not a text"),
]


@pytest.mark.parametrize(("make", "change", "expected"), MALFORMED, ids=[expected[:60] for *_, expected in MALFORMED])
def test_what_is_malformed_is_refused_by_its_entry(make, change, expected):
    with pytest.raises(BadRecord, match=re.escape(expected)):
        make(**change)


ARRAYS = [
    (run_record, {"drift/param/absolute": np.zeros(3)}, "'drift/param/absolute' has shape (3,), not 12 rows"),
    (run_record, {"heat/drift/param": np.zeros(STEPS)}, "'heat/drift/param' has shape (12,)"),
    (run_record, {"trace/path/ours": np.zeros((2, 2))}, "'trace/path/ours' has shape (2, 2), not 13 rows"),
    (run_record, {"trace/path/theirs": np.zeros((STEPS + 1, 3))}, "'trace/path/theirs' has another shape than ours"),
    (run_record, {"trace/loss/ours": np.array(["a"] * STEPS)}, "array 'trace/loss/ours' holds no numbers"),
    (run_record, {"drift/param/elements": np.full(STEPS, np.inf)}, "'drift/param/elements' counts to infinity"),
    (run_record, {"trace/contour/z": np.zeros((3, 3))}, "'trace/contour' is not x and y, and z with a row for every y"),
    (growth_record, {"growth/spread": np.zeros(3)}, "'growth/spread' has shape (3,), not a value for each of 12 steps"),
    (explanation_record, {"rung/3/exp_avg/scaled_ulp": np.eye(STEPS)[5]}, 'rung "PyTorch\'s sqrt" leaves a difference'),
]


@pytest.mark.parametrize(("make", "arrays", "expected"), ARRAYS, ids=[expected[:60] for *_, expected in ARRAYS])
def test_arrays_that_do_not_fit_are_refused_of_a_file_and_of_a_live_one(make, arrays, expected):
    record = make()
    with pytest.raises(BadRecord, match=re.escape(expected)):
        Record.from_json(record.to_json(), record.arrays | arrays)
    with pytest.raises(ValueError, match=re.escape(expected)):
        type(record)(**{**vars(record), "arrays": record.arrays | arrays})


def test_half_a_growth_or_a_contour_is_refused():
    for make, missing, expected in (
        (growth_record, "growth/spread", "without the arrays of spread"),
        (run_record, "trace/contour/y", "'trace/contour' is not x and y"),
    ):
        record = make()
        with pytest.raises(BadRecord, match=expected):
            Record.from_json(record.to_json(), {key: of for key, of in record.arrays.items() if key != missing})


# The documentation of the schema is the schema.


def test_the_page_about_records_is_what_the_dataclasses_say():
    assert (ROOT / "docs/records.md").read_text("utf-8") == documentation.page()


def test_every_field_of_every_class_says_what_it_is():
    classes = {kind: None for record in Record.kinds.values() for kind in (record, *nested(record))}
    for kind in classes:
        text, meanings = documentation.described(kind)
        assert text
        assert [name for name in fields(kind) if not meanings.get(name)] == []
        assert [name for name in meanings if name and name not in fields(kind)] == [], kind
