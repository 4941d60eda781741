"""Gradients of which only some entries are kept, as an embedding's are: PyTorch's COO layout."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np


@dataclass(frozen=True, eq=False)
class Sparse:
    """Entries of an array, by their places; what has no entry is 0.

    Attributes:
        indices: (axes, entries) whole numbers: where along the first axes. An index may stand there more than once; its
            values are added up.
        values: (entries, …): an entry each, with the axes that are left.
        shape: of the whole.
    """

    indices: np.ndarray
    values: np.ndarray
    shape: tuple[int, ...]

    @property
    def dtype(self) -> np.dtype:
        return self.values.dtype

    @property
    def places(self) -> tuple[np.ndarray, ...]:
        """What an array of the shape, one number taken as an axis of one, is indexed with to have the entries."""
        return tuple(self.indices) if len(self.indices) else (np.zeros(len(self.values), int),)

    def coalesced(self) -> "Sparse":
        """Each index once, in order, its values added up from the first to the last."""
        axes = self.shape[: len(self.indices)] or (1,)
        flat = np.ravel_multi_index(self.places, axes)
        each, first, belongs = np.unique(flat, return_index=True, return_inverse=True)
        values, later = self.values[first], np.setdiff1d(np.arange(len(flat)), first)
        np.add.at(values, belongs[later], self.values[later])
        return Sparse(np.stack(np.unravel_index(each, axes))[: len(self.indices)], values, self.shape)

    def dense(self) -> np.ndarray:
        """The whole array."""
        once, whole = self.coalesced(), np.zeros(self.shape, self.dtype)
        np.atleast_1d(whole)[once.places] = once.values
        return whole

    def kept(self) -> np.ndarray:
        """Where the whole array has entries."""
        mask = np.zeros(self.shape, bool)
        np.atleast_1d(mask)[self.places] = True
        return mask


LAYOUTS = ("rows", "elements", "repeated")


def stored(array: Annotated[np.ndarray, "*shape"], layout: str = "rows") -> Sparse:
    """An array with its zeros left out: "rows" of zeros, or "elements"; "repeated" has every row twice, halved.

    A half is exact, so that their sum is, in whichever order.
    """
    given = np.atleast_1d(array)
    apart = tuple(range(1, given.ndim)) if layout != "elements" else ()
    places = np.nonzero(given.any(axis=apart) if apart else given)
    indices, values = np.stack(places)[: array.ndim], given[places]
    if layout == "repeated":
        indices, values = np.tile(indices[:, ::-1], 2), np.concatenate([values[::-1] / 2] * 2).astype(values.dtype)
    return Sparse(indices, values, array.shape)
