"""What the transformations share: named arrays that a formula knows as one vector, end to end."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

Arrays = Mapping[str, np.ndarray]


class Transformation:
    """Takes named arrays, a step at a time, and makes others of them.

    A subclass states `ORDERS`, its formula in each order of operations: `(given, …state, *, …numbers)`. What a step
    makes is called like its line: `TENSORS`, which have the shapes of what is given, and `NUMBERS`. `CARRIED` are those
    of them that the next step is given again, each with what it starts as: a number, or the hyperparameter that it is.
    `DOUBLES` are the numbers that are Python's and not of the arrays' format;
    `CHOICES` are the hyperparameters that choose a formula: in one that carries its errors they are numbers still.

    Arguments:
        hyperparameters: under PyTorch's names; each is an attribute and may be changed between steps.

    Attributes:
        made: line to name to array, or to a number, of the last step; the state is among them.
    """

    ORDERS: ClassVar[Mapping[str, Callable[..., Any]]]
    GIVEN: ClassVar[str] = "grad"
    TENSORS: ClassVar[tuple[str, ...]] = ()
    NUMBERS: ClassVar[tuple[str, ...]] = ()
    CARRIED: ClassVar[Mapping[str, Any]] = {}
    DOUBLES: ClassVar[tuple[str, ...]] = ()
    CHOICES: ClassVar[tuple[str, ...]] = ()

    def __init__(self, **hyperparameters):
        self.hyperparameter_names = tuple(hyperparameters)
        vars(self).update(hyperparameters)
        self.formula = self.ORDERS["paper"]
        self.made: dict[str, Any] = {}

    @property
    def hyperparameters(self) -> dict[str, Any]:
        """What the formula is given beside arrays and state."""
        return {name: getattr(self, name) for name in self.hyperparameter_names}

    def given(self, arrays: Arrays) -> np.ndarray:
        """What comes in as the formula takes it."""
        return end_to_end(arrays)

    def shapes(self, arrays: Arrays) -> Arrays:
        """Arrays of the shapes of what is made of `arrays`."""
        return arrays

    def numbers(self, arrays: Arrays) -> dict[str, Any]:
        """What the formula is given by keyword beside its state, of arrays of these names and sizes."""
        return self.hyperparameters

    def start(self, arrays: Arrays) -> dict[str, Any]:
        """The state before the first step on such arrays."""
        values = {key: getattr(self, at) if isinstance(at, str) else at for key, at in self.CARRIED.items()}
        return {
            key: {name: np.full_like(array, value) for name, array in arrays.items()} if key in self.TENSORS else value
            for key, value in values.items()
        }

    @np.errstate(
        over="ignore", invalid="ignore", divide="ignore"
    )  # what is beyond the format is infinite, as in PyTorch
    def step(self, arrays: Arrays) -> dict[str, np.ndarray]:
        """What becomes of `arrays`, which stay as they are: name to array."""
        state = {key: self.made.get(key, value) for key, value in self.start(arrays).items()}
        flat = {key: end_to_end(value) if key in self.TENSORS else plain(value) for key, value in state.items()}
        lines = self.lines(arrays, flat)
        self.made = {key: split(getattr(lines, key), self.shapes(arrays)) for key in self.TENSORS}
        self.made |= {key: getattr(lines, key) for key in self.NUMBERS}
        return self.made[self.TENSORS[0]]

    def lines(self, arrays: Arrays, state: Mapping[str, Any]) -> Any:
        """Every line of the formula."""
        return self.formula(self.given(arrays), **state, **self.numbers(arrays))


def plain(number) -> Any:
    """A count as a Python float, which leaves float32 arrays float32."""
    return number.item() if isinstance(number, np.float64) else number


def end_to_end(arrays: Arrays) -> np.ndarray:
    """Arrays of one dtype as one vector."""
    return np.concatenate([array.reshape(-1) for array in arrays.values()])


def parts(vector, sizes: Sequence[int]) -> list[Any]:
    """The stretches of a vector that the arrays it was made of take up."""
    ends = np.cumsum([0, *sizes])
    return [vector[begin:end] for begin, end in itertools.pairwise(ends)]


def split(vector, like: Arrays) -> dict[str, Any]:
    """The vector as arrays again."""
    stretches = parts(vector, [array.size for array in like.values()])
    return {name: part.reshape(array.shape) for (name, array), part in zip(like.items(), stretches, strict=True)}
