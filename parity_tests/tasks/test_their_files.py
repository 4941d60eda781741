"""The check of a file is kept under all that it runs through: whatever that is, a change of it is another task."""

import pytest

from lockstep.tasks import checks, their_files
from lockstep.tasks.checks import planned
from parity_tests.support.planted import planted as planted_in

# What the file says, what it leads to; beside it lies other.py, which it doesn't.
LED_TO = {
    "a module beside it": ("import helper", "sub/helper.py"),
    "a name of a module": ("from helper import down", "sub/helper.py"),
    "a module of a module": ("import between", "sub/deep.py"),
    "a module of a package": ("from package import inner", "sub/package/inner.py"),
    "the package": ("import package", "sub/package/__init__.py"),
    "the working directory": ("import lying_here", "lying_here.py"),
    "a relative import": ("from .helper import down", "sub/helper.py"),
    "all of one": ("from . import helper", "sub/helper.py"),
    "two up": ("from ..lying_here import down", "lying_here.py"),
    "one by a text": ("import importlib; importlib.import_module('helper')", "sub/helper.py"),
    "one by a name put together": ("import importlib; importlib.import_module('hel' + 'per')", "sub/helper.py"),
    "numbers": ("numbers = open('numbers.txt')", "sub/numbers.txt"),
    "numbers above": ("numbers = open('../numbers.txt')", "numbers.txt"),
    "what is on the path": ("import outside", "elsewhere/outside.py"),
}


@pytest.fixture
def tree(tmp_path, monkeypatch):
    for name in ("sub/helper.py", "sub/deep.py", "lying_here.py", "elsewhere/outside.py", "sub/other.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("down = 1")
    (tmp_path / "sub/package").mkdir()
    for name in ("sub/package/__init__.py", "sub/package/inner.py", "sub/numbers.txt", "numbers.txt"):
        (tmp_path / name).write_text("2")
    (tmp_path / "sub/between.py").write_text("import deep")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path / "elsewhere"))
    monkeypatch.setattr(checks, "everything", lambda: "these sources")  # which take a while, and don't change here
    return tmp_path


def key(name="sub/own.py", options=None, seconds=60):
    return planned(name, {"like": "optim.sgd", **(options or {})}, seconds).key({})


def check_led_to(tree, name):
    said, leads = LED_TO[name]
    (tree / "sub/own.py").write_text(said)
    before = key()
    (tree / leads).write_text("down = 3")
    assert key() != before
    after = key()
    if "put together" not in name:
        (tree / "sub/other.py").write_text("down = 4")
    assert key() == after


@pytest.mark.parametrize("name", LED_TO)
def test_a_change_of_what_it_leads_to_is_another_task_and_of_what_it_does_not_is_none(tree, name):
    check_led_to(tree, name)


def test_so_is_a_change_of_its_own_of_an_option_of_lockstep_and_of_the_world(tree, monkeypatch):
    (tree / "sub/own.py").write_text("A = 1")
    keys = [key(), key(options={"seed": 1}), key("sub/own.py:A"), key(seconds=61)]
    keys.append(planned("sub/own.py", {"like": "optim.sgd"}, 60).key({"packages": {"optax": "1"}}))
    monkeypatch.setattr(checks, "everything", lambda: "other sources")
    keys.append(key())
    (tree / "sub/own.py").write_text("A = 2")
    keys.append(key())
    assert len(set(keys)) == len(keys)


def test_what_is_installed_goes_by_its_version(tree):
    (tree / "sub/own.py").write_text("import numpy, torch.optim, json, lockstep, sys, numpy.nowhere, nowhere")
    assert set(their_files.gathered("sub/own.py").files) == {"sub/own.py"}


def test_what_is_no_python_is_taken_as_it_is(tree):
    for content in (b"class A(", b"\0", b"\xff\xfe", b"(" * 1000):
        (tree / "sub/own.py").write_bytes(content)
        assert their_files.gathered("sub/own.py").files == {"sub/own.py": content}


def test_a_file_that_is_not_there_and_a_module_by_name(tree):
    assert their_files.gathered("nowhere.py") == ({}, "nowhere.py", ".", ())
    assert set(their_files.gathered("lying_here").files) == {"lying_here.py"}
    assert their_files.gathered("outside")[0::3] == ({"elsewhere/outside.py": b"down = 1"}, ("elsewhere",))


MUTANTS = {
    "the file alone": ("found |= led_to(path", "led_to(path"),
    "texts that name no file": ("for file in named_file(folder / text)}", "for file in ()}"),
    "modules by a text": ("if all(map(str.isidentifier", "if not all(map(str.isidentifier"),
    "names put together": ("if said.unsaid else ()", "if False else ()"),
    "packages": ('"__init__.py").is_file():\n            yield', '"__init__.py").is_dir():\n            yield'),
    "where it is run": ("dict.fromkeys([*around, here])", "dict.fromkeys([*around][:1])"),
    "what is on the path": ("    outside.add(folder)\n", "    return set()\n"),
    "what is imported from a package": ('*(".".join([*around', '*(".".join([*()'),
}


def check_every_way(tree):
    for way, (_, leads) in LED_TO.items():
        (tree / leads).write_text("down = 1")
        check_led_to(tree, way)


@pytest.mark.parametrize("name", MUTANTS)
def test_what_misses_a_file_is_noticed(tree, name, monkeypatch):
    check_every_way(tree)
    monkeypatch.setattr(checks, "gathered", planted_in(their_files, *MUTANTS[name]).gathered)
    with pytest.raises((AssertionError, KeyError)):
        check_every_way(tree)
