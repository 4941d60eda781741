"""Recordings: what is written is what is read, and what is missing, misshapen or not a number is said."""

import json

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from lockstep.checking.torch_recordings import of_pytorch
from lockstep.comparison.recordings import compared
from lockstep.diagnose.replay import replay
from lockstep.diagnose.solve import fits
from lockstep.errors import BadPlace
from lockstep.numerics.verdict import Verdict
from lockstep.recordings.recording import BadRecording, load
from parity_tests.support.command import run

pytestmark = pytest.mark.slow


def refused(done, says):
    """Whether the call ended in a line of error, with exit status 2."""
    return done.exit_code == 2 and says in done.stderr


@pytest.fixture
def folder(tmp_path):
    (one,) = of_pytorch("optim.adam", {"weight_decay": 0.1}, only="lr changes")
    return one.save(tmp_path / "adam")


def change(file, name, value):
    tensors = load_file(file)
    if value is None:
        tensors.pop(name)
    else:
        tensors[name] = value(np.array(tensors.get(name)))
    save_file(tensors, file)


@pytest.mark.parametrize("path", ["optim.adam", "optim.sgd", "layers.batchnorm", "layers.dropout", "penalty.l2"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_is_written_is_read_and_is_pytorch(path, dtype, tmp_path):
    written = of_pytorch(path, dtype=dtype)
    for place, recording in enumerate(written):
        (read,) = load(recording.save(tmp_path / str(place)))
        assert read.manifest() == recording.manifest()
        for one, other in zip(read.steps, recording.steps, strict=True):
            assert plain(one) == plain(other)
        left = replay(read)
        assert left.explains, recording.label
        assert left.compared > 0


def plain(value):
    """Everything in a step, its arrays as bytes."""
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.shape, value.tobytes()
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, tuple | list):
        return [plain(part) for part in value]
    return plain(vars(value)) if hasattr(value, "__dict__") else value


def test_a_hand_written_folder_of_a_few_lines(tmp_path):
    rng = np.random.default_rng(0)
    w, m, v = rng.standard_normal((3, 2)), 0, 0
    for t in range(1, 4):
        g, before = rng.standard_normal((3, 2)), w
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        w = w - 0.01 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
        save_file({"before/w": before, "grad/w": g, "after/w": w}, tmp_path / f"step-{t:06d}.safetensors")
    manifest = {"schema": "lockstep-recording", "version": 1, "subject": "optim.adam", "steps": 3}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest | {"hyperparameters": {"lr": 0.01}}))
    done = run("check", "--recording", tmp_path)
    assert done.exit_code == 0, done.output
    (tmp_path / "manifest.json").write_text(json.dumps(manifest | {"hyperparameters": {"lr": 0.02}}))
    assert run("check", "--recording", tmp_path).exit_code == 1


def test_a_wrong_formula_in_a_recording_is_named(folder):
    for file in sorted(folder.glob("step-*")):
        change(file, "after/bias", lambda array: array + 1e-9)
    done = run("check", "--recording", folder, "--like", "optim.adam")
    assert done.exit_code == 1
    assert "different from step 1, line param" in done.output


def with_counts(folder, start: int):
    """Counts as somebody else writes them: whole numbers, from `start` on."""
    for number, _ in enumerate(sorted(folder.glob("step-*.safetensors")), 1):
        change(folder / f"step-{number:06d}.safetensors", "state/step/weight", lambda _, n=number: np.array(n + start))


def test_a_count_of_steps_is_compared_whatever_type_it_was_written_in(folder):
    with_counts(folder, 0)
    (one,) = load(folder)
    assert one.steps[3].state["step"]["weight"].dtype == np.float32
    assert replay(one).explains
    assert replay(one).state["step"] == 0
    with_counts(folder, 1)
    (one,) = load(folder)
    first = replay(one).first
    assert first is not None
    assert (first.step, first.line, first.ours, first.theirs) == (1, "step", 2, 1)
    assert not fits(one, ())


BREAKS = {
    "a missing step": (lambda f: (f / "step-000002.safetensors").unlink(), "step 2 of 8 is missing"),
    "a wrong shape": (
        lambda f: change(f / "step-000003.safetensors", "grad/weight", lambda a: a[:2]),
        "grad/weight has shape [2, 7], the parameter [13, 7]",
    ),
    "a NaN": (lambda f: change(f / "step-000002.safetensors", "after/bias", lambda a: a * np.nan), "after/bias is NaN"),
    "another dtype": (
        lambda f: change(f / "step-000002.safetensors", "grad/bias", lambda a: a.astype(np.float32)),
        "grad/bias is float32, the parameter float64",
    ),
    "half precision": (
        lambda f: change(f / "step-000002.safetensors", "grad/bias", lambda a: a.astype(np.float16)),
        "grad/bias is float16",
    ),
    "a count of another shape": (
        lambda f: change(f / "step-000002.safetensors", "state/step/bias", lambda _: np.ones(2)),
        "state/step/bias has shape [2], that entry of it []",
    ),
    "a parameter gone": (lambda f: change(f / "step-000004.safetensors", "after/bias", None), "after has ['weight']"),
    "half a file": (
        lambda f: (f / "step-000001.safetensors").write_bytes((f / "step-000001.safetensors").read_bytes()[:99]),
        "no safetensors file, or truncated",
    ),
    "half a manifest": (lambda f: (f / "manifest.json").write_text("{"), "no JSON, or truncated"),
    "another schema": (lambda f: edit(f, schema="other"), "not a recording"),
    "a later version": (lambda f: edit(f, version=2), "version 2 of the schema; this Lockstep reads up to 1"),
    "no such subject": (lambda f: edit(f, subject="optim.lion"), "no subject 'optim.lion'"),
    "no steps": (lambda f: edit(f, steps=0), "'steps' must be 1 or more"),
    "no hyperparameters": (lambda f: edit(f, hyperparameters=None), "'hyperparameters' must be there"),
    "a pickle": (lambda f: (f / "step-000001.safetensors").write_bytes(b"\x80\x04N."), "no safetensors file"),
}


def edit(folder, **changes):
    file = folder / "manifest.json"
    file.write_text(json.dumps(json.loads(file.read_text("utf-8")) | changes), "utf-8")


@pytest.mark.parametrize("name", BREAKS)
def test_a_broken_recording_says_what_is_wrong(name, folder):
    spoil, says = BREAKS[name]
    load(folder)
    spoil(folder)
    with pytest.raises(BadRecording) as error:
        load(folder)
    assert says in str(error.value)
    done = run("check", "--recording", folder, "--like", "optim.adam")
    assert done.exit_code == 2
    assert says in done.output + done.stderr


def test_a_folder_that_is_not_there_and_one_that_is_full(folder, tmp_path):
    assert run("check", "--recording", tmp_path / "none").exit_code == 2
    (one,) = of_pytorch("optim.adam", only="lr changes")
    with pytest.raises(BadPlace, match="exists already"):
        one.save(folder)


def test_nothing_is_left_where_writing_fails(tmp_path, monkeypatch):
    (one,) = of_pytorch("optim.adam", only="lr changes")
    monkeypatch.setattr("lockstep.recordings.recording.json.dumps", lambda *a, **k: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        one.save(tmp_path / "adam")
    assert list(tmp_path.iterdir()) == []


# two recordings


def test_two_paths_of_pytorch_differ_by_rounding():
    single, fused = (of_pytorch("optim.adam", dtype="float32", implementation=path) for path in ("single", "fused"))
    found = [compared(one, other) for one, other in zip(single, fused, strict=True)]
    assert {one.verdict for one in found} <= {Verdict.IDENTICAL, Verdict.ROUNDING}
    assert any(one.first for one in found)


def test_a_recording_beside_itself_is_identical():
    (one,) = of_pytorch("optim.adam", only="lr changes")
    (other,) = of_pytorch("optim.adam", only="lr changes")
    assert compared(one, other).verdict is Verdict.IDENTICAL


def test_the_step_tensor_and_element_at_which_two_part(folder, tmp_path):
    (one,) = of_pytorch("optim.adam", {"weight_decay": 0.1}, only="lr changes")
    one.steps[2].after["weight"][5, 3] += 1e-8
    other = one.save(tmp_path / "other")
    done = run("compare", folder, other, "--json", tmp_path / "found.json")
    assert done.exit_code == 1
    (found,) = json.loads((tmp_path / "found.json").read_text("utf-8"))
    assert found["verdict"] == "different"
    assert [found["first"][key] for key in ("step", "tensor", "index")] == [3, "weight", [5, 3]]
    assert [found["evidence"][key] for key in ("step", "tensor")] == [3, "weight"]
    assert found["side"] == "other"


def test_what_cannot_be_compared_says_why(folder, tmp_path):
    assert refused(run("compare", folder, folder), "are one folder")
    (other,) = of_pytorch("optim.adam", {"weight_decay": 0.2}, only="lr changes")
    assert refused(run("compare", folder, other.save(tmp_path / "other")), "weight_decay")
    (seeded,) = of_pytorch("optim.adam", {"weight_decay": 0.1}, only="lr changes", seed=1)
    assert refused(run("compare", folder, seeded.save(tmp_path / "seeded")), "not fed the same")


def test_record_writes_every_scenario(tmp_path):
    done = run("record", "layers.batchnorm", "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert run("check", "--recording", tmp_path / "out").exit_code == 0
    assert refused(run("record", "layers.batchnorm", "--out", tmp_path / "out"), "exists already")
