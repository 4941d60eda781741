"""What the READMEs claim is true: snippets run, commands exist, files are where they say."""

import re
import shlex
from pathlib import Path

import pytest

from lockstep.engine.run import Run
from lockstep.numerics.verdict import Verdict
from lockstep.subjects.registry import choose, families, find, subjects

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
READMES = {"English": ROOT / "README.md", "Korean": ROOT / "README.ko.md"}
FILES = re.compile(r"`((?:reference|torch_impl|lockstep|parity_tests|reports)/[\w./]*)`")
LINKS = re.compile(r"\]\(([^)#:]+)\)")


def text(language: str) -> str:
    return READMES[language].read_text(encoding="utf-8")


def snippets(language: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", text(language), re.DOTALL)


@pytest.mark.parametrize(("language", "number"), [(name, k) for name in READMES for k in range(len(snippets(name)))])
def test_a_snippet_runs(language, number, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    exec(compile(snippets(language)[number], f"{READMES[language].name}, snippet {number}", "exec"), names)
    runs = [value for value in names.values() if isinstance(value, Run)]
    assert runs
    assert all(run.verdict.passes for run in runs)


def test_both_have_the_same_snippets_and_commands():
    code = [re.sub(r" *#.*", "", "".join(snippets(name))) for name in READMES]
    assert code[0] == code[1]
    assert code[0]
    assert commands("English") == commands("Korean")


def test_both_have_the_same_chapters_and_tables():
    shape = [
        [line[:3] if line[0] == "#" else line.count("|") for line in text(name).splitlines() if line[:1] in ("#", "|")]
        for name in READMES
    ]
    assert shape[0] == shape[1]
    assert shape[0].count("## ") > 5


def commands(language: str) -> list[list[str]]:
    """The commands shown, without what follows a #."""
    lines = [line.strip() for line in text(language).splitlines() if line.startswith("    ")]
    return [shlex.split(line, comments=True) for line in lines if line.split(" ")[0] in ("make", ".venv/bin/lockstep")]


@pytest.mark.parametrize("language", READMES)
def test_commands_exist(language):
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    shown = commands(language)
    assert {words[1] for words in shown if words[0] == "make"} <= set(targets)
    runs = [words for words in shown if words[1] == "run"]
    assert runs
    for _, _, subject, option, case in runs:
        assert option == "--case"
        assert choose(find(subject), case).desc == case


@pytest.mark.parametrize("language", READMES)
def test_files_and_subjects_are_there(language):
    shown = text(language)
    paths = FILES.findall(shown) + LINKS.findall(shown)
    assert paths
    assert [path for path in paths if not (ROOT / path).exists()] == []
    named = set(re.findall(rf"`((?:{'|'.join(families())})\.\w+)`", shown))
    assert named == {subject.path for subject in subjects()}


@pytest.mark.parametrize("language", READMES)
def test_every_verdict_is_explained(language):
    rows = re.findall(r"^\| `([\w-]+)` \|", text(language), re.MULTILINE)
    assert rows == [str(verdict) for verdict in Verdict]
