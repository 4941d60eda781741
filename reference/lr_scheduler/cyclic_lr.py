"""CyclicLR: up and down between two learning rates, and the momentum down and up."""

from typing import Any, NamedTuple

import numpy as np

from reference.lr_scheduler.scheduler import Scheduler

EQUATIONS = {
    "size": r"S = s_u + s_d",
    "cycle": r"k = 1 + \lfloor t / S \rfloor",
    "position": r"p = t \bmod S",
    "x": r"x = 1 + t / S - k",
    "height": r"h = \min\left(\frac{p}{s_u}, \frac{S - p}{s_d}\right)",
    "scale": r"a = 1,\; 2^{1-k} \text{ or } \gamma^t",
    "lr": r"\eta_t = \eta_0 + (\eta_{\max} - \eta_0)\,h\,a",
    "momentum": r"\mu_t = \mu_{\max} - (\mu_{\max} - \mu_0)\,h\,a",
}


class Paper(NamedTuple):
    size: Any
    cycle: Any
    position: Any
    height: Any
    scale: Any
    lr: Any
    momentum: Any


class PyTorch(NamedTuple):
    size: Any
    cycle: Any
    x: Any
    height: Any
    scale: Any
    lr: Any
    momentum: Any


def paper(lr, base_lr, *, last_epoch, max_lr, step_size_up, step_size_down, scale_fn, base_momentum, max_momentum):
    """The formula, which counts in whole steps as long as it can."""
    size = step_size_up + step_size_down
    cycle = 1 + last_epoch // size
    position = last_epoch % size
    height = position / step_size_up if position <= step_size_up else (size - position) / step_size_down
    scale = scale_fn(cycle, last_epoch)
    lr = base_lr + (max_lr - base_lr) * height * scale
    momentum = max_momentum - (max_momentum - base_momentum) * height * scale
    return Paper(size, cycle, position, height, scale, lr, momentum)


def pytorch(lr, base_lr, *, last_epoch, max_lr, step_size_up, step_size_down, scale_fn, base_momentum, max_momentum):
    """PyTorch's order, which takes the whole cycles off again: each rounds more than the one before (`get_lr`)."""
    size = step_size_up + step_size_down
    ratio = step_size_up / size
    cycle = 1 + last_epoch // size
    x = last_epoch / size + 1.0 - cycle
    height = np.where(x <= ratio, x / ratio, (x - 1) / (ratio - 1))
    scale = scale_fn(cycle, last_epoch)
    lr = base_lr + (max_lr - base_lr) * height * scale
    momentum = max_momentum - (max_momentum - base_momentum) * height * scale
    return PyTorch(size, cycle, x, height, scale, lr, momentum)


class CyclicLR(Scheduler):
    """Between η₀ and η_max in a triangle of s_u epochs up and s_d down; the formula is `EQUATIONS`.

    Arguments:
        lrs: the learning rate of each group, which base_lr takes the place of.
        base_lr, max_lr: η₀ and η_max, or a list of them, one for each group.
        step_size_up, step_size_down: s_u and s_d, in epochs; s_d is s_u if None.
        mode: "triangular", "triangular2", whose height halves each cycle, or "exp_range", where it shrinks by gamma.
        gamma: γ.
        scale_fn, scale_mode: a function in the place of the mode's, of the "cycle" or of "iterations".
        cycle_momentum: whether the momentum goes from max_momentum to base_momentum and back.
        base_momentum, max_momentum: μ₀ and μ_max, or a list of them.
        last_epoch, initial_lrs: as of `Scheduler`.

    PyTorch takes the number of the cycle off 1 + t/S, which rounds the more the later the cycle is.

    Raises:
        ValueError: for a mode that there is not, and a list that is not one for each group, with PyTorch's wording.

    Source: torch.optim.lr_scheduler.CyclicLR 2.13; Smith 2017, Cyclical Learning Rates.
    """

    ORDERS = {"paper": paper, "pytorch": pytorch}
    EACH = ("base_lr", "max_lr", "base_momentum", "max_momentum")
    STARTS_WITH_A_STEP = True

    def __init__(
        self, lrs, base_lr, max_lr, step_size_up=2000, step_size_down=None, mode="triangular", gamma=1.0, scale_fn=None,
        scale_mode="cycle", cycle_momentum=True, base_momentum=0.8, max_momentum=0.9, last_epoch=-1, initial_lrs=None,
    ):  # fmt: skip
        if mode not in ("triangular", "triangular2", "exp_range") and scale_fn is None:
            raise ValueError("mode is invalid and scale_fn is None")
        self.MADE = ("lr", "momentum") if cycle_momentum else ("lr",)
        momenta = {"base_momentum": base_momentum, "max_momentum": max_momentum}
        sizes = {
            "step_size_up": step_size_up,
            "step_size_down": step_size_up if step_size_down is None else step_size_down,
        }
        scale = Scaling(mode, gamma, scale_fn, scale_mode)
        rates = {"base_lr": base_lr, "max_lr": max_lr}
        super().__init__(lrs, last_epoch, initial_lrs, **rates, **sizes, scale_fn=scale, **momenta)
        self.base_lrs = [float(self.of_group("base_lr", base_lr, group)) for group in range(len(self.lrs))]

    def state_dict(self):
        """What it takes to go on elsewhere; a function is no state."""
        return super().state_dict() | {"_scale_fn_custom": None}


class Scaling(NamedTuple):
    """The height of a triangle of the number of its cycle and of the epoch; equal to one of equal parts."""

    mode: str
    gamma: float
    scale_fn: Any
    scale_mode: str

    def __call__(self, cycle, epoch):
        if self.scale_fn is not None:
            return self.scale_fn(cycle if self.scale_mode == "cycle" else epoch)
        if self.mode == "triangular2":
            return 1 / 2.0 ** (cycle - 1)
        return self.gamma**epoch if self.mode == "exp_range" else 1.0
