"""Adam in every shape that `lockstep check` recognises, each faithful; and a few that cannot be checked."""

from typing import NamedTuple

import numpy as np

import lockstep


def update(p, g, m, v, t, lr, b1, b2, eps):
    m = b1 * m + (1 - b1) * g
    v = b2 * v + (1 - b2) * g * g
    return p - lr * (m / (1 - b1**t)) / (np.sqrt(v / (1 - b2**t)) + eps), m, v


class OnDicts:
    def __init__(self, learning_rate=1e-3, beta1=0.9, beta2=0.999, epsilon=1e-8):
        self.learning_rate, self.beta1, self.beta2, self.epsilon = learning_rate, beta1, beta2, epsilon
        self.m, self.v, self.t = {}, {}, 0

    def update(self, params, grads):
        self.t += 1
        for key in params:
            m, v = self.m.get(key, 0 * params[key]), self.v.get(key, 0 * params[key])
            new, self.m[key], self.v[key] = update(
                params[key], grads[key], m, v, self.t, self.learning_rate, self.beta1, self.beta2, self.epsilon
            )
            params[key][...] = new


class Returning(OnDicts):
    def step(self, params, grads):
        params = {key: array.copy() for key, array in params.items()}
        super().update(params, grads)
        return params

    update = None


class OnLists:
    def __init__(self, lr=1e-3, b1=0.9, b2=0.999, eps=1e-8):
        self.lr, self.b1, self.b2, self.eps, self.t = lr, b1, b2, eps, 0
        self.ms = self.vs = None

    def step(self, weights, gradients):
        if self.ms is None:
            self.ms, self.vs = [0 * w for w in weights], [0 * w for w in weights]
        self.t += 1
        for i, (w, g) in enumerate(zip(weights, gradients, strict=True)):
            new, self.ms[i], self.vs[i] = update(
                w, g, self.ms[i], self.vs[i], self.t, self.lr, self.b1, self.b2, self.eps
            )
            w[:] = new


class OnArrays:
    """One instance for each tensor, as homework does it; gradient first."""

    def __init__(self, alpha=1e-3, decay1=0.9, decay2=0.999, eps=1e-8):
        self.alpha, self.decay1, self.decay2, self.eps = alpha, decay1, decay2, eps
        self.m, self.v, self.t = 0, 0, 0

    def update(self, grad, w):
        self.t += 1
        new, self.m, self.v = update(
            w, grad, self.m + 0 * w, self.v + 0 * w, self.t, self.alpha, self.decay1, self.decay2, self.eps
        )
        return new


class Holding:
    """As scikit-learn's: the parameters at the start, then both lists."""

    def __init__(self, params, learning_rate_init=1e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-8):
        self.inner = OnLists(learning_rate_init, beta_1, beta_2, epsilon)

    def update_params(self, params, grads):
        self.inner.step(params, grads)


class ByName:
    """As numpy-ml's: one tensor and its name at a time, the state in a cache."""

    def __init__(self, lr=0.001, decay1=0.9, decay2=0.999, eps=1e-8, **kwargs):
        self.hyperparameters = {"lr": lr, "decay1": decay1, "decay2": decay2, "eps": eps}
        self.cache = {}

    def update(self, param, param_grad, param_name, cur_loss=None):
        held = self.cache.setdefault(param_name, {"t": 0, "mean": np.zeros_like(param), "var": np.zeros_like(param)})
        held["t"] += 1
        h = self.hyperparameters
        new, held["mean"], held["var"] = update(
            param, param_grad, held["mean"], held["var"], held["t"], h["lr"], h["decay1"], h["decay2"], h["eps"]
        )
        return new


class MicroAdam:
    """As in small autograd libraries: objects with data and grad, a step without arguments."""

    def __init__(self, parameters, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        self.parameters, self.lr, self.betas, self.eps, self.t = list(parameters), lr, betas, eps, 0
        self.m = [np.zeros_like(p.data) for p in self.parameters]
        self.v = [np.zeros_like(p.data) for p in self.parameters]

    def step(self):
        self.t += 1
        for i, p in enumerate(self.parameters):
            p.data, self.m[i], self.v[i] = update(
                p.data, p.grad, self.m[i], self.v[i], self.t, self.lr, *self.betas, self.eps
            )


class AdamState(NamedTuple):
    count: int
    mu: dict
    nu: dict


class Transformation(NamedTuple):
    init: object
    update: object


def optax_adam(learning_rate, b1=0.9, b2=0.999, eps=1e-8):
    """As optax's: a pair of functions that keep nothing."""

    def init(params):
        return AdamState(0, {k: 0 * p for k, p in params.items()}, {k: 0 * p for k, p in params.items()})

    def new(grads, state, params=None):
        count, updates, mu, nu = state.count + 1, {}, {}, {}
        for k, g in grads.items():
            updates[k], mu[k], nu[k] = update(0 * g, g, state.mu[k], state.nu[k], count, learning_rate, b1, b2, eps)
        return updates, AdamState(count, mu, nu)

    return Transformation(init, new)


def jax_adam(step_size, b1=0.9, b2=0.999, eps=1e-8):
    """As in JAX's example libraries: init, update(i, grad, state), get_params."""

    def init(x):
        return x, 0 * x, 0 * x

    def new(i, g, state):
        return update(state[0], g, state[1], state[2], i + 1, step_size, b1, b2, eps)

    return init, new, lambda state: state[0]


def whole_loop(grad, x0, callback=None, num_iters=100, step_size=0.001, b1=0.9, b2=0.999, eps=1e-8):
    """As HIPS autograd's, but that it keeps the dtype."""
    x, m, v = x0, 0 * x0, 0 * x0
    for i in range(num_iters):
        x, m, v = update(x, grad(x, i), m, v, i + 1, step_size, b1, b2, eps)
    return x


def with_state(param, grad, state, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    m, v = state.get("m", 0 * param), state.get("v", 0 * param)
    param, state["m"], state["v"] = update(param, grad, m, v, t, lr, beta1, beta2, eps)
    return param, state


def with_arrays(w, dw, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    return update(w, dw, m, v, t, lr, beta1, beta2, eps)


def with_config(w, dw, config=None):
    """As CS231n's homework: hyperparameters and state in one dict."""
    config.setdefault("learning_rate", 1e-3)
    config.setdefault("beta1", 0.9)
    config.setdefault("beta2", 0.999)
    config.setdefault("epsilon", 1e-8)
    config.setdefault("m", np.zeros_like(w))
    config.setdefault("v", np.zeros_like(w))
    config["t"] = config.get("t", 0) + 1
    w, config["m"], config["v"] = update(
        w, dw, config["m"], config["v"], config["t"],
        config["learning_rate"], config["beta1"], config["beta2"], config["epsilon"],
    )  # fmt: skip
    return w, config


class Mine(lockstep.Adapter):
    def start(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        self.params, self.settings, self.t = params, (lr, *betas, eps), 0
        self.moments = {name: (0 * array, 0 * array) for name, array in params.items()}

    def step(self, grads):
        self.t += 1
        for name, grad in grads.items():
            new, *moments = update(self.params[name], grad, *self.moments[name], self.t, *self.settings)
            self.params[name], self.moments[name] = new, moments


SHAPES = {
    "dicts, in place": OnDicts,
    "dicts, returning": Returning,
    "lists": OnLists,
    "single arrays": OnArrays,
    "parameters at the start": Holding,
    "by name": ByName,
    "data and grad": MicroAdam,
    "init and update": optax_adam,
    "three functions": jax_adam,
    "whole loop": whole_loop,
    "function with state": with_state,
    "function with arrays": with_arrays,
    "function with config": with_config,
    "an instance": OnDicts(learning_rate=0.01),
    "an adapter": Mine,
}
