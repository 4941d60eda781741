"""The functions of reference/functions.py, differentiated by autograd."""

from collections.abc import Callable

import numpy as np
import torch

from torch_impl.tensors import array, tensor


def rosenbrock(x, y, a=1, b=100):
    return (a - x) ** 2 + b * (y - x**2) ** 2


def quadratic(x, y, curvature=2):
    return 0.5 * (x**2 + curvature * y**2)


def valley(x, y, curvature=1e4):
    return 0.5 * ((x + y) ** 2 + curvature * (x - y) ** 2)


def himmelblau(x, y):
    return (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2


def beale(x, y):
    return (1.5 - x * (1 - y)) ** 2 + (2.25 - x * (1 - y**2)) ** 2 + (2.625 - x * (1 - y**3)) ** 2


class Function:
    """A function of "theta" = [x, y], of shape (2,) or (2, n); NumPy arrays in and out, in their own dtype."""

    def __init__(self, name: str, formula: Callable[..., torch.Tensor], start):
        self.name, self.formula, self.theta = name, formula, np.array(start)
        self.shapes = {"theta": self.theta.shape}

    def start(self, shapes=None, dtype="float64", seed=0) -> dict[str, np.ndarray]:
        """The parameters before the first step; the shapes are the function's own."""
        return {"theta": self.theta.astype(dtype)}

    def value(self, params) -> np.ndarray:
        """The function's value, summed over the points."""
        return array(self.formula(*tensor(params["theta"])).sum())

    def gradient(self, params, step=1, seed=0) -> dict[str, np.ndarray]:
        """Name to autograd's gradient at `params`."""
        theta = tensor(params["theta"], requires_grad=True)
        self.formula(*theta).sum().backward()
        assert theta.grad is not None
        return {"theta": array(theta.grad)}


LINE = [np.linspace(-2, 2, 32), np.linspace(3, -1, 32)]

FUNCTIONS = {
    function.name: function
    for function in (
        Function("rosenbrock", rosenbrock, [-1.5, 2.5]),
        Function("quadratic", quadratic, LINE),
        Function("ill-conditioned quadratic", valley, LINE),
        Function("himmelblau", himmelblau, [-0.27, -0.92]),
        Function("beale", beale, [1.0, 1.5]),
    )
}

PROBLEMS = FUNCTIONS
