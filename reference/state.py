"""What an optimizer keeps of a tensor: each entry of its state declared, with what it starts as."""

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np


@dataclass(frozen=True)
class Entry:
    """An entry like its parameter: of its shape, dtype and layout.

    Attributes:
        line: of the formula, which becomes the entry; the formula is given the entry under its key.
        start: what it holds before the first step: a number, or the name of the hyperparameter it starts as; None
            where the first step itself creates it.
        when: the hyperparameter that puts it to use; it always is if empty.
        positive: it is never negative.
        least_axes, most_axes: of the parameters that it is kept of.
        kind: an "array"; a "number", of which a tensor has one; a "count" of its steps; or a "history".
    """

    kind: ClassVar[str] = "array"

    line: str
    start: float | str | None = 0.0
    when: str = ""
    positive: bool = False
    least_axes: int = 0
    most_axes: float = math.inf

    def used(self, param, optimizer) -> bool:
        """Whether the optimizer keeps it of this parameter."""
        fits = self.least_axes <= param.ndim <= self.most_axes
        return fits and (not self.when or bool(getattr(optimizer, self.when)))

    def shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Its shape beside a parameter of that one."""
        return shape

    def dtype(self, dtype: np.dtype) -> np.dtype:
        """Its dtype beside a parameter of that one."""
        return dtype

    def new(self, param, optimizer) -> Any:
        """What it is before the first step."""
        if self.start is None:
            return None
        value = getattr(optimizer, self.start) if isinstance(self.start, str) else self.start
        return np.full_like(param, value, self.dtype(param.dtype), shape=self.shape(param.shape))

    def handed(self, value) -> Any:
        """A copy of it as PyTorch keeps it in a state that is saved."""
        return None if value is None else np.array(value)

    def fault(self, param, array) -> str:
        """What keeps an array from being this entry of a parameter, or nothing: `float32[3], not float32[]`."""
        shape, dtype = self.shape(param.shape), self.dtype(param.dtype)
        fits = array.shape == shape and array.dtype == dtype
        return "" if fits else f"{array.dtype}{list(array.shape)}, not {dtype}{list(shape)}"


@dataclass(frozen=True)
class Axis(Entry):
    """One number for all along an `axis` of a tensor of two or more, whose length there is 1."""

    axis: int = -1
    least_axes: int = 2

    def shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        if len(shape) < self.least_axes:
            return shape
        place = self.axis % len(shape)
        return (*shape[:place], 1, *shape[place + 1 :])


@dataclass(frozen=True)
class Number(Entry):
    """One number a tensor, kept in PyTorch's default dtype, float32, whatever the parameter's is."""

    kind = "number"

    def shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return ()

    def dtype(self, dtype: np.dtype) -> np.dtype:
        return np.dtype(np.float32)


@dataclass(frozen=True)
class Count(Number):
    """How many steps a tensor has taken: raised before the formula is, which is given it as a Python float."""

    kind = "count"

    line: str = "step"

    def raised(self, count) -> np.ndarray:
        """The count one step further."""
        return np.asarray(count + count.dtype.type(1))


@dataclass(frozen=True)
class Whole(Count):
    """A count that PyTorch keeps as a Python integer; a double holds it here."""

    def handed(self, value) -> int:
        return int(value)

    def dtype(self, dtype: np.dtype) -> np.dtype:
        return np.dtype(np.float64)


@dataclass(frozen=True)
class Like(Number):
    """One number in the dtype of the parameter."""

    def dtype(self, dtype: np.dtype) -> np.dtype:
        return dtype


@dataclass(frozen=True)
class Double(Number):
    """One number that PyTorch keeps as a Python float, or in a tensor that a double holds."""

    def handed(self, value) -> float:
        return float(value)

    def dtype(self, dtype: np.dtype) -> np.dtype:
        return np.dtype(np.float64)


@dataclass(frozen=True)
class History(Entry):
    """What the last few steps made, the oldest first: each like the parameter, or a `single` number; none at first."""

    kind = "history"

    single: bool = False

    def shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return (0,) if self.single else (0, *shape)

    def fault(self, param, array) -> str:
        like = self.shape(param.shape)
        fits = array.ndim == len(like) and array.shape[1:] == like[1:] and array.dtype == param.dtype
        return "" if fits else f"{array.dtype}{list(array.shape)}, not {param.dtype}{['any', *like[1:]]}"

    def handed(self, value) -> list[Any]:
        return [np.array(one) for one in value]

    def joined(self, made, param) -> Any:
        """The entries, one below the other, beside a parameter."""
        return np.stack(made) if len(made) else np.empty(self.shape(param.shape), param.dtype)


STEP = Count()
