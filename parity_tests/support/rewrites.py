"""Each optimizer in five algebraically equal ways, as people write them; none of them may be accused of anything.

They take a dict of arrays and a dict of gradients, None where there is none, and PyTorch's hyperparameters.
"""

import math

import numpy as np


class Written:
    """`step(params, grads)`; a subclass updates one tensor, with memory and a count of its own for each."""

    def __init__(self):
        self.memory = {}

    def step(self, params, grads):
        for name, param in params.items():
            grad = grads[name]
            if grad is not None:
                memory = self.memory.setdefault(name, {"t": 0})
                memory["t"] += 1
                self.one(param, grad, memory)

    @staticmethod
    def zeros(memory, param, *names):
        return [memory.setdefault(name, np.zeros_like(param)) for name in names]


class Adam(Written):
    def __init__(self, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, amsgrad=False, maximize=False):
        super().__init__()
        self.lr, self.betas, self.eps, self.weight_decay = lr, betas, eps, weight_decay
        self.amsgrad, self.maximize = amsgrad, maximize

    def gradient(self, param, grad):
        grad = -grad if self.maximize else grad
        return grad + self.weight_decay * param

    def largest(self, memory, v):
        if not self.amsgrad:
            return v
        memory["largest"] = np.maximum(memory.get("largest", 0 * v), v)
        return memory["largest"]


class FoldedAdam(Adam):
    """Bias corrections folded into lr and eps, as the end of the paper's section 2 has it, with eps corrected too."""

    def one(self, param, grad, memory):
        b1, b2 = self.betas
        g = self.gradient(param, grad)
        first, second = self.zeros(memory, param, "first", "second")
        memory["first"], memory["second"] = b1 * first + (1 - b1) * g, b2 * second + (1 - b2) * g * g
        root = math.sqrt(1 - b2 ** memory["t"])
        rate = self.lr * root / (1 - b1 ** memory["t"])
        param -= rate * memory["first"] / (np.sqrt(self.largest(memory, memory["second"])) + self.eps * root)


class IncrementalAdam(Adam):
    """Moments moved by a share of what they lack."""

    def one(self, param, grad, memory):
        b1, b2 = self.betas
        g = self.gradient(param, grad)
        first, second = self.zeros(memory, param, "first", "second")
        first += (1 - b1) * (g - first)
        second += (1 - b2) * (np.square(g) - second)
        corrected = self.largest(memory, second.copy()) / (1 - b2 ** memory["t"])
        param[...] = param - self.lr * (first / (1 - b1 ** memory["t"])) / (corrected**0.5 + self.eps)


class ReciprocalAdam(Adam):
    """Multiplies by a reciprocal; the powers of β by repeated multiplication."""

    def one(self, param, grad, memory):
        b1, b2 = self.betas
        g = self.gradient(param, grad)
        first, second = self.zeros(memory, param, "first", "second")
        memory["p1"], memory["p2"] = memory.get("p1", 1.0) * b1, memory.get("p2", 1.0) * b2
        first *= b1
        first += g - b1 * g
        second *= b2
        second += (math.sqrt(1 - b2) * g) ** 2
        inverse = 1 / (np.sqrt(self.largest(memory, second.copy()) / (1 - memory["p2"])) + self.eps)
        param += -self.lr / (1 - memory["p1"]) * (first * inverse)


class SummedAdam(Adam):
    """Keeps sums instead of averages, and takes the factor 1 - β out."""

    def one(self, param, grad, memory):
        b1, b2 = self.betas
        g = self.gradient(param, grad)
        first, second = self.zeros(memory, param, "sum_of_gradients", "sum_of_their_squares")
        memory["sum_of_gradients"], memory["sum_of_their_squares"] = first * b1 + g, second * b2 + g**2
        second = self.largest(memory, memory["sum_of_their_squares"])
        scale = (1 - b1) / (1 - b1 ** memory["t"])
        root = np.sqrt(second * ((1 - b2) / (1 - b2 ** memory["t"])))
        param -= (self.lr * scale) * memory["sum_of_gradients"] / (self.eps + root)


class VectorAdam(Adam):
    """On a flat copy, the common factor last."""

    def one(self, param, grad, memory):
        b1, b2 = self.betas
        flat = param.reshape(-1).copy()
        g = self.gradient(flat, grad.reshape(-1))
        first, second = self.zeros(memory, flat, "first", "second")
        memory["first"] = first - (1 - b1) * (first - g)
        memory["second"] = second - (1 - b2) * (second - g * g)
        steps = memory["t"]
        root = np.sqrt(self.largest(memory, memory["second"])) / (1 - b2**steps) ** 0.5
        update = memory["first"] / (root + self.eps) / (1 - b1**steps)
        param[...] = (flat - update * self.lr).reshape(param.shape)


class SGD(Written):
    def __init__(self, lr=1e-3, momentum=0.0, dampening=0.0, weight_decay=0.0, nesterov=False, maximize=False):
        super().__init__()
        self.lr, self.momentum, self.dampening, self.weight_decay = lr, momentum, dampening, weight_decay
        self.nesterov, self.maximize = nesterov, maximize

    def gradient(self, param, grad):
        grad = -grad if self.maximize else grad
        return grad + self.weight_decay * param

    def gathered(self, memory, d):
        """The buffer after d has come."""
        if not self.momentum:
            return d
        if "heap" in memory:
            memory["heap"] = self.momentum * memory["heap"] + (1 - self.dampening) * d
        else:
            memory["heap"] = d.copy()
        return memory["heap"]


class PlainSGD(SGD):
    def one(self, param, grad, memory):
        d = self.gradient(param, grad)
        heap = self.gathered(memory, d)
        param -= self.lr * (d + self.momentum * heap if self.nesterov else heap)


class ShrinkingSGD(SGD):
    """Without momentum the decay is a factor of the parameter."""

    def one(self, param, grad, memory):
        sign = -1 if self.maximize else 1
        if not self.momentum:
            param[...] = (1 - self.lr * self.weight_decay) * param - sign * self.lr * grad
            return
        heap = self.gathered(memory, self.gradient(param, grad))
        param -= self.lr * heap + (0 if not self.nesterov else 0 * heap)
        if self.nesterov:
            param[...] = param + self.lr * heap
            d = self.gradient(param, grad)
            param -= self.lr * (d + self.momentum * heap)


class NegativeSGD(SGD):
    """The buffer holds descent directions."""

    def one(self, param, grad, memory):
        d = -self.gradient(param, grad)
        heap = self.gathered(memory, d)
        param += self.lr * d + self.lr * self.momentum * heap if self.nesterov else self.lr * heap


class SplitSGD(SGD):
    """Gradient and decay move the parameter one after the other, by the same buffer."""

    def one(self, param, grad, memory):
        d = self.gradient(param, grad)
        heap = self.gathered(memory, d)
        if not self.nesterov:
            param[...] = param - heap * self.lr
            return
        param[...] = param - (self.lr * d + (self.lr * self.momentum) * heap)


class FoldedSGD(SGD):
    """The undampened buffer of later steps, scaled when it is used."""

    def one(self, param, grad, memory):
        d = self.gradient(param, grad)
        if not self.momentum:
            param -= d * self.lr
            return
        old = memory.get("heap")
        heap = d.copy() if old is None else d - self.dampening * d + old * self.momentum
        memory["heap"] = heap
        param += -self.lr * (heap * self.momentum + d if self.nesterov else heap)


class RMSprop(Written):
    def __init__(self, lr=1e-2, alpha=0.99, eps=1e-8, weight_decay=0.0, momentum=0.0, maximize=False):
        super().__init__()
        self.lr, self.alpha, self.eps, self.weight_decay = lr, alpha, eps, weight_decay
        self.momentum, self.maximize = momentum, maximize

    def gradient(self, param, grad):
        grad = -grad if self.maximize else grad
        return self.weight_decay * param + grad

    def gathered(self, memory, update):
        if not self.momentum:
            return update
        memory["heap"] = self.momentum * memory.get("heap", 0 * update) + update
        return memory["heap"]


class PlainRMSprop(RMSprop):
    def one(self, param, grad, memory):
        g = self.gradient(param, grad)
        (mean,) = self.zeros(memory, param, "mean_of_squares")
        memory["mean_of_squares"] = self.alpha * mean + (1 - self.alpha) * g**2
        param -= self.lr * self.gathered(memory, g / (np.sqrt(memory["mean_of_squares"]) + self.eps))


class IncrementalRMSprop(RMSprop):
    def one(self, param, grad, memory):
        g = self.gradient(param, grad)
        (mean,) = self.zeros(memory, param, "mean_of_squares")
        mean += (1 - self.alpha) * (g * g - mean)
        param += -self.lr * self.gathered(memory, g * (1 / (self.eps + mean**0.5)))


class SummedRMSprop(RMSprop):
    """A sum instead of a mean."""

    def one(self, param, grad, memory):
        g = self.gradient(param, grad)
        (total,) = self.zeros(memory, param, "sum_of_squares_so_far")
        memory["sum_of_squares_so_far"] = total * self.alpha + np.square(g)
        root = np.sqrt((1 - self.alpha) * memory["sum_of_squares_so_far"])
        param[...] = param - self.gathered(memory, g / (root + self.eps)) * self.lr


class SplitRMSprop(RMSprop):
    """The root of 1 - α comes out of the root."""

    def one(self, param, grad, memory):
        g = self.gradient(param, grad)
        (total,) = self.zeros(memory, param, "sum_of_squares_so_far")
        memory["sum_of_squares_so_far"] = g * g + total * self.alpha
        root = math.sqrt(1 - self.alpha) * np.sqrt(memory["sum_of_squares_so_far"])
        param -= self.gathered(memory, g / (root + self.eps)) * self.lr


class VectorRMSprop(RMSprop):
    def one(self, param, grad, memory):
        g = self.gradient(param, grad).reshape(-1)
        (mean,) = self.zeros(memory, g, "mean_of_squares")
        memory["mean_of_squares"] = mean - (1 - self.alpha) * (mean - g * g)
        update = np.divide(g, np.sqrt(memory["mean_of_squares"]) + self.eps)
        param -= np.multiply(self.gathered(memory, update), self.lr).reshape(param.shape)


class Adagrad(Written):
    def __init__(
        self, lr=1e-2, lr_decay=0.0, weight_decay=0.0, initial_accumulator_value=0.0, eps=1e-10, maximize=False
    ):
        super().__init__()
        self.lr, self.lr_decay, self.weight_decay, self.eps = lr, lr_decay, weight_decay, eps
        self.start, self.maximize = initial_accumulator_value, maximize

    def prepared(self, param, grad, memory):
        grad = -grad if self.maximize else grad
        memory.setdefault("heap", np.full_like(param, self.start))
        return grad + self.weight_decay * param, self.lr / (1 + (memory["t"] - 1) * self.lr_decay)


class PlainAdagrad(Adagrad):
    def one(self, param, grad, memory):
        g, rate = self.prepared(param, grad, memory)
        memory["heap"] = memory["heap"] + g**2
        param -= rate * g / (np.sqrt(memory["heap"]) + self.eps)


class InPlaceAdagrad(Adagrad):
    def one(self, param, grad, memory):
        g, rate = self.prepared(param, grad, memory)
        memory["heap"] += g * g
        param += -rate * (g / (self.eps + memory["heap"] ** 0.5))


class ReciprocalAdagrad(Adagrad):
    def one(self, param, grad, memory):
        g, rate = self.prepared(param, grad, memory)
        memory["heap"] += np.square(g)
        param[...] = param - g * (1 / (np.sqrt(memory["heap"]) + self.eps)) * rate


class ScaledAdagrad(Adagrad):
    """lr comes into the denominator."""

    def one(self, param, grad, memory):
        g, rate = self.prepared(param, grad, memory)
        memory["heap"] += g * g
        param -= g / ((np.sqrt(memory["heap"]) + self.eps) / rate) if rate else 0 * g


class SlowedAdagrad(Adagrad):
    """The decay of lr divides the update."""

    def one(self, param, grad, memory):
        g, _ = self.prepared(param, grad, memory)
        memory["heap"] += g**2
        slowed = 1 + self.lr_decay * (memory["t"] - 1)
        param -= self.lr * (g / (np.sqrt(memory["heap"]) + self.eps)) / slowed


REWRITES = {
    "optim.adam": [FoldedAdam, IncrementalAdam, ReciprocalAdam, SummedAdam, VectorAdam],
    "optim.sgd": [PlainSGD, ShrinkingSGD, NegativeSGD, SplitSGD, FoldedSGD],
    "optim.rmsprop": [PlainRMSprop, IncrementalRMSprop, SummedRMSprop, SplitRMSprop, VectorRMSprop],
    "optim.adagrad": [PlainAdagrad, InPlaceAdagrad, ReciprocalAdagrad, ScaledAdagrad, SlowedAdagrad],
}


class DecoupledAdam(FoldedAdam):
    """AdamW: the parameter shrinks first."""

    def __init__(self, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2, amsgrad=False, maximize=False):
        super().__init__(lr, betas, eps, weight_decay, amsgrad, maximize)

    def gradient(self, param, grad):
        return -grad if self.maximize else grad

    def one(self, param, grad, memory):
        param *= 1 - self.lr * self.weight_decay
        super().one(param, grad, memory)


def decoupled(kind):
    """The AdamW of one of the Adams above."""

    class Decoupled(DecoupledAdam):
        def one(self, param, grad, memory):
            param -= self.lr * self.weight_decay * param
            kind.one(self, param, grad, memory)

    Decoupled.__name__ = kind.__name__ + "W"
    return Decoupled


REWRITES["optim.adamw"] = [DecoupledAdam, *(decoupled(kind) for kind in REWRITES["optim.adam"][1:])]
