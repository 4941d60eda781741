"""Many arrays where a formula expects one: what it does, it does to all of them at once.

What would mix them, decide for all of them by one, or is not known here, raises a TypeError: whoever tries many then
tries one after the other.
"""

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lockstep.numerics.shapes import Stack

Axis = int | tuple[int, ...] | None


def fewer(name: str) -> Callable[..., "Many"]:
    """A method of arrays that makes fewer numbers of them, along axes of each."""

    def method(many: "Many", axis: Axis = None, keepdims: bool = False) -> "Many":
        along = range(many.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
        axes = tuple(part % many.ndim + 1 for part in along)
        return Many(getattr(many.held, name)(axis=axes, keepdims=keepdims))

    return method


class Many(np.lib.mixins.NDArrayOperatorsMixin):
    """Arrays of one shape, which is the shape that a formula sees.

    Arguments:
        held: all of them, one after the other.
    """

    __slots__ = ("held",)

    def __init__(self, held: Stack) -> None:
        self.held: np.ndarray[Any, Any] = held

    @property
    def shape(self) -> tuple[int, ...]:
        return self.held.shape[1:]

    @property
    def ndim(self) -> int:
        return self.held.ndim - 1

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    @property
    def T(self) -> "Many":
        return self.transpose()

    sum, mean, prod, max, min = map(fewer, ("sum", "mean", "prod", "max", "min"))
    any, all = map(fewer, ("any", "all"))

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any) -> "Many":
        return Many(self.held[slice(None), *(key if isinstance(key, tuple) else (key,))])

    def refused(self, *_: Any, **__: Any) -> Any:
        raise TypeError("of many arrays none is the one that is asked for")

    __array__ = __bool__ = __iter__ = __float__ = __int__ = __index__ = item = refused

    def transpose(self, *axes: int) -> "Many":
        order = axes or tuple(reversed(range(self.ndim)))
        return Many(self.held.transpose(0, *(axis % self.ndim + 1 for axis in order)))

    def reshape(self, *shape: Any) -> "Many":
        return Many(self.held.reshape(len(self.held), *np.atleast_1d(shape[0] if len(shape) == 1 else shape)))

    def ravel(self) -> "Many":
        return self.reshape(-1)

    def copy(self) -> "Many":
        return Many(self.held.copy())

    def astype(self, dtype: Any) -> "Many":
        return Many(self.held.astype(dtype))

    def clip(self, low: Any = None, high: Any = None) -> Any:
        above = self if low is None else np.maximum(self, low)
        return above if high is None else np.minimum(above, high)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if method != "__call__" or options or ufunc.nout != 1:
            return NotImplemented
        if ufunc is np.matmul and any(np.ndim(given) != 2 for given in inputs):
            return NotImplemented  # a vector among many would be a matrix
        return Many(ufunc(*aligned(inputs)))

    def __array_function__(self, function: Any, types: Any, arguments: tuple[Any, ...], options: dict[str, Any]) -> Any:
        known = FUNCTIONS.get(function)
        return known(*arguments, **options) if known else NotImplemented


def aligned(inputs: Sequence[Any]) -> list[Any]:
    """Arrays that are to be put together, so that each of the many meets the others by its last axes."""
    depth = max(np.ndim(given) for given in inputs)
    return [
        given.held.reshape(len(given.held), *(1,) * (depth - given.ndim), *given.shape)
        if isinstance(given, Many)
        else given
        for given in inputs
    ]


def where(*given: Any) -> Many:
    """numpy.where of three."""
    condition, yes, no = aligned(given)
    return Many(np.where(condition, np.asarray(yes), np.asarray(no)))


FUNCTIONS: dict[Any, Callable[..., Any]] = {
    **{getattr(np, name): getattr(Many, name) for name in ("sum", "mean", "prod", "max", "min", "any", "all", "clip")},
    **{getattr(np, name): getattr(Many, name) for name in ("reshape", "transpose", "ravel", "copy")},
    **{getattr(np, name): operator.attrgetter(name) for name in ("shape", "ndim", "size")},
    np.where: where,
}
