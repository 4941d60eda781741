"""The ledger shows what PyTorch ran, line by line, and a snapshot tells when it runs something else."""

import json
import pathlib
import sys

import numpy as np
import pytest
import torch

import lockstep
from lockstep.cli import main as cli
from lockstep.explanation.ledger import operations
from lockstep.subjects.registry import find, subjects
from reference.optim.adam import Adam
from torch_impl.ledger import recorded

PATHS = [
    (subject.path, path) for subject in subjects() if subject.family.name == "optim" for path in subject.theirs().paths
]
SNAPSHOTS = pathlib.Path(__file__).with_name("operations")


def update(subject="optim.adam", **settings):
    """The ledger of the update, the last stage of an optimizer's step."""
    return lockstep.ledger(subject, **settings)[-1]


@pytest.mark.parametrize(("subject", "path"), PATHS)
def test_with_pytorchs_kernels_every_line_is_identical(subject, path):
    found = update(subject, path=path, step=3, rounding="kernels" if path != "fused" else "fused")
    assert found.first is None
    assert {str(found.state(entry)) for entry in found.entries} <= {"identical", "not shown"}
    assert str(found.state(found.entries[-1])) == "identical"
    if path != "fused" and find(subject).family.recorded == "steps":  # a history is a list there, and no tensor
        assert all(entry.shown for entry in found.entries)


def test_what_a_fused_kernel_hides_is_said():
    found = update(path="fused")
    assert str(found.state(next(entry for entry in found.entries if entry.line == "denom"))) == "not shown"
    assert "_fused_adam_" in found.operations


def test_the_first_line_that_differs_is_marked_and_those_before_it_are_not():
    found = update(step=3, rounding="plain", hyperparameters={"weight_decay": 0.1, "lr": 0.3})
    names = [entry.line for entry in found.entries]
    before = found.entries[: names.index(found.first)] if found.first else found.entries
    assert {str(found.state(entry)) for entry in before} == {"identical"}
    assert [str(found.state(entry)).endswith("<- first") for entry in found.entries].count(True) == (
        found.first is not None
    )


@pytest.mark.parametrize("line", ["m", "v", "denom", "param"])
def test_a_line_off_by_one_ulp_is_found(line):
    right = Adam.ORDERS["pytorch"]

    def off(*arguments, ops, **settings):
        lines = right(*arguments, ops=ops, **settings)
        return lines._replace(**{line: np.nextafter(getattr(lines, line), np.float32(np.inf))})

    orders = {**Adam.ORDERS, "pytorch": off}
    found = update(rounding="kernels", ours=type("Off", (Adam,), {"ORDERS": orders}))
    assert found.first == line
    marked = next(entry for entry in found.entries if entry.line == line)
    assert (marked.ulp, marked.differing) == (1, marked.elements)


def test_results_are_kept_as_they_were_before_the_next_operation_in_place():
    x = torch.ones(3)

    def action():
        x.mul_(2)
        x.add_(1)

    first, second = (operation.results[0] for operation in recorded(action) if not operation.silent)
    assert (first[0], second[0], x[0]) == (2, 3, 3)


def test_a_look_changes_nothing():
    found = update(step=4, rounding="kernels")
    run = lockstep.run("optim.adam", steps=4)
    assert run.verdict.passes
    assert found.entries[-1].theirs == found.entries[-1].ours


def test_a_network_is_shown_stage_by_stage():
    stages = {one.stage: one for one in lockstep.ledger("models.mlp", step=2, rounding="kernels")}
    assert [one.operations[-1] for name, one in stages.items() if name == "forward relu1"] == ["relu"]
    assert stages["forward linear3"].operations == ("addmm",)
    assert all(one.first is None for one in stages.values())


def test_another_tensor_and_none_that_there_is_not():
    assert update(tensor="bias").entries[0].elements == 5
    with pytest.raises(ValueError, match="no tensor 'wait' with a gradient"):
        update(tensor="wait")
    with pytest.raises(ValueError, match="rounding must be one of"):
        update(rounding="up")


def test_in_plain_data_and_in_print(monkeypatch, tmp_path, capsys):
    path = tmp_path / "ledger.json"
    monkeypatch.setattr(sys, "argv", ["lockstep", "ledger", "optim.adam", "--step", "3", "--json", str(path)])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert not stop.value.code
    assert [one["stage"] for one in json.loads(path.read_text("utf-8"))] == ["update"]
    assert "addcdiv_" in capsys.readouterr().out


@pytest.mark.parametrize("subject", [subject.path for subject in subjects()])
def test_operations_of_a_subject_are_those_of_the_snapshot(subject):
    """Another PyTorch may run others: look at what changed, then write the snapshot anew."""
    kept = json.loads((SNAPSHOTS / f"{subject}.json").read_text("utf-8"))
    release = torch.__version__.partition("+")[0]
    assert operations(subject) == kept["operations"] | kept.get(release, {}), (
        f"the snapshot is of torch {kept['torch']}, this is {torch.__version__}"
    )
