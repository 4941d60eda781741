"""A drift in the height of a line of text, as points of an inline SVG."""

from typing import NamedTuple

import numpy as np

from lockstep.records.kinds.run import RunRecord
from lockstep.text import Message, message
from reports import facts
from reports.rails import rails

WIDTH, HEIGHT, EDGE = 120, 26, 3
MOST_POINTS = 60


class Sparkline(NamedTuple):
    """points: of the line, as SVG wants them. zero: the height of the zero rail, or None. text: the same in words."""

    points: str
    end: tuple[float, float]
    zero: float | None
    text: Message


def sparkline(record: RunRecord) -> Sparkline | None:
    """The drift of the main quantity on a log axis with rails; None where nothing was measured."""
    main = facts.main_quantity(record)
    values = facts.series(record, "drift", main, "absolute") if main else np.zeros(0)
    if not values.size or np.isnan(values).all():
        return None
    scale = rails(values)
    low, high = (scale.bottom if scale.zero else scale.low), (scale.top if scale.infinite else scale.high)
    worst = pooled(values)
    span = (high - low) or 1.0
    x = EDGE + (WIDTH - 2 * EDGE) * (np.arange(len(worst)) + 0.5) / len(worst)
    y = HEIGHT - EDGE - (HEIGHT - 2 * EDGE) * (scale.place(worst) - low) / span
    points = [(round(float(a), 1), round(float(b), 1)) for a, b in zip(x, y, strict=True) if np.isfinite(b)]
    text = message("figure.sparkline.text", name=main, steps=record.steps, drift=in_words(values))
    return Sparkline(" ".join(f"{a},{b}" for a, b in points), points[-1], HEIGHT - EDGE if scale.zero else None, text)


def pooled(values: np.ndarray) -> np.ndarray:
    """The largest of every stretch, so that no spike is lost; what was not measured is left out."""
    values = values[~np.isnan(values)]
    if len(values) <= MOST_POINTS:
        return values
    return np.maximum.reduceat(values, np.linspace(0, len(values), MOST_POINTS + 1).astype(int)[:-1])


def in_words(values: np.ndarray) -> Message:
    known = values[~np.isnan(values)]
    if not known.any():
        return message("figure.sparkline.none")
    first = int(np.argmax(values > 0)) + 1
    return message("figure.sparkline.some", first=first, end=facts.last(values), most=float(known.max()))
