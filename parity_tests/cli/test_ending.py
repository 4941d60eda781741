"""How a call ends that does not end well: the user's mistake is a line, a fault of Lockstep's own says so and is 70."""

import inspect
import json
import pathlib
import re
import sys

import pytest

import lockstep
import reports as drawing
from lockstep import errors
from lockstep.cli import ending
from lockstep.engine import run as engine
from lockstep.errors import BadValue, LockstepError
from lockstep.experiments import names
from parity_tests.support.raised import descendants, raised
from reference.optim.adam import Adam

CALL = ("run", "optim.adam", "--steps", "2")
PLANTED = (ValueError, TypeError, KeyError, OSError, RuntimeError, AssertionError, ZeroDivisionError)


# A fault of Lockstep's own


@pytest.fixture(params=PLANTED, ids=lambda kind: kind.__name__)
def fault(request, monkeypatch):
    """Lockstep itself goes wrong in the middle of a run."""

    def broken(*_, **__):
        raise request.param("planted")

    monkeypatch.setattr(engine, "run_pair", broken)
    return request.param


def test_a_fault_says_whose_it_is_and_what_to_report(call, fault):
    status, out, err = call(*CALL)
    assert (status, out) == (70, "")
    first, command, versions, *rest = err.splitlines()
    assert first.startswith("lockstep: a fault of Lockstep's own, not of your call.")
    assert command.strip() == "call     lockstep run optim.adam --steps 2"
    assert {"python", "numpy", "torch"} <= set(versions.replace(",", "").split())
    assert rest[0] == "Traceback (most recent call last):"
    assert rest[-1].startswith(fault.__name__)


def test_a_fault_is_what_json_says_too(call, fault, tmp_path):
    file = tmp_path / "a.json"
    assert call(*CALL, "--json", str(file))[0] == 70
    told = json.loads(file.read_text("utf-8"))["error"]
    assert told["kind"] == "fault"
    assert told["exit_status"] == 70
    assert "planted" in told["traceback"]


def test_a_missing_order_of_a_formula_is_no_mistake_of_the_users(call, monkeypatch):
    monkeypatch.setattr(Adam, "ORDERS", {"paper": Adam.ORDERS["paper"]})
    status, _, err = call("explain", "optim.adam", "--steps", "1")
    assert status == 70
    assert "KeyError: 'pytorch'" in err


def test_what_the_reference_raises_in_a_step_is_a_fault(call, monkeypatch):
    monkeypatch.setattr(Adam, "step_one", lambda *_: int("one"))
    assert call(*CALL)[0] == 70


def test_a_fault_of_the_report_says_so(monkeypatch, tmp_path, call):
    monkeypatch.setattr("reports.making.read", lambda *_: {}["records"])
    status, _, err = call("report", "--records", str(tmp_path), "--out", str(tmp_path / "out"))
    assert status == 70
    assert "lockstep: a fault of Lockstep's own" in err


# The user's mistake


@pytest.mark.parametrize("kind", descendants(LockstepError), ids=lambda kind: kind.__name__)
def test_every_kind_of_error_is_a_line_and_its_status(call, monkeypatch, kind):
    def refused(*_, **__):
        error = kind.__new__(kind)
        error.args = ("planted",)
        raise error

    monkeypatch.setattr("lockstep.cli.main.run", refused)
    assert call(*CALL) == (kind.exit_status, "", "lockstep: planted\n")


def test_a_mistake_is_in_json_where_it_was_asked_for(call, tmp_path):
    file = tmp_path / "a.json"
    status, _, err = call("check", "nowhere.py:Adam", "--like", "optim.adam", "--json", str(file))
    assert status == 2
    expected = {"kind": "CannotCheck", "message": err.removeprefix("lockstep: ").strip(), "exit_status": 2}
    assert json.loads(file.read_text("utf-8")) == {"error": expected}


@pytest.mark.parametrize("option", [["--json", "{}"], ["--json={}"]])
def test_a_call_of_the_wrong_form_is_in_json_too(call, tmp_path, option):
    file = tmp_path / "a.json"
    assert call(*CALL, "--stepps", "1", *[word.format(file) for word in option])[0] == 2
    assert json.loads(file.read_text("utf-8"))["error"]["kind"] == "usage"


def test_an_answer_is_not_replaced_by_how_the_call_ended(call, tmp_path):
    (tmp_path / "theirs.py").write_text("def frobnicate(a, b, c): ...\n")
    file = tmp_path / "a.json"
    words = ("check", f"{tmp_path / 'theirs.py'}:frobnicate", "--like", "optim.adam", "--json", str(file))
    assert call(*words)[0] == 2
    assert json.loads(file.read_text("utf-8"))["verdict"] == "broken"


def test_an_interrupt_says_so(call, monkeypatch, tmp_path):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("lockstep.cli.main.run", interrupted)
    status, out, err = call(*CALL, "--json", str(tmp_path / "a.json"))
    assert (status, out) == (130, "")
    assert err == "lockstep: stopped; what was not finished was not written\n"
    assert json.loads((tmp_path / "a.json").read_text("utf-8"))["error"]["kind"] == "stopped"


# From Python


@pytest.mark.parametrize(
    "nonsense",
    [
        lambda: lockstep.run("optim.adm"),
        lambda: lockstep.run("optim.adam", steps=0),
        lambda: lockstep.run("optim.adam", seed="one"),  # type: ignore[arg-type]
        lambda: lockstep.run("optim.adam", hyperparameters={"lr": -1.0}),
        lambda: lockstep.run("optim.adam", hyperparameters={"lrr": 1.0}),
        lambda: lockstep.run("optim.adam", problem="rosenbrok"),
        lambda: lockstep.run("optim.adam", path="fuse"),
        lambda: lockstep.run("layers.dropout", hyperparameters={"p": 2.0}),
        lambda: lockstep.run("models.mlp", problem="digit"),
        lambda: lockstep.run("models.mlp", path="fuse"),
        lambda: lockstep.run("models.mlp", problem="mnist:nowhere"),
        lambda: lockstep.run("models.mlp", hyperparameters={"lr": -1.0}),
        lambda: lockstep.explain("optim.adam", hyperparameters={"eps": -1.0}),
        lambda: lockstep.ledger("optim.adam", rounding="up"),
        lambda: lockstep.check(Adam, like="optim.adam", hyperparameters={"lr": -1.0}),
        lambda: lockstep.check(Adam, like="optim.adam", hyperparameters={"lrr": 1.0}),
        lambda: lockstep.check(Adam, like="optim.adam", only="nothing"),
        lambda: lockstep.load("nowhere.json"),
        lambda: names(["optim.lion"]),
    ],
)
def test_nonsense_from_python_is_a_lockstep_error(nonsense):
    with pytest.raises(LockstepError):
        nonsense()


# The hierarchy is its documentation


TREE = re.compile(r"^    ([│├└─ ]*)(\w+)(?:  |$)", re.MULTILINE)


def drawn(text: str) -> dict[str, str]:
    """Each class of the drawing to the one it stands under."""
    under: dict[str, str] = {}
    above: list[tuple[int, str]] = []
    for indent, name in TREE.findall(text):
        above = [(depth, parent) for depth, parent in above if depth < len(indent)]
        under[name] = above[-1][1] if above else ""
        above.append((len(indent), name))
    return under


def test_the_documentation_of_errors_is_the_hierarchy():
    found = {kind.__name__: kind for kind in descendants(LockstepError)}
    under = drawn(errors.__doc__ or "")
    assert under.keys() == {"LockstepError", *found}
    assert {name: kind.__bases__[0].__name__ for name, kind in found.items()} == {
        name: parent for name, parent in under.items() if parent
    }


def test_what_is_said_of_second_bases_is_so():
    for base, kinds in {ValueError: (errors.NoSuchName, BadValue), TypeError: (errors.BadArgument,)}.items():
        assert all(issubclass(kind, base) for kind in kinds)


FAULTS = {"NotImplementedError", "NoSuchMessage", "Exit"}  # what may be raised besides
INSIDE = {
    "diagnose/search.py: Refuted",
    "diagnose/effort.py: Exhausted",  # calls that only Lockstep makes, of itself
    "adapters/making.py: AttributeError",  # what is asked of an object that answers for somebody's code
    "adapters/optimizer/shapes/held_step.py: AttributeError",
    "explanation/matrix.py: ChildProcessError",  # a worker that died, which its scheduler tries again
    "numerics/compiler.py: AttributeError",  # what a module is asked for that it has not
    "numerics/difference.py: TypeError",
    "numerics/difference.py: ValueError",
    "diagnose/by_line/many.py: TypeError",
    "numerics/bounded.py: TypeError",
    "numerics/bounded.py: Undecided",
    "numerics/formats.py: TypeError",
    "numerics/verdict.py: ValueError",
    "records/schema.py: ValueError",
    "subjects/families/driven/closures.py: Enough",  # how a closure that counts its calls comes back
    "subjects/families/driven/loops.py: problems[0]",  # what their loop raised
    "subjects/families/driven/followed.py: Parted",  # how one that asks of a recording does
    "subjects/families/driven/followed.py: Unanswered",
    "subjects/families/driven/followed.py: Unexplored",
    "tasks/sources.py: UnknownImport",
    "tasks/task.py: TypeError",
    "tasks/workers.py: TaskFailed",
}


def test_lockstep_raises_nothing_that_has_no_place_in_it():
    known = {kind.__name__ for kind in descendants(LockstepError)} | {"LockstepError"}
    strange = {
        f"{path.relative_to(package.__path__[0]).as_posix()}: {name}"
        for package in (lockstep, drawing)
        for path in pathlib.Path(package.__path__[0]).rglob("*.py")
        for name in raised(path.read_text("utf-8"))
        if name not in known | FAULTS
    }
    assert strange == INSIDE


@pytest.mark.parametrize("text", ["raise ValueError('x')", "if 1:\n    raise ValueError", "raise a.ValueError from x"])
def test_an_error_without_a_place_would_be_noticed(text):
    assert list(raised(text)) == ["ValueError"]


def test_an_error_that_is_not_drawn_would_be_noticed():
    text = (errors.__doc__ or "").replace("│   ├── BadValue ", "│   ├── BadValues")
    assert "BadValue" not in drawn(text)
    moved = (errors.__doc__ or "").replace("├── BadFile ", "│   ├── BadFile ")
    assert drawn(moved)["BadFile"] != "LockstepError"


def test_all_that_is_caught_would_be_noticed(call, monkeypatch):
    source = inspect.getsource(ending).replace("except LockstepError as error:", "except Exception as error:")
    source = source.replace("error.exit_status", "2").replace("error.said", "str(error)")
    names: dict = {}
    exec(compile(source, "planted", "exec"), names)
    monkeypatch.setattr(sys.modules["lockstep.cli.main"], "ending", names["ending"])
    monkeypatch.setattr(Adam, "step_one", lambda *_: int("one"))
    assert call(*CALL)[0] == 2
