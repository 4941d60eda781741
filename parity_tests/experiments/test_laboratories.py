"""What the laboratories of the report are held against: PyTorch itself, step by step."""

import numpy as np
import pytest

import lockstep
from lockstep.causes.source import text_of
from lockstep.experiments import laboratories, powers
from lockstep.experiments.collection import planned
from lockstep.records.kinds.laboratory import LaboratoryRecord
from lockstep.subjects.registry import find, subjects
from lockstep.text import LANGUAGES
from reports.text import PageVoice
from reports.translation import Untranslatable, translated


@pytest.fixture(scope="module")
def record() -> LaboratoryRecord:
    return laboratories.equipped({"subject": "optim.sgd"})


def test_every_optimizer_and_penalty_has_one_that_a_page_can_work_out():
    for subject in subjects():
        if subject.family.name not in ("optim", "penalty"):
            assert not laboratories.laboratories(subject)
        elif not laboratories.laboratories(subject):
            with pytest.raises(Untranslatable):
                translated(text_of(subject.ours().ORDERS["paper"]))
            assert all(PageVoice(language).has(f"lab.lacking.{subject.path}") for language in LANGUAGES)
    assert "optim.sgd laboratory" in [task.name for task in planned("optim.sgd", {})]


def test_every_scenario_is_there_in_both_formats(record):
    names = {(one.name, one.dtype) for one in record.settings}
    wanted = [scenario.name for scenario in find("optim.sgd").causes.SCENARIOS]
    assert {(name, dtype) for name in wanted for dtype in ("float32", "float64")} <= names


def test_what_is_recorded_is_pytorchs_own(record):
    """The first setting is a case of the table, of whose path the run's record has PyTorch's side."""
    setting, steps = record.settings[0], 20
    run = lockstep.run("optim.sgd", case=setting.name, dtype=setting.dtype, steps=steps).record
    path = run.arrays["trace/path/theirs"]
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


def test_a_penalty_is_gone_down_by_pytorchs_own_sgd():
    """Of an L1 alone a weight loses lr·λ/m each step, and changes sides around 0, where it would be held."""
    made = laboratories.equipped({"subject": "penalty.l1"})
    number = next(
        n for n, one in enumerate(made.settings) if one.name == "the penalty alone" and one.dtype == "float64"
    )
    path, given = made.arrays[f"{number}/param"], made.settings[number].hyperparameters
    step = given["lr"] * given["lam"] / given["m"]
    assert np.array_equal(path[1:], path[:-1] - step * np.sign(path[:-1]))
    assert [line.name for line in translated(made.source["paper"]).lines] == ["w", "total", "penalty", "dw", "param"]
    zero = next(n for n, one in enumerate(made.settings) if one.name == "zeros among the weights")
    assert not made.arrays[f"{zero}/param"][:, 0].any()


def test_rows_and_columns_are_kept_of_a_matrix():
    made = laboratories.equipped({"subject": "optim.adafactor"})
    number = next(n for n, one in enumerate(made.settings) if one.shape == (2, 1))
    rows, columns = (made.arrays[f"{number}/state/{key}"][-1] for key in ("row_var", "col_var"))
    assert rows[0] != rows[1]
    assert columns[0] == columns[1]
    assert np.isnan(made.arrays[f"{number}/state/variance"]).all()
