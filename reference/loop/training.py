"""A training loop around its gradients: everything that a step does with them, in its order."""

from collections import namedtuple
from math import inf
from typing import Any

import numpy as np

from reference.arithmetic import PLAIN
from reference.gradients.clip_grad_norm import norm
from reference.gradients.transformation import Transformation

EQUATIONS = {
    "shares": r"s_k = m_k / \textstyle\sum_j m_j",
    "scaled": r"S g_k",
    "accumulated": r"a = a_0 + \sum_k s_k\,(S g_k)",
    "grad": r"g = a / S",
    "norms": r"n_k = \lVert g_k \rVert_p",
    "total_norm": r"n = \lVert g \rVert_p",
    "inverse": r"r = 1 / (n + 10^{-6})",
    "coef": r"c = \frac{N}{n + 10^{-6}}",
    "held": r"c' = \min(c, 1)",
    "clipped": r"g' = c'\,g",
    "last_epoch": r"t = \lfloor i / E \rfloor",
    "decays": r"d = \lfloor t / s \rfloor",
    "lr": r"\eta = \eta_0\,\gamma^d",
    "left": r"a_0' = 0",
    "momentum_buffer": r"v' = \mu\,v + g', \quad g' \text{ at first}",
    "param": r"w' = w - \eta\,v'",
    "moved": r"u = \beta\,\bar w + (1 - \beta)\,w'",
    "averaged": r"\bar w' = w' \text{ at first}, \quad u \text{ then}",
    "n_averaged": r"i' = i + 1",
}

PyTorch = namedtuple("PyTorch", EQUATIONS)  # type: ignore[reportUntypedNamedTuple]
PAPER = [line for line in EQUATIONS if line not in ("norms", "inverse")]
Paper = namedtuple("Paper", PAPER)  # type: ignore[reportUntypedNamedTuple]


def paper(
    grads, param, momentum_buffer, averaged, left, *, n_averaged, samples, sizes, per_epoch, base_lr, momentum, scale,
    max_norm, norm_type, step_size, gamma, decay, copied, clips, scheduled,
):  # fmt: skip
    """One step with the mean gradients of its micro-batches, each of which has so many samples."""
    shares = samples / samples.sum()
    scaled = scale * grads
    accumulated = left + (shares * scaled).sum(axis=0)
    grad = accumulated / scale
    total_norm = norm(grad, norm_type)
    coef = max_norm / (total_norm + 1e-6)
    held = np.minimum(coef, 1)
    clipped = held * grad if clips else grad
    last_epoch = n_averaged // per_epoch
    decays = last_epoch // step_size
    lr = base_lr * gamma**decays if scheduled else base_lr
    left = np.zeros_like(clipped)
    momentum_buffer = clipped if n_averaged == 0 else momentum * momentum_buffer + clipped
    param = param - lr * momentum_buffer
    moved = decay * averaged + (1 - decay) * param
    averaged = param if n_averaged == 0 else np.where(copied, param, moved)
    n_averaged = n_averaged + 1
    return Paper(
        shares, scaled, accumulated, grad, total_norm, coef, held, clipped, last_epoch, decays, lr, left,
        momentum_buffer, param, moved, averaged, n_averaged,
    )  # fmt: skip


def pytorch(
    grads, param, momentum_buffer, averaged, left, *, n_averaged, samples, sizes, per_epoch, base_lr, momentum, scale,
    max_norm, norm_type, step_size, gamma, decay, copied, clips, scheduled, ops=PLAIN,
):  # fmt: skip
    """As backward of each scaled loss, clip_grad_norm_, SGD, StepLR and AveragedModel, one after the other."""
    shares = samples / samples.sum()
    scaled = ops.mul(grads, scale * shares)
    accumulated = ops.add(left, scaled.sum(axis=0))
    grad = ops.mul(accumulated, 1 / scale)
    norms = ops.norms(grad, sizes, norm_type)
    total_norm = ops.norm(norms, norm_type)
    inverse = 1 / ops.add(total_norm, 1e-6)
    coef = ops.mul(inverse, max_norm)
    held = np.minimum(coef, 1)
    clipped = ops.mul(grad, held) if clips else grad
    last_epoch = n_averaged // per_epoch
    decays = last_epoch // step_size
    lr = base_lr * gamma**decays if scheduled else base_lr
    left = np.zeros_like(clipped)
    momentum_buffer = clipped if n_averaged == 0 else ops.add(ops.mul(momentum_buffer, momentum), clipped)
    param = ops.add(param, momentum_buffer, alpha=-lr)
    moved = ops.add(ops.mul(averaged, decay), ops.mul(param, 1 - decay))
    averaged = param if n_averaged == 0 else np.where(copied, param, moved)
    n_averaged = n_averaged + 1
    return PyTorch(
        shares, scaled, accumulated, grad, norms, total_norm, inverse, coef, held, clipped, last_epoch, decays, lr,
        left, momentum_buffer, param, moved, averaged, n_averaged,
    )  # fmt: skip


class Training(Transformation):
    """SGD's step around gradients that are accumulated, unscaled and clipped, with a schedule and an average.

    The formula is `EQUATIONS`. What is left at its default changes nothing: no bit of a plain loop.

    Arguments:
        base_lr: η₀, SGD's learning rate in the first epoch.
        momentum: μ, of SGD.
        accumulation: how many micro-batches a step has; each counts by its samples.
        scale: S, what a loss is multiplied by before the way back; a power of two.
        max_norm, norm_type: of clip_grad_norm_.
        step_size, gamma: of StepLR, which is stepped after every epoch.
        decay: β, of the exponential moving average after every step; 0 keeps the parameters themselves.
        samples: of each micro-batch of a step; as many in each if None.
        per_epoch: how many steps an epoch has.

    PyTorch's loop is written of torch.optim, torch.nn.utils and torch.optim.swa_utils, in the order of its
    documentation, whose examples divide each loss by the number of micro-batches: the mean where those are as large.

    Source: torch.optim, torch.nn.utils, torch.amp and torch.optim.swa_utils 2.13, and their examples.
    """

    ORDERS = {"paper": paper, "pytorch": pytorch}
    GIVEN = "grads"
    TENSORS = ("param", "momentum_buffer", "averaged", "left")
    NUMBERS = ("lr", "total_norm", "n_averaged")
    CARRIED = {"param": 0.0, "momentum_buffer": 0.0, "averaged": 0.0, "left": 0.0, "n_averaged": 0.0}
    DOUBLES = ("lr",)
    CHOICES = ("norm_type", "samples", "copied", "n_averaged")

    def __init__(
        self, base_lr, momentum=0.0, accumulation=1, scale=1.0, max_norm=inf, norm_type=2.0, step_size=1, gamma=1.0,
        decay=0.0, samples=None, per_epoch=2,
    ):  # fmt: skip
        super().__init__(
            base_lr=base_lr, momentum=momentum, scale=scale, max_norm=float(max_norm), norm_type=float(norm_type),
            step_size=step_size, gamma=gamma, decay=decay, per_epoch=per_epoch,
        )  # fmt: skip
        self.accumulation, self.samples = accumulation, samples

    def given(self, arrays):
        return np.concatenate([array.reshape(len(array), -1) for array in arrays.values()], axis=1)

    def shapes(self, arrays):
        return {name: array[0] for name, array in arrays.items()}

    def start(self, arrays) -> dict[str, Any]:
        """The parameters as they are."""
        params = {name: array[0].copy() for name, array in arrays.items()}
        still = {name: np.zeros_like(array) for name, array in params.items()}
        return {"param": params, "momentum_buffer": still, "averaged": params, "left": still, "n_averaged": 0.0}

    def numbers(self, arrays):
        first = next(iter(arrays.values()))
        samples = np.reshape(self.samples or [1] * len(first), (-1, 1)).astype(first.dtype)
        sizes = [array[0].size for array in arrays.values()]
        there = {"clips": self.hyperparameters["max_norm"] < inf, "scheduled": self.hyperparameters["gamma"] != 1}
        return {**self.hyperparameters, **there, "samples": samples, "sizes": sizes, "copied": False}
