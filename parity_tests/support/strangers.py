"""Optimizers and layers as others write them: their conventions, names and habits, several at a time."""

import math
from typing import NamedTuple

import numpy as np
import torch

RNG = np.random.default_rng(0)

# Adam


class AdamOfPairs:
    """Keras' conventions: (gradient, variable) pairs, one counter, eps beside a root that is not corrected."""

    def __init__(self, learning_rate=1e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
        self.learning_rate, self.beta_1, self.beta_2, self.epsilon = learning_rate, beta_1, beta_2, epsilon
        self.iterations, self.slots = 0, {}

    def apply_gradients(self, grads_and_vars):
        self.iterations += 1
        rate = self.learning_rate * math.sqrt(1 - self.beta_2**self.iterations) / (1 - self.beta_1**self.iterations)
        for place, (grad, var) in enumerate(grads_and_vars):
            if grad is None:
                continue
            slot = self.slots.setdefault(place, (np.zeros_like(var), np.zeros_like(var)))
            for mean, of, keeps in zip(slot, (grad, np.square(grad)), (self.beta_1, self.beta_2), strict=True):
                mean[...] = mean + (of - mean) * (1 - keeps)
            np.subtract(var, rate * slot[0] / (np.sqrt(slot[1]) + self.epsilon), out=var)


class AdamWithAlpha:
    """Chainer's conventions: alpha is the step size, eta multiplies everything, the decay knows neither."""

    def __init__(self, alpha=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, eta=1.0, weight_decay_rate=0):
        self.alpha, self.beta1, self.beta2, self.eps = alpha, beta1, beta2, eps
        self.eta, self.weight_decay_rate = eta, weight_decay_rate
        self.t, self.first, self.second = 0, {}, {}

    def update(self, params, grads):
        self.t += 1
        bias = math.sqrt(1 - math.pow(self.beta2, self.t)) / (1 - math.pow(self.beta1, self.t))
        for key, grad in grads.items():
            if grad is not None:
                m, v = (kept.setdefault(key, np.zeros_like(grad)) for kept in (self.first, self.second))
                m += (1 - self.beta1) * (grad - m)
                v += (1 - self.beta2) * (grad * grad - v)
                step = self.alpha * bias * m / (np.sqrt(v) + self.eps)
                params[key] -= self.eta * (step + self.weight_decay_rate * params[key])


class AdamFromACourse:
    """A course's: eps is a constant in the code, and one counter for all."""

    def __init__(self, lr=1e-3, beta1=0.9, beta2=0.999):
        self.lr, self.beta1, self.beta2, self.count, self.m, self.v = lr, beta1, beta2, 0, None, None

    def update(self, params, grads):
        if self.m is None:
            self.m = {k: np.zeros_like(p) for k, p in params.items()}
            self.v = {k: np.zeros_like(p) for k, p in params.items()}
        self.count += 1
        lr = self.lr * math.sqrt(1 - self.beta2**self.count) / (1 - self.beta1**self.count)
        for k in params:
            self.m[k] = self.beta1 * self.m[k] + (1 - self.beta1) * grads[k]
            self.v[k] = self.beta2 * self.v[k] + (1 - self.beta2) * grads[k] ** 2
            params[k] -= lr * self.m[k] / (np.sqrt(self.v[k]) + 1e-7)


class Schedules:
    """A base class with a `step` that only counts, beside the `update` that steps."""

    def __init__(self):
        self.count = 0

    def step(self):
        self.count += 1


class AdamByName(Schedules):
    """numpy-ml's signature: one array at a time, and its name."""

    def __init__(self, lr=1e-3, decay1=0.9, decay2=0.999, eps=1e-7, **others):
        super().__init__()
        self.settings = {"lr": lr, "decay1": decay1, "decay2": decay2, "eps": eps, **others}
        self.cache = {}

    def update(self, param, param_grad, param_name, cur_loss=None):
        own, settings = self.cache.setdefault(param_name, {"t": 0, "mean": 0 * param, "var": 0 * param}), self.settings
        b1, b2 = settings["decay1"], settings["decay2"]
        own["t"] += 1
        own["mean"] = b1 * own["mean"] + (1 - b1) * param_grad
        own["var"] = b2 * own["var"] + (1 - b2) * param_grad**2
        m, v = own["mean"] / (1 - b1 ** own["t"]), own["var"] / (1 - b2 ** own["t"])
        return param - settings["lr"] * m / (np.sqrt(v) + settings["eps"])


def adam_of_a_tuple(param, grad, state, t, lr=1e-3):
    """Its state is a tuple, and nothing before the first step."""
    m, v = state or (0.0, 0.0)
    m, v = 0.9 * m + 0.1 * grad, 0.999 * v + 0.001 * grad**2
    return param - lr * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8), (m, v)


class AdamOfOtherNames:
    """Faithful; what it calls v is the last update, and m counts."""

    def __init__(self, lr=1e-3, b1=0.9, b2=0.999, eps=1e-8):
        self.lr, self.b1, self.b2, self.eps = lr, b1, b2, eps
        self.one, self.two, self.age, self.v, self.m = {}, {}, {}, {}, {}

    def root(self, square):
        return np.sqrt(square) + self.eps

    def step(self, params, grads):
        for k, grad in grads.items():
            if grad is None:
                continue
            t = self.age[k] = self.age.get(k, 0) + 1
            one = self.one[k] = self.b1 * self.one.get(k, 0 * grad) + (1 - self.b1) * grad
            two = self.two[k] = self.b2 * self.two.get(k, 0 * grad) + (1 - self.b2) * grad * grad
            self.v[k] = -self.lr * (one / (1 - self.b1**t)) / self.root(two / (1 - self.b2**t))
            self.m[k] = self.m.get(k, 0 * grad) + np.sign(grad)
            params[k] += self.v[k]


class WrongOfOtherNames(AdamOfOtherNames):
    """The same, with eps under the root."""

    def root(self, square):
        return np.sqrt(square + self.eps)


class AdamWAtOnce:
    """Faithful, in Paddle's order: powers by repeated product, eps times the root of the correction."""

    def __init__(self, learning_rate=1e-3, beta1=0.9, beta2=0.999, epsilon=1e-8, weight_decay=0.01):
        self.learning_rate, self.beta1, self.beta2 = learning_rate, beta1, beta2
        self.epsilon, self.weight_decay, self.kept = epsilon, weight_decay, {}

    def step(self, params, grads):
        for k, grad in grads.items():
            if grad is None:
                continue
            m, v, p1, p2 = self.kept.get(k, (0 * grad, 0 * grad, 1.0, 1.0))
            m, v = m * self.beta1 + (1 - self.beta1) * grad, v * self.beta2 + (1 - self.beta2) * grad * grad
            p1, p2 = p1 * self.beta1, p2 * self.beta2
            self.kept[k] = m, v, p1, p2
            params[k] *= 1 - self.learning_rate * self.weight_decay
            late = math.sqrt(1 - p2)
            params[k] -= self.learning_rate * late / (1 - p1) * (m / (np.sqrt(v) + self.epsilon * late))


# RMSprop


class RMSpropWithVelocities:
    """Keras' conventions: its `velocities` are mean squares, and the momentum takes lr."""

    def __init__(self, learning_rate=1e-3, rho=0.9, momentum=0.0, epsilon=1e-7):
        self.learning_rate, self.rho, self.momentum, self.epsilon = learning_rate, rho, momentum, epsilon
        self.velocities, self.momentums = {}, {}

    def square(self, grad):
        return np.zeros_like(grad)

    def update(self, params, grads):
        for k, grad in grads.items():
            if grad is None:
                continue
            held = self.velocities[k] if k in self.velocities else self.square(grad)
            self.velocities[k] = self.rho * held + (1 - self.rho) * grad**2
            pushed = self.momentum * self.momentums.get(k, 0) if self.momentum else 0
            self.momentums[k] = pushed + self.learning_rate * grad / np.sqrt(self.velocities[k] + self.epsilon)
            params[k] -= self.momentums[k]


class RMSpropOfOnes(RMSpropWithVelocities):
    """TensorFlow 1's: the mean square starts at 1 besides."""

    def square(self, grad):
        return np.ones_like(grad)


class Transformation(NamedTuple):
    init: object
    update: object


def rmsprop_of_updates(learning_rate=1e-2, decay=0.9, eps=1e-8, momentum=None):
    """optax' conventions: a pair of functions; no momentum is None."""

    def init(params):
        return {"nu": {k: 0 * p for k, p in params.items()}, "trace": {k: 0 * p for k, p in params.items()}}

    def update(grads, state, params=None):
        nu = {k: decay * state["nu"][k] + (1 - decay) * g * g for k, g in grads.items()}
        updates = {k: -learning_rate * g / np.sqrt(nu[k] + eps) for k, g in grads.items()}
        trace = {k: u + (momentum or 0.0) * state["trace"][k] for k, u in updates.items()}
        return trace, {"nu": nu, "trace": trace}

    return Transformation(init, update)


# SGD


class NesterovByName:
    """A course's: Nesterov's momentum is what the class is, and lr goes into the velocity."""

    def __init__(self, lr=0.01, momentum=0.9):
        self.lr, self.momentum, self.v = lr, momentum, {}

    def update(self, params, grads):
        for k, grad in grads.items():
            old = self.v.get(k, 0 * grad)
            self.v[k] = self.momentum * old - self.lr * grad
            params[k] += self.momentum * self.v[k] - self.lr * grad


def momentum_of_config(w, dw, config=None):
    """Its settings lie in a dict, and their defaults in its code."""
    config = {} if config is None else config
    config["velocity"] = config.setdefault("momentum", 0.9) * config.get("velocity", 0 * w)
    config["velocity"] -= config.setdefault("learning_rate", 1e-2) * dw
    return w + config["velocity"], config


def sgd_of_lists(params, grads, lr=0.01):
    """Over two lists, in place: on the rows of one array it would be something else."""
    for param, grad in zip(params, grads, strict=True):
        if grad is not None:
            np.subtract(param, lr * grad, out=param)


class SGDOfDecay:
    """Faithful; its decay is lr's, and no momentum."""

    def __init__(self, lr=0.01, decay=0.0):
        self.lr, self.decay, self.iterations = lr, decay, 0

    def update(self, params, grads):
        for k, grad in grads.items():
            if grad is not None:
                params[k] -= self.lr / (1 + self.decay * self.iterations) * grad
        self.iterations += 1


class Uphill(SGDOfDecay):
    """A sign is lost."""

    def update(self, params, grads):
        super().update(params, {k: None if grad is None else -grad for k, grad in grads.items()})


# Layers


class NormWithArrays:
    """A course's: made from gamma and beta; eps a constant; what evaluation needs on the way back is forgotten."""

    def __init__(self, gamma, beta, momentum=0.9, running_mean=None, running_var=None):
        self.gamma, self.beta, self.momentum = gamma, beta, momentum
        self.running_mean, self.running_var = running_mean, running_var

    def forward(self, x, train_flg=True):
        if self.running_mean is None:
            self.running_mean, self.running_var = np.zeros(x.shape[1]), np.zeros(x.shape[1])
        if not train_flg:
            return self.gamma * (x - self.running_mean) / np.sqrt(self.running_var + 1e-6) + self.beta
        mean, var = x.mean(axis=0), x.var(axis=0)
        self.deviation = np.sqrt(var + 1e-6)
        self.normal = (x - mean) / self.deviation
        self.running_mean = self.momentum * self.running_mean + (1 - self.momentum) * mean
        self.running_var = self.momentum * self.running_var + (1 - self.momentum) * var
        return self.gamma * self.normal + self.beta

    def backward(self, dout):
        self.dbeta, self.dgamma = dout.sum(axis=0), (self.normal * dout).sum(axis=0)
        d = self.gamma * dout
        return (d - d.mean(axis=0) - self.normal * (d * self.normal).mean(axis=0)) / self.deviation


class NormOfDicts:
    """numpy-ml's conventions: arrays of its own making in dicts, gradients first; it recomputes on the way back."""

    def __init__(self, momentum=0.9, epsilon=1e-5):
        self.momentum, self.epsilon, self.trainable = momentum, epsilon, True
        self.gradients, self.parameters, self.x = {}, {}, None

    def forward(self, x):
        self.x = x
        if not self.parameters:
            ones, zeros = np.ones(x.shape[1]), np.zeros(x.shape[1])
            self.gradients = {"scaler": zeros.copy(), "intercept": zeros.copy()}
            self.parameters = {"scaler": ones.copy(), "intercept": zeros.copy()}
            self.parameters |= {"running_mean": zeros.copy(), "running_var": ones.copy()}
        own, keeps = self.parameters, self.momentum
        mean, var = own["running_mean"], own["running_var"]
        if self.trainable:
            mean, var = x.mean(axis=0), x.var(axis=0)
            own["running_mean"] = keeps * own["running_mean"] + (1 - keeps) * mean
            own["running_var"] = keeps * own["running_var"] + (1 - keeps) * var
        return own["scaler"] * (x - mean) / np.sqrt(var + self.epsilon) + own["intercept"]

    def backward(self, dy):
        deviation = np.sqrt(self.x.var(axis=0) + self.epsilon)
        normal, d = (self.x - self.x.mean(axis=0)) / deviation, dy * self.parameters["scaler"]
        self.gradients = {"scaler": (dy * normal).sum(axis=0), "intercept": dy.sum(axis=0)}
        return [(d - d.mean(axis=0) - normal * (d * normal).mean(axis=0)) / deviation]


class NormOfNewBuffers(torch.nn.Module):
    """Puts new tensors in the places of its buffers; momentum is the share kept, the variance biased."""

    def __init__(self, num_features, eps=1e-5, momentum=0.9):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.gamma, self.beta = (torch.nn.Parameter(t(num_features)) for t in (torch.ones, torch.zeros))
        self.register_buffer("moving_mean", torch.zeros(num_features))
        self.register_buffer("moving_var", torch.ones(num_features))

    def forward(self, x):
        over, column = [0, *range(2, x.dim())], [1, -1, *[1] * (x.dim() - 2)]
        mean, var = self.moving_mean, self.moving_var
        if self.training:
            mean, var = x.mean(over), x.var(over, unbiased=False)
            self.moving_mean = self.momentum * self.moving_mean + (1 - self.momentum) * mean.detach()
            self.moving_var = self.momentum * self.moving_var + (1 - self.momentum) * var.detach()
        normal = (x - mean.view(column)) / torch.sqrt(var.view(column) + self.eps)
        return self.gamma.view(column) * normal + self.beta.view(column)


class DropoutUnscaled(torch.nn.Module):
    """Scales neither in training nor in evaluation."""

    def __init__(self, p=0.5):
        super().__init__()
        self.p = p

    def forward(self, x):
        return x * (torch.rand_like(x) >= self.p) if self.training else x


class DropoutOfACourse:
    """Not inverted; in evaluation the way back takes the mask of the last training pass."""

    def __init__(self, dropout_ratio=0.5):
        self.dropout_ratio, self.kept = dropout_ratio, None

    def forward(self, x, train_flg=True):
        if not train_flg:
            return x * (1 - self.dropout_ratio)
        self.kept = RNG.random(x.shape) > self.dropout_ratio
        return x * self.kept

    def backward(self, dout):
        return dout * self.kept


class DropoutHalfScaled:
    """Scales there and not on the way back."""

    def __init__(self, p=0.5):
        self.p, self.training = p, True

    def forward(self, x):
        self.kept = (RNG.random(x.shape) >= self.p).astype(x.dtype) if self.training else np.ones_like(x)
        return x * self.kept * x.dtype.type(1 / (1 - self.p)) if self.training else x.copy()

    def backward(self, dout):
        return dout * self.kept


def l2(w, lam):
    """It knows no batch to divide by."""
    return 0.5 * lam * np.sum(w**2)


def l2_grad(w, lam):
    return lam * w


# What is true of each: the subject, and the causes by name; nothing where it is the same formula.
TRUTH = {
    AdamOfPairs: ("optim.adam", {"eps-hat", "step-shared", "eps-value (its default)"}),
    AdamWithAlpha: ("optim.adam", {"eps-hat", "step-shared", "decoupled-for-l2 (without lr)"}),
    AdamFromACourse: ("optim.adam", {"eps-hat", "eps-value (1e-07)"}),
    AdamByName: ("optim.adam", {"eps-value (its default)"}),
    adam_of_a_tuple: ("optim.adam", set()),
    AdamOfOtherNames: ("optim.adam", set()),
    WrongOfOtherNames: ("optim.adam", {"eps-inside-sqrt"}),
    AdamWAtOnce: ("optim.adamw", set()),
    RMSpropWithVelocities: (
        "optim.rmsprop",
        {"eps-inside-sqrt", "lr-inside-momentum", "alpha-value (its default)", "eps-value (its default)"},
    ),
    RMSpropOfOnes: (
        "optim.rmsprop",
        {
            "eps-inside-sqrt",
            "lr-inside-momentum",
            "accumulator-starts-at-one",
            "alpha-value (its default)",
            "eps-value (its default)",
        },
    ),
    rmsprop_of_updates: ("optim.rmsprop", {"eps-inside-sqrt", "alpha-value (its default)"}),
    NesterovByName: ("optim.sgd", {"nesterov-on", "lr-inside-momentum", "momentum-value (its default)"}),
    momentum_of_config: (
        "optim.sgd",
        {"lr-inside-momentum", "momentum-value (its default)", "state-scaled (momentum_buffer)"},
    ),
    sgd_of_lists: ("optim.sgd", set()),
    SGDOfDecay: ("optim.sgd", set()),
    Uphill: ("optim.sgd", {"ascends"}),
    NormWithArrays: (
        "layers.batchnorm",
        {
            "start-differs",
            "eps-value (eps=1e-06)",
            "momentum-complement",
            "running-variance-biased",
            "backward-of-training (the last pass)",
        },
    ),
    NormOfDicts: (
        "layers.batchnorm",
        {"momentum-complement", "running-variance-biased", "backward-of-training (batch statistics)"},
    ),
    NormOfNewBuffers: ("layers.batchnorm", {"momentum-complement", "running-variance-biased"}),
    DropoutUnscaled: ("layers.dropout", {"scale-missing"}),
    DropoutOfACourse: ("layers.dropout", {"scaled-at-evaluation", "backward-of-training"}),
    DropoutHalfScaled: ("layers.dropout", {"scale-one-way (there)"}),
    l2: ("penalty.l2", set()),
}
