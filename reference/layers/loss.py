"""Losses: cross-entropy of probabilities, of logits, and of a choice among classes."""

from typing import Any, NamedTuple

import numpy as np

from reference.arithmetic import PLAIN
from reference.layers.layer import Formula, Layer, check_dtype

# PyTorch holds this bound in float32 and uses it in float64, too.
SMALLEST_SLOPE = float(np.float32(1e-12))

EQUATIONS = {
    "BCELoss": {
        "p_hat": r"\hat p = \min(\max(p, \epsilon),\, 1 - \epsilon)",
        "q_hat": r"\hat q = \max(1 - \hat p,\, \epsilon)",
        "log_p": r"\log p",
        "log_q": r"\log (1 - p)",
        "losses": r"l_i = -\left(t_i \log \hat p_i + (1 - t_i) \log \hat q_i\right)",
        "loss": r"L = \tfrac1n \sum_i l_i",
        "dlosses": r"\partial l_i = \tfrac1n\,\partial L",
        "slope": r"s = p\,(1 - p)",
        "dp": r"\partial p_i = \partial l_i \left(\frac{1 - t_i}{\hat q_i} - \frac{t_i}{\hat p_i}\right)",
    },
    "BCEWithLogitsLoss": {
        "e": r"e = \exp(-|z|)",
        "log_sigmoid": r"\log \sigma(z) = \min(z, 0) - \log(1 + e)",
        "losses": r"l_i = \max(z_i, 0) - t_i z_i + \log(1 + e_i)",
        "loss": r"L = \tfrac1n \sum_i l_i",
        "dlosses": r"\partial l_i = \tfrac1n\,\partial L",
        "p": r"p = \sigma(z)",
        "dz": r"\partial z_i = \partial l_i\,(p_i - t_i)",
    },
    "CrossEntropyLoss": {
        "z_max": r"\hat z_i = \max_k z_{ik}",
        "shifted": r"s_{ik} = z_{ik} - \hat z_i",
        "e": r"e_{ik} = \exp s_{ik}",
        "total": r"Z_i = \sum_k e_{ik}",
        "log_p": r"\log p_{ik} = s_{ik} - \log Z_i",
        "losses": r"l_i = -\log p_{i t_i}",
        "loss": r"L = \tfrac1n \sum_i l_i",
        "dlosses": r"\partial l_i = \tfrac1n\,\partial L",
        "p": r"p_{ik} = e_{ik} / Z_i",
        "dlog_p": r"\partial \log p_{ik} = -\partial l_i\,[k = t_i]",
        "dz": r"\partial z_{ik} = \partial l_i\,(p_{ik} - [k = t_i])",
    },
}


class OnProbabilities(NamedTuple):
    p_hat: Any
    q_hat: Any
    losses: Any
    loss: Any


class OnProbabilitiesPyTorch(NamedTuple):
    log_p: Any
    log_q: Any
    losses: Any
    loss: Any


class OnLogits(NamedTuple):
    e: Any
    losses: Any
    loss: Any


class OnLogitsPyTorch(NamedTuple):
    log_sigmoid: Any
    losses: Any
    loss: Any


class OnClasses(NamedTuple):
    z_max: Any
    shifted: Any
    e: Any
    total: Any
    log_p: Any
    losses: Any
    loss: Any


class ByProbabilities(NamedTuple):
    dlosses: Any
    dp: Any


class ByProbabilitiesPyTorch(NamedTuple):
    slope: Any
    dp: Any


class ByLogits(NamedTuple):
    dlosses: Any
    p: Any
    dz: Any


class ByLogitsPyTorch(NamedTuple):
    p: Any
    dz: Any


class ByClasses(NamedTuple):
    dlosses: Any
    p: Any
    dz: Any


class ByClassesPyTorch(NamedTuple):
    dlosses: Any
    dlog_p: Any
    dz: Any


def reduced(losses, reduction):
    return losses if reduction == "none" else losses.sum() if reduction == "sum" else losses.mean()


def reduced_pytorch(losses, reduction, total, ops):
    """Mean and sum as at::mean and at::sum: one sum by `total`, one division."""
    return (
        losses if reduction == "none" else total(losses) if reduction == "sum" else ops.div(total(losses), losses.size)
    )


def bce(p, t, *, reduction, eps=1e-10):
    """Forward, clipped as in the notebook; float32 cannot hold 1 - 1e-10, so 1 - p is clipped as well."""
    p_hat = np.clip(p, eps, 1 - eps)
    q_hat = np.maximum(1 - p_hat, eps)
    losses = -(t * np.log(p_hat) + (1 - t) * np.log(q_hat))
    loss = reduced(losses, reduction)
    return OnProbabilities(p_hat, q_hat, losses, loss)


def bce_backward(dloss, lines, p, t, *, reduction):
    """Backward: the slope at the clipped probability."""
    dlosses = dloss / p.size if reduction == "mean" else dloss
    dp = dlosses * ((1 - t) / lines.q_hat - t / lines.p_hat)
    return ByProbabilities(dlosses, dp)


def bce_pytorch(p, t, *, reduction, ops=PLAIN):
    """Forward as binary_cross_entropy on the CPU (Loss.cpp, 2.13): the logarithms stop at -100."""
    log_p = np.where(p > 0, np.maximum(ops.scalar_log(np.where(p > 0, p, 1)), -100), -100)
    log_q = np.where(p < 1, np.maximum(ops.scalar_log1p(np.where(p < 1, -p, 0)), -100), -100)
    losses = ops.mul(t - 1, log_q) - ops.mul(t, log_p)
    loss = reduced_pytorch(losses, reduction, ops.sum, ops)
    return OnProbabilitiesPyTorch(log_p, log_q, losses, loss)


def bce_pytorch_backward(dloss, lines, p, t, *, reduction, ops=PLAIN):
    """Backward as binary_cross_entropy_backward (Loss.cpp, 2.13): p(1 - p) stops at 1e-12."""
    slope = np.maximum(ops.mul(1 - p, p), SMALLEST_SLOPE)
    sized = ops.div(ops.mul(dloss, p - t), slope)
    dp = ops.div(sized, p.size) if reduction == "mean" else sized
    return ByProbabilitiesPyTorch(slope, dp)


def logits(z, t, *, reduction):
    """Forward, with an exponential that never overflows."""
    e = np.exp(-abs(z))
    losses = np.maximum(z, 0) - t * z + np.log1p(e)
    loss = reduced(losses, reduction)
    return OnLogits(e, losses, loss)


def logits_backward(dloss, lines, z, t, *, reduction):
    """Backward."""
    dlosses = dloss / z.size if reduction == "mean" else dloss
    p = np.where(z >= 0, 1, lines.e) / (1 + lines.e)
    dz = dlosses * (p - t)
    return ByLogits(dlosses, p, dz)


def logits_by_logs(z, t, *, reduction):
    """Forward by the logarithms of both probabilities, as JAX's optax has it."""
    e = np.exp(-abs(z))
    losses = t * (np.log1p(e) - np.minimum(z, 0)) + (1 - t) * (np.maximum(z, 0) + np.log1p(e))
    loss = reduced(losses, reduction)
    return OnLogits(e, losses, loss)


def logits_by_logs_backward(dloss, lines, z, t, *, reduction):
    """Backward as its derivative: each probability is the exponential of its logarithm."""
    dlosses = dloss / z.size if reduction == "mean" else dloss
    p = np.exp(z - (np.maximum(z, 0) + np.log1p(lines.e)))
    dz = dlosses * ((1 - t) * p - t * np.exp(-z - (np.maximum(-z, 0) + np.log1p(lines.e))))
    return ByLogits(dlosses, p, dz)


def logits_pytorch(z, t, *, reduction, ops=PLAIN):
    """Forward as binary_cross_entropy_with_logits (Loss.cpp, 2.13), over its log_sigmoid kernel."""
    log_sigmoid = ops.log_sigmoid(z)
    losses = ops.mul(1 - t, z) - log_sigmoid
    loss = reduced_pytorch(losses, reduction, ops.sum, ops)
    return OnLogitsPyTorch(log_sigmoid, losses, loss)


def logits_pytorch_backward(dloss, lines, z, t, *, reduction, ops=PLAIN):
    """Backward as autograd's binary_cross_entropy_with_logits_backward (2.13): divided by n last."""
    p = ops.sigmoid(z)
    sized = ops.mul(p - t, dloss)
    dz = ops.div(sized, z.size) if reduction == "mean" else sized
    return ByLogitsPyTorch(p, dz)


def classes(z, t, *, reduction):
    """Forward: softmax, shifted by the largest logit, and the logarithm at the class."""
    z_max = z.max(axis=1, keepdims=True)
    shifted = z - z_max
    e = np.exp(shifted)
    total = e.sum(axis=1, keepdims=True)
    log_p = shifted - np.log(total)
    losses = -log_p[range(z.shape[0]), t]
    loss = reduced(losses, reduction)
    return OnClasses(z_max, shifted, e, total, log_p, losses, loss)


def classes_backward(dloss, lines, z, t, *, reduction):
    """Backward."""
    dlosses = dloss / z.shape[0] if reduction == "mean" else dloss
    p = lines.e / lines.total
    dz = dlosses.reshape(-1, 1) * (p - (np.arange(z.shape[1]) == t[:, None]))
    return ByClasses(dlosses, p, dz)


def classes_by_logs_backward(dloss, lines, z, t, *, reduction):
    """Backward by the exponential of z less the logarithm of all exponentials."""
    dlosses = dloss / z.shape[0] if reduction == "mean" else dloss
    p = np.exp(z - (lines.z_max + np.log(lines.total)))
    dz = dlosses.reshape(-1, 1) * (p - (np.arange(z.shape[1]) == t[:, None]))
    return ByClasses(dlosses, p, dz)


def classes_pytorch(z, t, *, reduction, ops=PLAIN):
    """Forward as log_softmax and nll_loss on the CPU (SoftMaxKernel.cpp, LossNLL.cpp, 2.13)."""
    z_max = z.max(axis=1, keepdims=True)
    shifted = z - z_max
    e = ops.softmax_exp(shifted)
    total = ops.row_sum(e)
    log_p = ops.log_softmax(shifted, total)
    losses = -log_p[range(z.shape[0]), t]
    loss = reduced_pytorch(losses, reduction, ops.loss_sum, ops)
    return OnClasses(z_max, shifted, e, total, log_p, losses, loss)


def classes_pytorch_backward(dloss, lines, z, t, *, reduction, ops=PLAIN):
    """Backward as nll_loss_backward and log_softmax_backward on the CPU (2.13)."""
    dlosses = ops.div(dloss, z.shape[0]) if reduction == "mean" else dloss
    down = -dlosses.reshape(-1, 1)  # the only gradient of its row, and so the row's sum
    dlog_p = np.where(np.arange(z.shape[1]) == t[:, None], down, 0)
    dz = ops.fma(-ops.softmax_exp(lines.log_p), down, dlog_p)
    return ByClassesPyTorch(dlosses, dlog_p, dz)


class Loss(Layer):
    """A layer of an input and a target, whose output is one number, or one an element if not reduced."""

    OUTPUT = "loss"
    SETTINGS = ("reduction",)

    def __init__(self, *, reduction="mean"):
        if reduction not in {"mean", "sum", "none"}:
            raise ValueError(f"{reduction} is not a valid value for reduction")
        super().__init__(reduction=reduction)

    def backward(self, grad_output=None):
        """The gradient by the input; `grad_output` is 1 where it is left out."""
        if grad_output is None and self.cache is not None:
            grad_output = np.ones_like(getattr(self.cache[1], self.OUTPUT))
        return super().backward(grad_output)


class BCELoss(Loss):
    """Binary cross-entropy of probabilities p and targets t, both in [0, 1], of one shape.

    Arguments:
        reduction: "mean" over all elements, their "sum", or "none".

    Clipped as the notebook does, with ε = 1e-10: the loss never exceeds 23.03 an element, the gradient
    never 1e10. PyTorch clips neither p nor 1 - p: its logarithms stop at -100, and backward p(1 - p) stops
    at 1e-12. So where p is 0 or 1 and the target says otherwise, the two are different formulas
    (23.03 and 100; 1e10 and 1e12), and where p is 0 or 1 and right, PyTorch's gradient is 0 and ours 1.

    Raises:
        ValueError: for a target of another shape, with PyTorch's wording.
        RuntimeError: for p outside [0, 1], with PyTorch's wording, and for another dtype.

    Source: the notebook, section 2.1; torch.nn.BCELoss 2.13.
    """

    GRAD_INPUT = "dp"
    ORDERS = {"paper": Formula(bce, bce_backward), "pytorch": Formula(bce_pytorch, bce_pytorch_backward)}

    def accepted(self, inputs):
        x, t = inputs
        if x.shape != t.shape:
            raise ValueError(
                f"Using a target size (torch.Size({list(t.shape)})) that is different to the input size "
                f"(torch.Size({list(x.shape)})) is deprecated. Please ensure they have the same size."
            )
        check_dtype(x, {"target": t})
        if not np.all((x >= 0) & (x <= 1)):
            raise RuntimeError("all elements of input should be between 0 and 1")
        return inputs


class BCEWithLogitsLoss(Loss):
    """Binary cross-entropy of logits z and targets t in [0, 1], of one shape.

    Arguments:
        reduction: "mean" over all elements, their "sum", or "none".

    PyTorch differs in the order of operations: it takes (1 - t)·z - log σ(z), which cancels where t = 0 and
    z is far below 0. There it is the less accurate side: at z = -15 in float32 it finds 0, where the loss is
    3.1e-7. Backward it divides by n at the end.

    Raises:
        ValueError: for a target of another shape, with PyTorch's wording.
        RuntimeError: for another dtype.

    Source: torch.nn.BCEWithLogitsLoss 2.13.
    """

    GRAD_INPUT = "dz"
    ORDERS = {"paper": Formula(logits, logits_backward), "pytorch": Formula(logits_pytorch, logits_pytorch_backward)}
    FORMS = (Formula(logits_by_logs, logits_by_logs_backward),)

    def accepted(self, inputs):
        x, t = inputs
        if x.shape != t.shape:
            raise ValueError(
                f"Target size (torch.Size({list(t.shape)})) must be the same as input size "
                f"(torch.Size({list(x.shape)}))"
            )
        check_dtype(x, {"target": t})
        return inputs


class CrossEntropyLoss(Loss):
    """Softmax cross-entropy of logits z, (n, classes), and classes t, n integers.

    Arguments:
        reduction: "mean" over the samples, their "sum", or "none".

    PyTorch differs in the order of operations: backward it takes exp of the logarithm instead of the
    quotient e/Z. It ignores targets of -100; here they are out of bounds.

    Raises:
        ValueError: for other shapes, with PyTorch's wording.
        IndexError: for a class out of bounds, with PyTorch's wording.
        TypeError: for targets that are no integers.

    Source: torch.nn.CrossEntropyLoss 2.13.
    """

    GRAD_INPUT = "dz"
    ORDERS = {
        "paper": Formula(classes, classes_backward),
        "pytorch": Formula(classes_pytorch, classes_pytorch_backward),
    }
    FORMS = (Formula(classes, classes_by_logs_backward),)

    def accepted(self, inputs):
        x, t = inputs
        if x.ndim != 2 or t.ndim != 1:
            raise ValueError(f"expected logits (n, classes) and n classes, got {x.shape} and {t.shape}")
        if x.shape[0] != t.shape[0]:
            raise ValueError(f"Expected input batch_size ({x.shape[0]}) to match target batch_size ({t.shape[0]}).")
        if not np.issubdtype(t.dtype, np.integer):
            raise TypeError(f"expected integer classes, but got {t.dtype}")
        for wrong in t[(t < 0) | (t >= x.shape[1])]:
            raise IndexError(f"Target {wrong} is out of bounds.")
        return inputs
