"""What a parity test is worth, on tests as they are published and on tests that say nothing."""

import json
import pathlib
import subprocess
import sys

import pytest
import torch._dynamo  # noqa: F401  with all it brings: a suite run in this process must not bring it again

from lockstep.causes import causes
from lockstep.testing.score import CannotScore, score

pytestmark = pytest.mark.slow

EXAMPLES = pathlib.Path(__file__).parents[2] / "examples"
EVERY = len(causes("optim.adam"))

# What either example notices, whatever it compares: a wrong scale of the first steps.
GROSS = {
    "accumulator-starts-at-first-square",
    "ascends",
    "beta-value",
    "betas-interchanged",
    "bias-correction-complement",
    "bias-correction-frozen",
    "bias-correction-multiplied",
    "bias-correction-squared",
    "denominator-multiplied",
    "first-moment-summed",
    "lr-decays-inside",
    "lr-value",
    "lr-warms-up-inside",
    "no-bias-correction",
    "root-forgotten",
    "state-aliased",
    "state-reset",
    "step-off-by-one",
    "step-size-compounded",
    "tied-updated-twice",
    "variance-about-the-mean",
}


@pytest.mark.parametrize(
    ("file", "caught", "besides"),
    [
        ("test_adam_ten_steps.py", 39, {"gradient-clipped", "gradient-norm-clipped"}),
        ("test_adam_goldens.py", 35, set()),
    ],
)
def test_tests_as_they_are_published_let_known_bugs_pass(file, caught, besides):
    found = score(str(EXAMPLES / file), "optim.adam")
    assert (len(found.caught), len(found.caught) + len(found.missed)) == (caught, EVERY)
    assert {cause.id for cause in found.caught} == GROSS | besides
    missed = {one.cause.id: one.scenario for one in found.missed}
    assert missed["eps-inside-sqrt"] == missed["eps-hat"] == "gradients near eps"
    assert missed["l2-twice"] == missed["decoupled-for-l2"] == "weight decay"
    assert missed["amsgrad-ignored"] == "amsgrad, gradients shrink"
    assert f"catches {caught} of {EVERY} wrong variants" in str(found)
    assert "eps-inside-sqrt: line param, step 1" in str(found)


def test_the_documentation_says_what_they_catch():
    text = " ".join((EXAMPLES.parent / "docs" / "testing.md").read_text("utf-8").split())
    assert f"catch 39 of the {EVERY} wrong variants of Adam; five steps against four decimals catch 35." in text


def test_the_command_prints_it_and_writes_it(tmp_path):
    command = [sys.executable, "-m", "lockstep", "score", str(EXAMPLES / "test_adam_ten_steps.py::test_ten_steps")]
    command += ["--subject", "optim.adam", "--json", str(tmp_path / "score.json")]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.returncode == 1, found.stderr
    assert f"catches 39 of {EVERY} wrong variants of optim.adam" in found.stdout
    data = json.loads((tmp_path / "score.json").read_text("utf-8"))
    assert len(data["caught"]) == 39
    assert {"id", "scenario", "why", "step", "line"} <= data["missed"][0].keys()


# A test that compares bits with the reference itself catches what shows in its one scenario.
EXACT = """
import numpy as np

def test_bits(implementation):
    from reference.penalty.l2 import L2
    w = np.array([[1.0, -2.0, 0.5], [0.25, 3.0, -1.0]])
    mine, ours = implementation(lam=0.1, m=4), L2(lam=0.1, m=4)
    assert mine.forward(w) == ours.forward(w)
    assert (mine.backward(1.0) == ours.backward(1.0)).all()
"""


def written(tmp_path, text):
    file = tmp_path / f"{tmp_path.name}.py"  # a name of its own: modules of one name would be taken for one
    file.write_text(text, "utf-8")
    return str(file)


def test_a_strict_test_catches_all(tmp_path):
    found = score(written(tmp_path, EXACT), "penalty.l2")
    assert found.missed == []
    assert len(found.caught) == len(causes("penalty.l2"))


def test_their_own_settings_do_not_matter(tmp_path):
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = -n 2 --no-such-option\n", "utf-8")
    assert score(written(tmp_path, EXACT), "penalty.l2").missed == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def test_nothing():\n    pass\n", "no test .* asks for the fixture 'implementation'"),
        ("def test_it(implementation):\n    assert False\n", "fails for a right implementation"),
        ("import no_such_module\n", "cannot be collected"),
        ("def broken(:\n", "cannot be collected"),
    ],
)
def test_tests_that_say_nothing_are_not_scored(tmp_path, text, message):
    with pytest.raises(CannotScore, match=message):
        score(written(tmp_path, text), "penalty.l2")


def test_what_is_not_there_is_said(tmp_path, monkeypatch):
    with pytest.raises(CannotScore, match="no file"):
        score(str(tmp_path / "test_none.py"), "optim.adam")
    monkeypatch.setattr("lockstep.testing.score.causes", lambda subject: [])
    with pytest.raises(ValueError, match="no causes are known"):
        score(written(tmp_path, EXACT), "layers.linear")


@pytest.mark.exhaustive
@pytest.mark.timeout(1800)
def test_lockstep_catches_all(tmp_path):
    ask = "def test_it(implementation, lockstep):\n    lockstep.check(implementation, like='optim.adam')\n"
    found = score(written(tmp_path, f'pytest_plugins = ["lockstep.plugin"]\n{ask}'), "optim.adam")
    assert [one.cause.name for one in found.missed] == []
