"""A log axis that shows zero and infinity: a rail below it, "0", not a bit apart, and one above it, "∞".

A log axis has no place for zero, and dropping the zeros would hide the best result there is. Values are
therefore placed by their logarithm on a plain axis, zeros on the lower rail, infinities on the upper one.
"""

import itertools
import math
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from reports.style import LINE, PAPER

MOST_TICKS = 6
MOST_POINTS = 400  # of a line; what is longer is drawn by its envelope
SPECK = 1e-3  # steps; a bar of no length at all is not drawn
DOTS = 60  # so many values have a dot each


class Rails(NamedTuple):
    """Decades from `low` to `high`, and whether there is a rail for zero and for infinity."""

    low: int
    high: int
    zero: bool
    infinite: bool

    @property
    def gap(self) -> float:
        return 0.14 * (self.high - self.low) + 0.1

    @property
    def bottom(self) -> float:
        """Where zeros lie."""
        return self.low - self.gap

    @property
    def top(self) -> float:
        """Where infinities lie."""
        return self.high + self.gap

    def place(self, values) -> np.ndarray:
        """Where on the axis non-negative `values` belong; NaN stays NaN."""
        values = np.asarray(values, np.float64)
        with np.errstate(divide="ignore"):
            placed = np.log10(values)
        return np.where(values == 0, self.bottom, np.where(np.isinf(values), self.top, placed))

    @property
    def ticks(self) -> list[tuple[float, str]]:
        """Where something is written beside the axis, and what: decades, and the two rails."""
        decades = list(range(self.low, self.high + 1)) if self.high > self.low else []
        between = [
            (float(decade), decade_label(decade)) for decade in decades[:: math.ceil(len(decades) / MOST_TICKS) or 1]
        ]
        zero = [(self.bottom, "0")] if self.zero else []
        return [*zero, *between, *([(self.top, "∞")] if self.infinite else [])]

    @property
    def bands(self) -> list[tuple[float, float]]:
        """From where to where the rails are."""
        there = [*([self.bottom] if self.zero else []), *([self.top] if self.infinite else [])]
        return [(height - self.gap / 2, height + self.gap / 2) for height in there]

    @property
    def limits(self) -> tuple[float, float]:
        """From where to where the axis goes."""
        low = self.bands[0][0] if self.zero else float(self.low)
        if self.high == self.low and not self.infinite:
            return low, low + 0.35
        high = self.bands[-1][1] if self.infinite else float(self.high)
        return low, high + 0.02 * (high - low)


def rails(*series) -> Rails:
    """The axis that has a place for every value of the series."""
    values = np.concatenate([np.ravel(np.asarray(one, np.float64)) for one in series] or [np.zeros(0)])
    positive = values[(values > 0) & np.isfinite(values)]
    low, high = (math.floor(np.log10(positive.min())), math.ceil(np.log10(positive.max()))) if positive.size else (0, 0)
    return Rails(
        low, max(high, low + 1) if positive.size else high, bool((values == 0).any()), bool(np.isinf(values).any())
    )


def lay(axis: Axes, rails: Rails) -> None:
    """Give the axis its decades and its rails."""
    for low, high in rails.bands:
        axis.axhspan(low, high, color=LINE, alpha=0.7, linewidth=0, zorder=0)
    axis.set_yticks([place for place, _ in rails.ticks], [text for _, text in rails.ticks])
    axis.set_ylim(*rails.limits)


def by_step(axis: Axes) -> None:
    """Steps along the axis, which are whole."""
    axis.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1, steps=[1, 2, 5, 10]))
    axis.set_xlabel("t")


def trace(axis: Axes, x, values, rails: Rails, lane: float = 0.0, **line: Any) -> None:
    """A line through what lies between the rails, with a dot for every value; on a rail a bar along the steps there.

    A line to the rail and back would cross all decades at every other value, and say nothing. `lane` is the
    height on the rail, from -0.5 to 0.5, so that several traces lie there beside each other. Of a long series
    each stretch is drawn by its least and its largest value (`envelope`).
    """
    x, values = np.asarray(x), np.asarray(values, np.float64)
    between = (values > 0) & np.isfinite(values)
    marks = {key: line.pop(key) for key in ("marker", "markersize", "markevery") if key in line}
    drawn, heights = envelope(x, np.where(between, rails.place(values), np.nan))
    if marks:
        axis.plot(drawn, heights, **line | marks | {"markeredgecolor": PAPER, "markeredgewidth": 0.5})
    dots, colour = heights.size <= DOTS, line.get("color")
    axis.plot(drawn, heights, **line)
    separate(axis, drawn, heights, alone=not dots, color=colour, linewidth=3.0 if dots else max(2.0, line["linewidth"]))
    rail = lane * rails.gap
    for place, there in ((rails.bottom, values == 0), (rails.top, np.isposinf(values))):
        if there.any():
            stretches(axis, x, there, place + rail, color=colour, linewidth=2.0)


def envelope(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The series itself, or, where it is long, the least and the largest value of each stretch: no spike is lost."""
    if len(x) <= MOST_POINTS:
        return x, y
    edges = np.linspace(0, len(x), MOST_POINTS // 2 + 1).astype(int)
    kept: list[int] = []
    for first, last in itertools.pairwise(edges):
        part = y[first:last]
        known = first + np.flatnonzero(~np.isnan(part))
        kept += sorted({known[y[known].argmin()], known[y[known].argmax()]}) if known.size else [first]
    return x[kept], y[kept]


def separate(axis: Axes, x: np.ndarray, y: np.ndarray, *, alone: bool = False, **line: Any) -> None:
    """A dot for every value; with `alone`, for those that no line reaches."""
    keep = ~np.isnan(y)
    if alone:
        missing = np.concatenate([[True], ~keep, [True]])
        keep = keep & missing[:-2] & missing[2:]
    bars(axis, x[keep], x[keep], y[keep], **line)


def stretches(axis: Axes, x: np.ndarray, there: np.ndarray, height: float, **line: Any) -> None:
    """A level bar along every run of true values, a dot where there is one alone."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], there, [False]]).astype(int)))
    bars(axis, x[edges[::2]], x[edges[1::2] - 1], np.full(len(edges) // 2, height), **line)


def bars(axis: Axes, first: np.ndarray, last: np.ndarray, y: np.ndarray, **line: Any) -> None:
    """Level bars with round ends, which make a dot of one without length: in a file a tenth of what a marker takes."""
    gap = np.full(len(y), np.nan)
    x, y = np.stack([first, last + SPECK, gap], axis=1).ravel(), np.stack([y, y, gap], axis=1).ravel()
    for drawn in axis.plot(x, y, solid_capstyle="round", **line):
        drawn.set_snap(False)


def decade_label(decade: int) -> str:
    return f"{10.0**decade:g}" if -2 <= decade <= 3 else f"1e{decade}"
