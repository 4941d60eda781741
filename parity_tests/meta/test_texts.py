"""No file of the project names a path of somebody's machine, the host of a package registry, or a secret."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# Written in pieces, because this file is read too.
FOLDERS = ("work", "tmp", "home", "root", "opt", "Users", "mnt", "srv")
HOSTS = (
    *(r"pypi\.", r"pythonhosted\.", r"download\.pytorch\.", r"conda\.anaconda\."),
    *(r"registry\.npmjs\.", r"registry\.yarnpkg\.", r"crates\.io", r"proxy\.golang\."),
    *(r"deb\.debian\.", r"archive\.ubuntu\."),
)
FORBIDDEN = {
    "a path of a machine": re.compile(rf"(?<![\w.$~}})\]*<>-])/(?:{'|'.join(FOLDERS)})/\w|\b[A-Z]:\\\\?Users\\"),
    "the host of a registry": re.compile("|".join(HOSTS), re.IGNORECASE),
    "a secret": re.compile(r"BEGIN [A-Z ]*PRIVATE KEY|\bgh[pousr]_[A-Za-z0-9]{30}|\bAKIA[0-9A-Z]{16}\b"),
}


def files() -> list[Path]:
    """What is, or is about to be, in the repository."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True, encoding="utf-8").stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def named(text: str) -> list[str]:
    """The forbidden things in `text`, with the line."""
    return [
        f"{what}: {line.strip()[:100]}"
        for line in text.splitlines()
        for what, pattern in FORBIDDEN.items()
        if pattern.search(line)
    ]


@pytest.mark.skipif(
    shutil.which("git") is None or not (ROOT / ".git").exists(), reason="the list of files comes from git's checkout"
)
def test_nothing_names_this_machine():
    read = [path for path in files() if path != Path(__file__)]
    assert ROOT / "pyproject.toml" in read
    found = {str(path.relative_to(ROOT)): named(path.read_text(encoding="utf-8", errors="replace")) for path in read}
    assert {path: lines for path, lines in found.items() if lines} == {}


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ('open("/tmp/x")', "a path of a machine"),
        ("see /home/me/notes", "a path of a machine"),
        (r"C:\Users\me", "a path of a machine"),
        ("https://pypi.org/simple", "the host of a registry"),
        ("--index-url https://download.pytorch.org/whl/cpu", "the host of a registry"),
        ("-----BEGIN PRIVATE KEY-----", "a secret"),
    ],
)
def test_what_must_not_be_named_is_found(text, what):
    assert [words.split(":")[0] for words in named(text)] == [what]


@pytest.mark.parametrize("text", ["a/tmp/b", "build/report", "1/opt", "lockstep/home/x", "/", "pypi"])
def test_what_may_be_named_is_not_found(text):
    assert named(text) == []
