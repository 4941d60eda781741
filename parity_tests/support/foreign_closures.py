"""L-BFGS as people write it: a NumPy class, torch's kind, functions of a function; and what they get wrong in it."""

import numpy as np
import torch

WRONG: dict[str, dict[str, str]] = {
    "pairs-without-curvature-kept": {"if s @ y > 1e-10:": "if True:"},
    "initial-scaling-left-out": {"q = q * ((self.S[-1] @ self.Y[-1]) / (self.Y[-1] @ self.Y[-1]))": "pass"},
    "initial-scaling-of-steps": {
        "(self.S[-1] @ self.Y[-1]) / (self.Y[-1] @ self.Y[-1])": "(self.S[-1] @ self.S[-1]) / (self.S[-1] @ self.Y[-1])"
    },
    "history-one-longer": {"len(self.S) > self.m": "len(self.S) > self.m + 1"},
    "first-loop-from-the-oldest": {
        "zip(self.S[::-1], self.Y[::-1]):": "zip(self.S, self.Y):",
        "self.Y, alphas[::-1]):": "self.Y, alphas):",
    },
    "second-loop-from-the-newest": {"zip(self.S, self.Y, alphas[::-1])": "zip(self.S[::-1], self.Y[::-1], alphas)"},
    "rho-inverted": {"rho = 1 / (s @ y)": "rho = s @ y"},
    "first-step-not-shortened": {"min(1.0, 1 / np.abs(g).sum()) * self.lr": "self.lr"},
    "ascends": {"x - t * q": "x + t * q"},
    "": {"rho = 1 / (s @ y)": "rho = 1 / (y @ y)"},
}  # a cause to the words that become others; "" is in no table, and has to be different
SOURCE = """
import numpy as np


class LBFGS:
    def __init__(self, params, lr=1.0, history_size=100):
        self.params, self.lr, self.m = params, lr, history_size
        self.S, self.Y, self.before, self.calls = [], [], None, 0

    def flat(self, arrays):
        return np.concatenate([np.ravel(arrays[name]) for name in self.params])

    def step(self, closure):
        loss, grads = closure()
        g, x = self.flat(grads), self.flat(self.params)
        self.calls += 1
        if self.before is not None:
            s, y = x - self.before[0], g - self.before[1]
            if s @ y > 1e-10:
                self.S.append(s)
                self.Y.append(y)
                if len(self.S) > self.m:
                    self.S.pop(0)
                    self.Y.pop(0)
        q, alphas = g.copy(), []
        for s, y in zip(self.S[::-1], self.Y[::-1]):
            rho = 1 / (s @ y)
            alphas.append(rho * (s @ q))
            q = q - alphas[-1] * y
        if self.S:
            q = q * ((self.S[-1] @ self.Y[-1]) / (self.Y[-1] @ self.Y[-1]))
        for s, y, alpha in zip(self.S, self.Y, alphas[::-1]):
            rho = 1 / (s @ y)
            q = q + s * (alpha - rho * (y @ q))
        t = self.lr if self.calls > 1 else min(1.0, 1 / np.abs(g).sum()) * self.lr
        self.before = x, g
        new, place = x - t * q, 0
        for name, array in self.params.items():
            self.params[name] = new[place : place + array.size].reshape(array.shape)
            place += array.size
        return loss
"""


def named(cause=None):
    """The NumPy class, with a cause in it."""
    source, space = SOURCE, {}
    for own, other in WRONG[cause].items() if cause is not None else ():
        assert own in source
        source = source.replace(own, other)
    exec(source, space)
    return space["LBFGS"]


class InTorch(torch.optim.Optimizer):
    """Torch's kind, several directions a step, each asked about once more when it has been gone."""

    def __init__(self, params, lr=1.0, max_iter=20, history_size=10, tolerance_grad=1e-7, tolerance_change=1e-9):
        super().__init__(params, {"lr": lr})
        self.max_iter, self.m, self.tolerances = max_iter, history_size, (tolerance_grad, tolerance_change)
        self.pairs, self.before, self.t, self.d, self.count = [], None, None, None, 0

    def numbers(self, what):
        return torch.cat([what(p).reshape(-1) for p in self.param_groups[0]["params"]])

    def step(self, closure):
        loss = first = float(closure())
        g = self.numbers(lambda p: p.grad).clone()
        if g.abs().max() <= self.tolerances[0]:
            return first
        for _ in range(self.max_iter):
            self.count += 1
            lr = self.param_groups[0]["lr"]
            if self.before is not None:
                y, s = g - self.before, self.d * self.t
                if y.dot(s) > 1e-10:
                    self.pairs = [*self.pairs, (s, y)][-self.m :]
            self.before, d, alphas = g, -g, []
            for s, y in reversed(self.pairs):
                alphas.append(s.dot(d) / y.dot(s))
                d = d - alphas[-1] * y
            if self.pairs:
                s, y = self.pairs[-1]
                d = d * (y.dot(s) / y.dot(y))
            for (s, y), alpha in zip(self.pairs, reversed(alphas), strict=True):
                d = d + s * (alpha - y.dot(d) / y.dot(s))
            self.d, self.t = d, lr if self.count > 1 else min(1.0, float(1 / g.abs().sum())) * lr
            if g.dot(d) > -self.tolerances[1]:
                break
            place = 0
            with torch.no_grad():
                for p in self.param_groups[0]["params"]:
                    p.add_(self.t * d[place : place + p.numel()].reshape(p.shape))
                    place += p.numel()
            before, loss = loss, float(closure())
            g = self.numbers(lambda p: p.grad).clone()
            small = g.abs().max() <= self.tolerances[0] or (d * self.t).abs().max() <= self.tolerances[1]
            if small or abs(loss - before) < self.tolerances[1]:
                break
        return first


def direction(g, S, Y):
    q, alphas = g.copy(), []
    for s, y in zip(S[::-1], Y[::-1], strict=True):
        alphas.append((s @ q) / (s @ y))
        q -= alphas[-1] * y
    if S:
        q *= (S[-1] @ Y[-1]) / (Y[-1] @ Y[-1])
    for s, y, alpha in zip(S, Y, alphas[::-1], strict=True):
        q += s * (alpha - (y @ q) / (s @ y))
    return -q


def lbfgs(f, x0, max_iter=50, m=10, lr=1.0):
    """A run, of a function that answers with loss and gradient."""
    x, S, Y = x0.copy(), [], []
    value, g = f(x)
    for k in range(max_iter):
        d = direction(g, S, Y)
        step = (lr if k else min(1.0, 1 / np.abs(g).sum()) * lr) * d
        x = x + step
        value, new = f(x)
        if step @ (new - g) > 1e-10:
            S, Y = [*S, step][-m:], [*Y, new - g][-m:]
        g = new
    return x, value


def lbfgs_apart(fun, x0, fprime, maxiter=50, memory=10):
    """The same of a function and its gradient, which steps by 1 and knows no lr."""
    return lbfgs(lambda x: (fun(x), fprime(x)), x0, maxiter, memory)


def lbfgs_unshortened(f, x0, max_iter=50, m=10):
    """As the book has it: the first step is as long as any."""
    x, S, Y = x0.copy(), [], []
    _, g = f(x)
    for _ in range(max_iter):
        step = direction(g, S, Y)
        x = x + step
        _, new = f(x)
        if step @ (new - g) > 1e-10:
            S, Y = [*S, step][-m:], [*Y, new - g][-m:]
        g = new
    return x


def lbfgs_backtracking(f, x0, max_iter=50, m=10):
    """With a search that asks of the decrease alone."""
    x, S, Y = x0.copy(), [], []
    value, g = f(x)
    for k in range(max_iter):
        d = direction(g, S, Y)
        t = 1.0 if k else min(1.0, 1 / np.abs(g).sum())
        while True:
            new_value, new = f(x + t * d)
            if new_value <= value + 1e-4 * t * (g @ d):
                break
            t /= 2
        if t * d @ (new - g) > 1e-10:
            S, Y = [*S, t * d][-m:], [*Y, new - g][-m:]
        x, value, g = x + t * d, new_value, new
    return x


class Steps:
    """A method of where it is and of the gradient there, which answers with where it is then."""

    def __init__(self, lr=1.0, m=10):
        self.lr, self.m, self.S, self.Y, self.before = lr, m, [], [], None

    def step(self, x, grad):
        first = self.before is None
        if not first:
            s, y = x - self.before[0], grad - self.before[1]
            if s @ y > 1e-10:
                self.S, self.Y = [*self.S, s][-self.m :], [*self.Y, y][-self.m :]
        self.before = x.copy(), grad.copy()
        t = min(1.0, 1 / np.abs(grad).sum()) * self.lr if first else self.lr
        return x + t * direction(grad, self.S, self.Y)
