"""Numbers of float32, for causes that compute a coefficient in it or hold state in it."""

import math

import numpy as np

from lockstep.numerics.bounded import Bounded


def exactly(x) -> float:
    """A hyperparameter as a Python number; an error-carrying one is exact."""
    return float(x.value) if isinstance(x, Bounded) else float(x)


def float32(x) -> float:
    """x rounded to float32, as a Python number."""
    return float(np.float32(exactly(x)))


def float32_power(x, exponent) -> float:
    """x rounded to float32 to the power `exponent`, rounded to float32."""
    return float32(float32(x) ** exactly(exponent))


def float32_product(x, count) -> float:
    """x multiplied by itself `count` times, each product rounded to float32."""
    product = np.float32(1)
    for _ in range(round(exactly(count))):
        product = product * np.float32(exactly(x))
    return float(product)


def compounded(lr, betas, step) -> float:
    """lr times the corrections of every step until this one."""
    beta1, beta2 = map(exactly, betas)
    steps = range(1, round(exactly(step)) + 1)
    return exactly(lr) * math.prod((1 - beta2**t) ** 0.5 / (1 - beta1**t) for t in steps)


def as_float32(x):
    """An array in float32."""
    return x.astype(np.float32)


def as_wide_as(x, other):
    """What was worked out in a narrower format, in that of another array."""
    return x.astype(other.dtype)


def single(x):
    """An array as it is after it has been held in float32; an error-carrying one goes on in float32."""
    return x.rounded_to(np.float32) if isinstance(x, Bounded) else np.asarray(x, np.float32).astype(x.dtype)
