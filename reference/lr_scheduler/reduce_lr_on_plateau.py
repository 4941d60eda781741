"""ReduceLROnPlateau: multiply the learning rate by a factor where a metric no longer gets better."""

from math import inf
from typing import Any, NamedTuple

import numpy as np

from reference.lr_scheduler.scheduler import Scheduler

EQUATIONS = {
    "bound": r"b = m^*(1 \mp \tau) \text{ or } m^* \mp \tau",
    "better": r"v = [m_t < b] \text{ or } [m_t > b]",
    "best": r"m^* = m_t \text{ if } v",
    "bad": r"n = (n + 1)(1 - v)\,[c = 0]",
    "due": r"d = [n > P]",
    "lower": r"\eta' = \max(\eta_{t-1} f, \eta_{\min})",
    "cooldown_counter": r"c = C \text{ if } d,\; \max(c - 1, 0) \text{ else}",
    "num_bad_epochs": r"n = n\,(1 - d)",
    "lr": r"\eta_t = \eta' \text{ if } d \wedge \eta_{t-1} - \eta' > \epsilon",
}


class Lines(NamedTuple):
    bound: Any
    better: Any
    best: Any
    bad: Any
    due: Any
    lower: Any
    cooldown_counter: Any
    num_bad_epochs: Any
    lr: Any


def paper(
    lr, *, metrics, best, num_bad_epochs, cooldown_counter,
    mode, factor, patience, threshold, threshold_mode, cooldown, min_lr, eps,
):  # fmt: skip
    """The rule, which is PyTorch's (`step`)."""
    sign = 1 if mode == "max" else -1
    bound = best * (1.0 + sign * threshold) if threshold_mode == "rel" else best + sign * threshold
    better = sign * metrics > sign * bound
    best = metrics if better else best
    bad = 0 if better or cooldown_counter > 0 else num_bad_epochs + 1
    due = bad > patience
    lower = np.maximum(lr * factor, min_lr)
    cooldown_counter = cooldown if due else max(cooldown_counter - 1, 0)
    num_bad_epochs = 0 if due else bad
    lr = lower if due and lr - lower > eps else lr
    return Lines(bound, better, best, bad, due, lower, cooldown_counter, num_bad_epochs, lr)


class ReduceLROnPlateau(Scheduler):
    """The learning rate times f as soon as the metric has not been better for more than P epochs; see `EQUATIONS`.

    Arguments:
        lrs: the learning rate of each group.
        mode: whether the metric is better when it is smaller, "min", or larger, "max".
        factor: f.
        patience: P, in epochs.
        threshold, threshold_mode: τ, by which it has to be better: a share of the best, "rel", or a number, "abs".
        cooldown: C, the epochs after a reduction in which none counts as bad.
        min_lr: η_min, or a list of them, one for each group.
        eps: ε; a change that is not larger is not made.

    PyTorch does the same; it does not check patience, cooldown or threshold.

    Raises:
        ValueError: for a factor of 1 or more, a mode that there is not, and another number of min_lr than of groups,
            with PyTorch's wording.

    Source: torch.optim.lr_scheduler.ReduceLROnPlateau 2.13.
    """

    ORDERS = {"paper": paper, "pytorch": paper}
    EACH = ("min_lr",)
    EXACT = ("metrics", "best", "threshold", "num_bad_epochs", "cooldown_counter")
    SHARED = ("best", "num_bad_epochs", "cooldown_counter")

    def __init__(
        self, lrs, mode="min", factor=0.1, patience=10, threshold=1e-4, threshold_mode="rel", cooldown=0, min_lr=0,
        eps=1e-8,
    ):  # fmt: skip
        if factor >= 1.0:
            raise ValueError("Factor should be < 1.0.")
        if isinstance(min_lr, list | tuple) and len(min_lr) != len(lrs):
            raise ValueError(f"expected {len(lrs)} min_lrs, got {len(min_lr)}")
        if mode not in ("min", "max"):
            raise ValueError(f"mode {mode} is unknown!")
        if threshold_mode not in ("rel", "abs"):
            raise ValueError(f"threshold mode {threshold_mode} is unknown!")
        self.metrics = 0.0
        self.shared: dict[str, Any] = {
            "best": inf if mode == "min" else -inf,
            "num_bad_epochs": 0,
            "cooldown_counter": 0,
        }
        better = {"mode": mode, "threshold": threshold, "threshold_mode": threshold_mode}
        counts = {"patience": patience, "cooldown": cooldown}
        super().__init__(lrs, factor=factor, min_lr=min_lr, eps=eps, **better, **counts)

    def start(self):
        """No metric has been seen yet."""
        self.last_epoch += 1

    def step(self, metrics):
        """Go on to the next epoch, after which the metric was that."""
        self.metrics = float(metrics)
        super().step()

    def take(self):
        """The learning rate of every group after the metric, and what is kept of it."""
        lines = self.formula(**self.arguments(0))
        super().take()
        self.shared = {key: getattr(lines, key) for key in self.SHARED}

    def arguments(self, group):
        """What the formula is given for a group."""
        own = super().arguments(group)
        del own["base_lr"], own["last_epoch"]
        return own | self.shared | {"metrics": self.metrics}

    def state_dict(self):
        """What it takes to go on elsewhere; there are no first learning rates in it."""
        return {"last_epoch": self.last_epoch, "_last_lr": list(self.lrs), **self.shared}

    def load_state_dict(self, state):
        """Go on from there."""
        super().load_state_dict({"base_lrs": self.base_lrs, **state})
        self.shared = {key: state[key] for key in self.SHARED}
