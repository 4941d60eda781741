"""Comparing two arrays of 10 million numbers, one thread, beside torch.testing.assert_close and numpy.array_equal.

numpy.array_equal of equal arrays is one read of both. How many reads a comparison costs is what the memory gives beside
the core's own speed, so it is a figure without a bound; against another program on the same arrays there is one.
"""

from collections.abc import Iterator

import numpy as np
import torch

from bench.timing import Row, compared
from lockstep.numerics.difference import compare

COUNT = 10_000_000


def rows() -> Iterator[Row]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for dtype in (np.float32, np.float64):
            yield from of_one(dtype)
    finally:
        torch.set_num_threads(threads)


def of_one(dtype) -> Iterator[Row]:
    """Arrays whose elements are a few roundings apart, which assert_close passes; and identical ones."""
    draws = np.random.default_rng(0)
    left = draws.standard_normal(COUNT, dtype=dtype)
    right = left * (1 + np.finfo(dtype).eps * draws.integers(-2, 3, COUNT).astype(dtype))
    same = left.copy()
    tensors = torch.from_numpy(left), torch.from_numpy(right)
    unrelated = draws.standard_normal(COUNT, dtype=dtype)
    kind = np.dtype(dtype).name
    yield from compared(
        f"absolute, relative, ulp, count, worst index; {kind}",
        {
            "lockstep": lambda: compare(left, right),
            "assert_close": lambda: torch.testing.assert_close(*tensors),
            "one read of both": lambda: np.array_equal(left, same),
        },
        {"assert_close": 5.0},
    )
    yield from compared(
        f"the same of unrelated arrays; {kind}",
        {"lockstep": lambda: compare(left, unrelated), "one read of both": lambda: np.array_equal(left, same)},
        {},
    )
    yield from compared(
        f"identical arrays; {kind}",
        {"lockstep": lambda: compare(left, same), "array_equal": lambda: np.array_equal(left, same)},
        {"array_equal": 0.5},
    )
