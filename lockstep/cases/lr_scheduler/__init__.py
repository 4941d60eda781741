"""Cases of the learning-rate schedules."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from lockstep.cases import Case

NOT_RESUMED = """param 'initial_lr' is not specified in param_groups[0] when resuming scheduler with last_epoch >= 0.
This typically happens when:
1. You're trying to resume training from a checkpoint but haven't properly loaded the optimizer state
2. You're using last_epoch >= 0 for a fresh training run (not recommended)"""


@dataclass(frozen=True)
class Values:
    """A function of the epoch as the numbers that it has from epoch 0 on, the last one for ever."""

    numbers: tuple[float, ...]

    def __call__(self, epoch: int) -> float:
        return self.numbers[min(epoch, len(self.numbers) - 1)]


class Schedule(Case):
    """One way to run a schedule, an epoch a step. A learning rate is a Python double, whatever it is multiplied by.

    Arguments:
        desc: in plain words; its name everywhere.
        lrs: the learning rate of each group.
        steps: how many epochs.
        last_epoch, initial_lrs: where it is not the start: the epoch that was last, and the rates of epoch 0.
        resumed, crossed: as in `Case`.
        metrics: what was measured after each epoch, for a schedule that is told.
        still: nothing changes.
        paths: where the case makes sense; every one of PyTorch's if None.
        hyperparameters: of the schedule, under PyTorch's names.
    """

    def __init__(
        self,
        desc: str,
        *,
        lrs: tuple[float, ...] = (0.1,),
        steps: int = 40,
        last_epoch: int = -1,
        initial_lrs: tuple[float, ...] | None = None,
        resumed: int | None = None,
        crossed: bool = False,
        metrics: tuple[float, ...] = (),
        still: bool = False,
        paths: tuple[str, ...] | None = None,
        **hyperparameters: Any,
    ):
        super().__init__(
            desc, problem="epochs", steps=steps, shapes={}, resumed=resumed, crossed=crossed, still=still,
            dtypes=("float64",), paths=paths, **hyperparameters,
        )  # fmt: skip
        vars(self).update(lrs=lrs, last_epoch=last_epoch, initial_lrs=initial_lrs, metrics=metrics)

    lrs: tuple[float, ...]
    last_epoch: int
    initial_lrs: tuple[float, ...] | None
    metrics: tuple[float, ...]

    def metric(self, epoch: int) -> dict[str, dict[str, Any]]:
        """What is measured after an epoch, as a quantity; none where none is."""
        known = self.metrics
        return {"metrics": {"metrics": np.array(known[min(max(epoch, 0), len(known) - 1)])}} if known else {}

    def replaced(self, **changes: Any) -> "Schedule":
        """The same case with some of it exchanged; hyperparameters are added to its own."""
        own = ("lrs", "steps", "last_epoch", "initial_lrs", "resumed", "crossed", "metrics", "still", "paths")
        changes = {key: value for key, value in changes.items() if key != "problem"}
        settings: Mapping[str, Any] = {name: getattr(self, name) for name in own}
        return Schedule(changes.pop("desc", self.desc), **{**settings, **self.hyperparameters, **changes})
