"""A file is loaded as its author would run it, and what ends a check is written down, whatever it is."""

import json
import subprocess
import sys

import pytest

from lockstep.adapters.adapter import CannotCheck
from lockstep.cli.loading import load_target

STEP = "def down(p, g, lr): return p - lr * g\n"
SGD = "{0}\nclass SGD:\n    down = staticmethod(down)\n"


@pytest.fixture(autouse=True)
def as_it_was(monkeypatch):
    known = dict(sys.modules)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield
    for name in set(sys.modules) - set(known):
        del sys.modules[name]


def written(folder, **files):
    for name, text in files.items():
        path = folder / (name.replace("__", "/") + ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        if "package" in path.parts:
            (path.parent / "__init__.py").touch()


LAYOUTS = {
    "a file beside it": ({"script": SGD.format("from beside import down"), "beside": STEP}, "script.py", "."),
    "a file in the working directory": (
        {"deep__script": SGD.format("from helper import down"), "helper": STEP}, "deep/script.py", "."),
    "relative, in a package": (
        {"package__a": SGD.format("from .b import down"), "package__b": STEP}, "package/a.py", "."),
    "relative, from inside the package": (
        {"package__a": SGD.format("from .b import down"), "package__b": STEP}, "a.py", "package"),
    "relative, two up": (
        {"package__sub__a": SGD.format("from ..b import down"), "package__b": STEP}, "package/sub/a.py", "."),
    "relative, no __init__": ({"plain__a": SGD.format("from .b import down"), "plain__b": STEP}, "plain/a.py", "."),
    "relative, two up, no __init__": (
        {"plain__sub__a": SGD.format("from ..b import down"), "plain__b": STEP}, "plain/sub/a.py", "."),
    "the name of its package": (
        {"package__package": SGD.format("from package.b import down"), "package__b": STEP}, "package/package.py", "."),
    "the name of its folder": (
        {"same__same": SGD.format("from same.b import down"), "same__b": STEP}, "same/same.py", "."),
    "the name of its folder, from inside it": (
        {"same__same": SGD.format("from same.b import down"), "same__b": STEP}, "same.py", "same"),
    "absolute, in a package without saying so": (
        {"package__a": SGD.format("from b import down"), "package__b": STEP}, "package/a.py", "."),
}  # fmt: skip


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_file_is_loaded_as_its_author_runs_it(name, tmp_path, monkeypatch):
    files, target, here = LAYOUTS[name]
    written(tmp_path, **files)
    monkeypatch.chdir(tmp_path / here)
    assert load_target(f"{target}:SGD").down(3.0, 2.0, 0.5) == 2.0


def test_what_is_really_missing_is_what_is_said(tmp_path, monkeypatch):
    written(tmp_path, package__a="from . import b\nimport nowhere_to_be_found\n", package__b="")
    monkeypatch.chdir(tmp_path)
    before = list(sys.path)
    with pytest.raises(CannotCheck, match=r"No module named 'nowhere_to_be_found' at a\.py:2"):
        load_target("package/a.py:SGD")
    assert sys.path == before
    assert "package.b" not in sys.modules


def test_what_lies_beside_a_file_hides_nothing_of_the_rest(tmp_path, monkeypatch):
    written(tmp_path, script="class A: ...\n", colorsys="raise SystemExit\n")
    monkeypatch.chdir(tmp_path)
    load_target("script.py:A")
    assert __import__("colorsys").ONE_THIRD > 0


@pytest.mark.parametrize("ends", ["import os; os._exit(9)", "raise SystemExit(3)", "raise MemoryError", "1 / 0"])
def test_json_is_written_however_it_ends(ends, tmp_path):
    (tmp_path / "theirs.py").write_text(
        f"class A:\n    def __init__(self, lr=0.1): ...\n    def step(self, params, grads):\n        {ends}\n", "utf-8"
    )
    place = tmp_path / "answer.json"
    arguments = ["check", str(tmp_path / "theirs.py:A"), "--like", "optim.sgd", "--json", str(place)]
    done = subprocess.run([sys.executable, "-m", "lockstep", *arguments], capture_output=True, check=False)
    answer = json.loads(place.read_text("utf-8"))
    assert done.returncode != 0
    assert answer.get("broken") or answer["error"]["kind"] == "unfinished"
