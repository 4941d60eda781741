"""Where a cause leads to: the wrong formula's value and PyTorch's, step by step, and how far they are apart below.

Drawn of one cause of a record of kind "detection": every function takes the number of its row besides the record.
"""

import numpy as np
from matplotlib.figure import Figure

from lockstep.records.detection import DetectionRecord
from lockstep.text import Message, message
from lockstep.text.names import place
from reports import facts
from reports.rails import by_step, lay, rails, trace
from reports.style import INK, NUMPY, TORCH, WIDTH, drawable, labelled, shortened, styled

NAME = "trajectory"
KIND = "svg"


def applies(record: DetectionRecord, number: int) -> bool:
    return record.rows[number].cause is not None


def finding(record: DetectionRecord, number: int) -> Message:
    _, theirs, drift = record.trajectory(number)
    cause = record.cause(number)
    values = {"steps": len(drift), "scenario": cause.shows, "place": place(cause.tensor, cause.index)}
    if not drift.any():
        return message("figure.trajectory.equal", **values)
    first, end, most = int(np.argmax(drift > 0)) + 1, float(drift[-1]), float(drift.max())
    if not np.isfinite(most):
        return message("figure.trajectory.infinite", first=int(np.argmax(~np.isfinite(drift))) + 1, **values)
    if not end:
        return message("figure.trajectory.together", first=first, most=most, **values)
    span = float(np.ptp(theirs[np.isfinite(theirs)])) if np.isfinite(theirs).any() else 0.0
    return message("figure.trajectory.apart", first=first, end=end, span=span, **values)


def read(record: DetectionRecord, number: int) -> Message:
    cause, name = record.cause(number), record.rows[number].name
    return message("figure.trajectory.read", name=name, place=place(cause.tensor, cause.index), dtype=cause.dtype)


@styled
def draw(record: DetectionRecord, number: int) -> Figure:
    ours, theirs, drift = record.trajectory(number)
    cause, steps = record.cause(number), np.arange(1, len(drift) + 1)
    figure = Figure(figsize=(WIDTH, 3.7))
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(2.1, 1))
    dots = {"marker": "o", "markersize": 3.4} if len(steps) <= 60 else {}
    above.plot(steps, finite(ours), label=shortened(drawable(record.rows[number].name), 60), **NUMPY, **dots)
    above.plot(steps, finite(theirs), label="PyTorch", **TORCH, **dots)
    above.set_ylabel(shortened(drawable(place(cause.tensor, cause.index)), 28))
    figure.legend(*above.get_legend_handles_labels(), loc="upper right", borderaxespad=0, ncols=2)
    scale = rails(drift)
    lay(below, scale)
    trace(below, steps, drift, scale, color=INK, linewidth=1.2)
    below.set_ylabel("|Δ|")
    by_step(below)
    below.set_xlim(0.5, len(steps) + 0.5)
    labelled(figure, f"{record.subject} · {cause.shows} · {cause.dtype}")
    return figure


def finite(values: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(values), values, np.nan)


def table(record: DetectionRecord, number: int) -> dict[str, np.ndarray]:
    ours, theirs, drift = record.trajectory(number)
    element = facts.apart(ours, theirs)
    return {
        "t": np.arange(1, len(drift) + 1),
        "numpy": ours,
        "torch": theirs,
        "abs_difference": element,
        "drift": drift,
    }
