"""What the schedules share: a learning rate a group, a count of epochs, and a formula that is pure."""

import importlib
import math
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

NOT_RESUMED = """param 'initial_lr' is not specified in param_groups[0] when resuming scheduler with last_epoch >= 0.
This typically happens when:
1. You're trying to resume training from a checkpoint but haven't properly loaded the optimizer state
2. You're using last_epoch >= 0 for a fresh training run (not recommended)"""


class Scheduler:
    """Takes the learning rate of every group from one epoch to the next. A learning rate is a Python double.

    A subclass states `ORDERS`: "paper", the closed form, of the first learning rate and the epoch; "pytorch", the
    recursion, of the learning rate before.

    Arguments:
        lrs: the learning rate of each group, as its optimizer has it now.
        last_epoch: the epoch that was last; -1 at the start.
        initial_lrs: those of epoch 0, where it is not the start.
        hyperparameters: of the schedule.

    Attributes:
        EACH: the hyperparameters that may be a list, one for each group.
        MADE: what the formula makes of each group: the lines of its name.
        EXACT: the arguments of the formula that decide and are not computed with.
        SHARED: the state that is one for all groups, each a line of the formula.
        OF_THE_FIRST: what PyTorch does not keep of one that is made of others, and the first of these does.
        STARTS_WITH_A_STEP: made for a later epoch, it takes the step to it, as PyTorch's that do not ask whether they
            are just being made; else the learning rates are taken to be those of that epoch.

    As torch.optim.lr_scheduler's, it takes its first step when it is made: `last_epoch` is 0 after that.

    Raises:
        KeyError: for a later epoch without the first learning rates, with PyTorch's wording.
        ValueError: for a list that is not one for each group, with PyTorch's wording.

    Source: torch.optim.lr_scheduler.LRScheduler 2.13.
    """

    ORDERS: ClassVar[Mapping[str, Callable[..., Any]]]
    EACH: ClassVar[tuple[str, ...]] = ()
    MADE: tuple[str, ...] = ("lr",)
    EXACT: ClassVar[tuple[str, ...]] = ()
    SHARED: ClassVar[tuple[str, ...]] = ()
    OF_THE_FIRST: ClassVar[tuple[str, ...]] = ()
    STARTS_WITH_A_STEP: ClassVar[bool] = False
    shared: dict[str, Any]

    def __init__(self, lrs: Sequence[float], last_epoch: int = -1, initial_lrs=None, **hyperparameters):
        if last_epoch != -1 and initial_lrs is None:
            raise KeyError(NOT_RESUMED)
        self.hyperparameters = hyperparameters
        self.lrs = [float(lr) for lr in lrs]
        self.base_lrs = [float(lr) for lr in (self.lrs if initial_lrs is None else initial_lrs)]
        self.momenta: list[float] = []
        vars(self).setdefault("shared", {})
        self.last_epoch = last_epoch
        for name in self.EACH:
            self.check_length(name, hyperparameters[name])
        self.formula = self.ORDERS.get("pytorch", self.ORDERS["paper"])
        self.start()
        self.formula = self.ORDERS["paper"]

    def check_length(self, name: str, value: Any) -> None:
        """Refuse a list that is not one for each group."""
        there = len(self.lrs)
        if isinstance(value, list | tuple) and len(value) != there:
            raise ValueError(
                f"{name} must have the same length as optimizer.param_groups. "
                f"{name} has {len(value)} values, param_groups has {there}."
            )

    def start(self) -> None:
        """The step that it takes when it is made."""
        self.last_epoch += 1
        if self.last_epoch == 0 or self.STARTS_WITH_A_STEP:
            self.take()

    def step(self) -> None:
        """Go on to the next epoch."""
        self.last_epoch += 1
        self.take()

    def take(self) -> None:
        """The learning rate of every group at the epoch that is now."""
        made = [self.formula(**self.arguments(group)) for group in range(len(self.lrs))]
        self.lrs = [float(lines.lr) for lines in made]
        if "momentum" in self.MADE:
            self.momenta = [float(lines.momentum) for lines in made]

    def arguments(self, group: int) -> dict[str, Any]:
        """What the formula is given for a group."""
        now = {"lr": self.lrs[group], "base_lr": self.base_lrs[group], "last_epoch": self.last_epoch}
        return now | {name: self.of_group(name, value, group) for name, value in self.hyperparameters.items()}

    def of_group(self, name: str, value: Any, group: int) -> Any:
        """A hyperparameter as it is for a group."""
        return value[group] if name in self.EACH and isinstance(value, list | tuple) else value

    def state_dict(self) -> dict[str, Any]:
        """What it takes to go on elsewhere, under PyTorch's names."""
        return {"last_epoch": self.last_epoch, "base_lrs": list(self.base_lrs), "_last_lr": list(self.lrs)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from there; the learning rates themselves are the optimizer's state, and are kept here with it.

        Raises:
            KeyError, ValueError: for what is missing, and for another number of groups, before anything is changed.
        """
        first, *_ = state.get("_schedulers") or [{}]
        state = {key: first[key] for key in self.OF_THE_FIRST if key in first} | dict(state)
        for key in self.state_dict():
            if key not in state:
                raise KeyError(f"the state has no {key!r}; there are {', '.join(state)}")
        for key in ("base_lrs", "_last_lr"):
            if len(state[key]) != len(self.lrs):
                raise ValueError(f"{key} has {len(state[key])} values for {len(self.lrs)} groups")
        self.last_epoch = state["last_epoch"]
        self.base_lrs, self.lrs = list(state["base_lrs"]), list(state["_last_lr"])


class Part:
    """A schedule of which another one is made.

    Arguments:
        name: of its class, as PyTorch has it.
        hyperparameters: of it.
    """

    def __init__(self, name: str, hyperparameters: Mapping[str, Any]):
        self.kind = class_of(name)
        self.hyperparameters = self.kind([1.0], **hyperparameters).hyperparameters

    def closed(self, base_lr: Any, epoch: int) -> Any:
        """Its learning rate by the closed form, where it has one."""
        order = self.kind.ORDERS.get("closed", self.kind.ORDERS["pytorch"])
        return order(base_lr, base_lr, last_epoch=epoch, **self.hyperparameters).lr

    def recursive(self, lr: Any, base_lr: Any, epoch: int) -> Any:
        """Its learning rate after the one before."""
        return self.kind.ORDERS["pytorch"](lr, base_lr, last_epoch=epoch, **self.hyperparameters).lr


def class_of(name: str) -> Any:
    """The schedule's class of that name.

    Raises:
        ValueError: for a name that there is not.
    """
    package = importlib.import_module("reference.lr_scheduler")
    names = [module.name for module in pkgutil.iter_modules(package.__path__)]
    modules = [importlib.import_module(f"reference.lr_scheduler.{module}") for module in names]
    known = {key: value for module in modules for key, value in vars(module).items() if hasattr(value, "ORDERS")}
    if name not in known:
        raise ValueError(f"there is no schedule {name!r}; there are {', '.join(known)}")
    return known[name]


def cos(angle: Any) -> Any:
    """Python's cosine of a double, as PyTorch takes it; NumPy's of any other number."""
    return math.cos(angle) if isinstance(angle, float) else np.cos(angle)
