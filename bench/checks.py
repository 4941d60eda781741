"""How long a check takes on one core: implementations from outside, the slowest first.

What is stated depends on what the answer is: 3 s for nothing wrong, 4 s for one cause, 10 s for no known one. Of
several causes at once nothing is stated.
"""

import time
from collections.abc import Iterator

import numpy as np
import torch

import lockstep
from bench.timing import Row
from parity_tests.support.strangers import TRUTH

RIGHT, WRONG, UNKNOWN = 3.0, 4.0, 10.0


class AdamOfNobody:
    """No known mistake: the third root of the second moment."""

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


def rows() -> Iterator[Row]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        implementations = {stranger: path for stranger, (path, _) in TRUTH.items()} | {AdamOfNobody: "optim.adam"}
        yield from sorted((of_one(one, like) for one, like in implementations.items()), key=slowest)
    finally:
        torch.set_num_threads(threads)


def slowest(row: Row) -> float:
    return -float(row.ours.split()[0])


def of_one(implementation, like: str) -> Row:
    """Processor time, of which another program takes nothing."""
    begun = time.process_time()
    found = lockstep.check(implementation, like=like)
    taken = time.process_time() - begun
    causes = len(found.causes)
    stated = {0: RIGHT if found.verdict.passes else UNKNOWN, 1: WRONG}.get(causes)
    return Row(
        what=f"{implementation.__name__} like {like}",
        ours=f"{taken:.2f} s",
        other=f"{found.verdict}, causes: {causes}",
        theirs="",
        found="",
        stated="" if stated is None else f"<= {stated:g} s",
        kept=stated is None or taken <= stated,
    )
