"""What `lockstep.run` takes, gives and refuses."""

import inspect
import shlex

import numpy as np
import pytest

import lockstep
from lockstep import Case, Verdict
from lockstep.cli.main import app
from lockstep.engine.wording import wording
from lockstep.errors import NoSuchName
from reference.optim.optimizer import Optimizer

STEPS = 5


@pytest.fixture
def wrong(monkeypatch):
    """Every optimizer of the reference is a thousandth off."""
    right = Optimizer.step_one

    def off(self, name, grad):
        right(self, name, grad)
        self.params[name] *= self.params[name].dtype.type(1.001)

    monkeypatch.setattr(Optimizer, "step_one", off)


# the interface as it is promised


def test_the_call_of_the_readme():
    run = lockstep.run(
        "optim.adam",
        problem="rosenbrock",
        steps=20,
        dtype="float32",
        seed=0,
        path="single",
        hyperparameters={"lr": 1e-2, "amsgrad": True},
    )
    assert run.verdict in ("identical", "rounding")
    assert isinstance(run.verdict, Verdict)
    for series in (run.drift, run.defect):
        assert set(series) >= {"param", "exp_avg", "exp_avg_sq", "max_exp_avg_sq", "grad", "loss", "step"}
        for column in series.values():
            assert isinstance(column, np.ndarray)
            assert column.shape == (20,)
    first = run.first_difference
    assert first is None or {"step", "quantity", "tensor", "line", "index", "ours", "theirs"} <= set(vars(first))


def test_nothing_but_the_subject_is_positional_or_needed():
    parameters = inspect.signature(lockstep.run).parameters
    assert list(parameters)[:7] == ["subject", "case", "problem", "steps", "dtype", "seed", "path"]
    assert "hyperparameters" in parameters
    for name, parameter in parameters.items():
        if name == "subject":
            assert parameter.kind is parameter.POSITIONAL_OR_KEYWORD
        else:
            assert parameter.kind is parameter.KEYWORD_ONLY
            assert parameter.default is not parameter.empty
    assert lockstep.run("optim.sgd", steps=1).request.case.desc == "defaults"


def test_what_lockstep_offers():
    for name in lockstep.__all__:
        assert inspect.getdoc(getattr(lockstep, name))


def test_a_run_tells_of_itself():
    run = lockstep.run("optim.adam", steps=STEPS)
    assert str(run) == wording(run.label, run.verdict, run.evidence, None, run.rerun)
    assert run.label == "optim.adam[float32, single, defaults]"
    assert repr(run) == f"<{str(run).splitlines()[0]}>"
    assert run.outcome.verdict is run.verdict
    assert 0 <= run.used <= 1
    assert np.array_equal(run.series("drift", "param", "absolute"), run.drift["param"])
    assert np.array_equal(run.series("defect", "param", "used") <= run.used, [True] * STEPS)


def test_a_wrong_subject_is_different(wrong):
    run = lockstep.run("optim.sgd", steps=STEPS)
    assert run.verdict is Verdict.DIFFERENT
    assert run.evidence is not None
    assert (run.evidence.step, run.evidence.line, run.evidence.nearer) == (1, "param", "theirs")
    lines = str(run).splitlines()
    assert lines[0] == "optim.sgd[float32, single, defaults]: different from step 1, line param"
    assert [line.split()[0] for line in lines[1:]] == ["at", "yours", "pytorch", "apart", "rerun"]
    assert f"{run.evidence.ours:.9g}   " in lines[2]
    assert run.evidence.ours_bits in lines[2]
    assert run.evidence.theirs_bits in lines[3]
    assert "nearer to exact: pytorch" in lines[3]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_digits_and_bits_are_those_of_the_dtype(dtype, wrong):
    run = lockstep.run("optim.sgd", steps=1, dtype=dtype)
    evidence = run.evidence
    assert evidence is not None
    written = str(run).splitlines()[2].split()[1]
    kind = np.dtype(dtype).type
    assert kind(written) == kind(evidence.ours)
    assert len(evidence.ours_bits) == 2 + 2 * np.dtype(dtype).itemsize


# one seed, one result


def arrays(run):
    return run.record.arrays


def same(one, other) -> bool:
    return one.keys() == other.keys() and all(array.tobytes() == other[key].tobytes() for key, array in one.items())


@pytest.mark.parametrize("subject", ["optim.adam", "layers.batchnorm"])
def test_one_seed_is_one_result(subject):
    once, again, other = (arrays(lockstep.run(subject, steps=3, seed=seed)) for seed in (7, 7, 8))
    assert same(once, again)
    assert not same(once, other)


def test_the_callers_random_numbers_are_left_alone():
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    lockstep.run("optim.adam", steps=2)
    assert np.array_equal(np.random.get_state()[1], before)  # noqa: NPY002


# problems of the caller's own


def test_a_callable_is_a_problem():
    seen = []

    def bowl(params):
        seen.append({name: (param.dtype, param.shape) for name, param in params.items()})
        return {name: 2 * param for name, param in params.items()}

    run = lockstep.run("optim.sgd", problem=bowl, steps=STEPS, dtype="float64", hyperparameters={"lr": 0.1})
    assert run.verdict.passes
    assert len(seen) == 3 * STEPS  # theirs, the free run, the resynchronised one
    assert seen[0] == {"weight": (np.float64, (13, 7)), "bias": (np.float64, (5,))}
    assert run.rerun == "lockstep.run with the problem it was given"


def test_gradients_are_a_problem():
    gradients = np.random.default_rng(0).standard_normal((STEPS, 4))
    run = lockstep.run("optim.sgd", problem=gradients, steps=STEPS, dtype="float64", hyperparameters={"lr": 1.0})
    assert run.verdict is Verdict.IDENTICAL
    path = run.record.arrays["trace/path/ours"]
    assert path.shape == (STEPS + 1, 4)
    for step in range(STEPS):
        assert np.array_equal(path[step + 1], path[step] - gradients[step])


def test_gradients_of_several_tensors_are_a_problem():
    gradients = {"w": np.ones((STEPS, 2, 3), np.float32), "b": np.ones((STEPS, 2), np.float32)}
    run = lockstep.run("optim.adam", problem=gradients, steps=STEPS)
    assert run.verdict.passes
    assert run.series("defect", "param", "elements")[0] == 8


def test_a_callable_that_keeps_its_argument_changes_nothing():
    """Neither side's memory is handed out."""

    def thief(params):
        for name in params:
            params[name] += 1
        return {name: np.ones_like(param) for name, param in params.items()}

    run = lockstep.run("optim.sgd", problem=thief, steps=STEPS)
    honest = lockstep.run("optim.sgd", problem=lambda p: {k: np.ones_like(v) for k, v in p.items()}, steps=STEPS)
    assert same(arrays(run), arrays(honest))


# what is refused, before a step is taken


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"subject": "optim.adm"}, ValueError, "did you mean 'optim.adam'?"),
        ({"subject": "adam"}, ValueError, "did you mean 'optim.adam'?"),
        ({"subject": "optim"}, ValueError, "no subject 'optim'"),
        ({"subject": ""}, ValueError, "optim.adam"),
        ({"case": "defalts"}, ValueError, "no case 'defalts'; there are: defaults;"),
        ({"problem": "rosenbrok"}, NoSuchName, "did you mean 'rosenbrock'?"),
        ({"problem": 3}, TypeError, "problem must be"),
        ({"problem": np.array(["a"])}, TypeError, "problem must be"),
        ({"problem": {}}, ValueError, "empty"),
        ({"steps": 0}, ValueError, "steps must be a whole number from 1 on, not 0"),
        ({"steps": -3}, ValueError, "not -3"),
        ({"steps": 2.0}, ValueError, "not 2.0"),
        ({"steps": True}, ValueError, "not True"),
        ({"judge_every": 0}, ValueError, "judge_every must be a whole number from 1 on, not 0"),
        ({"drift_every": 0}, ValueError, "drift_every must be a whole number from 1 on, not 0"),
        (
            {"dtype": "float8"},
            ValueError,
            "dtype must be one of 'float64', 'float32', 'bfloat16', 'float16', not 'float8'",
        ),
        ({"dtype": "double"}, ValueError, "not 'double'"),
        ({"path": "fuse"}, ValueError, "it has single, foreach, fused"),
        ({"path": ""}, ValueError, "it has single, foreach, fused"),
        ({"subject": "optim.rmsprop", "path": "fused"}, ValueError, "it has single, foreach"),
        ({"subject": "layers.linear", "path": "fused"}, ValueError, "no paths"),
        ({"subject": "layers.linear", "problem": "rosenbrock"}, ValueError, "no input 'rosenbrock'; there are normal,"),
        ({"hyperparameters": {"learning_rate": 0.1}}, TypeError, "unexpected keyword argument 'learning_rate'"),
        ({"hyperparameters": {"lr": -0.1}}, ValueError, "Invalid learning rate: -0.1"),
        ({"hyperparameters": {"lr": "0.1"}}, TypeError, "lr must be a number, not '0.1'"),
        ({"hyperparameters": {"steps": 3}}, TypeError, "'steps' belongs to the case and is no hyperparameter"),
        ({"hyperparameters": {"problem": "zero"}}, TypeError, "'problem' belongs to the case"),
        ({"hyperparameters": {"desc": "x"}}, TypeError, "'desc' belongs to the case"),
        ({"seed": "x"}, TypeError, "seed must be a whole number, not 'x'"),
        ({"seed": 1.5}, TypeError, "seed must be a whole number, not 1.5"),
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused_before_a_step(arguments, error, words):
    told = []
    with pytest.raises(error) as raised:
        lockstep.run(**({"subject": "optim.adam"} | arguments), on_step=told.append)
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)
    assert told == []


def test_too_few_gradients_are_refused_before_a_step():
    told = []
    with pytest.raises(ValueError, match=f"there are gradients for 3 steps, not for {STEPS}"):
        lockstep.run("optim.sgd", problem=np.ones((3, 4)), steps=STEPS, on_step=told.append)
    assert told == []


@pytest.mark.parametrize("count", [3, 20])
def test_a_run_takes_as_many_steps_as_there_are_gradients(count):
    assert lockstep.run("optim.sgd", problem=np.ones((count, 4))).outcome.steps == count


# running it again


def command_of(run) -> list[str]:
    words = shlex.split(run.rerun)
    assert words[:2] == ["lockstep", "run"]
    return words[1:]


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"steps": 3, "dtype": "float64", "seed": 4, "path": "foreach"},
        {"problem": "rosenbrock", "hyperparameters": {"lr": 0.01, "betas": (0.8, 0.9), "amsgrad": True}},
        {"case": "everything at once", "hyperparameters": {"eps": 1e-5}},
        {"case": "gradients near eps", "path": "fused"},
    ],
    ids=str,
)
def test_the_command_runs_the_same_again(arguments, tmp_path):
    run = lockstep.run("optim.adam", **({"steps": 2} | arguments))
    app([*command_of(run), "--json", str(tmp_path / "again.json")], standalone_mode=False)
    again = lockstep.load(tmp_path / "again.json")
    assert same(run.record.arrays, again.arrays)
    assert again.rerun == run.rerun
    assert again.desc == run.request.case.desc


@pytest.mark.parametrize(
    "case", [Case("mine", shapes={"w": (3,)}), Case("mine", none_at=2), Case("defaults", lr_at={2: 1.0})]
)
def test_what_no_command_can_say_is_not_said_by_one(case):
    run = lockstep.run("optim.adam", case=case, steps=2)
    assert run.rerun == "lockstep.run with the case it was given"


def test_a_hyperparameter_that_is_none_is_said(tmp_path):
    """BatchNorm's momentum=None is the cumulative average, and not its default."""
    run = lockstep.run("layers.batchnorm", steps=2, hyperparameters={"momentum": None})
    assert "momentum=None" in command_of(run)


def test_a_case_of_ones_own_that_a_command_can_say():
    run = lockstep.run("optim.adam", case=Case("mine", problem="zero after step 3", lr=0.5), steps=2)
    assert command_of(run)[2:6] == ["--problem", "zero after step 3", "--set", "lr=0.5"]
