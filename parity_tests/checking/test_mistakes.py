"""Mistakes as they are met in published code, each in a few lines of its own: what a check must name."""

import functools

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


class NarrowAndInside(Float32Moments):
    def below(self, second):
        return np.sqrt(second + self.eps)


class OneRate(Moments):
    def averages(self, first, second, g):
        b1, _ = self.betas
        return b1 * first + (1 - b1) * g, b1 * second + (1 - b1) * g**2


class Surprise(Moments):
    def averages(self, first, second, g):
        first, _ = super().averages(first, second, g)
        return first, super().averages(first, second, g - first)[1]


class ShortGradients(Moments):
    def averages(self, first, second, g):
        return super().averages(first, second, g * np.minimum(1.0, 0.5 / (np.linalg.norm(g) + 1e-6)))


class Slower(Moments):
    def change(self, first, second, t):
        return super().change(first, second, t) * 0.97 ** (t - 1)


class Idle(Moments):
    def step(self, params, grads):
        super().step(params, {name: g if g is not None and g.any() else None for name, g in grads.items()})


class Decaying:
    """SGD with a weight decay of its own."""

    def __init__(self, lr=1e-3, weight_decay=0.0):
        self.lr, self.weight_decay = lr, weight_decay

    def step(self, params, grads):
        for name, g in grads.items():
            if g is not None:
                params[name] -= self.lr * (g + self.weight_decay * self.pull(params[name]))


class Lasso(Decaying):
    def pull(self, param):
        return np.sign(param)


class LeavesBiases(Decaying):
    def pull(self, param):
        return param if param.ndim != 1 else 0.0


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
    (NarrowAndInside, "optim.adam", {"state-low-precision", "eps-inside-sqrt"}),
    (OneRate, "optim.adam", {"not-in-the-catalogue"}),
    (Surprise, "optim.adam", {"variance-about-the-mean"}),
    (ShortGradients, "optim.adam", {"gradient-norm-clipped"}),
    (Slower, "optim.adam", {"lr-decays-inside"}),
    (Idle, "optim.adam", {"zero-gradient-skipped"}),
    (Lasso, "optim.sgd", {"l1-for-l2"}),
    (LeavesBiases, "optim.sgd", {"decay-of-matrices-alone"}),
    (NoneInTheCatalogue, "optim.adam", {"not-in-the-catalogue"}),
    (Rates, "optim.rmsprop", {"decoupled-for-l2", "accumulator-starts-at-first-square"}),
    (OnlyARate, "optim.adagrad", {"eps-inside-sqrt", "eps-value", "accumulator-starts-above-zero"}),
    (Buffered, "optim.sgd", {"lr-inside-momentum", "state-scaled"}),
]


@functools.cache
def checked(kind, like):
    return lockstep.check(kind, like=like, dtypes=["float64"])


@pytest.mark.parametrize(("kind", "like", "named"), OPTIMIZERS, ids=lambda value: getattr(value, "__name__", None))
def test_an_optimizer_is_told_what_is_wrong_with_it(kind, like, named):
    result = checked(kind, like)
    assert {cause["id"] for cause in result.causes} == named, str(result)
    assert all(cause["residual"] <= 1 for cause in result.causes)


def test_the_right_one_is_told_nothing():
    assert lockstep.check(Moments, like="optim.adam", dtypes=["float64"]).causes == []


def test_a_number_of_its_own_is_found():
    numbers = ((Clipped, {"bound": 0.25}), (ShortGradients, {"bound_of_each": 0.5}), (Slower, {"rate": 0.97}))
    for kind, number in numbers:
        (cause,) = checked(kind, "optim.adam").causes
        assert cause["hyperparameters"] == number


def test_what_is_in_no_catalogue_is_told_by_its_line():
    result = checked(NoneInTheCatalogue, "optim.adam")
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


class LayerNorm:
    """The deviation takes the eps; the way back is that of the formula without it."""

    def __init__(self, normalized_shape, eps=1e-5):
        shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        self.axes, self.eps = tuple(range(-len(shape), 0)), eps
        self.weight, self.bias = np.ones(shape), np.zeros(shape)

    def forward(self, x):
        self.deviation = x.std(axis=self.axes, keepdims=True) + self.eps
        self.hat = (x - x.mean(axis=self.axes, keepdims=True)) / self.deviation
        return self.weight * self.hat + self.bias

    def backward(self, grad):
        over = tuple(range(grad.ndim - len(self.axes)))
        self.dweight, self.dbias = (grad * self.hat).sum(axis=over), grad.sum(axis=over)
        d = grad * self.weight
        along = (d * self.hat).mean(axis=self.axes, keepdims=True)
        return (d - d.mean(axis=self.axes, keepdims=True) - self.hat * along) / self.deviation


class Sigmoid:
    """What it keeps for the way back is narrower than what it was given."""

    def forward(self, x):
        e = np.exp(-np.abs(x))
        y = np.where(x >= 0, 1, e) / (1 + e)
        self.y = y.astype(np.float32).astype(x.dtype)
        return y

    def backward(self, grad):
        return grad * self.y * (1 - self.y)


class BCELoss:
    """PyTorch's but for one constant, which PyTorch holds in float32."""

    def __init__(self, reduction="mean"):
        self.reduction = reduction

    def forward(self, p, t):
        self.p, self.t = p, t
        with np.errstate(divide="ignore"):
            there, other = np.maximum(np.log(p), -100), np.maximum(np.log1p(-p), -100)
        losses = -(t * there + (1 - t) * other)
        return losses if self.reduction == "none" else getattr(losses, self.reduction)()

    def backward(self, grad=1.0):
        count = self.p.size if self.reduction == "mean" else 1
        return grad * (self.p - self.t) / np.maximum(self.p * (1 - self.p), 1e-12) / count


LAYERS = [
    (LayerNorm, "layers.layernorm", {"eps-added-to-deviation"}),
    (Sigmoid, "layers.activation", {"not-in-the-catalogue"}),
    (BCELoss, "layers.loss", {"slope-floor"}),
    (ReLU, "layers.activation", {"slope-at-zero"}),
    (Dropout, "layers.dropout", {"scale-one-way"}),
    (CrossEntropyLoss, "layers.loss", {"probabilities-clipped"}),
]


@pytest.mark.parametrize(("kind", "like", "named"), LAYERS, ids=lambda value: getattr(value, "__name__", None))
def test_a_layer_is_told_what_is_wrong_with_it(kind, like, named):
    result = lockstep.check(kind, like=like, dtypes=["float64"])
    assert {cause["id"] for cause in result.causes} == named, str(result)
