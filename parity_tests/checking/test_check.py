"""`lockstep.check`: every shape is recognised, real code is told what is true of it, and faults say what they are."""

import importlib
import inspect
import json
import pathlib
from xml.etree import ElementTree

import numpy as np
import pytest

import lockstep
from lockstep.adapters.names import match
from lockstep.causes import causes
from lockstep.checking.driving.trials import trials
from lockstep.numerics.verdict import Verdict
from lockstep.subjects.registry import find
from parity_tests.support.command import run
from parity_tests.support.shapes import SHAPES, OnDicts, update

pytestmark = pytest.mark.slow

FLOAT64 = ("float64",)
SUPPORT = pathlib.Path(__file__).parents[1] / "support"


# every shape


@pytest.mark.parametrize("name", SHAPES)
def test_a_shape_is_recognised_and_faithful(name):
    found = lockstep.check(SHAPES[name], like="optim.adam", dtypes=FLOAT64)
    hidden = name in ("parameters at the start", "three functions", "whole loop", "an adapter")
    assert found.verdict is (Verdict.PARTIAL if hidden else Verdict.ROUNDING), str(found)
    assert found.unseen == (["exp_avg", "exp_avg_sq"] if hidden else [])
    assert (found.exit_status, found.strict_status) == (0, 3 if hidden else 0)
    assert len(found.outcomes) >= 10
    assert found.nearer["yours"] + found.nearer["pytorch"] > 0


@pytest.mark.parametrize("name", SHAPES)
def test_a_wrong_formula_shows_through_every_shape(name, monkeypatch):
    def wrong(p, g, m, v, t, lr, b1, b2, eps):
        _, m, v = update(p, g, m, v, t, lr, b1, b2, 0.0)
        return p - lr * (m / (1 - b1**t)) / np.sqrt(v / (1 - b2**t) + eps), m, v

    monkeypatch.setattr("parity_tests.support.shapes.update", wrong)
    found = lockstep.check(SHAPES[name], like="optim.adam", dtypes=FLOAT64, only="gradients near eps")
    assert found.verdict is Verdict.DIFFERENT
    assert found.first_difference is not None
    assert (found.first_difference.step, found.first_difference.line) == (1, "param")
    assert [cause["id"] for cause in found.causes] == ["eps-inside-sqrt"]


@pytest.mark.parametrize(
    ("name", "state"),
    [("dicts, in place", True), ("lists", True), ("by name", True), ("init and update", True), ("whole loop", False)],
)
def test_state_is_found_where_it_can_be_seen(name, state):
    found = lockstep.check(SHAPES[name], like="optim.adam", dtypes=FLOAT64, only="normal gradients")
    assert set(found.outcomes[0].recording.steps[0].state) == ({"exp_avg", "exp_avg_sq"} if state else set())


def test_names_are_matched():
    wanted = ("lr", "alpha", "eps", "momentum", "weight_decay")
    assert match(["alpha", "rho", "epsilon"], wanted) == {"lr": "alpha", "alpha": "rho", "eps": "epsilon"}
    assert match(["learning_rate", "beta", "epsilon"], ("lr", "alpha", "eps")) == {
        "alpha": "beta",
        "eps": "epsilon",
        "lr": "learning_rate",
    }
    assert match(["step_size", "b1", "b2"], ("lr", "betas")) == {"betas": ("b1", "b2"), "lr": "step_size"}
    assert match(["lr", "alpha"], ("lr", "alpha")) == {"lr": "lr", "alpha": "alpha"}


# real ones that nobody here wrote


def test_pytorch_is_identical_to_itself():
    torch = importlib.import_module("torch")
    found = lockstep.check(torch.optim.RMSprop, like="optim.rmsprop")
    assert found.verdict is Verdict.IDENTICAL, str(found)


def test_scikit_learns_adam_has_eps_hat():
    module = importlib.import_module("sklearn.neural_network._stochastic_optimizers")
    found = lockstep.check(module.AdamOptimizer, like="optim.adam", dtypes=FLOAT64)
    assert [cause["id"] for cause in found.causes] == ["eps-hat"], str(found)
    assert found.exit_status == 1


def test_scikit_learns_sgd_carries_lr_in_its_velocity():
    module = importlib.import_module("sklearn.neural_network._stochastic_optimizers")
    found = lockstep.check(module.SGDOptimizer, like="optim.sgd", dtypes=FLOAT64)
    assert [cause["id"] for cause in found.causes] == [
        "lr-inside-momentum",
        "state-scaled",
        "momentum-value",  # 0.9 by default
        "nesterov-value",  # True by default
    ], str(found)
    assert found.first_difference is not None
    assert found.evidence.recording.scenario == "momentum, lr changes"
    assert found.first_difference.step == 4


@pytest.mark.parametrize(
    ("name", "expected"),
    [("sgd", ["ema-momentum", "momentum-value"]), ("rmsprop", ["accumulator-starts-at-one", "alpha-value"])],
)
def test_what_autograds_optimizers_are(name, expected):
    module = importlib.import_module("autograd.misc.optimizers")
    found = lockstep.check(getattr(module, name), like=f"optim.{name}", dtypes=FLOAT64)
    assert [cause["id"] for cause in found.causes] == expected, str(found)


def test_autograds_adam_is_faithful_and_turns_float32_into_float64():
    module = importlib.import_module("autograd.misc.optimizers")
    assert lockstep.check(module.adam, like="optim.adam", dtypes=FLOAT64).verdict is Verdict.PARTIAL
    found = lockstep.check(module.adam, like="optim.adam")
    assert found.verdict is Verdict.PARTIAL, str(found)
    assert found.formats == {"param": ("float32", "float64")}


NOTEBOOK = """
import numpy as np

class RMSpropOptimizer:
    def __init__(self, learning_rate=0.001, beta=0.9, epsilon=1e-8):
        self.lr = learning_rate
        self.beta = beta
        self.epsilon = epsilon
        self.v = {}

    def update(self, params, grads):
        for key in params.keys():
            if key not in self.v:
                self.v[key] = np.zeros_like(params[key])
            self.v[key] = self.beta * self.v[key] + (1 - self.beta) * (grads[key] ** 2)
            params[key] -= self.lr * grads[key] / (np.sqrt(self.v[key]) + self.epsilon)
        return params
"""


def test_a_default_of_its_own_is_named_and_only_that(tmp_path):
    (tmp_path / "notebook_rmsprop.py").write_text(NOTEBOOK, "utf-8")
    answer = tmp_path / "answer.json"
    done = run(
        "check", f"{tmp_path / 'notebook_rmsprop.py'}:RMSpropOptimizer", "--like", "optim.rmsprop", "--json", answer
    )
    assert done.exit_code == 1, done.output
    data = json.loads(answer.read_text("utf-8"))
    assert [(cause["id"], cause["hyperparameters"]) for cause in data["causes"]] == [("alpha-value", {"alpha": 0.9})]
    assert data["names"] == {"alpha": "beta", "eps": "epsilon", "lr": "learning_rate"}
    same = run(
        "check", f"{tmp_path / 'notebook_rmsprop.py'}:RMSpropOptimizer", "--like", "optim.rmsprop", "--set", "alpha=0.9"
    )
    assert same.exit_code == 0, same.output


# faults of the comparison


class Still(OnDicts):
    def update(self, params, grads):
        return None


class Random(OnDicts):
    def update(self, params, grads):
        super().update(params, {key: grad * (1 + np.random.random()) for key, grad in grads.items()})  # noqa: NPY002


class Promotes:
    def __init__(self, lr=1e-3):
        self.lr = np.float64(lr)

    def step(self, params, grads):
        return {key: params[key] - self.lr * grads[key] for key in params}


class Raises(OnDicts):
    def update(self, params, grads):
        super().update(params, grads)
        if self.t == 3:
            raise ZeroDivisionError("their own")


class Leaves(OnDicts):
    def update(self, params, grads):
        super().update(params, grads)
        if self.t == 4:
            raise SystemExit(0)


class Flattens(OnDicts):
    """What comes out of it does not go in again."""

    def update(self, params, grads):
        super().update(params, grads)
        return {key: array.reshape(-1) for key, array in params.items()}


class OneBuffer(lockstep.Adapter):
    """Reads both tensors from one piece of memory."""

    def start(self, params, lr=1e-3):
        self.params, self.lr = params, lr

    def step(self, grads):
        for name, grad in grads.items():
            self.params[name] -= self.lr * grad

    def read(self):
        first, second, *others = self.params
        flat = self.params[first].reshape(-1)
        one = flat[: self.params[second].size].reshape(self.params[second].shape)
        return {name: self.params[name] for name in (first, *others)} | {second: one}


class Turns(lockstep.Adapter):
    def start(self, params, lr=1e-3):
        self.lr, self.params = lr, {name: np.ascontiguousarray(array.T) for name, array in params.items()}

    def step(self, grads):
        for name, grad in grads.items():
            self.params[name] -= self.lr * grad.T


@pytest.mark.parametrize(
    ("target", "fault"),
    [
        (Still, "nothing-moved"),
        (OneBuffer, "shared-memory"),
        (Random, "non-deterministic"),
        (Raises, "exception"),
        (Leaves, "exception"),
        (Flattens, "shape-differs"),
        (Turns, "layout-transposed"),
    ],
)
def test_a_fault_of_the_comparison_comes_first(target, fault):
    found = lockstep.check(target, like="optim.adam")
    assert found.verdict is Verdict.BROKEN
    assert found.broken is not None
    assert found.broken.id == fault
    assert found.exit_status == 2


def test_a_promoted_dtype_is_said_with_its_line_beside_the_verdict_on_the_formula():
    found = lockstep.check(Promotes, like="optim.sgd")
    assert found.broken is None, str(found)
    assert found.verdict is Verdict.ROUNDING
    assert (found.exit_status, found.strict_status) == (0, 3)
    assert found.formats == {"param": ("float32", "float64")}
    line = inspect.getsourcelines(Promotes)[1] + 5
    assert f"dtype-promoted at test_check.py:{line}" in str(found)


def test_an_exception_is_shown_as_theirs():
    found = lockstep.check(Raises, like="optim.adam")
    assert found.broken is not None
    for part in ("ZeroDivisionError: their own", "test_check.py:", "normal gradients", "step 3"):
        assert part in str(found.broken.message)


class AmsgradIgnored(OnDicts):
    def __init__(self, learning_rate=1e-3, beta1=0.9, beta2=0.999, epsilon=1e-8, amsgrad=False):
        super().__init__(learning_rate, beta1, beta2, epsilon)


def test_a_flag_without_effect_is_said():
    found = lockstep.check(AmsgradIgnored, like="optim.adam", dtypes=FLOAT64)
    assert found.verdict is Verdict.DIFFERENT
    assert [cause["id"] for cause in found.causes] == ["no-effect"]
    assert "amsgrad has no effect: with True it does what it does without" in str(found)


def test_what_is_not_taken_is_listed():
    found = lockstep.check(OnDicts, like="optim.adam", dtypes=FLOAT64)
    tried = {outcome.recording.scenario for outcome in found.outcomes}
    skipped = {entry["scenario"] for entry in found.not_triggered} | {"tied parameters", "its own defaults"}
    assert tried | skipped == {trial.name for trial in trials(find("optim.adam"))} | {"its own defaults"}
    assert {"weight decay", "maximize", "a step without gradient"} <= skipped


# calls that make no sense, and files that cannot be read


@pytest.mark.parametrize(
    ("text", "name", "says"),
    [
        ("import no_such_module_at_all\n", "A", "does not import: ModuleNotFoundError"),
        ("def f(:\n", "A", "does not import: SyntaxError"),
        ("raise SystemExit(3)\n", "A", "does not import: SystemExit"),
        ("class B: ...\n", "A", "has no 'A'; there are B"),
        ("class A:\n    def __init__(self, width): ...\n    def step(self, params, grads): ...\n", "A", "'width'"),
        ("class A: ...\n", "A", "no optimizer that can be driven"),
        ("A = 3\n", "A", "no optimizer that can be driven"),
        ("def A(x): return x\n", "A", "'x'"),
        ("def A(x): return x\n", "A", "a torch.optim.Optimizer"),
    ],
)
def test_a_file_that_cannot_be_checked_says_why(text, name, says, tmp_path):
    path = tmp_path / "theirs_that_fails.py"
    path.write_text(text, "utf-8")
    done = run("check", f"{path}:{name}", "--like", "optim.adam")
    assert done.exit_code == 2, done.output
    assert says in done.output + done.stderr
    assert "Traceback" not in done.output + done.stderr


def test_a_missing_file_and_a_missing_name(tmp_path):
    assert run("check", f"{tmp_path / 'none.py'}:A", "--like", "optim.adam").exit_code == 2
    assert run("check", "no_colon", "--like", "optim.adam").exit_code == 2


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"hyperparameters": {"learning_rate": 0.1}}, TypeError),
        ({"hyperparameters": {"lr": -1.0}}, ValueError),
        ({"only": "no such scenario"}, ValueError),
        ({"dtypes": ("float16",)}, ValueError),
    ],
)
def test_a_call_that_makes_no_sense_is_refused(arguments, error):
    with pytest.raises(error):
        lockstep.check(OnDicts, like="optim.adam", **arguments)


def test_an_interrupt_stops_cleanly_and_writes_no_verdict(tmp_path):
    (tmp_path / "interrupted.py").write_text(
        "class A:\n    def __init__(self, lr=1e-3): self.n = 0\n    def step(self, params, grads):\n"
        "        self.n += 1\n        if self.n > 2: raise KeyboardInterrupt\n"
        "        for k in params: params[k] -= grads[k]\n",
        "utf-8",
    )
    done = run("check", f"{tmp_path / 'interrupted.py'}:A", "--like", "optim.sgd", "--json", tmp_path / "a.json")
    assert done.exit_code == 130
    assert "stopped" in done.output + done.stderr
    written = json.loads((tmp_path / "a.json").read_text("utf-8"))  # that it was stopped, and no verdict
    assert written == {"error": {"kind": "stopped", "message": "stopped", "exit_status": 130}}


# the answer


def test_what_it_prints_does_not_hide_the_answer(tmp_path):
    (tmp_path / "prints.py").write_text(
        "class A:\n    def __init__(self, lr=1e-3): self.lr = lr\n    def step(self, params, grads):\n"
        "        print('a step')\n        for k in params: params[k] -= self.lr * grads[k]\n",
        "utf-8",
    )
    done = run("check", f"{tmp_path / 'prints.py'}:A", "--like", "optim.sgd", "--only", "normal gradients")
    assert done.exit_code == 0, done.output
    assert "a step\n" not in done.output
    assert "it prints while it runs" in done.output


def test_the_answer_is_written_as_json_junit_and_page(tmp_path):
    target = f"{SUPPORT / 'shapes.py'}:OnDicts"
    files = [tmp_path / name for name in ("a.json", "a.xml", "a.html")]
    done = run("check", target, "--like", "optim.adam", "--json", files[0], "--junit", files[1], "--html", files[2])
    assert done.exit_code == 0, done.output
    data = json.loads(files[0].read_text("utf-8"))
    keys = {"verdict", "first_difference", "causes", "equivalent", "not_triggered", "scenarios"}
    assert keys <= data.keys()
    assert data["verdict"] == "rounding"
    assert data["first_difference"] is None
    suite = ElementTree.fromstring(files[1].read_text("utf-8"))
    assert int(suite.get("tests", 0)) == len(data["scenarios"]) + len(data["not_triggered"])
    assert suite.get("failures") == "0"
    page = files[2].read_text("utf-8")
    assert page.startswith("<!doctype html>")
    assert "http" not in page


def test_one_seed_one_answer():
    one, other = (lockstep.check(OnDicts, like="optim.adam", dtypes=FLOAT64, seed=3).to_json() for _ in range(2))
    assert one == other
    assert one != lockstep.check(OnDicts, like="optim.adam", dtypes=FLOAT64, seed=4).to_json()


def test_causes_are_listed():
    done = run("causes", "optim.sgd")
    assert done.exit_code == 0
    for cause in causes("optim.sgd"):
        assert cause.id in done.output


class Holds:
    def __init__(self, lr=1e-3):
        self.lr = lr


class BehindKeywords(Holds):
    """PyTorch's Adagrad; lr comes through **kwargs, with a default that is not PyTorch's."""

    def __init__(self, epsilon=1e-10, **kwargs):
        super().__init__(**kwargs)
        self.epsilon, self.sums = epsilon, None

    def update(self, params, grads):
        self.sums = self.sums or [np.zeros_like(param) for param in params]
        for total, param, grad in zip(self.sums, params, grads, strict=True):
            total[...] += grad * grad
            param[...] -= self.lr * grad / (np.sqrt(total) + self.epsilon)


class Reads(BehindKeywords):
    def __init__(self, **kwargs):
        super().__init__(kwargs.get("epsilon", 1e-10), lr=kwargs.pop("lr", 0.5))


@pytest.mark.parametrize("target", [BehindKeywords, Reads])
def test_what_a_constructor_does_not_show_is_told(target):
    found = lockstep.check(target, like="optim.adagrad", dtypes=("float64",))
    assert (found.verdict, found.unseen) == (Verdict.PARTIAL, ["sum"]), str(found)
    assert found.names["lr"] == "lr"


def test_a_default_lr_of_its_own_is_said():
    found = lockstep.check(BehindKeywords, like="optim.adagrad", dtypes=("float64",))
    assert "its default of lr is 0.001; PyTorch's lr is 0.01" in found.to_json()["notes"]


class OnlyFloat32(BehindKeywords):
    def update(self, params, grads):
        assert all(array.dtype == np.float32 for array in (*params, *grads)), "float64 came in"
        super().update(params, grads)


def test_float32_alone_never_touches_float64():
    found = lockstep.check(OnlyFloat32, like="optim.adagrad", dtypes=("float32",))
    assert found.verdict is Verdict.PARTIAL, str(found)


class Spoiling:
    """SGD that weighs its gradients down in the arrays it is given."""

    def __init__(self, params, lr=1e-3):
        self.params, self.lr = params, lr

    def step(self, grads):
        for name, grad in grads.items():
            if grad is not None:
                self.params[name] -= self.lr * grad
                grad[...] = 0


class Sparing(Spoiling):
    def step(self, grads):
        super().step({name: None if grad is None else grad.copy() for name, grad in grads.items()})


@pytest.mark.parametrize(("kind", "times"), [(Spoiling, 1), (Sparing, 0)])
def test_whoever_writes_into_the_gradients_is_told_so_once(kind, times):
    notes = [note.key for note in lockstep.check(kind, like="optim.sgd", only="normal gradients").notes]
    assert notes.count("note.spoils-gradients") == times
