"""Every command in Korean: not one English sentence is left in what it says."""

import copy
import dataclasses
import functools
import re
import textwrap

import pytest

from lockstep.causes import causes
from lockstep.checking.driving.trials import trials
from lockstep.cli.commands import check as check_command
from lockstep.cli.commands import matrix as command
from lockstep.cli.commands.check import of_target
from lockstep.explanation.matrix import ClimbedCell, Matrix
from lockstep.subjects.registry import subjects
from lockstep.text import Voice, message, texts
from parity_tests.cli.test_main import NONSENSE
from reference.optim.optimizer import Optimizer

HANGUL = re.compile("[가-힣]")
ENGLISH = re.compile(r"\b[A-Za-z]?[a-z]+(?:[ ,;:]+[a-z]+){2,}\b")
QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|`[^`]*`")
FORMULA = re.compile(r"\\|(?:^|\s)\w+ = (?!주어진)")
LISTED = re.compile(r"있는 것: .*|\w+Error: .*")  # names; and what somebody's own code says
CALL = re.compile(r"\w+\([^()]*\)|et al\.")  # adam(w, dw, m, v, t, lr, …); Sutskever et al.
CODE = re.compile(r"\S*[_.=/\\(){}\[\]|<>+*^]\S*")  # a name, a path, a formula

THEIRS = '''
import numpy as np

class Inside:
    """Adam with eps inside the root, which prints, writes into its gradients and takes no weight decay."""
    def __init__(self, lr=1e-3, betas=(0.9, 0.999), eps=1e-7):
        self.lr, self.betas, self.eps, self.t, self.m, self.v = lr, betas, eps, 0, {}, {}
    def step(self, params, grads):
        print("step")
        self.t += 1
        b1, b2 = self.betas
        for k, g in grads.items():
            self.m[k] = b1 * self.m.get(k, 0) + (1 - b1) * g
            self.v[k] = b2 * self.v.get(k, 0) + (1 - b2) * g * g
            m, v = self.m[k] / (1 - b1**self.t), self.v[k] / (1 - b2**self.t)
            params[k] -= self.lr * m / np.sqrt(v + self.eps)
            g *= 0

class Raising:
    def __init__(self, lr=1e-3): self.lr, self.t = lr, 0
    def step(self, params, grads):
        self.t += 1
        if self.t > 2: raise ValueError("위험")
        for k, g in grads.items(): params[k] -= self.lr * g

class Still:
    def __init__(self, lr=1e-3): pass
    def step(self, params, grads): pass

class Lacking:
    def __init__(self, frobnication): pass
    def step(self, params, grads): pass

def frobnicate(a, b, c): return a

class BatchNorm1d:
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        self.gamma, self.beta = np.ones(num_features), np.zeros(num_features)
        self.running_mean, self.running_var = np.zeros(num_features), np.ones(num_features)
        self.eps, self.momentum = eps, momentum
    def forward(self, x):
        mean, var = x.mean(0), x.var(0)
        self.running_mean = (1 - self.momentum) * self.running_mean + self.momentum * mean
        self.running_var = (1 - self.momentum) * self.running_var + self.momentum * var
        return self.gamma * (x - mean) / np.sqrt(var + self.eps) + self.beta

class Dropout:
    def __init__(self): pass
    def pull(self, x): return x
'''
SUITE = """
import numpy as np

def test_a_step(implementation):
    params = {"weight": np.ones(3)}
    implementation(params, lr=0.1).step({"weight": np.full(3, 2.0)})
"""


def names() -> re.Pattern[str]:
    """What has a name in English, whatever is said of it: cases, scenarios, causes; the longest first."""
    found = {case.desc for subject in subjects() for case in subject.cases.CASES}
    found |= {trial.name for subject in subjects() for trial in trials(subject)}
    found |= {cause.name for subject in subjects() for cause in causes(subject)}
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, sorted(found, key=len, reverse=True)))})(?!\w)")


@pytest.fixture(scope="module")
def named():
    return names()


def english(text: str, named: re.Pattern[str]) -> list[str]:
    """What of it is an English sentence, names and code left out."""
    found = []
    for line in text.splitlines():
        if FORMULA.search(line) or line.startswith(f"  {Voice('ko')('row.rerun')} "):
            continue
        plain = named.sub(" ", LISTED.sub(" ", line))
        plain = CALL.sub(" ", QUOTED.sub(" ", plain))
        found += ENGLISH.findall(CODE.sub(" ", plain))
    return found


@pytest.fixture
def korean(call, named):
    """A call in Korean, of which not one sentence is English; its exit status and all it printed."""

    def called(*words: str) -> tuple[int, str]:
        status, out, err = call("--lang", "ko", *words)
        assert HANGUL.search(out + err), (words, out, err)
        assert english(out + err, named) == [], (words, out, err)
        return status, out + err

    return called


@pytest.fixture(scope="module")
def theirs(tmp_path_factory):
    file = tmp_path_factory.mktemp("theirs") / "theirs.py"
    file.write_text(THEIRS, "utf-8")
    return lambda name: f"{file}:{name}"


@pytest.fixture(scope="module")
def checked():
    """What a check finds, once for all tests: what they are about is how it is told."""
    return functools.cache(of_target)


@pytest.fixture
def found_once(checked, monkeypatch):
    monkeypatch.setattr(check_command, "of_target", lambda *given: copy.copy(checked(*given)))


def test_list(korean):
    assert korean("list")[0] == 0


@pytest.mark.parametrize("subject", [subject.path for subject in subjects()])
def test_causes(korean, subject):
    assert korean("causes", subject)[0] == 0


@pytest.mark.parametrize("subject", [subject.path for subject in subjects()])
def test_run(korean, subject):
    assert korean("run", subject, "--steps", "2")[0] == 0


def test_a_run_that_is_different_and_one_that_is_broken(korean, monkeypatch):
    monkeypatch.setattr(Optimizer, "step_one", lambda self, name, grad: self.params[name].__isub__(1))
    assert korean("run", "optim.sgd", "--steps", "2")[0] == 1
    monkeypatch.setattr(Optimizer, "step", lambda self, grads: None)
    assert korean("run", "optim.sgd", "--steps", "2")[0] == 1


@pytest.mark.parametrize("rounding", ["plain", "fused", "kernels", "paper"])
def test_ledger(korean, rounding):
    assert korean("ledger", "optim.adam", "--rounding", rounding, "--path", "fused")[0] == 0


@pytest.mark.parametrize("subject", ["optim.adam", "layers.linear"])
def test_explain(korean, subject, tmp_path):
    assert korean("explain", subject, "--steps", "2", "--json", str(tmp_path / "a.json"))[0] == 0


LEFT = {"quantity": "param", "ours": "0x1", "theirs": "0x2", "ulp": 1.0}


def test_matrix(korean, monkeypatch):
    cell = ClimbedCell("optim.adam", "defaults", "float32", "single", 2, "avx2 × 1")
    parted = dataclasses.replace(cell, left=message("matrix.left", step=1, line="v", place="weight[0]", **LEFT))
    cells = [parted] * 22 + [lockstep_cell(cell)]
    absent = {"avx512 × 1": message("matrix.absent", wanted="avx512", has="avx2")}
    monkeypatch.setattr(command, "matrix", lambda *_, **__: Matrix(cells, absent))
    assert korean("matrix", "--only", "optim.adam")[0] == 1


def lockstep_cell(cell: ClimbedCell) -> ClimbedCell:
    return ClimbedCell(
        cell.subject, "amsgrad", cell.dtype, cell.path, 2, cell.configuration, True, message("rung.fused")
    )


@pytest.mark.parametrize("name", ["Inside", "Raising", "Still", "Lacking", "frobnicate"])
def test_check(korean, theirs, name, tmp_path, found_once):
    written = [f"--{kind}={tmp_path / f'a.{kind}'}" for kind in ("json", "junit", "html")]
    status, text = korean("check", theirs(name), "--like", "optim.adam", *written)
    assert status == (1 if name == "Inside" else 2), text


@pytest.mark.parametrize(("name", "like"), [("BatchNorm1d", "layers.batchnorm"), ("Dropout", "layers.dropout")])
def test_check_of_a_layer(korean, theirs, name, like):
    assert korean("check", theirs(name), "--like", like)[0] in (1, 2)


def test_record_check_and_compare(korean, tmp_path):
    one, other = str(tmp_path / "one"), str(tmp_path / "other")
    only = ("--only", "normal gradients")
    assert korean("record", "optim.sgd", "--out", one, *only)[0] == 0
    assert korean("record", "optim.sgd", "--out", other, *only, "--set", "lr=0.2")[0] == 0
    assert korean("check", "--recording", one)[0] == 0
    assert korean("check", "--recording", one, "--like", "layers.linear")[0] == 2
    assert korean("compare", one, other)[0] == 2
    assert korean("compare", one, one)[0] == 2


def test_score(korean, tmp_path):
    file = tmp_path / "test_theirs.py"
    file.write_text(textwrap.dedent(SUITE))
    assert korean("score", str(file), "--subject", "optim.sgd", "--json", str(tmp_path / "a.json"))[0] == 1


@pytest.mark.parametrize(("words", "text"), NONSENSE, ids=lambda x: " ".join(x) if isinstance(x, tuple) else "")
def test_nonsense(korean, words, text, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert korean(*words)[0] == 2


def test_a_fault(call, monkeypatch):
    monkeypatch.setattr("lockstep.cli.main.run", lambda *_, **__: {}["가"])
    status, _, err = call("--lang", "ko", "run", "optim.adam")
    assert status == 70
    assert HANGUL.search(err.splitlines()[0])


@pytest.mark.parametrize("key", ["row.at", "cli.like", "reason.no-names", "shape.dicts", "ledger.title", "note.prints"])
def test_a_line_that_is_not_translated_would_be_noticed(key, korean, theirs, found_once, monkeypatch):
    known = texts("ko", Voice.packages)
    monkeypatch.setitem(known, key, known[key] + " which nobody has put into Korean")
    with pytest.raises(AssertionError, match="which nobody has put into"):
        korean("ledger", "optim.adam") if key.startswith("ledger") else korean(
            "check", theirs("Inside"), "--like", "optim.adam"
        )
