"""OneCycleLR: up to the largest learning rate once, and down far below where it began."""

from bisect import bisect_left
from math import pi
from typing import Any, NamedTuple

from reference.lr_scheduler.scheduler import Scheduler, cos

EQUATIONS = {
    "initial_lr": r"\eta_0 = \eta_{\max} / d",
    "min_lr": r"\eta_{\min} = \eta_0 / d_f",
    "phase": r"i = |\{j : e_j < t\}|",
    "begin": r"b = e_{i-1}",
    "share": r"s = \frac{t - b}{e_i - b}",
    "weight": r"w = \tfrac{1}{2}(1 + \cos \pi s) \text{ or } 1 - s",
    "lr": r"\eta_t = \eta_{i+1} + (\eta_i - \eta_{i+1})\,w",
    "momentum": r"\mu_t = \mu_{i+1} + (\mu_i - \mu_{i+1})\,w",
}


class Paper(NamedTuple):
    initial_lr: Any
    min_lr: Any
    phase: Any
    begin: Any
    share: Any
    weight: Any
    lr: Any
    momentum: Any


class PyTorch(NamedTuple):
    initial_lr: Any
    min_lr: Any
    phase: Any
    begin: Any
    share: Any
    lr: Any
    momentum: Any


def paper(
    lr, base_lr, *, last_epoch, max_lr, ends, anneals, div_factor, final_div_factor, base_momentum, max_momentum
):  # fmt: skip
    """The formula: from one corner to the next."""
    initial_lr = max_lr / div_factor
    min_lr = initial_lr / final_div_factor
    phase = min(bisect_left(ends, last_epoch), len(ends) - 1)
    begin = (0.0, *ends)[phase]
    share = (last_epoch - begin) / (ends[phase] - begin)
    weight = (1 + cos(share * pi)) / 2 if anneals == "cos" else 1 - share
    rates = (initial_lr, max_lr, *[initial_lr] * (len(ends) - 2), min_lr)
    momenta = (max_momentum, base_momentum, *[max_momentum] * (len(ends) - 1))
    lr = rates[phase + 1] + (rates[phase] - rates[phase + 1]) * weight
    momentum = momenta[phase + 1] + (momenta[phase] - momenta[phase + 1]) * weight
    return Paper(initial_lr, min_lr, phase, begin, share, weight, lr, momentum)


def pytorch(
    lr, base_lr, *, last_epoch, max_lr, ends, anneals, div_factor, final_div_factor, base_momentum, max_momentum
):
    """PyTorch's order, which halves the way before it takes a share of it (`_annealing_cos`)."""
    initial_lr = max_lr / div_factor
    min_lr = initial_lr / final_div_factor
    phase = min(bisect_left(ends, last_epoch), len(ends) - 1)
    begin = (0.0, *ends)[phase]
    share = (last_epoch - begin) / (ends[phase] - begin)
    rates = (initial_lr, max_lr, *[initial_lr] * (len(ends) - 2), min_lr)
    momenta = (max_momentum, base_momentum, *[max_momentum] * (len(ends) - 1))
    lr = annealed(rates[phase], rates[phase + 1], share, anneals)
    momentum = annealed(momenta[phase], momenta[phase + 1], share, anneals)
    return PyTorch(initial_lr, min_lr, phase, begin, share, lr, momentum)


def annealed(start, end, share, anneals):
    """On the way from `start` to `end`."""
    if anneals == "cos":
        return end + (start - end) / 2.0 * (cos(share * pi) + 1)
    return (end - start) * share + start


class OneCycleLR(Scheduler):
    """From η_max/d up to η_max and down to η_max/(d·d_f) in so many steps; the formula is `EQUATIONS`.

    Arguments:
        lrs: the learning rate of each group, which max_lr / div_factor takes the place of.
        max_lr: η_max, or a list of them, one for each group.
        total_steps: how many steps there are.
        epochs, steps_per_epoch: whose product that is, where it is not said.
        pct_start: the share of the steps that goes up.
        anneal_strategy: along a cosine, "cos", or a line, "linear".
        cycle_momentum: whether the momentum goes from max_momentum to base_momentum and back.
        base_momentum, max_momentum: μ₀ and μ_max, or a list of them.
        div_factor, final_div_factor: d and d_f.
        three_phase: whether it comes down in two phases, to where it began first.
        last_epoch, initial_lrs: as of `Scheduler`.

    PyTorch halves the way between two corners before it takes a share of it.

    Raises:
        ValueError: for numbers of steps that are none, a share that is none, a strategy that there is not, a list that
            is not one for each group, and a step after the last, with PyTorch's wording.

    Source: torch.optim.lr_scheduler.OneCycleLR 2.13; Smith and Topin 2018, Super-Convergence.
    """

    ORDERS = {"paper": paper, "pytorch": pytorch}
    EACH = ("max_lr", "max_momentum", "base_momentum")
    STARTS_WITH_A_STEP = True

    def __init__(
        self, lrs, max_lr, total_steps=None, epochs=None, steps_per_epoch=None, pct_start=0.3, anneal_strategy="cos",
        cycle_momentum=True, base_momentum=0.85, max_momentum=0.95, div_factor=25.0, final_div_factor=10000.0,
        three_phase=False, last_epoch=-1, initial_lrs=None,
    ):  # fmt: skip
        self.total_steps = steps_of(total_steps, epochs, steps_per_epoch)
        if pct_start < 0 or pct_start > 1 or not isinstance(pct_start, float):
            raise ValueError(f"Expected float between 0 and 1 pct_start, but got {pct_start}")
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}")
        self.MADE = ("lr", "momentum") if cycle_momentum else ("lr",)
        turn = (float(2 * pct_start * self.total_steps) - 2,) if three_phase else ()
        ends = (float(pct_start * self.total_steps) - 1, *turn, self.total_steps - 1)
        factors = {"div_factor": div_factor, "final_div_factor": final_div_factor}
        momenta = {"base_momentum": base_momentum, "max_momentum": max_momentum}
        shape = {"max_lr": max_lr, "ends": ends, "anneals": anneal_strategy}
        super().__init__(lrs, last_epoch, initial_lrs, **shape, **factors, **momenta)
        self.base_lrs = [self.of_group("max_lr", max_lr, group) / div_factor for group in range(len(self.lrs))]

    def take(self):
        """The learning rate and the momentum of every group at the step that is now."""
        if self.last_epoch > self.total_steps:
            raise ValueError(
                f"Tried to step {self.last_epoch} times. The specified number of total steps is {self.total_steps}"
            )
        super().take()


def steps_of(total_steps, epochs, steps_per_epoch) -> int:
    """How many steps there are."""
    if total_steps is not None:
        return positive("total_steps", total_steps)
    if epochs is None or steps_per_epoch is None:
        raise ValueError("You must define either total_steps OR (epochs AND steps_per_epoch)")
    return positive("epochs", epochs) * positive("steps_per_epoch", steps_per_epoch)


def positive(name: str, value: Any) -> int:
    if value <= 0 or not isinstance(value, int):
        raise ValueError(f"Expected positive integer {name}, but got {value}")
    return value
