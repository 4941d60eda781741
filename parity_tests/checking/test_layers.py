"""Layers in the shapes people write them in: recognised, and each wrong line shown where it is wrong."""

import importlib
import re
import types

import numpy as np
import pytest

import lockstep
from lockstep.causes import Scenario
from lockstep.checking.driving.roles import roles_of
from lockstep.checking.driving.trials import Trial
from lockstep.numerics.verdict import Verdict
from lockstep.subjects.registry import find

pytestmark = pytest.mark.slow

BATCHNORM = """
import numpy as np

class BatchNorm:
    def __init__(self, num_features, epsilon=1e-5, momentum=0.1):
        self.gamma, self.beta = np.ones((1, num_features)), np.zeros((1, num_features))
        self.moving_mean, self.moving_var = np.zeros(num_features), np.ones(num_features)
        self.epsilon, self.momentum, self.training = epsilon, momentum, True

    def forward(self, x):
        n = len(x)
        if self.training:
            mu, var = x.mean(axis=0), x.var(axis=0)
            self.moving_mean = (1 - self.momentum) * self.moving_mean + self.momentum * mu
            self.moving_var = (1 - self.momentum) * self.moving_var + self.momentum * var * n / (n - 1)
        else:
            mu, var = self.moving_mean, self.moving_var
        self.std = np.sqrt(var + self.epsilon)
        self.x_hat = (x - mu) / self.std
        return self.gamma * self.x_hat + self.beta

    def backward(self, dout):
        self.dgamma, self.dbeta = (dout * self.x_hat).sum(axis=0), dout.sum(axis=0)
        dx_hat = dout * self.gamma
        if not self.training:
            return dx_hat / self.std
        return (dx_hat - dx_hat.mean(axis=0) - self.x_hat * (dx_hat * self.x_hat).mean(axis=0)) / self.std
"""

FUNCTIONS = '''
import numpy as np

def batchnorm_forward(x, gamma, beta, bn_param):
    """As CS231n's homework, with PyTorch's momentum and variance."""
    mode, eps, momentum = bn_param["mode"], bn_param.get("eps", 1e-5), bn_param.get("momentum", 0.1)
    n, d = x.shape
    mean, var = bn_param.get("running_mean", np.zeros(d)), bn_param.get("running_var", np.ones(d))
    mu, s = (x.mean(axis=0), x.var(axis=0)) if mode == "train" else (mean, var)
    if mode == "train":
        bn_param["running_mean"] = (1 - momentum) * mean + momentum * mu
        bn_param["running_var"] = (1 - momentum) * var + momentum * s * n / (n - 1)
    inverse = 1 / np.sqrt(s + eps)
    x_hat = (x - mu) * inverse
    return gamma * x_hat + beta, (x_hat, inverse, gamma, mode)

def batchnorm_backward(dout, cache):
    x_hat, inverse, gamma, mode = cache
    d = dout * gamma
    if mode == "train":
        d = d - d.mean(axis=0) - x_hat * (d * x_hat).mean(axis=0)
    return d * inverse, (dout * x_hat).sum(axis=0), dout.sum(axis=0)
'''

DROPOUT = """
import numpy as np

class Dropout:
    def __init__(self, drop_rate=0.5):
        self.drop_rate, self.rng = drop_rate, np.random.default_rng(0)

    def forward(self, x, train=True):
        scale = 1 / (1 - self.drop_rate) if self.drop_rate < 1 else 0.0
        self.mask = (self.rng.random(x.shape) >= self.drop_rate) * scale if train else np.ones(x.shape)
        self.mask = self.mask.astype(x.dtype)
        return x * self.mask

    def backward(self, dout):
        return dout * self.mask
"""


def module_of(text, old="", new=""):
    assert not old or text.count(old) == 1, old
    module = types.ModuleType("theirs")
    exec(text.replace(old, new), vars(module))
    return module


def checked(target, like):
    return lockstep.check(target, like=like)


@pytest.mark.parametrize(
    ("text", "name", "like"),
    [
        (BATCHNORM, "BatchNorm", "layers.batchnorm"),
        (FUNCTIONS, "batchnorm_forward", "layers.batchnorm"),
        (DROPOUT, "Dropout", "layers.dropout"),
    ],
)
def test_faithful_layers_are_not_accused(text, name, like):
    found = checked(getattr(module_of(text), name), like)
    assert found.verdict in (Verdict.ROUNDING, Verdict.IDENTICAL), str(found)
    assert any(not one.training for outcome in found.outcomes for one in outcome.recording.steps)


@pytest.mark.parametrize(
    ("text", "name", "like", "old", "new", "cause"),
    [
        (BATCHNORM, "BatchNorm", "layers.batchnorm", " * n / (n - 1)", "", "running-variance-biased"),
        (
            BATCHNORM,
            "BatchNorm",
            "layers.batchnorm",
            "dx_hat - dx_hat.mean(axis=0) - self.x_hat * (dx_hat * self.x_hat).mean(axis=0)",
            "dx_hat",
            "statistics-detached",
        ),
        (FUNCTIONS, "batchnorm_forward", "layers.batchnorm", "s * n / (n - 1)", "s", "running-variance-biased"),
        (
            DROPOUT,
            "Dropout",
            "layers.dropout",
            (
                "1 / (1 - self.drop_rate) if self.drop_rate < 1 else 0.0\n"
                "        self.mask = (self.rng.random(x.shape) >= self.drop_rate)"
            ),
            (
                "1 / self.drop_rate if self.drop_rate else 0.0\n"
                "        self.mask = (self.rng.random(x.shape) < self.drop_rate)"
            ),
            "keep-for-drop",
        ),
    ],
)
def test_a_wrong_layer_is_named(text, name, like, old, new, cause):
    found = checked(getattr(module_of(text, old, new), name), like)
    assert found.verdict is Verdict.DIFFERENT
    assert {one["id"] for one in found.causes} == {cause}, str(found)


def test_a_default_of_its_own_is_named():
    found = checked(module_of(BATCHNORM, "epsilon=1e-5", "epsilon=1e-3").BatchNorm, "layers.batchnorm")
    assert [(one["id"], one["hyperparameters"]) for one in found.causes] == [("eps-value", {"eps": 1e-3})], str(found)


def test_features_first_is_found_by_its_numbers():
    module = module_of(
        "import numpy as np\n"
        "def bn_forward(x, gamma, beta, epsilon=1e-5):\n"
        "    s = np.sqrt(x.var(axis=1, keepdims=True) + epsilon)\n"
        "    return gamma * (x - x.mean(axis=1, keepdims=True)) / s + beta\n"
    )
    found = checked(module.bn_forward, "layers.batchnorm")
    assert found.verdict is Verdict.PARTIAL, str(found)
    assert (found.exit_status, found.strict_status) == (0, 3)
    assert "features first" in str(found.words)
    assert any(re.search("no way to tell it to evaluate", str(entry["reason"])) for entry in found.not_triggered)
    missing = ["running_mean", "running_var", "grad_input", "gradient by weight", "gradient by bias"]
    assert found.to_json()["unseen"] == missing
    assert "agrees in what could be seen; not seen: running_mean" in str(found)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_functions_without_running_statistics_stand_beside_pytorchs_in_every_format(dtype):
    module = module_of(
        "import numpy as np\n"
        "def bn_forward(x, gamma, beta, epsilon=1e-5):\n"
        "    s = np.sqrt(x.var(axis=0) + epsilon)\n"
        "    x_hat = (x - x.mean(axis=0)) / s\n"
        "    return gamma * x_hat + beta, (x_hat, s, gamma)\n"
        "def bn_backward(dy, cache):\n"
        "    x_hat, s, gamma = cache\n"
        "    d = dy * gamma\n"
        "    dx = (d - d.mean(axis=0) - x_hat * (d * x_hat).mean(axis=0)) / s\n"
        "    return dx, (dy * x_hat).sum(axis=0), dy.sum(axis=0)\n"
    )
    found = lockstep.check(module.bn_forward, like="layers.batchnorm", dtypes=[dtype], only="features")
    assert found.verdict is Verdict.PARTIAL, str(found)
    assert found.to_json()["unseen"] == ["running_mean", "running_var"]


@pytest.mark.parametrize(
    ("name", "like"),
    [
        ("BatchNorm1d", "layers.batchnorm"),
        ("BatchNorm2d", "layers.batchnorm"),
        ("Linear", "layers.linear"),
        ("ReLU", "layers.activation"),
        ("Sigmoid", "layers.activation"),
        ("Tanh", "layers.activation"),
    ],
)
def test_pytorchs_own_are_identical(name, like):
    nn = importlib.import_module("torch.nn")
    found = checked(getattr(nn, name), like)
    assert found.verdict is Verdict.IDENTICAL, str(found)


def test_pytorchs_own_masks_are_counted():
    found = checked(importlib.import_module("torch.nn").Dropout, "layers.dropout")
    assert found.verdict is Verdict.ROUNDING, str(found)
    assert "its masks are its own draws" in str(found)


def test_weights_stored_in_out_are_recognised():
    module = module_of(
        "import numpy as np\n"
        "class Linear:\n"
        "    def __init__(self, in_features, out_features):\n"
        "        self.W, self.b = np.zeros((in_features, out_features)), np.zeros(out_features)\n"
        "    def forward(self, x):\n        return x @ self.W + self.b\n"
        "    def backward(self, d):\n        return d @ self.W.T\n"
    )
    found = checked(module.Linear, "layers.linear")
    assert found.verdict is Verdict.PARTIAL, str(found)
    assert "weights stored (in, out)" in str(found.words)
    assert list(map(str, found.unseen)) == ["gradient by weight", "gradient by bias"]


def test_penalties_as_functions():
    module = module_of(
        "import numpy as np\n"
        "def l2(w, lam=0.1, m=1): return lam / (2 * m) * np.sum(w**2)\n"
        "def l2_grad(w, lam=0.1, m=1): return lam / m * w\n"
    )
    found = checked(module.l2, "penalty.l2")
    assert found.verdict is Verdict.ROUNDING, str(found)
    wrong = module_of(
        "import numpy as np\n"
        "def l2(w, lam=0.1, m=1): return lam / m * np.sum(w**2)\n"
        "def l2_grad(w, lam=0.1, m=1): return 2 * lam / m * w\n"
    )
    assert [one["id"] for one in checked(wrong.l2, "penalty.l2").causes] == ["l2-twice"]


class Evaluates(lockstep.LayerAdapter):
    takes_mask = True

    def start(self, params, buffers, p=0.5):
        self.p = p

    def run(self, training, inputs, upstream):
        scale = 1 / (1 - self.p) if self.p < 1 else 0.0
        factor = inputs[1] * inputs[0].dtype.type(scale) if training else np.ones_like(inputs[0])
        made = importlib.import_module("lockstep.adapters.layer.adapter").Made
        return made(inputs[0] * factor, upstream * factor)


def test_an_adapter_of_a_layer():
    found = checked(Evaluates, "layers.dropout")
    assert found.verdict in (Verdict.ROUNDING, Verdict.IDENTICAL), str(found)


def test_what_is_no_layer_says_what_would_be():
    found = checked(type("Dropout", (), {}), "layers.dropout")
    assert found.exit_status == 2
    assert found.broken is not None
    assert "the shapes that are recognised" in str(found.broken.message)


def test_a_batch_of_one_tells_no_roles_and_ends_no_check():
    """BatchNorm refuses it in training; another scenario tells which attribute is which."""
    subject = find("layers.batchnorm")
    alone = next(case for case in subject.cases.CASES if case.shape[0] == 1 and len(case.shape) == 2)
    roles, shapes = roles_of(subject, Trial(Scenario(alone)), 0)
    assert roles == {}
    assert set(shapes) >= {"weight", "bias"}


class KeepsWithP:
    """Keeps with probability p, also where p is 0 and 1/p is none."""

    def __init__(self, p=0.5):
        self.p, self.training = p, True

    def forward(self, x):
        if not self.training:
            return x
        with np.errstate(divide="ignore", invalid="ignore"):
            self.mask = (np.random.rand(*x.shape) < self.p) / self.p  # noqa: NPY002
        return x * self.mask

    def backward(self, grad):
        return grad * self.mask


@pytest.mark.slow
def test_a_hypothesis_that_gives_no_number_is_none_and_no_fault_of_ours():
    found = lockstep.check(KeepsWithP, like="layers.dropout", dtypes=("float64",))
    assert found.verdict is Verdict.DIFFERENT
    assert "keep-for-drop" in {cause["id"] for cause in found.causes}
    assert found.diagnosis.partly, str(found)
