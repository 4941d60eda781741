"""Linear: every output is a weighted sum of all inputs."""

import math
from typing import Any, NamedTuple

import numpy as np

from reference.arithmetic import PLAIN
from reference.layers.layer import Formula, Layer, check_dtype

EQUATIONS = {
    "product": r"Z = X W^\top",
    "y": r"Y = Z + \mathbf{1} b^\top",
    "dx": r"\partial X = \partial Y\, W",
    "dweight": r"\partial W = \partial Y^\top X",
    "dbias": r"\partial b = \sum_i \partial Y_i",
}


class Paper(NamedTuple):
    product: Any
    y: Any


class PyTorch(NamedTuple):
    y: Any


class Backward(NamedTuple):
    dx: Any
    dweight: Any
    dbias: Any


def paper(x, weight, bias=None):
    """Forward: the product, then the bias."""
    rows = x.reshape(-1, x.shape[-1])
    product = (rows @ weight.T).reshape(*x.shape[:-1], weight.shape[0])
    y = product if bias is None else product + bias
    return Paper(product, y)


def paper_backward(dy, lines, x, weight, bias=None):
    """Backward, by the chain rule."""
    rows = x.reshape(-1, x.shape[-1])
    drows = dy.reshape(-1, dy.shape[-1])
    dx = (drows @ weight).reshape(*x.shape)
    dweight = drows.T @ rows
    dbias = None if bias is None else drows.sum(axis=0)
    return Backward(dx, dweight, dbias)


def pytorch(x, weight, bias=None, ops=PLAIN):
    """Forward as torch.nn.functional.linear (2.13): one call of the matrix library, bias included."""
    rows = x.reshape(-1, x.shape[-1])
    product = ops.matmul(rows, weight.T) if bias is None else ops.addmm(bias, rows, weight.T)
    y = product.reshape(*x.shape[:-1], weight.shape[0])
    return PyTorch(y)


def pytorch_backward(dy, lines, x, weight, bias=None, ops=PLAIN):
    """Backward as autograd's AddmmBackward (2.13), which takes a single number for a column and turns the product."""
    rows = x.reshape(-1, x.shape[-1])
    drows = dy.reshape(-1, dy.shape[-1])
    drows_weight = ops.matmul(weight.T, drows.T).T if rows.shape == (1, 1) else ops.matmul(drows, weight)
    dx = drows_weight.reshape(*x.shape)
    dweight = ops.matmul(drows.T, rows)
    dbias = None if bias is None else ops.sum(drows, axis=0)
    return Backward(dx, dweight, dbias)


class NumPyStart:
    """Draws the start of a Linear from NumPy's generator, of PyTorch's distribution."""

    def __init__(self, generator=None):
        self.generator = np.random.default_rng() if generator is None else generator

    def linear(self, in_features, out_features, bias, dtype):
        bound = 1 / math.sqrt(in_features) if in_features > 0 else 0.0
        weight = self.generator.uniform(-bound, bound, (out_features, in_features)).astype(dtype)
        return weight, self.generator.uniform(-bound, bound, out_features).astype(dtype) if bias else None


class Linear(Layer):
    """y = x Wᵀ + b, on the last axis; the formula is `EQUATIONS`.

    Arguments:
        in_features, out_features: width of the input (…, in_features) and of the output (…, out_features).
        bias: whether there is a b.
        dtype: of the parameters, float32 or float64.
        generator: draws the parameters, uniform in ±1/√in_features as PyTorch does (Kaiming uniform with
            a = √5, weights first): `reference.random.Generator` PyTorch's numbers, NumPy's its own.
            Without one they differ from one call to the next.

    PyTorch differs in the order of operations: the bias goes into the matrix product, as the value
    that the sums start from or that is added last, whichever its matrix library prefers.

    Raises:
        RuntimeError: for an input of another width, with PyTorch's wording, or of another dtype.

    Source: torch.nn.Linear 2.13.
    """

    ORDERS = {"paper": Formula(paper, paper_backward), "pytorch": Formula(pytorch, pytorch_backward)}
    GRADS = {"weight": "dweight", "bias": "dbias"}

    def __init__(self, in_features, out_features, bias=True, *, dtype=np.float32, generator=None):
        super().__init__(in_features=in_features, out_features=out_features, bias=bias)
        draw = getattr(generator, "linear", None) or NumPyStart(generator).linear
        weight, offset = draw(in_features, out_features, bias, dtype)
        self.params = {"weight": weight} | ({"bias": offset} if bias else {})

    def accepted(self, inputs):
        (x,) = inputs
        weight = self.params["weight"]
        if x.ndim == 0 or x.shape[-1] != weight.shape[1]:
            rows, width = (math.prod(x.shape[:-1]), x.shape[-1]) if x.ndim else (1, 1)
            raise RuntimeError(
                f"mat1 and mat2 shapes cannot be multiplied ({rows}x{width} and {weight.shape[1]}x{weight.shape[0]})"
            )
        check_dtype(x, self.params)
        return inputs
