"""The command line: every option, every exit status, and one clear line for a call that makes no sense."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import lockstep
from lockstep.cli import main as cli
from lockstep.cli.terminal import errors
from lockstep.subjects.registry import subjects
from reference.optim.optimizer import Optimizer

ROOT = Path(__file__).parents[2]
NASTY = "[bold red]x[red] [link=y]한글[bold] \\[ [@click=x] :smile: {0} %s $(x)"


@pytest.fixture
def wrong(monkeypatch):
    """Every optimizer of the reference is a thousandth off."""
    right = Optimizer.step_one

    def off(self, name, grad):
        right(self, name, grad)
        self.params[name] *= self.params[name].dtype.type(1.001)

    monkeypatch.setattr(Optimizer, "step_one", off)


# list


def test_list_names_every_subject_and_every_case(call):
    status, out, err = call("list")
    assert (status, err) == (0, "")
    lines = out.splitlines()
    for subject in subjects():
        table = subject.cases.CASES
        at = lines.index(f"{subject.path}   {len(table)} cases")
        assert [line.strip() for line in lines[at + 1 : at + 1 + len(table)]] == [case.desc for case in table]


def test_list_of_one_subject(call):
    status, out, _ = call("list", "optim.sgd")
    assert status == 0
    assert out.startswith("optim.sgd ")
    assert "optim.adam" not in out


# run


def test_run_prints_the_message_and_the_headroom(call):
    status, out, err = call("run", "optim.adam", "--steps", "3")
    run = lockstep.run("optim.adam", steps=3)
    assert (status, err) == (0, "")
    assert out == f"{run}\n  headroom used {run.used:.0%} of the allowance at most\n"


def test_every_option_arrives(call, tmp_path):
    file = tmp_path / "run.json"
    words = ["--case", "amsgrad", "--problem", "rosenbrock", "--steps", "4", "--dtype", "float64", "--path", "fused"]
    words += ["--seed", "3", "--set", "lr=0.01", "--set", "betas=(0.8, 0.99)", "--set", "maximize=true"]
    status, out, _ = call("run", "optim.adam", *words, "--json", str(file))
    assert status == 0
    assert f"  record   {file}" in out
    record = lockstep.load(file)
    found = {key: getattr(record, key) for key in ("subject", "steps", "dtype", "path", "seed")}
    assert found == {"subject": "optim.adam", "steps": 4, "dtype": "float64", "path": "fused", "seed": 3}
    assert (record.desc, record.case["problem"]) == ("amsgrad", "rosenbrock")
    expected = {"amsgrad": True, "lr": 0.01, "betas": [0.8, 0.99], "maximize": True}
    assert record.case["hyperparameters"] == expected


def test_without_options_it_is_the_first_case(call):
    status, out, _ = call("run", "optim.sgd")
    assert status == 0
    assert out.startswith("optim.sgd[float32, single, defaults]: ")
    assert f"--steps {lockstep.run('optim.sgd').outcome.steps} " in out or "identical" in out


def test_all_runs_every_case_in_a_line(call):
    status, out, _ = call("run", "penalty.l2", "--all", "--steps", "2")
    assert status == 0
    table = next(one for one in subjects() if one.path == "penalty.l2").cases.CASES
    headlines = [line for line in out.splitlines() if line.startswith("penalty.l2[")]
    assert len(headlines) == len(table)
    for case, line in zip(table, headlines, strict=True):
        assert line.startswith(f"penalty.l2[float32, {case.desc}]: ")


# exit status 1


def test_something_different_is_exit_status_1(call, wrong):
    status, out, err = call("run", "optim.sgd", "--steps", "2")
    assert (status, err) == (1, "")
    assert out.startswith("optim.sgd[float32, single, defaults]: different from step 1, line param\n")


def test_something_broken_is_exit_status_1(call, monkeypatch):
    monkeypatch.setattr(Optimizer, "step", lambda self, grads: None)
    status, out, _ = call("run", "optim.sgd", "--steps", "2")
    assert status == 1
    first, *rest = out.splitlines()
    assert first.startswith("optim.sgd[float32, single, defaults]: broken: no param changed on your side")
    assert rest[0] == "  cause    nothing-moved"


def test_one_different_case_of_all_is_exit_status_1(call, monkeypatch):
    right = Optimizer.step_one

    def off_with_nesterov(self, name, grad):
        right(self, name, grad)
        if getattr(self, "nesterov", False):
            self.params[name] *= self.params[name].dtype.type(1.001)

    monkeypatch.setattr(Optimizer, "step_one", off_with_nesterov)
    status, out, _ = call("run", "optim.sgd", "--all", "--steps", "2")
    verdicts = [line.split("]: ", 1)[1] for line in out.splitlines() if line.startswith("optim.sgd[")]
    assert status == 1
    assert 0 < sum(verdict.startswith("different") for verdict in verdicts) < len(verdicts)


def test_a_record_of_what_is_different_is_written_all_the_same(call, wrong, tmp_path):
    status, _, _ = call("run", "optim.sgd", "--steps", "2", "--json", str(tmp_path / "a.json"))
    assert status == 1
    assert lockstep.load(tmp_path / "a.json").verdict == "different"


# exit status 2

NONSENSE = [
    (("run", "optim.adm"), "no subject 'optim.adm'; did you mean 'optim.adam'?"),
    (("run", "adam"), "did you mean 'optim.adam'?"),
    (("list", "optim.adm"), "did you mean 'optim.adam'?"),
    (("run", "optim.adam", "--case", "defalts"), "no case 'defalts'; there are: defaults;"),
    (("run", "optim.adam", "--problem", "rosenbrok"), "no problem 'rosenbrok'; did you mean 'rosenbrock'?"),
    (
        ("run", "optim.adam", "--dtype", "float8"),
        "one of 'float64', 'float32', 'bfloat16', 'float16', not 'float8'",
    ),
    (("run", "optim.adam", "--path", "fuse"), "no path 'fuse'; it has single, foreach, fused"),
    (("run", "optim.adam", "--path", ""), "it has single, foreach, fused"),
    (("run", "optim.rmsprop", "--path", "fused"), "no path 'fused'; it has single, foreach"),
    (("run", "layers.linear", "--path", "fused"), "'fused'"),
    (("run", "layers.linear", "--problem", "rosenbrock"), "no input 'rosenbrock'; there are normal,"),
    (("run", "models.mlp", "--problem", "digit"), "'digit'"),
    (("run", "optim.adam", "--steps", "0"), "steps must be a whole number from 1 on, not 0"),
    (("run", "optim.adam", "--steps", "-1"), "not -1"),
    (("run", "optim.adam", "--set", "learning_rate=0.1"), "unexpected keyword argument 'learning_rate'"),
    (("run", "optim.adam", "--set", "steps=3"), "'steps' belongs to the case and is no hyperparameter"),
    (("run", "optim.adam", "--set", "lr"), "--set takes NAME=VALUE, not 'lr'"),
    (("run", "optim.adam", "--set", "=3"), "--set takes NAME=VALUE, not '=3'"),
    (("run", "optim.adam", "--set", "lr="), "--set lr: '' is no number, flag or tuple"),
    (("run", "optim.adam", "--set", "lr=fast"), "--set lr: 'fast' is no number, flag or tuple"),
    (("run", "optim.adam", "--set", "lr=__import__('os')"), "is no number, flag or tuple"),
    (("run", "optim.adam", "--set", "betas=(0.9,"), "is no number, flag or tuple"),
    (("run", "optim.adam", "--set", "lr=-0.1"), "Invalid learning rate: -0.1"),
    (("run", "optim.adam", "--json", "run.txt"), "NAME.json, not 'run.txt'"),
    (("run", "optim.adam", "--all", "--case", "amsgrad"), "--all runs every case"),
    (("run", "optim.adam", "--all", "--json", "a.json"), "--all runs every case"),
]


@pytest.mark.parametrize(("words", "text"), NONSENSE, ids=lambda x: " ".join(x) if isinstance(x, tuple) else "")
def test_nonsense_is_one_line_and_exit_status_2(words, text, call, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    status, out, err = call(*words)
    assert (status, out) == (2, "")
    assert err.startswith("lockstep: ")
    assert err.count("\n") == 1
    assert text in err
    written = [json.loads(path.read_text("utf-8"))["error"]["message"] for path in tmp_path.iterdir()]
    assert written == [err.removeprefix("lockstep: ").rstrip("\n")] * ("--json" in words)


@pytest.mark.parametrize(
    "words", [("run",), ("walk",), ("run", "optim.adam", "--stepps", "3"), ("run", "a", "--steps", "x")]
)
def test_a_call_of_the_wrong_form_is_exit_status_2(words, call):
    status, out, err = call(*words)
    assert (status, out) == (2, "")
    assert "Traceback" not in err
    assert "Usage: " in err


def test_a_place_that_cannot_be_written_to_is_found_before_a_step(call, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setattr("lockstep.engine.run.run_pair", lambda *arguments, **options: pytest.fail("a step was taken"))
    for place in (tmp_path / "file" / "a.json", tmp_path / "file" / "b" / "a.json"):
        status, out, err = call("run", "optim.adam", "--json", str(place))
        assert (status, out) == (2, "")
        assert err.count("\n") == 1
        assert "file" in err
    (tmp_path / "a.json").mkdir()
    assert call("run", "optim.adam", "--json", str(tmp_path / "a.json"))[0] == 2


# what a user typed is text


@pytest.mark.parametrize(
    "words",
    [
        ("run", NASTY),
        ("list", NASTY),
        ("run", "optim.adam", "--case", NASTY),
        ("run", "optim.adam", "--problem", NASTY),
        ("run", "optim.adam", "--dtype", NASTY),
        ("run", "optim.adam", "--path", NASTY),
        ("run", "optim.adam", "--set", NASTY),
        ("run", "optim.adam", "--set", f"lr={NASTY}"),
        ("run", "optim.adam", "--json", f"{NASTY}.txt"),
    ],
)
def test_markup_in_a_mistake_is_printed_as_it_was_typed(words, call, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)  # --json is answered there
    status, _, err = call(*words)
    assert status == 2
    typed = err.replace("\\\\", "\\")  # as repr writes it
    assert NASTY in typed
    assert err.count("\n") == 1


def test_markup_in_a_file_name_is_printed_as_it_was_typed(call, tmp_path):
    file = tmp_path / "[bold]x[red].json"
    status, out, _ = call("run", "optim.adam", "--steps", "1", "--json", str(file))
    assert status == 0
    assert out.splitlines()[-1] == f"  record   {file}"
    assert lockstep.load(file).steps == 1


def test_markup_in_a_case_is_printed_as_it_is(call, monkeypatch):
    from lockstep.cases.optim import sgd

    monkeypatch.setattr(sgd, "CASES", [lockstep.Case(NASTY)])
    assert NASTY in call("list", "optim.sgd")[1]
    status, out, _ = call("run", "optim.sgd", "--steps", "1")
    assert status == 0
    assert f"optim.sgd[float32, single, {NASTY}]" in out
    assert f"optim.sgd[float32, single, {NASTY}]" in call("run", "optim.sgd", "--steps", "1", "--all")[1]


# help


def test_help_says_what_there_is(call):
    status, out, _ = call("--help")
    assert status == 0
    for word in ("list", "run", "report"):
        assert f" {word} " in out
    assert call("-h")[1] == out


@pytest.mark.parametrize("command", ["list", "run", "report"])
def test_each_command_has_help(command, call):
    status, out, _ = call(command, "--help")
    assert status == 0
    assert "Usage: " in out


def test_help_of_run_names_every_option_and_exit_status(call):
    _, out, _ = call("run", "--help")
    for option in ("--case", "--problem", "--steps", "--dtype", "--path", "--seed", "--set", "--all", "--json"):
        assert option in out
    assert "Exit status 0" in out


def test_nothing_at_all_is_answered_with_help(call):
    status, out, _ = call()
    assert status == 2
    assert "Usage: " in out


# as it is installed


def test_it_runs_as_a_module_without_a_traceback():
    command = [sys.executable, "-m", "lockstep", "run", "optim.adm"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "lockstep: no subject 'optim.adm'; did you mean 'optim.adam'?\n"


def test_the_console_script_is_main():
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["scripts"]
    module, name = scripts["lockstep"].split(":")
    assert getattr(sys.modules[module], name) is cli.main


# the checks above would notice


@pytest.mark.parametrize("option", ["markup", "emoji"])
def test_text_that_is_taken_for_markup_would_be_noticed(option, call, monkeypatch, tmp_path):
    as_it_is = errors.print
    monkeypatch.setattr(errors, "print", lambda text, **_: as_it_is(text, **{"markup": False, option: True}))
    with pytest.raises(AssertionError):
        test_markup_in_a_mistake_is_printed_as_it_was_typed(("run", NASTY), call, monkeypatch, tmp_path)


def test_an_error_that_is_not_caught_would_be_noticed(call, monkeypatch):
    monkeypatch.setattr(cli, "main", cli.app)
    with pytest.raises((ValueError, AssertionError)):
        test_nonsense_is_one_line_and_exit_status_2(*NONSENSE[0], call, monkeypatch, ROOT)


def test_a_report_is_drawn_from_records_in_one_language(call, tmp_path):
    record, out = tmp_path / "records/sgd.json", tmp_path / "out"
    assert call("run", "optim.sgd", "--steps", "2", "--json", str(record))[0] == 0
    words = ("report", "--records", str(record.parent), "--out", str(out))
    assert call(*words, "--lang", "ko")[0] == 0
    assert '<html lang="ko">' in (out / "index.html").read_text("utf-8")
    assert not (out / "ko").exists()
    assert call(*words, "--lang", "de")[0] == 2


@pytest.mark.parametrize("command", ["run", "explain"])
def test_a_number_that_pytorch_refuses_is_one_line(call, command):
    status, _, said = call(command, "optim.adam", "--set", "lr=1e40", "--steps", "1")
    assert status == 2
    assert (
        said.replace("\n", " ").strip()
        == "lockstep: lr=1e+40: value cannot be converted to type float without overflow"
    )
