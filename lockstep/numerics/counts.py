"""How rare a count is: exact tails of the binomial distribution, in logarithms.

Of n independent trials with probability q each, P(K = k) = n! / (k! (n - k)!) qᵏ (1 - q)ⁿ⁻ᵏ. Nothing is approximated
but by the rounding of a sum of logarithms, some 1e-10 of the probability for n in the hundred thousands.
"""

import functools
import math

import numpy as np

FALSE_ALARM = 1e-9  # the stated chance that anything true is accused by all counts of a check together


@functools.cache
def log_factorials(n: int) -> np.ndarray:
    """log 0!, log 1!, … log n!."""
    return np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, n + 1)))])


@functools.cache
def log_pmf(trials: int, probability: float) -> np.ndarray:
    """log P(K = k) for k from 0 to `trials`."""
    k, log_factorial = np.arange(trials + 1), log_factorials(trials)
    ways = log_factorial[trials] - log_factorial - log_factorial[::-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        hits = np.where(k == 0, 0.0, k * np.log(probability))
        misses = np.where(k == trials, 0.0, (trials - k) * np.log1p(-probability))
    return ways + hits + misses


def log_tail(count: int, trials: int, probability: float) -> float:
    """The logarithm of twice the smaller of P(K ≤ count) and P(K ≥ count), at most 0: both tails by a union bound."""
    each = log_pmf(trials, probability)
    sides = (each[: count + 1], each[count:])
    return min(0.0, math.log(2) + min(float(np.logaddexp.reduce(side)) for side in sides))


def log_allowed(tests: int) -> float:
    """The logarithm of how rare a count may be where there are so many, by a union bound."""
    return math.log(FALSE_ALARM / tests)


def same_count(trials: int, probability: float) -> float:
    """The probability that two such counts are one number."""
    return float(np.exp(2 * log_pmf(trials, probability)).sum())
