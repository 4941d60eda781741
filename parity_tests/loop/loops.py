"""Loops to be checked, made of the reference's class or of one with causes in it."""

from math import inf
from typing import Any

import numpy as np

from reference.loop.training import Training


def loop_of(kind: Any):
    """A function that trains as the class does, on the data and gradients it is given."""

    def train(
        params, batches, gradient, epochs, lr, momentum=0.0, accumulation=1, scale=1.0, max_norm=inf, norm_type=2.0,
        step_size=1, gamma=1.0, decay=0.0,
    ):  # fmt: skip
        loop = kind(lr, momentum, accumulation, scale, max_norm, norm_type, step_size, gamma, decay)
        loop.made = loop.start({name: array[None] for name, array in params.items()})
        waiting: list[Any] = []
        for _ in range(epochs):
            for x, y in batches:
                waiting.append((len(x), gradient(params, x, y)))
                if len(waiting) < accumulation:
                    continue
                loop.samples = tuple(count for count, _ in waiting)
                loop.step({name: np.stack([grads[name] for _, grads in waiting]) for name in params})
                waiting.clear()
                for name, array in loop.made["param"].items():
                    params[name][...] = array
        return (params, loop.made["averaged"]) if decay else params

    return train


faithful = loop_of(Training)
