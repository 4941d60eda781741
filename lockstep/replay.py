"""Holds a recording against a formula: the same steps, on numbers that carry their error.

The reference's formula, or one with causes planted in it, is run from the recorded parameters and gradients.
State is taken from the recording where it can be seen and agrees; otherwise it is carried along, with the
error it may have by then. So every observed number has an exact value and an allowance, and nothing about
the implementation has to be known but what it did.
"""

import functools
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

from lockstep.bounded import Bounded
from lockstep.causes.cause import Cause
from lockstep.causes.planting import plant
from lockstep.recording import Pass, Recording, Step
from lockstep.sides.optim import weak
from lockstep.subject import Subject, find, own_class
from lockstep.verdict import distance, share, uncertain

# A buffer that PyTorch does not know by this name may be kept with lr or a sign in it.
SCALES = {"": lambda lr: 1.0, "-lr": lambda lr: -lr, "lr": lambda lr: lr, "-": lambda lr: -1.0}


class Element(NamedTuple):
    """One observed number: `found`, what the formula makes of it, and how much of its allowance that uses."""

    step: int
    quantity: str
    tensor: str
    line: str
    index: tuple[int, ...]
    shape: tuple[int, ...]
    dtype: str
    found: float
    exact: float
    allowed: float
    used: float


class Residual(NamedTuple):
    """What is left between a recording and a formula.

    used: the largest share of its allowance that any number uses, parameters and visible state alike; at
        most 1 means that the formula explains the recording down to rounding.
    param, state: the same of parameters alone (of a layer, of all it makes but buffers), and of each
        visible state entry or buffer.
    first: the first number beyond its allowance, or None. worst: the one that uses most, or None.
    compared, undecided: how many numbers were compared, and of how many the allowance is infinite.
    uncertain: the first number of a tensor that differs and of which no digit is certain, or None.
    scales: state entry to what it is kept multiplied by ("-lr"), where that is not 1.
    """

    used: float
    param: float
    state: dict[str, float]
    first: Element | None
    worst: Element | None
    compared: int
    undecided: int
    uncertain: Element | None
    scales: dict[str, str]

    @property
    def explains(self) -> bool:
        """Whether every number is within its allowance."""
        return self.used <= 1


def replay(
    recording: Recording, causes: Iterable[Cause] = (), hyperparameters: Mapping[str, Any] | None = None
) -> Residual:
    """What is left between `recording` and the formula of its subject.

    Arguments:
        recording: of an optimizer or a layer.
        causes: to plant in the formula; none for PyTorch's.
        hyperparameters: under PyTorch's names, in place of the recorded ones at every step.

    Raises:
        BadEdit: for causes that cannot be planted together.
        ValueError: for hyperparameters the class refuses.
    """


def screen(
    recording: Recording, causes: Iterable[Cause] = (), hyperparameters: Mapping[str, Any] | None = None
) -> float:
    """The same, fast and without bounds: the largest difference as a share of the tensor's largest change.

    Of layers as a share of the largest magnitude. NaN and infinity that should not be there are infinite.
    To be trusted for ordering candidates only; `replay` decides.

    Arguments:
        recording: of an optimizer or a layer.
        causes: to plant in the formula; none for PyTorch's.
        hyperparameters: under PyTorch's names, in place of the recorded ones at every step.
    """
