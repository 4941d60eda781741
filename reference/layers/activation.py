"""Activations, element by element: ReLU, sigmoid, tanh."""

from typing import Any, NamedTuple

import numpy as np

from reference.arithmetic import PLAIN
from reference.layers.layer import Formula, Layer

EQUATIONS = {
    "ReLU": {
        "y": r"y = \max(x, 0)",
        "dx": r"\partial x = \partial y \cdot [x > 0]",
    },
    "Sigmoid": {
        "e": r"e = \exp(-|x|)",
        "y": r"y = \begin{cases} 1 / (1 + e) & x \ge 0 \\ e / (1 + e) & x < 0 \end{cases}",
        "slope": r"s = y\,(1 - y)",
        "dx": r"\partial x = \partial y \cdot s",
    },
    "Tanh": {
        "y": r"y = \tanh x",
        "slope": r"s = 1 - y^2",
        "dx": r"\partial x = \partial y \cdot s",
    },
}


class Output(NamedTuple):
    y: Any


class SigmoidOutput(NamedTuple):
    e: Any
    y: Any


class Grad(NamedTuple):
    dx: Any


class SlopeGrad(NamedTuple):
    slope: Any
    dx: Any


def relu(x):
    """Forward."""
    y = np.maximum(x, 0)
    return Output(y)


def relu_backward(dy, lines, x):
    """Backward; at 0 the slope is 0."""
    dx = np.where(x > 0, dy, 0)
    return Grad(dx)


def relu_pytorch(x):
    """Forward as torch.relu (2.13): -0 stays -0, where NumPy's maximum makes it 0."""
    y = np.where(x < 0, 0, x)
    return Output(y)


def relu_pytorch_backward(dy, lines, x):
    """Backward as threshold_backward (2.13): a NaN lets the gradient pass."""
    dx = np.where(lines.y <= 0, 0, dy)
    return Grad(dx)


def sigmoid(x):
    """Forward, with an exponential that never overflows."""
    e = np.exp(-abs(x))
    y = np.where(x >= 0, 1, e) / (1 + e)
    return SigmoidOutput(e, y)


def sigmoid_backward(dy, lines, x):
    """Backward."""
    slope = lines.y * (1 - lines.y)
    dx = dy * slope
    return SlopeGrad(slope, dx)


def sigmoid_pytorch(x, ops=PLAIN):
    """Forward: one kernel (`sigmoid_kernel`, UnaryOpsKernel.cpp, 2.13)."""
    y = ops.sigmoid(x)
    return Output(y)


def sigmoid_pytorch_backward(dy, lines, x, ops=PLAIN):
    """Backward: ∂y·(1 - y)·y from the left (`sigmoid_backward_kernel`, BinaryOpsKernel.cpp, 2.13)."""
    slope = ops.mul(dy, 1 - lines.y)
    dx = ops.mul(slope, lines.y)
    return Grad(dx)


def tanh(x):
    """Forward."""
    y = np.tanh(x)
    return Output(y)


def tanh_backward(dy, lines, x):
    """Backward."""
    slope = 1 - lines.y * lines.y
    dx = dy * slope
    return SlopeGrad(slope, dx)


def tanh_backward_by_secant(dy, lines, x):
    """Backward by the square of the hyperbolic secant, which takes nothing away from 1."""
    e = np.exp(-abs(x))
    secant = 2 * e / (1 + e * e)
    slope = secant * secant
    dx = dy * slope
    return SlopeGrad(slope, dx)


def tanh_pytorch(x, ops=PLAIN):
    """Forward: one kernel (`tanh_kernel`, UnaryOpsKernel.cpp, 2.13)."""
    y = ops.tanh(x)
    return Output(y)


def tanh_pytorch_backward(dy, lines, x, ops=PLAIN):
    """Backward: 1 - y² in one operation where the kernel contracts (`tanh_backward_kernel`, 2.13)."""
    slope = ops.fma(-lines.y, lines.y, 1)
    dx = ops.mul(dy, slope)
    return SlopeGrad(slope, dx)


class ReLU(Layer):
    """max(x, 0) of x of any shape; the slope at 0 is 0.

    PyTorch differs in what no formula says: it keeps -0, and lets a gradient pass where x is NaN.

    Source: torch.nn.ReLU 2.13.
    """

    ORDERS = {"paper": Formula(relu, relu_backward), "pytorch": Formula(relu_pytorch, relu_pytorch_backward)}

    def __init__(self):
        super().__init__()


class Sigmoid(Layer):
    """1 / (1 + exp(-x)) of x of any shape, in the form whose exponential cannot overflow.

    PyTorch computes exp(-x) whatever the sign, so where that overflows (float32: x < -88.7) it returns
    0 and the gradient 0, and loses nothing else.

    Source: torch.nn.Sigmoid 2.13.
    """

    ORDERS = {
        "paper": Formula(sigmoid, sigmoid_backward),
        "pytorch": Formula(sigmoid_pytorch, sigmoid_pytorch_backward),
    }

    def __init__(self):
        super().__init__()


class Tanh(Layer):
    """The hyperbolic tangent of x of any shape.

    PyTorch differs in rounding: its kernel takes 1 - y² in one operation where the CPU has one.

    Source: torch.nn.Tanh 2.13.
    """

    ORDERS = {"paper": Formula(tanh, tanh_backward), "pytorch": Formula(tanh_pytorch, tanh_pytorch_backward)}
    FORMS = (Formula(tanh, tanh_backward_by_secant),)

    def __init__(self):
        super().__init__()
