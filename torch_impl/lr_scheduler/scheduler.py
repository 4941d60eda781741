"""What the torch.optim.lr_scheduler counterparts share: an optimizer to schedule, stepped before the schedule is."""

import warnings
from typing import Any, ClassVar

import torch


class Scheduler:
    """A torch.optim.lr_scheduler schedule of an SGD without a gradient.

    Arguments:
        lrs: the learning rate of each group.
        last_epoch, initial_lrs: the epoch that was last, and the learning rates of epoch 0, where it is not the start.
        path: one of `paths`: "closed" or "told" where `step` is told the epoch; "beta1" where it schedules an Adam.
        hyperparameters: handed to the schedule as they are.

    Raises:
        ValueError: for a path that there is not; and what the schedule itself raises.
    """

    counterpart: ClassVar[Any]
    paths: ClassVar[tuple[str, ...]] = ("recursive", "closed")

    def __init__(self, lrs, last_epoch=-1, initial_lrs=None, *, path: str = "", **hyperparameters):
        path = path or self.paths[0]
        if path not in self.paths:
            raise ValueError(f"{self.counterpart.__name__} has no path {path!r}; it has {', '.join(self.paths)}")
        self.path, self.hyperparameters = path, hyperparameters
        groups: list[dict[str, Any]] = [{"params": [torch.zeros(1)], "lr": lr} for lr in lrs]
        for group, initial in zip(groups, initial_lrs or (), strict=False):
            group["initial_lr"] = initial
        self.optimizer: Any = torch.optim.Adam(groups) if path == "beta1" else torch.optim.SGD(groups)
        later = {} if last_epoch == -1 else {"last_epoch": last_epoch}
        self.scheduler = self.made(**hyperparameters, **later)

    def made(self, **hyperparameters) -> Any:
        """The schedule on the optimizer."""
        return self.counterpart(self.optimizer, **hyperparameters)

    @property
    def lrs(self) -> list[float]:
        return [group["lr"] for group in self.optimizer.param_groups]

    @property
    def momenta(self) -> list[float]:
        """The momentum of each group, or β₁, where the schedule cycles it."""
        if not getattr(self.scheduler, "cycle_momentum", False):
            return []
        return [group["betas"][0] if "betas" in group else group["momentum"] for group in self.optimizer.param_groups]

    @property
    def shared(self) -> dict[str, float]:
        """The state that is one for all groups."""
        return {}

    @property
    def base_lrs(self) -> list[float]:
        return list(self.scheduler.base_lrs)

    @property
    def last_epoch(self) -> int:
        return self.scheduler.last_epoch

    def step(self, *metrics: float) -> None:
        """Go on to the next epoch."""
        self.optimizer.step()
        if self.path not in ("closed", "told"):
            self.scheduler.step(*metrics)
            return
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # being told the epoch is on its way out
            self.scheduler.step(self.last_epoch + 1)

    def state_dict(self) -> dict[str, Any]:
        """That of the schedule, which holds the learning rates as well."""
        return self.scheduler.state_dict()

    def load_state_dict(self, state) -> None:
        """Go on from there, with the learning rates put back into the optimizer as its own state would."""
        self.scheduler.load_state_dict(completed(self.scheduler, state))
        for group, lr in zip(self.optimizer.param_groups, state["_last_lr"], strict=True):
            group["lr"] = lr


def completed(scheduler: Any, state) -> dict[str, Any]:
    """A state with what it leaves out as the schedule has it; a table that was read as a dict is a table again."""
    own = scheduler.state_dict()
    tables = {key: type(own[key])(value) for key, value in state.items() if isinstance(own.get(key), dict)}
    pairs = zip(getattr(scheduler, "_schedulers", ()), state.get("_schedulers", ()), strict=False)
    parts = {"_schedulers": [completed(*pair) for pair in pairs]} if "_schedulers" in state else {}
    return {**own, **state, **tables, **parts}


def parts_of(optimizer: Any, schedulers) -> list[Any]:
    """Each schedule, made by its name on the optimizer."""
    return [getattr(torch.optim.lr_scheduler, name)(optimizer, **settings) for name, settings in schedulers]
