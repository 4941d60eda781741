"""Optimizers that other people wrote, in NumPy's place: scikit-learn's, and the notebook's own.

What each is found to be is stated by its test. They know nothing of the engine; a few lines around each of
them give it what a side needs: parameters, state and a step.
"""

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import pytest
from sklearn.neural_network import _stochastic_optimizers as sklearn

from lockstep.cases import Case
from lockstep.engine.run import Run
from lockstep.numerics.verdict import Verdict
from lockstep.subjects.registry import asked
from parity_tests.support.families import SAME, run_of

pytestmark = pytest.mark.slow

DTYPES = ("float32", "float64")


class Foreign:
    """What a side needs, around an optimizer whose state is in lists or dictionaries of its own.

    counts: whether PyTorch's counterpart keeps a count of steps.
    """

    counts: ClassVar[bool] = True

    def __init__(self, params, **hyperparameters):
        self.params = params
        self.names = [*params]
        self.hyperparameters = hyperparameters
        self.optimizer: Any = self.made(**hyperparameters)
        self.steps = 0

    def made(self, **hyperparameters) -> Any:
        """The optimizer itself."""
        raise NotImplementedError

    def entries(self) -> dict[str, dict[str, np.ndarray]]:
        """PyTorch's key to tensor name to entry, once there are any."""
        raise NotImplementedError

    def take(self, key: str, name: str, array: np.ndarray) -> None:
        """One entry of the state, in its place in the optimizer."""
        raise NotImplementedError

    def set(self, name, value) -> None:
        assert name == "lr"
        self.hyperparameters["lr"] = value

    def step(self, grads) -> None:
        self.steps += 1

    @property
    def state(self) -> dict[str, dict[str, np.ndarray]]:
        if not self.steps:
            return {name: {} for name in self.names}
        count = {"step": np.float32(self.steps)} if self.counts else {}
        return {name: count | {key: named[name] for key, named in self.entries().items()} for name in self.names}

    def load_state(self, state) -> None:
        for name, entries in state.items():
            for key, array in entries.items():
                if key == "step":
                    self.steps = int(array)
                    self.optimizer.t = self.steps
                else:
                    self.steps = self.steps or 1
                    self.take(key, name, array.copy())


class SklearnAdam(Foreign):
    """sklearn.neural_network's AdamOptimizer."""

    def made(self, lr=1e-3, eps=1e-8):
        return sklearn.AdamOptimizer([*self.params.values()], lr, epsilon=eps)

    def entries(self):
        lists = {"exp_avg": self.optimizer.ms, "exp_avg_sq": self.optimizer.vs}
        return {key: dict(zip(self.names, arrays, strict=True)) for key, arrays in lists.items()}

    def take(self, key, name, array):
        {"exp_avg": self.optimizer.ms, "exp_avg_sq": self.optimizer.vs}[key][self.names.index(name)] = array

    def step(self, grads):
        super().step(grads)
        self.optimizer.update_params([*self.params.values()], [grads[name] for name in self.names])


class SklearnSGD(Foreign):
    """sklearn.neural_network's SGDOptimizer: its velocity is PyTorch's buffer times -lr.

    Told from one to the other without rounding where lr is a power of two.
    """

    counts = False

    def made(self, lr=1e-3, momentum=0.0, nesterov=False):
        return sklearn.SGDOptimizer([*self.params.values()], lr, momentum=momentum, nesterov=nesterov)

    def set(self, name, value):
        self.optimizer.learning_rate = value

    def entries(self):
        if not self.hyperparameters.get("momentum"):
            return {}
        buffers = [velocity / -self.optimizer.learning_rate for velocity in self.optimizer.velocities]
        return {"momentum_buffer": dict(zip(self.names, buffers, strict=True))}

    def take(self, key, name, array):
        self.optimizer.velocities[self.names.index(name)] = array * -self.optimizer.learning_rate

    def step(self, grads):
        super().step(grads)
        self.optimizer.update_params([*self.params.values()], [grads[name] for name in self.names])


class AdamOptimizer:
    """The notebook's, section 1.1, in its form."""

    def __init__(self, learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8):
        self.lr, self.beta1, self.beta2, self.epsilon = learning_rate, beta1, beta2, epsilon
        self.m, self.v, self.t = {}, {}, 0

    def update(self, params, grads):
        self.t += 1
        for key in params:
            if key not in self.m:
                self.m[key] = np.zeros_like(params[key])
                self.v[key] = np.zeros_like(params[key])
            self.m[key] = self.beta1 * self.m[key] + (1 - self.beta1) * grads[key]
            self.v[key] = self.beta2 * self.v[key] + (1 - self.beta2) * (grads[key] ** 2)
            m_hat = self.m[key] / (1 - self.beta1**self.t)
            v_hat = self.v[key] / (1 - self.beta2**self.t)
            params[key] -= self.lr * m_hat / (np.sqrt(v_hat) + self.epsilon)
        return params


class RMSpropOptimizer:
    """The notebook's, section 1.1, in its form."""

    def __init__(self, learning_rate=0.001, beta=0.9, epsilon=1e-8):
        self.lr, self.beta, self.epsilon = learning_rate, beta, epsilon
        self.v = {}

    def update(self, params, grads):
        for key in params:
            if key not in self.v:
                self.v[key] = np.zeros_like(params[key])
            self.v[key] = self.beta * self.v[key] + (1 - self.beta) * (grads[key] ** 2)
            params[key] -= self.lr * grads[key] / (np.sqrt(self.v[key]) + self.epsilon)
        return params


class SGDOptimizer:
    """The notebook's, section 1.1, in its form."""

    def __init__(self, learning_rate=0.01):
        self.lr = learning_rate

    def update(self, params, grads):
        for key in params:
            params[key] -= self.lr * grads[key]
        return params


class Notebook(Foreign):
    """One of the notebook's classes; `moments` are its dictionaries under PyTorch's keys."""

    kind: ClassVar[Callable[..., Any]]
    moments: ClassVar[dict[str, str]] = {}

    def made(self, lr, **others):
        return type(self).kind(lr)

    def entries(self):
        return {key: getattr(self.optimizer, name) for key, name in self.moments.items()}

    def take(self, key, name, array):
        getattr(self.optimizer, self.moments[key])[name] = array

    def step(self, grads):
        super().step(grads)
        self.optimizer.update(self.params, grads)


class NotebookAdam(Notebook):
    kind = AdamOptimizer
    moments = {"exp_avg": "m", "exp_avg_sq": "v"}


class NotebookRMSprop(Notebook):
    kind = RMSpropOptimizer
    moments = {"square_avg": "v"}


class NotebookSGD(Notebook):
    kind, counts = SGDOptimizer, False


def held_against(path: str, ours: type, dtype: str, steps: int = 12, problem: str = "normal", **settings) -> Run:
    case = Case("someone else's", problem=problem, **settings)
    return run_of(path, case, dtype, asked(path, case, dtype, "single").pair(ours), steps)


def different_at(run: Run) -> dict[str, list[int]]:
    """Quantity to the steps at which it is outside what is allowed."""
    found = {name: np.flatnonzero(run.series("defect", name, "used") > 1) + 1 for name in run.outcome.verdicts}
    return {name: steps.tolist() for name, steps in found.items() if steps.size}


EVERY = [*range(1, 13)]


# scikit-learn's Adam: eps is added before the bias correction ("eps-hat")


@pytest.mark.parametrize("dtype", DTYPES)
def test_sklearns_adam_is_another_formula_near_eps(dtype):
    run = held_against("optim.adam", SklearnAdam, dtype, problem="near eps")
    assert run.verdict is Verdict.DIFFERENT, str(run)
    assert different_at(run) == {"param": EVERY}  # both moments are PyTorch's
    assert run.evidence is not None
    assert run.evidence.line == "param"
    assert run.evidence.nearer == "theirs"
    assert run.evidence.relative > 0.5


@pytest.mark.parametrize("problem", ["normal", "large offset", "rosenbrock"])
def test_sklearns_adam_away_from_eps_is_told_in_float64_alone(problem):
    """There the difference is some eps in size, which float32 has not the digits for."""
    for dtype, verdicts, steps in (("float32", SAME, {}), ("float64", {Verdict.DIFFERENT}, {"param": EVERY})):
        run = held_against("optim.adam", SklearnAdam, dtype, problem=problem)
        assert run.verdict in verdicts, str(run)
        assert different_at(run) == steps


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("problem", ["normal", "near eps"])
def test_sklearns_adam_is_pytorchs_without_an_eps(problem, dtype):
    run = held_against("optim.adam", SklearnAdam, dtype, problem=problem, eps=0.0)
    assert run.verdict in SAME, str(run)


def test_sklearns_adam_takes_float32_parameters_by_steps_of_float64():
    """A NumPy number is its learning rate; the sum goes back into the float32 array, so no dtype changes."""
    params = {"weight": np.ones(3, np.float32)}
    adam = SklearnAdam(params).optimizer
    assert adam._get_updates([params["weight"]])[0].dtype == np.float64


# scikit-learn's SGD: lr inside the momentum


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "settings", [{"momentum": 0.9}, {"momentum": 0.9, "nesterov": True}], ids=["momentum", "nesterov"]
)
def test_sklearns_sgd_is_pytorchs_until_lr_changes(settings, dtype):
    """And again from the step after it: the velocity alone carries the old lr along."""
    run = held_against("optim.sgd", SklearnSGD, dtype, lr=2.0**-4, **settings)
    assert run.verdict in SAME, str(run)
    run = held_against("optim.sgd", SklearnSGD, dtype, lr=2.0**-4, lr_at={6: 2.0**-7}, **settings)
    assert run.verdict is Verdict.DIFFERENT
    assert different_at(run) == {"param": [6], "momentum_buffer": [6]}
    assert run.evidence is not None
    assert (run.evidence.step, run.evidence.line) == (6, "buf")


@pytest.mark.parametrize("dtype", DTYPES)
def test_sklearns_sgd_without_momentum_is_pytorchs_whatever_lr(dtype):
    run = held_against("optim.sgd", SklearnSGD, dtype, lr=0.05, lr_at={6: 0.01})
    assert run.verdict in SAME, str(run)


# the notebook's own classes


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("problem", ["normal", "near eps", "rosenbrock"])
def test_the_notebooks_adam_is_pytorchs_but_for_rounding(problem, dtype):
    run = held_against("optim.adam", NotebookAdam, dtype, problem=problem, lr=1e-3)
    assert run.verdict in SAME, str(run)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("problem", ["normal", "near eps", "rosenbrock"])
def test_the_notebooks_rmsprop_has_an_alpha_of_its_own(problem, dtype):
    """0.9, where PyTorch has 0.99; its eps is PyTorch's 1e-8."""
    run = held_against("optim.rmsprop", NotebookRMSprop, dtype, problem=problem, lr=1e-3)
    assert run.verdict is Verdict.DIFFERENT
    assert different_at(run) == {"square_avg": EVERY, "param": EVERY}
    assert run.evidence is not None
    assert (run.evidence.step, run.evidence.line) == (1, "v")
    run = held_against("optim.rmsprop", NotebookRMSprop, dtype, problem=problem, lr=1e-3, alpha=0.9)
    assert run.verdict in SAME, str(run)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("problem", ["normal", "near eps", "rosenbrock"])
def test_the_notebooks_sgd_is_pytorchs(problem, dtype):
    run = held_against("optim.sgd", NotebookSGD, dtype, problem=problem, lr=1e-3)
    assert run.verdict in SAME, str(run)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("path", "foreign", "settings"),
    [
        ("optim.adam", NotebookAdam, {}),
        ("optim.rmsprop", NotebookRMSprop, {"alpha": 0.9}),
        ("optim.sgd", NotebookSGD, {}),
    ],
    ids=["Adam", "RMSprop", "SGD"],
)
def test_the_papers_order_is_the_notebooks_to_the_last_bit(path, foreign, settings, dtype):
    """`reference` beside the notebook, 100 steps down Rosenbrock's valley as the notebook takes them."""
    case = Case("the notebook's", problem="rosenbrock", lr=1e-3, **settings)
    request = asked(path, case, dtype, "single")
    run = run_of(path, case, dtype, request.pair()._replace(theirs=request.pair(foreign).ours), 100)
    assert run.verdict is Verdict.IDENTICAL, str(run)
