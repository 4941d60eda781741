"""Checks of many files: each its own line and its own process, taken up where they were, never from a stale answer."""

import json

import pytest

from lockstep.tasks.workers import Workers

pytestmark = pytest.mark.slow

SGD = """
class SGD:
    def __init__(self, lr=1e-3):
        self.lr = lr
    def step(self, params, grads):
        for name, grad in grads.items():
            if grad is not None:
                params[name] -= {} * self.lr * grad
"""
FAST = ("--like", "optim.sgd", "--only", "normal gradients", "--dtype", "float64")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs/right.py").write_text(SGD.format(1))
    (tmp_path / "theirs/wrong.py").write_text("from factor import two\n" + SGD.format("two"))
    (tmp_path / "theirs/gone.py").write_text("import os; os._exit(0)")
    (tmp_path / "factor.py").write_text("two = 2.0")
    return tmp_path


def check(call, *words):
    status, said, errors = call("check", *words, *FAST, "--json", "answers.json", "--kept", "kept")
    with open("answers.json", encoding="utf-8") as file:  # noqa: PTH123
        return status, said, {answer["target"]: answer for answer in json.load(file)}, errors


def test_each_has_a_line_and_its_own_fate_and_what_is_finished_is_not_done_again(folder, call, monkeypatch):
    done: list[str] = []
    real = Workers.submit

    def submit(self, function, *arguments):
        done.extend(task.name for task in arguments)
        return real(self, function, *arguments)

    monkeypatch.setattr(Workers, "submit", submit)
    status, said, answers, _ = check(call, "theirs")
    lines = said.splitlines()
    assert [line.split(":")[0].split()[0] for line in lines[:3]] == [
        "theirs/gone.py", "theirs/right.py", "theirs/wrong.py"]  # fmt: skip
    assert "status 0 before it had answered" in lines[0]
    assert "theirs/wrong.py like optim.sgd[float64, normal gradients]: different from step 1, line param" in lines[2]
    assert {name: answer["exit_status"] for name, answer in answers.items()} == {
        "theirs/gone.py": 2, "theirs/right.py": 0, "theirs/wrong.py": 1}  # fmt: skip
    assert answers["theirs/right.py"]["machine"]
    assert answers["theirs/right.py"]["rerun"].startswith("lockstep check theirs/right.py --like optim.sgd")
    assert "lockstep-" not in json.dumps(answers)  # no place of the copy
    assert status == 2
    done.clear()
    (folder / "factor.py").write_text("two = 1.0")  # what theirs/wrong.py imports, which is right now
    status, _, answers, _ = check(call, "theirs")
    assert (status, answers["theirs/wrong.py"]["verdict"], answers["theirs/right.py"]["verdict"]) == (
        2, "rounding", "rounding")  # fmt: skip
    assert sorted(done) == ["theirs/gone.py like optim.sgd", "theirs/wrong.py like optim.sgd"]  # one had no answer


def test_one_that_never_ends_costs_its_own_line_alone(folder, call):
    (folder / "endless.py").write_text("while True: pass")
    status, said, answers, _ = check(call, "endless.py", "--limit", "1", "--jobs", "1")
    assert (status, answers["endless.py"]["error"]["message"]) == (2, "no answer within 1 seconds")
    assert not list((folder / "kept").glob("*.zip"))
    assert "no answer" in said


def test_what_goes_with_one_alone_is_refused(folder, call):
    assert call("check", "theirs", "--like", "optim.sgd", "--html", "x.html")[0] == 2
    for words in (
        ("--like", "optim.sgdd"),
        ("--like", "optim.sgd", "--set", "lr"),
        ("--like", "optim.sgd", "--dtype", "f4"),
    ):
        status, said, error = call("check", "theirs", *words)
        assert (status, said, len(error.splitlines())) == (2, "", 1)
    (folder / "empty").mkdir()
    assert "has no file to check" in call("check", "empty", "--like", "optim.sgd")[2]
