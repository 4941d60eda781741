"""Where two recordings part first, read a stretch at a time: what differs is told, and a wrong answer noticed."""

import json

import pytest

from lockstep.checking.torch_recordings import of_pytorch
from lockstep.comparison import recordings as module
from lockstep.comparison.recordings import first_apart
from lockstep.recordings.recording import MANIFEST, BadRecording, file_name
from parity_tests.support.planted import planted


@pytest.fixture(scope="module")
def recorded():
    return of_pytorch("optim.sgd", only="normal gradients")[0]


@pytest.fixture
def two(recorded, tmp_path):
    return recorded.save(tmp_path / "one"), recorded.save(tmp_path / "other")


def spoil(folder, number, byte=-1):
    """One bit of the last number of a step."""
    file = folder / file_name(number)
    content = bytearray(file.read_bytes())
    content[byte] ^= 1
    file.write_bytes(content)


def check(two):
    """The same, apart in the last step, and in one before it."""
    one, other = two
    read = []
    assert first_apart(one, other, read.append) is None
    assert sum(read) > 0
    last = json.loads((one / MANIFEST).read_text("utf-8"))["steps"]
    for number in (last, 2):
        spoil(other, number)
        step, found = first_apart(one, other)
        assert step == number
        assert [part.differing for part in found.apart] == [1]
    manifest = json.loads((other / MANIFEST).read_text("utf-8"))
    for key, value, words in (
        ("subject", "optim.adam", "subject"),
        ("steps", last - 1, "steps"),
        ("hyperparameters", manifest["hyperparameters"] | {"lr": 7.0}, "lr"),
        ("schedule", {"1": {"lr": 7.0}}, "schedule"),
    ):
        (other / MANIFEST).write_text(json.dumps(manifest | {key: value}), "utf-8")
        with pytest.raises(BadRecording, match=words):
            first_apart(one, other)


def test_where_they_part_first(two):
    check(two)


MUTANTS = {
    "the first step alone": ('left["steps"] + 1):', "2):"),
    "all but the last step": ('left["steps"] + 1):', 'left["steps"]):'),
    "any length": ('if left["steps"] != right["steps"]:', "if False:"),
    "any settings": ("if settings[0] != settings[1]:", "if False:"),
    "any subject": ('for name in ("subject", "layer"):\n        if left', 'for name in ():\n        if left'),
}  # fmt: skip


@pytest.mark.parametrize("name", MUTANTS)
def test_a_wrong_answer_is_noticed(two, name, monkeypatch):
    monkeypatch.setitem(globals(), "first_apart", planted(module, *MUTANTS[name]).first_apart)
    with pytest.raises((AssertionError, TypeError, pytest.fail.Exception)):
        check(two)


def test_the_command_says_it(two, call, tmp_path):
    status, said, _ = call("compare", *map(str, two), "--first")
    assert (status, "normal gradients: identical in every bit" in said) == (0, True)
    spoil(two[1], 3)
    status, said, _ = call("compare", *map(str, two), "--first", "--json", str(tmp_path / "found.json"))
    assert status == 1
    assert "normal gradients: apart at step 3" in said
    assert "1 of " in said
    (answer,) = json.loads((tmp_path / "found.json").read_text("utf-8"))
    assert answer["step"] == 3
    assert len(answer["found"]["apart"]) == 1
