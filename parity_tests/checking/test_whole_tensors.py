"""Optimizers of whole tensors, of sparse gradients and in bfloat16, as somebody else writes them: taken, and judged."""

import numpy as np
import pytest
import torch

import lockstep
from lockstep.numerics.verdict import Verdict
from reference.arithmetic import bfloat16

pytestmark = pytest.mark.slow


class Factored:
    """Adafactor with plain means, and factors without the axis that they are means over."""

    def __init__(self, lr=0.01, beta2_decay=-0.8, eps=(None, 1e-3), d=1.0, weight_decay=0.0, maximize=False):
        self.lr, self.tau, self.eps, self.d, self.decay, self.sign = (
            lr,
            beta2_decay,
            eps,
            d,
            weight_decay,
            1 - 2 * maximize,
        )
        self.cache = {}

    def update(self, params, grads):
        for name, p in params.items():
            if grads[name] is None:
                continue
            g, held = self.sign * grads[name], self.cache.setdefault(name, {"t": 0, "R": 0, "C": 0, "V": 0})
            held["t"] += 1
            share, least = (
                held["t"] ** self.tau,
                self.eps[0] or (float(np.finfo(p.dtype).eps) if self.eps[0] is None else 0),
            )
            if g.ndim > 1:
                held["R"] = (1 - share) * held["R"] + share * (g * g).mean(-1)
                held["C"] = (1 - share) * held["C"] + share * (g * g).mean(-2)
                level = np.maximum(held["R"].mean(-1), least)[..., None, None]
                whole = held["R"][..., None] * held["C"][..., None, :] / level
            else:
                whole = held["V"] = (1 - share) * held["V"] + share * g * g
            u = g / np.maximum(np.sqrt(whole), least)
            u = u / self.excess(float(np.sqrt(np.mean(u * u))))
            step = max(self.eps[1], float(np.sqrt(np.mean(p * p)))) * min(self.lr, held["t"] ** -0.5)
            p[...] = (1 - self.lr * self.decay) * p - step * u

    def excess(self, rms):
        return max(1.0, rms / self.d)


class NeverClipped(Factored):
    def excess(self, rms):
        return 1.0


class Lazy:
    """SparseAdam row by row."""

    def __init__(self, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, maximize=False):
        self.lr, (self.b1, self.b2), self.eps, self.sign = lr, betas, eps, 1 - 2 * maximize
        self.m, self.v, self.t = {}, {}, {}

    def update(self, params, grads):
        for name, g in grads.items():
            if g is None:
                continue
            p, m, v = params[name], *(kept.setdefault(name, np.zeros_like(params[name])) for kept in (self.m, self.v))
            self.t[name] = t = self.t.get(name, 0) + 1
            step = self.lr * (1 - self.b2**t) ** 0.5 / (1 - self.b1**t)
            for row, value in zip(g.indices[0] if len(g.indices) else [()], self.sign * g.values, strict=True):
                m[row] += (1 - self.b1) * (value - m[row])
                v[row] = self.b2 * v[row] + (1 - self.b2) * value * value
                p[row] -= (step * m[row] / (np.sqrt(v[row]) + self.small(t))).astype(p.dtype)

    def small(self, t):
        return self.eps


class Corrected(Lazy):
    def small(self, t):
        return self.eps * (1 - self.b2**t) ** 0.5


class Orthogonal:
    """Muon in a loop."""

    def __init__(
        self,
        lr=1e-3,
        weight_decay=0.1,
        momentum=0.95,
        nesterov=True,
        ns_coefficients=(3.4445, -4.775, 2.0315),
        eps=1e-7,
        ns_steps=5,
        adjust_lr_fn=None,
    ):
        self.lr, self.decay, self.mu, self.nesterov = lr, weight_decay, momentum, nesterov
        self.coefficients, self.eps, self.ns_steps, self.adjusted = ns_coefficients, eps, ns_steps, adjust_lr_fn
        self.momentum_buffer = {}

    def update(self, params, grads):
        a, b, c = self.coefficients
        for name, g in grads.items():
            if g is None:
                continue
            p, buf = params[name], self.momentum_buffer.setdefault(name, np.zeros_like(params[name]))
            buf[...] = self.mu * buf + (1 - self.mu) * g
            u = self.mu * buf + (1 - self.mu) * g if self.nesterov else buf
            rows, columns = u.shape
            x = bfloat16(u.T if rows > columns else u)
            x = bfloat16(x / max(bfloat16(np.linalg.norm(x)), bfloat16(self.eps)))
            for _ in range(self.ns_steps):
                gram = bfloat16(x @ x.T)
                x = bfloat16(a * x + bfloat16(b * gram + c * (gram @ gram)) @ x)
            scale = 0.2 * max(rows, columns) ** 0.5 if self.adjusted == "match_rms_adamw" else self.scale(rows, columns)
            p *= 1 - self.lr * self.decay
            p -= self.lr * scale * (x.T if rows > columns else x).astype(p.dtype)

    def scale(self, rows, columns):
        return max(1, rows / columns) ** 0.5


class Turned(Orthogonal):
    def scale(self, rows, columns):
        return max(1, columns / rows) ** 0.5


FAITHFUL = {Verdict.IDENTICAL, Verdict.ROUNDING, Verdict.ILL_CONDITIONED}  # the last of Muon alone


@pytest.mark.parametrize(
    ("target", "like"),
    [
        (torch.optim.Adafactor, "optim.adafactor"),
        (Factored, "optim.adafactor"),
        (torch.optim.SparseAdam, "optim.sparse_adam"),
        (Lazy, "optim.sparse_adam"),
        (torch.optim.Muon, "optim.muon"),
        (Orthogonal, "optim.muon"),
    ],
)
def test_a_faithful_one_is_taken_and_not_accused(target, like):
    found = lockstep.check(target, like=like, dtypes=["float64"])
    seen = FAITHFUL if like == "optim.muon" else FAITHFUL - {Verdict.ILL_CONDITIONED}
    assert found.verdict in (seen | {Verdict.PARTIAL} if target is Factored else seen), str(found)


@pytest.mark.parametrize(
    ("target", "like", "cause"),
    [
        (NeverClipped, "optim.adafactor", "update-not-clipped"),
        (Corrected, "optim.sparse_adam", "eps-hat (corrected)"),
        (Turned, "optim.muon", "scaled-by-transposed-shape"),
    ],
)
def test_a_mistake_in_one_is_named(target, like, cause):
    found = lockstep.check(target, like=like, dtypes=["float64"])
    assert found.verdict is Verdict.DIFFERENT
    assert f"cause    {cause}:" in str(found), str(found)
