"""What a check drives: parameters in, gradients in, parameters out. Write one where no shape fits."""

from typing import Any

import numpy as np

from lockstep.errors import TheirCode
from lockstep.numerics.shapes import Array
from lockstep.subjects.saving import NO_WAY, goes_on
from lockstep.text import Message, message


class CannotCheck(TheirCode):
    """Why a target cannot be checked at all; the message is for whoever wrote it."""


class NotTaken(TheirCode):
    """What this implementation has no way to be told, so that a scenario cannot be tried."""


class Adapter:
    """An optimizer at work. Subclass it, and hand the subclass to `lockstep check`.

    `start` names the hyperparameters it takes, under PyTorch's names, as keyword arguments; those it does not
    name are not tried. `read`, `state` and `set` may be left as they are.
    """

    words: Message | str = message("shape.own-adapter")

    def start(self, params: dict[str, Array], **hyperparameters: Any) -> None:
        """Begin afresh with these arrays, which are the adapter's to keep and to change."""
        raise NotImplementedError

    def step(self, grads: dict[str, Array | None]) -> None:
        """One step; None where a parameter has no gradient."""
        raise NotImplementedError

    def read(self) -> dict[str, np.ndarray]:
        """The parameters as they are now: by default `self.params`."""
        return self.params

    def state(self) -> dict[str, dict[str, np.ndarray]]:
        """PyTorch's key of a state entry to tensor name to array; what can be seen."""
        return {}

    def set(self, name: str, value: Any) -> None:
        """Change a hyperparameter between steps.

        Raises:
            NotTaken: where there is no way to.
        """
        raise NotTaken(message("reason.not-between-steps", name=name))

    def resume(self) -> None:
        """Be made anew, as at the start, and go on from what the one before has saved.

        Raises:
            NotTaken: where there is no way to.
        """
        raise NotTaken(NO_WAY)

    params: dict[str, np.ndarray]


def handed_on(before: Any, after: Any) -> None:
    """Let a new object go on from what another has saved.

    Raises:
        NotTaken: where there is no way to.
    """
    if not goes_on(before, after):
        raise NotTaken(NO_WAY)
