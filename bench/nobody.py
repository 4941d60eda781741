"""What nobody would write: one implementation of each kind of subject whose mistake is none of the known causes."""

import numpy as np

from parity_tests.support.foreign_layers import Dropout, Logistic


class Adam:
    """The third root of the mean of cubes."""

    def __init__(self, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        self.lr, self.betas, self.eps, self.t, self.m, self.v = lr, betas, eps, 0, {}, {}

    def step(self, params, grads):
        self.t += 1
        for name, grad in grads.items():
            if grad is not None:
                self.m[name] = self.betas[0] * self.m.get(name, 0) + (1 - self.betas[0]) * grad
                self.v[name] = self.betas[1] * self.v.get(name, 0) + (1 - self.betas[1]) * np.abs(grad) ** 3
                m, v = (
                    kept[name] / (1 - beta**self.t) for kept, beta in zip((self.m, self.v), self.betas, strict=True)
                )
                params[name] -= self.lr * m / (np.cbrt(v) + self.eps)


def exponential(step, lr, gamma):
    return lr * gamma ** (step**0.9)


def clipped(grads, max_norm):
    total = np.sqrt(sum((grad.astype(np.float64) ** 2).sum() for grad in grads.values()))
    scale = min(1.0, max_norm / (total + 1e-6)) ** 0.7
    return {name: grad * grad.dtype.type(scale) for name, grad in grads.items()}


def averaged(average, new, decay):
    return decay * average + (1 - decay) * np.cbrt(new)


def loop(params, batches, gradient, lr):
    for x, y in batches:
        for name, grad in gradient(params, x, y).items():
            params[name] -= lr * np.cbrt(grad)


def l2(w, lam, m):
    return lam / (2 * m) * np.sum(np.abs(w) ** 2.5), lam / m * w


class BatchNorm:
    """The deviation to the power of 1.2, and a way back of its own."""

    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        self.weight, self.bias = np.ones(num_features), np.zeros(num_features)
        self.running_mean, self.running_var = np.zeros(num_features), np.ones(num_features)
        self.eps, self.momentum, self.training = eps, momentum, True

    def forward(self, x):
        mean, var = (x.mean(0), x.var(0)) if self.training else (self.running_mean, self.running_var)
        if self.training:
            unbiased = var * len(x) / (len(x) - 1)
            self.running_mean += self.momentum * (mean - self.running_mean)
            self.running_var += self.momentum * (unbiased - self.running_var)
        self.scale = self.weight / (var + self.eps) ** 0.6
        return (x - mean) * self.scale + self.bias

    def backward(self, grad):
        return grad * self.scale


class Linear:
    def __init__(self, in_features, out_features):
        self.weight, self.bias = np.ones((out_features, in_features)), np.zeros(out_features)

    def forward(self, x):
        self.x = x
        return np.cbrt(x) @ self.weight.T + self.bias

    def backward(self, grad):
        self.grad_weight, self.grad_bias = grad.T @ self.x, grad.sum(0)
        return grad @ self.weight


class DropoutOfRoots(Dropout):
    def forward(self, x):
        return super().forward(np.cbrt(x))


class BCEWithLogits(Logistic):
    def backward(self, up=1.0):
        return np.cbrt(super().backward(up))


def tanh(x):
    return np.tanh(np.cbrt(x))
