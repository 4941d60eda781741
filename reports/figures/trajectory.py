"""Where a cause leads to: the wrong formula's value and PyTorch's, step by step, and how far they are apart below.

Drawn of one cause of a record of kind "detection": every function takes the number of its row besides the record.
"""

import numpy as np
from matplotlib.figure import Figure

from lockstep.records.record import Record
from lockstep.text import Message, message
from reports import facts
from reports.rails import by_step, lay, rails, trace
from reports.style import INK, NUMPY, TORCH, WIDTH, drawable, labelled, shortened, styled

NAME = "trajectory"
KIND = "svg"
SIDES = ("numpy", "torch", "drift")


def applies(record: Record, cause: int) -> bool:
    return all(f"trajectory/{cause}/{side}" in record.arrays for side in SIDES)


def series(record: Record, cause: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The wrong one's value, PyTorch's, and the drift of the whole quantity, a value a step."""
    ours, theirs, drift = (np.asarray(record.arrays[f"trajectory/{cause}/{side}"], np.float64) for side in SIDES)
    return ours, theirs, drift


def place(entry: dict) -> str:
    """`weight[3, 2]`: the element that is followed."""
    index = ", ".join(map(str, entry["index"]))
    return f"{entry['tensor']}[{index}]" if index else str(entry["tensor"])


def finding(record: Record, cause: int) -> Message:
    _, theirs, drift = series(record, cause)
    entry = record["causes"][cause]
    values = {"steps": len(drift), "scenario": entry["shows"], "place": place(entry)}
    if not drift.any():
        return message("figure.trajectory.equal", **values)
    first, end, most = int(np.argmax(drift > 0)) + 1, float(drift[-1]), float(drift.max())
    if not np.isfinite(most):
        return message("figure.trajectory.infinite", first=int(np.argmax(~np.isfinite(drift))) + 1, **values)
    if not end:
        return message("figure.trajectory.together", first=first, most=most, **values)
    span = float(np.ptp(theirs[np.isfinite(theirs)])) if np.isfinite(theirs).any() else 0.0
    return message("figure.trajectory.apart", first=first, end=end, span=span, **values)


def read(record: Record, cause: int) -> Message:
    entry = record["causes"][cause]
    return message("figure.trajectory.read", name=entry["name"], place=place(entry), dtype=entry["dtype"])


@styled
def draw(record: Record, cause: int) -> Figure:
    ours, theirs, drift = series(record, cause)
    entry, steps = record["causes"][cause], np.arange(1, len(drift) + 1)
    figure = Figure(figsize=(WIDTH, 3.7))
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(2.1, 1))
    dots = {"marker": "o", "markersize": 3.4} if len(steps) <= 60 else {}
    above.plot(steps, finite(ours), label=shortened(drawable(entry["name"]), 60), **NUMPY, **dots)
    above.plot(steps, finite(theirs), label="PyTorch", **TORCH, **dots)
    above.set_ylabel(shortened(drawable(place(entry)), 28))
    figure.legend(*above.get_legend_handles_labels(), loc="upper right", borderaxespad=0, ncols=2)
    scale = rails(drift)
    lay(below, scale)
    trace(below, steps, drift, scale, color=INK, linewidth=1.2)
    below.set_ylabel("|Δ|")
    by_step(below)
    below.set_xlim(0.5, len(steps) + 0.5)
    labelled(figure, f"{record['subject']} · {entry['shows']} · {entry['dtype']}")
    return figure


def finite(values: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(values), values, np.nan)


def table(record: Record, cause: int) -> dict[str, np.ndarray]:
    ours, theirs, drift = series(record, cause)
    element = facts.apart(ours, theirs)
    return {
        "t": np.arange(1, len(drift) + 1),
        "numpy": ours,
        "torch": theirs,
        "abs_difference": element,
        "drift": drift,
    }
