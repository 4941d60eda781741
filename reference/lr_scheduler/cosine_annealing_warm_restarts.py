"""CosineAnnealingWarmRestarts: down half a period of a cosine, and at once up again."""

from math import pi
from typing import Any, NamedTuple

from reference.lr_scheduler.scheduler import Scheduler, cos

EQUATIONS = {
    "restarts": r"n = \max\{n : T_0\,(1 + \dots + m^{n-1}) \le t\}",
    "T_i": r"T_i = T_0\,m^n",
    "T_cur": r"T_{cur} = t - T_0\,(1 + \dots + m^{n-1})",
    "angle": r"\varphi = \pi T_{cur} / T_i",
    "share": r"s = \tfrac{1}{2}(1 + \cos\varphi)",
    "lr": r"\eta_t = \eta_{\min} + (\eta_0 - \eta_{\min})\,s",
}


class Paper(NamedTuple):
    restarts: Any
    T_i: Any
    T_cur: Any
    angle: Any
    share: Any
    lr: Any


class PyTorch(NamedTuple):
    restarts: Any
    T_i: Any
    T_cur: Any
    lr: Any


def paper(lr, base_lr, *, last_epoch, T_0, T_mult, eta_min):
    """The formula in the order of the paper."""
    restarts = restarts_until(last_epoch, T_0, T_mult)
    T_i = T_0 * T_mult**restarts
    T_cur = last_epoch - epochs_of(restarts, T_0, T_mult)
    angle = T_cur * pi / T_i
    share = (1 + cos(angle)) / 2
    lr = eta_min + (base_lr - eta_min) * share
    return Paper(restarts, T_i, T_cur, angle, share, lr)


def pytorch(lr, base_lr, *, last_epoch, T_0, T_mult, eta_min):
    """PyTorch's order, which halves at the end (`get_lr`)."""
    restarts = restarts_until(last_epoch, T_0, T_mult)
    T_i = T_0 * T_mult**restarts
    T_cur = last_epoch - epochs_of(restarts, T_0, T_mult)
    lr = eta_min + (base_lr - eta_min) * (1 + cos(T_cur * pi / T_i)) / 2
    return PyTorch(restarts, T_i, T_cur, lr)


def epochs_of(restarts: int, T_0: int, T_mult: int) -> int:
    """How many epochs the first so many periods take together."""
    return sum(T_0 * T_mult**period for period in range(restarts))


def restarts_until(last_epoch: int, T_0: int, T_mult: int) -> int:
    """How many periods are over at an epoch."""
    restarts = 0
    while epochs_of(restarts + 1, T_0, T_mult) <= last_epoch:
        restarts += 1
    return restarts


class CosineAnnealingWarmRestarts(Scheduler):
    """η_min + ½(η₀ - η_min)(1 + cos πT_cur/T_i) in a period that restarts; the formula is `EQUATIONS`.

    Arguments:
        lrs: the learning rate of each group.
        T_0: T₀, the epochs of the first period.
        T_mult: m, by which each period is longer than the one before.
        eta_min: η_min.
        last_epoch, initial_lrs: as of `Scheduler`.

    PyTorch counts T_cur and T_i up. Where `step` is told the epoch it finds the period by a logarithm, whose rounding
    misses some restarts (at epoch 121 for T₀ = 1 and m = 3): the learning rate is η_min there in the place of η₀. Made
    for a later epoch it takes all that were before for one long period.

    Raises:
        ValueError: for a T_0 or T_mult that is no whole number above 0, and an eta_min that is no number, with
            PyTorch's wording.

    Source: torch.optim.lr_scheduler.CosineAnnealingWarmRestarts 2.13; Loshchilov and Hutter 2017, SGDR, equation 5.
    """

    ORDERS = {"paper": paper, "pytorch": pytorch}
    STARTS_WITH_A_STEP = True

    def __init__(self, lrs, T_0, T_mult=1, eta_min=0.0, last_epoch=-1, initial_lrs=None):
        if T_0 <= 0 or not isinstance(T_0, int):
            raise ValueError(f"Expected positive integer T_0, but got {T_0}")
        if T_mult < 1 or not isinstance(T_mult, int):
            raise ValueError(f"Expected integer T_mult >= 1, but got {T_mult}")
        if not isinstance(eta_min, float | int):
            raise ValueError(f"Expected float or int eta_min, but got {eta_min} of type {type(eta_min)}")
        super().__init__(lrs, last_epoch, initial_lrs, T_0=T_0, T_mult=T_mult, eta_min=eta_min)

    def state_dict(self):
        """What it takes to go on elsewhere, with where in which period it is."""
        restarts = restarts_until(self.last_epoch, *self.periods)
        period = {"T_cur": self.last_epoch - epochs_of(restarts, *self.periods)}
        return super().state_dict() | period | {"T_i": self.periods[0] * self.periods[1] ** restarts}

    @property
    def periods(self) -> tuple[int, int]:
        return self.hyperparameters["T_0"], self.hyperparameters["T_mult"]
