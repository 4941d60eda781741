"""A log axis that shows zero and infinity: a rail below it, "0 = identical", and one above it, "∞".

A log axis has no place for zero, and dropping the zeros would hide the best result there is. Values are
therefore placed by their logarithm on a plain axis, zeros on the lower rail, infinities on the upper one.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes

from reports.style import PALE

MOST_TICKS = 6


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
    decades = list(range(rails.low, rails.high + 1)) if rails.high > rails.low else []
    decades = decades[:: math.ceil(len(decades) / MOST_TICKS) or 1]
    ticks = [(float(decade), decade_label(decade)) for decade in decades]
    half = rails.gap / 2
    low, high = float(rails.low), float(rails.high)
    if rails.zero:
        axis.axhspan(rails.bottom - half, rails.bottom + half, color=PALE, linewidth=0, zorder=0)
        ticks.insert(0, (rails.bottom, "identical 0"))
        low = rails.bottom - half
    if rails.infinite:
        axis.axhspan(rails.top - half, rails.top + half, color=PALE, linewidth=0, zorder=0)
        ticks.append((rails.top, "∞"))
        high = rails.top + half
    axis.set_yticks([place for place, _ in ticks], [text for _, text in ticks])
    axis.set_ylim(low, high if decades or rails.infinite else low + 0.8)


def trace(axis: Axes, x, values, rails: Rails, lane: float = 0.0, **line: Any) -> None:
    """A line through what lies between the rails, with a dot for every value; on a rail the dots alone.

    A line to the rail and back would cross all decades at every other value, and say nothing. `lane` is the
    height on the rail, from -0.5 to 0.5, so that several traces lie there beside each other.
    """
    x, values = np.asarray(x), np.asarray(values, np.float64)
    placed, between = rails.place(values), (values > 0) & np.isfinite(values)
    dot = {"color": line.get("color"), "linestyle": "none"}
    axis.plot(x, np.where(between, placed, np.nan), **line)
    axis.plot(x[between], placed[between], marker=".", markersize=3.0 if len(x) <= 300 else 1.2, **dot)
    axis.plot(x[~between], placed[~between] + lane * rails.gap, marker=line.get("marker", "."), markersize=2.0, **dot)


def decade_label(decade: int) -> str:
    return f"{10.0**decade:g}" if -2 <= decade <= 3 else f"1e{decade}"
