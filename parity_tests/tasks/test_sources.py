"""What a result is kept under changes with everything it depends on, and with nothing else."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lockstep.tasks import sources
from lockstep.tasks.sources import UnknownImport, closure
from reports.parts import WRITTEN

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
KEYS = """
import json
from lockstep.experiments import names, planned
from lockstep.experiments.notebook import record as notebook
from lockstep.experiments.collection import task_of
from lockstep.experiments.notebook.parts import part
from lockstep.subjects.registry import subjects
from lockstep.tasks.task import Task
from parity_tests.reports.page import files_of
from parity_tests.reports.made import detection_record, run_record
from reports import parts
from reports.contents import Ways
from reports.site import of_everything, of_subjects

of_each_family = {subject.family.name: subject.path for subject in reversed(subjects())}
some = {*of_each_family.values(), "optim.sgd", "optim.rmsprop", "layers.linear", "digits"}
tasks = [task for name in names(None) if name in some for task in planned(name, {})]
tasks += [task_of(f"notebook {name}", part, notebook.part(name)) for name in notebook.plan()]
records = tuple(map(files_of, (detection_record(), run_record())))
tasks += [Task("pictures", parts.pictured, (of_subjects, records))]
ways = Ways(("notebook",), ("optim/adam.html",), True, True)
tasks += [Task(f"pages {views.__name__}", parts.paged, (views, records, {}, ways, ("en", "ko")), parts.WRITTEN)
          for views in (of_subjects, of_everything)]
assert len({task.name for task in tasks}) == len(tasks)
print(json.dumps({task.name: task.key({}) for task in tasks}), flush=True)
"""
# What takes long to import and is none of ours is imported once: whoever is asked is a fork of that process. Only the
# first, which sees every source as it is, leaves bytecode behind: a change may be as long as what was there.
ASKED = f"""
import os, sys
import jinja2, matplotlib.figure, pygments, torch

for line in sys.stdin:
    if os.fork() == 0:
        exec({KEYS!r})
        os._exit(0)
    if os.wait()[1]:
        print(flush=True)
    sys.dont_write_bytecode = True
"""


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A copy of all sources, to be changed."""
    copy = tmp_path_factory.mktemp("tree")
    for name in (*sources.TREES, "parity_tests"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


@pytest.fixture(scope="module")
def keys(tree):
    """Tells the key of every task that a report has of some subjects by its name, as the sources there have it."""
    environment = os.environ | {"PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": ""}
    with subprocess.Popen(
        [sys.executable, "-c", ASKED], cwd=tree, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        text=True,
    ) as process:  # fmt: skip
        assert process.stdin
        assert process.stdout
        asked, told = process.stdin, process.stdout

        def ask() -> dict[str, str]:
            print(file=asked, flush=True)
            return json.loads(told.readline())

        yield ask


@pytest.fixture(scope="module")
def before(keys):
    return keys()


def about(*paths: str):
    return lambda name: any(f"{name} ".startswith(f"{path} ") for path in paths)


REPORT = about("pictures", "pages")
MUTANTS = {
    "a formula": ("reference/optim/sgd.py", "lr * ", "2 * lr * ", None),
    "a counterpart": ("torch_impl/layers/linear.py", '"""', '"""Another. ', None),
    "a case": ("lockstep/cases/optim/rmsprop.py", "lr=", "lr=2 * ", None),
    "a cause": (
        "lockstep/causes/optim/rmsprop.py", '"""', '"""Another. ',
        about("optim.rmsprop known causes", "optim.rmsprop laboratory"),
    ),
    "a message": ("lockstep/text/en.toml", "the ", "that ", about("pages")),
    "a page's template": ("reports/templates/subject.html.j2", "<", " <", about("pages")),
    "a page": ("reports/pages/subject.py", '"""', '"""Another. ', REPORT),
    "a kind of picture": ("reports/figures/trajectory.py", "274", "275", REPORT),
    "a picture's template": ("reports/figures/trajectory.svg.j2", "12h22", "12h23", REPORT),
    "the style of pictures": ("reports/report.mplstyle", "font.size: 9", "font.size: 8", REPORT),
    "the palette": ("reports/palette.py", "COMMON = 128", "COMMON = 64", REPORT),
    "the engine": ("lockstep/engine/stepping.py", "KEPT = 32", "KEPT = 16", lambda name: not REPORT(name)),
}  # fmt: skip


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_change_is_noticed_by_all_that_depend_on_it_and_by_nobody_else(tree, keys, before, mutant):
    path, old, new, rule = MUTANTS[mutant]
    text = (tree / path).read_text("utf-8")
    assert old in text
    (tree / path).write_text(text.replace(old, new, 1), "utf-8")
    try:
        after = keys()
    finally:
        (tree / path).write_text(text, "utf-8")
    assert after.keys() == before.keys()
    changed = {name for name in before if before[name] != after[name]}
    subject = ".".join(Path(path).with_suffix("").parts[-2:])
    if rule is None:  # the subject's own, and networks made of it, and nothing of another subject
        mine = {name for name in before if name.startswith(f"{subject} ")}
        assert mine <= changed
        others = {name for name in changed - mine if not name.startswith(("digits", "notebook", "models.mlp"))}
        assert not others
        of_networks = (
            subject.startswith("layers") or "cases" in path
        )  # an optimizer's cases say how a network is trained
        assert "digits, Adam, dropout and BatchNorm" not in changed or of_networks
    else:
        expected = {name for name in before if rule(name)}
        assert changed - expected == set()
        if mutant != "the engine":  # which what curves draw doesn't run through
            assert expected - changed == set()
        assert changed


def test_a_message_that_is_asked_for_counts_when_it_comes_and_not_when_it_is_reworded(tree, keys, before):
    path = tree / "lockstep/text/en.toml"
    text = path.read_text("utf-8")
    path.write_text(f'{text}\n["cause.optim.rmsprop.eps-inside-sqrt"]\nnote = "New."\n', "utf-8")
    try:
        after = keys()
    finally:
        path.write_text(text, "utf-8")
    changed = {name for name in before if before[name] != after[name]}
    assert changed <= {n for n in before if n.endswith(("known causes", "laboratory")) or n.startswith("pages")}


def test_pages_go_by_every_message_template_style_and_script():
    folders = [ROOT / "lockstep/text", *(ROOT / "reports" / name for name in ("text", "static", "templates"))]
    there = {path for folder in folders for path in folder.rglob("*") if path.is_file()}
    assert {path for path in there if path.suffix not in (".py", ".pyc")} == set(WRITTEN)


def test_what_is_not_written_where_it_is_imported_is_refused(tmp_path, monkeypatch):
    file = tmp_path / "odd.py"
    monkeypatch.setitem(sources.known(), "lockstep.odd", file)
    for number, text in enumerate(
        ("import importlib\nname = 'x'\nimportlib.import_module(name)\n", "from . import x\n")
    ):
        file = tmp_path / f"odd{number}.py"
        file.write_text(text)
        monkeypatch.setitem(sources.known(), f"lockstep.odd{number}", file)
        with pytest.raises(UnknownImport, match=rf"odd{number}\.py:"):
            closure([f"lockstep.odd{number}"])


def test_a_subject_reaches_its_own_files_and_those_it_is_made_of():
    files, about_it = closure(["lockstep.experiments.runs"], ["optim.adamw"])
    assert about_it == {"optim.adamw"}
    assert {
        "reference.optim.adamw",
        "reference.optim.adam",
        "torch_impl.optim.adamw",
        "lockstep.cases.optim.adamw",
    } <= files
    assert not files & {"reference.optim.sgd", "torch_impl.optim.adam", "lockstep.causes.optim.adamw"}
