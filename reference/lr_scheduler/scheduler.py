"""What the schedules share: a learning rate a group, a count of epochs, and a formula that is pure."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

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

    As torch.optim.lr_scheduler's, it takes its first step when it is made: `last_epoch` is 0 after that.

    Raises:
        KeyError: for a later epoch without the first learning rates, with PyTorch's wording.

    Source: torch.optim.lr_scheduler.LRScheduler 2.13.
    """

    ORDERS: ClassVar[Mapping[str, Callable[..., Any]]]

    def __init__(self, lrs: Sequence[float], last_epoch: int = -1, initial_lrs=None, **hyperparameters):
        if last_epoch != -1 and initial_lrs is None:
            raise KeyError(NOT_RESUMED)
        self.formula = self.ORDERS["paper"]
        self.hyperparameters = hyperparameters
        self.lrs = [float(lr) for lr in lrs]
        self.base_lrs = [float(lr) for lr in (self.lrs if initial_lrs is None else initial_lrs)]
        self.last_epoch = last_epoch
        self.step()

    def step(self) -> None:
        """Go on to the next epoch."""
        self.last_epoch += 1
        pairs = zip(self.lrs, self.base_lrs, strict=True)
        self.lrs = [self.lines(lr, base_lr, self.last_epoch).lr for lr, base_lr in pairs]

    def lines(self, lr, base_lr, epoch: int) -> Any:
        """Every line of the formula, for numbers of any kind."""
        return self.formula(lr, base_lr, last_epoch=epoch, **self.hyperparameters)

    def state_dict(self) -> dict[str, Any]:
        """What it takes to go on elsewhere, under PyTorch's names."""
        return {"last_epoch": self.last_epoch, "base_lrs": list(self.base_lrs), "_last_lr": list(self.lrs)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from there; the learning rates themselves are the optimizer's state, and are kept here with it."""
        self.last_epoch = state["last_epoch"]
        self.base_lrs, self.lrs = list(state["base_lrs"]), list(state["_last_lr"])
