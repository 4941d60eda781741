"""Mistakes as they are met in published code, each in a few lines of its own: what a check must name."""

import numpy as np
import pytest

import lockstep

pytestmark = pytest.mark.slow


class Moments:
    """Adam; a variant changes one of its three parts."""

    def __init__(self, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        self.lr, self.betas, self.eps, self.memory = lr, betas, eps, {}

    def step(self, params, grads):
        for name, g in grads.items():
            if g is not None:
                count, first, second = self.memory.get(name, (0, np.zeros_like(g), np.zeros_like(g)))
                first, second = self.averages(first, second, g)
                self.memory[name] = count + 1, first, second
                params[name] -= self.change(first, second, count + 1)

    def averages(self, first, second, g):
        b1, b2 = self.betas
        return b1 * first + (1 - b1) * g, b2 * second + (1 - b2) * g**2

    def change(self, first, second, t):
        b1, b2 = self.betas
        return self.lr * first / (1 - b1**t) / self.below(second / (1 - b2**t))

    def below(self, second):
        return np.sqrt(second) + self.eps


class Frozen(Moments):
    def change(self, first, second, t):
        return super().change(first, second, 1)


class Multiplied(Moments):
    def change(self, first, second, t):
        b1, b2 = self.betas
        return self.lr * first * (1 - b1**t) / self.below(second * (1 - b2**t))


class NoRoot(Moments):
    def below(self, second):
        return second + self.eps


class Interchanged(Moments):
    def averages(self, first, second, g):
        b2, b1 = self.betas
        return b1 * first + (1 - b1) * g, b2 * second + (1 - b2) * g**2

    def change(self, first, second, t):
        b2, b1 = self.betas
        return self.lr * first / (1 - b1**t) / self.below(second / (1 - b2**t))


class Clipped(Moments):
    def averages(self, first, second, g):
        return super().averages(first, second, np.clip(g, -0.25, 0.25))


class StepSizeAndRoot(Moments):
    def change(self, first, second, t):
        b1, b2 = self.betas
        return self.lr * np.sqrt(1 - b2**t) / (1 - b1**t) * first / np.sqrt(second + self.eps)


class Float32Moments(Moments):
    def averages(self, first, second, g):
        return tuple(x.astype(np.float32) for x in super().averages(first, second, g))


class NoneInTheCatalogue(Moments):
    def below(self, second):
        return self.eps - np.sqrt(second)


class Rates:
    """RMSprop with another weight decay, and an average that starts at the first square."""

    def __init__(self, lr=1e-2, alpha=0.99, eps=1e-8, weight_decay=0.0):
        self.lr, self.alpha, self.eps, self.weight_decay, self.mean = lr, alpha, eps, weight_decay, {}

    def step(self, params, grads):
        for name, g in grads.items():
            if g is not None:
                params[name] -= self.lr * self.weight_decay * params[name]
                last = self.mean.get(name, g * g)
                self.mean[name] = self.alpha * last + (1 - self.alpha) * g * g
                params[name] -= self.lr * g / (np.sqrt(self.mean[name]) + self.eps)


class OnlyARate:
    def __init__(self, lr=0.01):
        self.lr, self.sum = lr, {}

    def step(self, params, grads):
        for name, g in grads.items():
            if g is not None:
                self.sum[name] = self.sum.get(name, 0.1) + g * g
                params[name] -= self.lr * g / np.sqrt(self.sum[name] + 1e-7)


class Buffered:
    """lr inside the buffer, which has PyTorch's name."""

    def __init__(self, lr=0.01, momentum=0.0):
        self.lr, self.momentum, self.momentum_buffer = lr, momentum, {}

    def step(self, params, grads):
        for name, g in grads.items():
            if g is not None:
                held = self.momentum * self.momentum_buffer.get(name, np.zeros_like(g)) + self.lr * g
                self.momentum_buffer[name] = held
                params[name] -= held


class InterchangedInSight(Interchanged):
    """Its moments can be seen, under PyTorch's names: they are what the interchanged formula keeps, times 1."""

    def __init__(self, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(lr, betas, eps)
        self.exp_avg, self.exp_avg_sq = {}, {}

    def step(self, params, grads):
        super().step(params, grads)
        for name, (_, first, second) in self.memory.items():
            self.exp_avg[name], self.exp_avg_sq[name] = first, second


OPTIMIZERS = [
    (Frozen, "optim.adam", {"bias-correction-frozen"}),
    (Multiplied, "optim.adam", {"bias-correction-multiplied"}),
    (NoRoot, "optim.adam", {"root-forgotten"}),
    (Interchanged, "optim.adam", {"betas-interchanged"}),
    (InterchangedInSight, "optim.adam", {"betas-interchanged"}),
    (Clipped, "optim.adam", {"gradient-clipped"}),
    (StepSizeAndRoot, "optim.adam", {"eps-hat", "eps-inside-sqrt"}),
    (Float32Moments, "optim.adam", {"state-low-precision"}),
    (NoneInTheCatalogue, "optim.adam", {"not-in-the-catalogue"}),
    (Rates, "optim.rmsprop", {"decoupled-for-l2", "accumulator-starts-at-first-square"}),
    (OnlyARate, "optim.adagrad", {"eps-inside-sqrt", "eps-value", "accumulator-starts-above-zero"}),
    (Buffered, "optim.sgd", {"lr-inside-momentum", "state-scaled"}),
]


@pytest.mark.parametrize(("kind", "like", "named"), OPTIMIZERS, ids=lambda value: getattr(value, "__name__", None))
def test_an_optimizer_is_told_what_is_wrong_with_it(kind, like, named):
    result = lockstep.check(kind, like=like, dtypes=["float64"])
    assert {cause["id"] for cause in result.causes} == named, str(result)
    assert all(cause["residual"] <= 1 for cause in result.causes)


def test_the_right_one_is_told_nothing():
    assert lockstep.check(Moments, like="optim.adam", dtypes=["float64"]).causes == []


def test_a_number_of_its_own_is_found():
    (cause,) = lockstep.check(Clipped, like="optim.adam", dtypes=["float64"]).causes
    assert cause["hyperparameters"] == {"bound": 0.25}


def test_what_is_in_no_catalogue_is_told_by_its_line():
    result = lockstep.check(NoneInTheCatalogue, like="optim.adam", dtypes=["float64"])
    assert "denom = eps - np.sqrt(v_hat)" in str(result)
    assert "not in the catalogue" in str(result)


class ReLU:
    def forward(self, x):
        self.x = x
        return np.maximum(x, 0)

    def backward(self, grad):
        return np.where(self.x < 0, 0, grad)


class Dropout:
    def __init__(self, p=0.5):
        self.p, self.training = p, True

    def forward(self, x):
        kept = np.random.default_rng().random(x.shape) >= self.p if self.training else np.ones(x.shape)
        self.kept = kept.astype(x.dtype)
        return x * self.kept / (1 - self.p) if self.training and self.p < 1 else x * self.kept

    def backward(self, grad):
        return grad * self.kept


class CrossEntropyLoss:
    def forward(self, z, target):
        e = np.exp(z - z.max(axis=1, keepdims=True))
        self.p, self.t = np.clip(e / e.sum(axis=1, keepdims=True), 1e-6, 1 - 1e-6), target
        return -np.log(self.p[np.arange(len(z)), target]).mean()

    def backward(self, grad=1.0):
        return grad * (self.p - np.eye(self.p.shape[1])[self.t]) / len(self.t)


LAYERS = [
    (ReLU, "layers.activation", {"slope-at-zero"}),
    (Dropout, "layers.dropout", {"scale-one-way"}),
    (CrossEntropyLoss, "layers.loss", {"probabilities-clipped"}),
]


@pytest.mark.parametrize(("kind", "like", "named"), LAYERS, ids=lambda value: getattr(value, "__name__", None))
def test_a_layer_is_told_what_is_wrong_with_it(kind, like, named):
    result = lockstep.check(kind, like=like, dtypes=["float64"])
    assert {cause["id"] for cause in result.causes} == named, str(result)
