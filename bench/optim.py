"""A step of the readable optimizers on 10 million float32 parameters, one thread.

The notebook's class makes some 15 arrays of 40 MB a step, so how it fares depends on what a fresh page costs:
where the system grants NumPy huge pages it is much faster than where it does not (NUMPY_MADVISE_HUGEPAGE=0). SGD with
momentum reads and writes three arrays and computes next to nothing, so how it fares beside PyTorch is what the memory
gives. Neither has a bound: what is stated is what our own code decides.
"""

import tracemalloc
from collections.abc import Iterator

import numpy as np
import torch

from bench.timing import Row, compared
from reference.optim.adagrad import Adagrad
from reference.optim.adam import Adam
from reference.optim.adamw import AdamW
from reference.optim.rmsprop import RMSprop
from reference.optim.sgd import SGD

COUNT = 10_000_000
MEMORY = 16 * 1024 * 1024

SUBJECTS = [
    (Adam, torch.optim.Adam, {}, {"torch": 1.5}),
    (AdamW, torch.optim.AdamW, {}, {}),
    (SGD, torch.optim.SGD, {"momentum": 0.9}, {}),
    (SGD, torch.optim.SGD, {}, {}),
    (RMSprop, torch.optim.RMSprop, {}, {"torch": 1.0}),
    (Adagrad, torch.optim.Adagrad, {}, {"torch": 1.0}),
]


class NotebookAdam:
    """Adam in the manner of the notebook: dictionaries, whole arrays, a new array an operation."""

    def __init__(self, learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8):
        self.lr, self.beta1, self.beta2, self.epsilon = learning_rate, beta1, beta2, epsilon
        self.m, self.v, self.t = {}, {}, 0

    def update(self, params, grads):
        self.t += 1
        for key in params:
            if key not in self.m:
                self.m[key] = np.zeros_like(params[key])
                self.v[key] = np.zeros_like(params[key])
            self.m[key] = self.beta1 * self.m[key] + (1 - self.beta1) * grads[key]
            self.v[key] = self.beta2 * self.v[key] + (1 - self.beta2) * (grads[key] ** 2)
            m_hat = self.m[key] / (1 - self.beta1**self.t)
            v_hat = self.v[key] / (1 - self.beta2**self.t)
            params[key] -= self.lr * m_hat / (np.sqrt(v_hat) + self.epsilon)
        return params


def rows() -> Iterator[Row]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for ours, theirs, hyperparameters, bounds in SUBJECTS:
            yield from of_one(ours, theirs, hyperparameters, bounds)
    finally:
        torch.set_num_threads(threads)


def of_one(ours, theirs, hyperparameters, bounds) -> Iterator[Row]:
    """Speed against the others, then memory, of one optimizer."""
    draws = np.random.default_rng(0)
    param, grad = (draws.standard_normal(COUNT, dtype=np.float32) for _ in range(2))
    what = ", ".join([ours.__name__, *(f"{name}={value}" for name, value in hyperparameters.items())])
    optimizer = ours({"weight": param.copy()}, **hyperparameters)
    grads = {"weight": grad}
    work = {"numpy": lambda: optimizer.step(grads), "torch": torch_step(theirs, param, grad, hyperparameters)}
    if "fused" in theirs.__init__.__annotations__:
        work["torch, fused"] = torch_step(theirs, param, grad, hyperparameters | {"fused": True})
    if ours is Adam:
        notebook, params = NotebookAdam(), {"weight": param.copy()}
        work["notebook"] = lambda: notebook.update(params, grads)
    yield from compared(what, work, bounds)
    yield memory(what, optimizer, grads)


def torch_step(kind, param, grad, options):
    """A step of torch.optim on copies of the same arrays."""
    tensor = torch.tensor(param, requires_grad=True)
    tensor.grad = torch.tensor(grad)
    return kind([tensor], **options).step


def memory(what, optimizer, grads) -> Row:
    """What a step needs beyond the parameters, the gradients and the state, at its peak."""
    tracemalloc.start()
    try:
        optimizer.step(grads)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    found = f"{peak / 2**20:.2f} MiB"
    return Row(what, found, "extra memory", "", found, f"< {MEMORY // 2**20} MiB", peak < MEMORY)
