"""Optimizers in which something is forgotten that shows only late, only beside another option, or only in memory."""

import numpy as np


class Adam:
    """Right; a variant forgets one thing."""

    def __init__(self, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, maximize=False):
        self.lr, self.betas, self.eps, self.weight_decay, self.maximize = lr, betas, eps, weight_decay, maximize
        self.age, self.exp_avg, self.exp_avg_sq = {}, {}, {}

    def step(self, params, grads):
        b1, b2 = self.betas
        for name, grad in grads.items():
            if grad is not None:
                g, t = self.slope(params[name], grad), self.grown(name)
                m = self.exp_avg[name] = b1 * self.exp_avg.get(name, 0 * g) + (1 - b1) * g
                v = self.exp_avg_sq[name] = b2 * self.exp_avg_sq.get(name, 0 * g) + (1 - b2) * g * g
                params[name] -= self.lr * (m / (1 - b1**t)) / (np.sqrt(v / (1 - b2**t)) + self.eps)

    def slope(self, param, grad):
        return (-grad if self.maximize else grad) + self.weight_decay * param

    def grown(self, name):
        self.age[name] = self.age.get(name, 0) + 1
        return self.age[name]


class MaximizesTheDecay(Adam):
    """The sign is turned after the decay has been added, so that maximising decays the wrong way."""

    def slope(self, param, grad):
        whole = grad + self.weight_decay * param
        return -whole if self.maximize else whole


class CountsInEightBits(Adam):
    """Its counter overflows after 127 steps."""

    def grown(self, name):
        return (super().grown(name) + 127) % 255 - 127 or 1


class IgnoresDecay(Adam):
    def slope(self, param, grad):
        return -grad if self.maximize else grad


class KeepsTheGradient:
    """SGD whose first buffer is the very array of the gradient."""

    def __init__(self, lr=1e-3, momentum=0.0):
        self.lr, self.momentum, self.momentum_buffer = lr, momentum, {}

    def step(self, params, grads):
        for name, grad in grads.items():
            if grad is not None:
                held = self.momentum_buffer.get(name)
                self.momentum_buffer[name] = grad if held is None else self.momentum * held + grad
                params[name] -= self.lr * (self.momentum_buffer[name] if self.momentum else grad)


class NarrowMoments(Adam):
    """Right; its moments are float32 whatever the parameters are."""

    def step(self, params, grads):
        super().step(params, grads)
        for held in (self.exp_avg, self.exp_avg_sq):
            held |= {name: array.astype(np.float32) for name, array in held.items()}


def momentum(params, grads, lr=1e-3, velocity=None, momentum=0.0):
    """Right; the velocity is an argument that may be left out."""
    velocity = velocity or {name: np.zeros_like(param) for name, param in params.items()}
    new = {name: momentum * velocity[name] + grads[name] for name in params}
    return {name: params[name] - lr * new[name] for name in params}, new
