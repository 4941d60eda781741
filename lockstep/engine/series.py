"""What is kept of a run: per step and quantity a summary, never the arrays themselves."""

import functools
from typing import NamedTuple

import numpy as np

from lockstep.numerics import formats
from lockstep.numerics.difference import Difference, compare
from lockstep.numerics.shapes import Array, Flat

BUCKETS = 64  # columns of the heat map: elements, or equal stretches of them


class Summary(NamedTuple):
    """A quantity at one step, over all its tensors (the worst of each figure)."""

    differing: int = 0
    elements: int = 0
    absolute: float = 0.0
    relative: float = 0.0
    ulp: float = 0.0
    scaled_ulp: float = 0.0
    tensor: str = ""
    index: int = -1  # pyright: ignore[reportIncompatibleMethodOverride]


def differences(ours: dict[str, Array], theirs: dict[str, Array]) -> dict[str, Difference]:
    """The difference of one quantity, tensor by tensor."""
    return {name: compare(np.asarray(array), np.asarray(theirs[name])) for name, array in ours.items()}


def summarise(parts: dict[str, Difference]) -> Summary:
    """The worst of each figure over the tensors, the worst absolute one named."""
    if not parts:
        return Summary()
    tensor, worst = max(parts.items(), key=lambda item: (item[1].differing > 0, item[1].absolute))
    return Summary(
        differing=sum(part.differing for part in parts.values()),
        elements=sum(part.elements for part in parts.values()),
        absolute=worst.absolute,
        relative=max(part.relative for part in parts.values()),
        ulp=max(part.ulp for part in parts.values()),
        scaled_ulp=max(part.scaled_ulp for part in parts.values()),
        tensor=tensor if worst.index is not None else "",
        index=-1 if worst.index is None else worst.index,
    )


class Series:
    """The summaries of every step, a column a figure, and the heat map of ulps at scale."""

    FIGURES = ("differing", "elements", "absolute", "relative", "ulp", "scaled_ulp", "index")
    EXTRA = ("used", "undecided", "band", "nearer_ours", "nearer_theirs")

    def __init__(self, steps: int):
        self.steps = steps
        self.columns: dict[str, dict[str, np.ndarray]] = {}
        self.tensors: dict[str, list[str]] = {}
        self.heat: dict[str, np.ndarray] = {}

    def quantity(self, name: str) -> dict[str, np.ndarray]:
        if name not in self.columns:
            figures = self.FIGURES + self.EXTRA
            self.columns[name] = {figure: np.full(self.steps, np.nan) for figure in figures}
            self.tensors[name] = [""] * self.steps
        return self.columns[name]

    def note(self, step: int, quantity: str, summary: Summary, **extra: float) -> None:
        columns = self.quantity(quantity)
        for figure in self.FIGURES:
            columns[figure][step - 1] = getattr(summary, figure)
        for figure, value in extra.items():
            columns[figure][step - 1] = value
        self.tensors[quantity][step - 1] = summary.tensor

    def warm(self, step: int, quantity: str, rows: list[Flat]) -> None:
        """One row of the heat map, put together from those of the tensors."""
        row = reduced(np.concatenate(rows))
        if quantity not in self.heat:
            self.heat[quantity] = np.zeros((self.steps, row.size), np.float32)
        if self.heat[quantity].shape[1] == row.size:  # a tensor that joined later keeps the first layout
            with np.errstate(over="ignore"):  # beyond float32 there is only infinitely far
                self.heat[quantity][step - 1] = row


def heat_row(ours: Array, theirs: Array, part: Difference) -> np.ndarray:
    """The largest difference in every stretch of a tensor, in ulps at its scale; `part` is their difference."""
    if not part.differing:
        return np.zeros(min(theirs.size, BUCKETS))
    ours, theirs = ours.reshape(-1), theirs.reshape(-1)
    with np.errstate(invalid="ignore", over="ignore"):
        row = np.abs(np.subtract(ours, theirs, dtype=np.float64)) / formats.of(theirs.dtype).spacing(part.scale)
    return reduced(np.where(np.isnan(row), np.inf, row))


def reduced(row: Flat) -> np.ndarray:
    """At most `BUCKETS` columns, each the largest of its stretch."""
    return row if row.size <= BUCKETS else np.maximum.reduceat(row, stretches(row.size))


@functools.cache
def stretches(size: int) -> np.ndarray:
    """Where the stretches of a row begin."""
    return np.linspace(0, size, BUCKETS + 1).astype(int)[:-1]
