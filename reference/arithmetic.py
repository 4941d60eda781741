"""The primitives PyTorch's kernels are made of, with roundings that can be exchanged.

A step in PyTorch's order is written over an `Arithmetic`. Which one it is given decides how each
operation rounds; the formula stays the same text.
"""

import copy

import numpy as np


class Arithmetic:
    """Every operation rounds by itself, as NumPy's does.

    The names and the order inside each primitive are PyTorch's (`aten/src/ATen/native`, 2.13).
    The bodies are plain operators, so arrays, scalars and error-carrying numbers all pass through.
    """

    def add(self, x, y, alpha=1):
        """x + alpha·y"""
        return x + y if isinstance(alpha, int) and alpha == 1 else x + alpha * y

    def mul(self, x, y):
        """x·y"""
        return x * y

    def div(self, x, y):
        """x / y"""
        return x / y

    def lerp(self, x, y, weight):
        """x + weight·(y - x), from the nearer end"""
        return x + weight * (y - x) if weight < 0.5 else y - (y - x) * (1 - weight)

    def addcmul(self, x, a, b, value=1):
        """x + (value·a)·b"""
        return x + a * b if isinstance(value, int) and value == 1 else x + (value * a) * b

    def addcdiv(self, x, a, b, value=1):
        """x + (value·a)/b"""
        return x + a / b if isinstance(value, int) and value == 1 else x + (value * a) / b

    def fma(self, a, b, c):
        """a·b + c"""
        return a * b + c

    def sum_of_products(self, a, b, c, d):
        """a·b + c·d"""
        return a * b + c * d

    def sqrt(self, x):
        """The square root; NumPy's is correctly rounded."""
        return np.sqrt(x)

    def replacing(self, **primitives):
        """The same arithmetic with some primitives exchanged: `plain.replacing(sqrt=torch_sqrt)`."""
        unknown = [name for name in primitives if not hasattr(self, name)]
        if unknown:
            raise TypeError(f"no such primitive: {', '.join(unknown)}")
        other = copy.copy(self)
        vars(other).update(primitives)
        return other


PLAIN = Arithmetic()
