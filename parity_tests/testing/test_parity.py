"""The pytest plugin, run in suites of its own."""

import os
import pathlib
import shutil
import subprocess
import sys
import venv

import pytest
import torch._dynamo  # noqa: F401  with all it brings: a suite run in this process must not bring it again

from lockstep.cases import Case
from lockstep.causes.cause import Scenario
from lockstep.checking.driving.trials import Trial, trials
from lockstep.subjects.registry import find
from lockstep.testing.parity import slug

pytestmark = pytest.mark.slow

pytest_plugins = ["pytester"]

ROOT = pathlib.Path(__file__).parents[2]

# An optimizer of somebody's own, right or with eps under the root.
MODULE = """
import numpy as np
import pytest
from lockstep.testing import parametrize_with_checks

class MyAdam:
    def __init__(self, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
        self.lr, self.beta1, self.beta2, self.eps = lr, beta1, beta2, eps
        self.m, self.v, self.t = {}, {}, 0

    def update(self, params, grads):
        self.t += 1
        for key, g in grads.items():
            self.m[key] = self.beta1 * self.m.get(key, 0) + (1 - self.beta1) * g
            self.v[key] = self.beta2 * self.v.get(key, 0) + (1 - self.beta2) * g * g
            m = self.m[key] / (1 - self.beta1**self.t)
            v = self.v[key] / (1 - self.beta2**self.t)
            params[key] -= self.lr * m / DENOM
"""
TESTS = """
@parametrize_with_checks(MyAdam(lr=1e-3), like="optim.adam")
def test_parity(check):
    check()
"""
RIGHT = MODULE.replace("DENOM", "(np.sqrt(v) + self.eps)")
WRONG = MODULE.replace("DENOM", "np.sqrt(v + self.eps)")
FEW = ("normal gradients", "gradients near eps", "amsgrad, gradients shrink")
RUN = ("-p", "lockstep.plugin", "-p", "no:cacheprovider", "-p", "no:randomly", "-W", "error")


@pytest.fixture(autouse=True)
def few(monkeypatch):
    """Few scenarios, so that a suite takes no time."""
    chosen = [trial for trial in trials(find("optim.adam")) if trial.name in FEW]
    for module in ("lockstep.checking.optimizers", "lockstep.testing.parity"):
        monkeypatch.setattr(f"{module}.trials", lambda *asked: chosen)


def run(pytester, *arguments):
    return pytester.runpytest_inprocess(*RUN, *arguments)


def test_a_right_one_passes_scenario_by_scenario(pytester):
    pytester.makepyfile(RIGHT + TESTS)
    found = run(pytester, "-v", "-rs")
    found.assert_outcomes(passed=2, skipped=1)
    found.stdout.fnmatch_lines(["*test_parity?normal-gradients? PASSED*", "*takes no amsgrad*"])


def test_a_wrong_one_fails_with_the_whole_message(pytester):
    pytester.makepyfile(test_mine=WRONG + TESTS)
    found = run(pytester)
    assert found.parseoutcomes()["failed"] >= 1
    text = found.stdout.str()
    parts = ("different from step 1, line param", "yours ", "pytorch ", "allowed", "0x")
    parts += ("eps-inside-sqrt: add eps after the square root", "test_mine.py::test_parity[", "rerun    pytest")
    for part in parts:
        assert part in text
    assert "ScenarioCheck" not in text  # the message, and nothing of what makes it


def test_one_scenario_can_be_picked(pytester):
    pytester.makepyfile(RIGHT + TESTS)
    run(pytester, "-k", "near-eps").assert_outcomes(passed=1, deselected=2)


def test_the_fixture_takes_the_whole_check(pytester):
    ask = 'def test_it(lockstep):\n    assert lockstep.check(MyAdam, like="optim.adam").exit_status == 0\n'
    pytester.makepyfile(test_right=RIGHT + ask, test_wrong=WRONG + ask)
    found = run(pytester)
    found.assert_outcomes(passed=1, failed=1)
    assert "eps-inside-sqrt" in found.stdout.str()


def test_a_page_is_written_for_what_failed_and_for_nothing_else(pytester):
    pytester.makepyfile(test_right=RIGHT + TESTS, test_wrong=WRONG + TESTS)
    run(pytester, "--lockstep-report", "pages", "--junit-xml", "junit.xml")
    (file,) = (pytester.path / "pages").iterdir()
    assert file.name == "test-wrong-py-test-parity.html"
    text = file.read_text("utf-8")
    assert "eps-inside-sqrt" in text
    assert "http" not in text  # self-contained
    assert "eps-inside-sqrt" in (pytester.path / "junit.xml").read_text("utf-8")


def test_without_the_option_nothing_is_written(pytester):
    pytester.makepyfile(test_wrong=WRONG + TESTS)
    before = {file.name for file in pytester.path.iterdir()}
    run(pytester)
    assert {file.name for file in pytester.path.iterdir()} - before <= {"__pycache__"}


def test_what_cannot_be_checked_fails(pytester):
    pytester.makepyfile(RIGHT + TESTS.replace("MyAdam(lr=1e-3)", "3"))
    found = run(pytester)
    found.assert_outcomes(failed=3)
    assert "not-recognised" in found.stdout.str()


def test_an_unknown_subject_is_said_at_collection(pytester):
    pytester.makepyfile(RIGHT + TESTS.replace("optim.adam", "optim.adamm"))
    found = run(pytester)
    found.assert_outcomes(errors=1)
    assert "did you mean 'optim.adam'" in found.stdout.str()


def test_ids_are_words():
    assert slug("momentum, lr changes") == "momentum-lr-changes"
    assert slug("E[x²] - λ") == "E-x²-λ"
    assert Trial(Scenario(Case("a b"), "")).name == "a b"


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The Python of an empty environment, into which pip has put the wheel, what it declares, and pytest."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = ["-m", "pip", "--disable-pip-version-check", "--quiet"]
    source = folder / "source"  # a build writes beside what it builds
    for name in ("reference", "torch_impl", "lockstep", "reports"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source / name)
    build = ["wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder / "wheels", source]
    subprocess.run([sys.executable, *pip, *build], check=True, cwd=folder)
    venv.create(folder / "environment", with_pip=True)
    python = folder / "environment" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    (wheel,) = (folder / "wheels").iterdir()
    install = [python, *pip, "install", "--no-compile", "--constraint", ROOT / "constraints.txt"]
    subprocess.run([*install, "torch"], check=True, env=clean())  # first and by itself, as in the Makefile
    subprocess.run([*install, wheel, "pytest"], check=True, env=clean())
    subprocess.run([python, *pip, "check"], check=True, env=clean())
    return python


def clean():
    """The environment's variables without those that would lend the empty one something of this one."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "PYTHON"))}


def suite_of(folder, python, *arguments):
    (folder / "test_mine.py").write_text(WRONG + TESTS, "utf-8")
    command = [python, *arguments]
    return subprocess.run(command, cwd=folder, env=clean(), capture_output=True, text=True, check=False)


@pytest.mark.exhaustive
@pytest.mark.timeout(1200)
def test_installed_from_a_wheel_the_plugin_fails_what_is_wrong(tmp_path, installed):
    found = suite_of(tmp_path, installed, "-m", "pytest", "--lockstep-report", "pages", "-p", "no:cacheprovider")
    assert found.returncode == 1, found.stdout + found.stderr
    assert "plugins: lockstep" in found.stdout
    assert "eps-inside-sqrt: add eps after the square root" in found.stdout
    assert (tmp_path / "pages" / "test-mine-py-test-parity.html").exists()


@pytest.mark.exhaustive
@pytest.mark.timeout(1200)
@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["check", "test_mine.py:MyAdam", "--like", "optim.adam"], 1, "eps-inside-sqrt"),
        (["check", "torch.optim:Adam", "--like", "optim.adam", "--html", "a.html"], 0, "identical"),
        (["record", "optim.sgd", "--out", "recorded"], 0, "recorded"),
        (["score", "test_mine.py", "--subject", "optim.adam"], 2, "implementation"),
        (["run", "optim.adam", "--case", "gradients near eps"], 0, "rounding"),
        (["causes"], 0, "momentum-complement"),
    ],
    ids=lambda one: one[0] if isinstance(one, list) else "",
)
def test_installed_from_a_wheel_every_command_runs(tmp_path, installed, arguments, status, says):
    """With what the wheel declares and nothing else."""
    found = suite_of(tmp_path, installed, "-m", "lockstep", *arguments)
    assert found.returncode == status, found.stdout + found.stderr
    assert says in found.stdout + found.stderr
