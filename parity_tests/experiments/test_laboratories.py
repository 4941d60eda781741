"""What the laboratories of the report are held against: PyTorch itself, step by step."""

import numpy as np
import pytest

import lockstep
from lockstep.experiments import laboratories, powers
from lockstep.experiments.collection import planned
from lockstep.records.laboratory import LaboratoryRecord
from lockstep.subjects.registry import find, subjects


@pytest.fixture(scope="module")
def record() -> LaboratoryRecord:
    return laboratories.recorded({"subject": "optim.sgd"})


def test_every_optimizer_that_takes_each_number_for_itself_has_one():
    there = {subject.path for subject in subjects() if laboratories.laboratories(subject)}
    optimizers = [one for one in subjects() if one.family.name == "optim"]
    assert there == {one.path for one in optimizers if one.ours().ELEMENTWISE and one.ours().SPARSE != "alone"}
    assert "optim.adafactor" not in there
    assert "optim.sgd laboratory" in [task.name for task in planned("optim.sgd", {})]


def test_every_scenario_is_there_in_both_formats(record):
    names = {(one.name, one.dtype) for one in record.settings}
    wanted = [scenario.name for scenario in find("optim.sgd").causes.SCENARIOS]
    assert {(name, dtype) for name in wanted for dtype in ("float32", "float64")} <= names


def test_what_is_recorded_is_pytorchs_own(record):
    """The first setting is a case of the table, of whose path the run's record has PyTorch's side."""
    setting, steps = record.settings[0], 20
    run = lockstep.run("optim.sgd", case=setting.name, dtype=setting.dtype, steps=steps).record
    path = run.arrays["trace/path/torch"]
    assert np.array_equal(path.astype(setting.dtype), record.arrays["0/param"][: steps + 1])


def test_a_gradient_that_is_missing_is_no_number(record):
    number = next(n for n, one in enumerate(record.settings) if one.case["none_at"])
    missing = record.settings[number].case["none_at"]
    grads = record.arrays[f"{number}/grad"]
    assert np.isnan(grads[missing - 1]).all()
    assert not np.isnan(np.delete(grads, missing - 1, axis=0)).any()
    assert np.array_equal(*record.arrays[f"{number}/param"][missing - 1 : missing + 1])


def test_functions_and_formulas_stand_there_as_text(record):
    assert record.functions.keys() == {"rosenbrock", "quadratic"}
    assert all("def pytorch" in text or "def paper" in text for text in record.source.values())


def test_a_page_is_told_of_the_powers_that_it_would_round_otherwise(record, monkeypatch):
    """SGD has none; of Adam, where each is taken for wrong, those of the settings' steps are named, each once."""
    assert record.powers == ()
    setting = record.settings[0].__class__(**{**vars(record.settings[0]), "case": {"hyperparameters": {}}, "steps": 3})
    monkeypatch.setattr(powers, "correctly_rounded", lambda x, y: np.nextafter(x**y, 2))
    found = list(laboratories.powers(find("optim.adam").ours(), [setting, setting]))
    assert len(set(found)) == len(found)
    assert {(0.9, 1.0, 0.9), (0.999, 3.0, 0.999**3.0)} <= set(found)
    assert max(y for _, y, _ in found) == 3
