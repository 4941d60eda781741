"""Where a cause leads to: the wrong formula's value and PyTorch's, step by step, and how far they are apart below.

Drawn of one cause of a record of kind "detection": every function takes the number of its row besides the record.
"""

import functools
import pathlib
import re
from typing import Any, NamedTuple

import jinja2
import numpy as np
from matplotlib.ticker import MaxNLocator

from lockstep.records.kinds.detection import CauseEntry, DetectionRecord
from lockstep.text import Message, message
from lockstep.text.names import place
from reports import facts
from reports.rails import DOTS, rails
from reports.style import COLOURS, INK, WIDTH, drawable, shortened
from reports.vector import FONT

NAME = "trajectory"
KIND = "svg"
PAGE, HEIGHT, RIGHT = 72 * WIDTH, 274, 72 * WIDTH - 4  # points
ABOVE, BELOW = (24, 160), (172, 244)
HUGE = 1e300  # whose differences are finite
OURS = f"stroke:{COLOURS['ours']};stroke-width:2.8;stroke-linecap:round"
THEIRS = f"stroke:{COLOURS['theirs']};stroke-width:1.4;stroke-dasharray:4.9,2.8"

Named = list[tuple[float, str]]  # values and how they are written


def applies(record: DetectionRecord, number: int) -> bool:
    return record.rows[number].cause is not None


def spot(cause: CauseEntry) -> str:
    """`weight[3, 4]`; of what has a number for a name, as a schedule's groups have, `lr[0]`."""
    if cause.tensor.isdigit():
        return place(cause.quantity, (int(cause.tensor), *cause.index))
    return place(cause.tensor, cause.index)


def finding(record: DetectionRecord, number: int) -> Message:
    _, theirs, drift = record.trajectory(number)
    cause = record.cause(number)
    values = {"steps": len(drift), "scenario": cause.shows, "place": spot(cause)}
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
    return message("figure.trajectory.read", name=name, place=spot(cause), dtype=cause.dtype)


def draw(record: DetectionRecord, number: int) -> str:
    """Both values above, |Δ| below on its rails: as SVG, for there are hundreds, and all of one shape."""
    ours, theirs, drift = (np.asarray(values, np.float64) for values in record.trajectory(number))
    ours, theirs = (np.where(np.abs(values) < HUGE, values, np.nan) for values in (ours, theirs))
    cause, steps, scale = record.cause(number), len(drift), rails(drift)
    marks = between(np.concatenate([ours, theirs]))
    above = Panel(*ABOVE, (marks[0][0], marks[-1][0]))
    below = Panel(*BELOW, scale.limits)
    left = 26 + round(5.2 * max(len(text) for _, text in [*marks, *scale.ticks]))

    def path(panel: Panel, values: np.ndarray, joined: bool = True) -> str:
        return drawn(across(np.arange(1, steps + 1), steps, left), panel.place(values), joined)

    def both(panel: Panel, values: np.ndarray, line: str, colour: str, dot: float) -> list[tuple[str, str]]:
        shown = [(path(panel, values, False), f"stroke:{colour};stroke-width:{dot};stroke-linecap:round")]
        return [(path(panel, values), line), *(shown if steps <= DOTS else [])]

    on_rails = np.where((drift == 0) | np.isposinf(drift), scale.place(drift), np.nan)
    apart = np.where((drift > 0) & np.isfinite(drift), scale.place(drift), np.nan)
    thin = f"stroke:{INK};stroke-width:1.2;stroke-linecap:round"
    above_lines = [*both(above, ours, OURS, COLOURS["ours"], 3.4), *both(above, theirs, THEIRS, COLOURS["theirs"], 3.4)]
    below_lines = [*both(below, apart, thin, INK, 3.0), (path(below, on_rails), f"{thin};stroke-width:2")]
    labels = shortened(drawable(spot(cause)), 28), "|Δ|"
    return template().render(
        width=PAGE, height=HEIGHT, left=left, right=RIGHT, font=FONT, colours=COLOURS, ours=OURS, theirs=THEIRS,
        panels=[
            above.shown(labels[0], marks, [], above_lines, left),
            below.shown(labels[1], scale.ticks, scale.bands, below_lines, left),
        ],
        steps=[(across(step, steps, left), str(step)) for step in whole(steps)],
    )  # fmt: skip


class Panel(NamedTuple):
    """From which height to which it goes, in points, and from which value to which."""

    top: float
    bottom: float
    limits: tuple[float, float]

    def place(self, values: Any) -> np.ndarray:
        """The heights of values."""
        low, high = self.limits
        return self.bottom - (np.asarray(values, np.float64) - low) / (high - low) * (self.bottom - self.top)

    def shown(
        self, label: str, ticks: Named, bands: list[tuple[float, float]], lines: list[tuple[str, str]], left: float
    ) -> dict[str, Any]:
        """What the template writes of it."""
        heights = [(round(float(self.place(value)), 1), text) for value, text in ticks]
        return {
            "label": label, "ticks": heights, "lines": lines, "middle": (self.top + self.bottom) / 2,
            "bottom": self.bottom, "grid": "".join(f"M{left} {height}H{RIGHT}" for height, _ in heights),
            "frame": f"M{left} {self.top}V{self.bottom}H{RIGHT}",
            "rails": [tuple(np.round(self.place(edges), 1).tolist()) for edges in bands],
        }  # fmt: skip


def across(step: Any, steps: int, left: float) -> Any:
    """Where a step stands, in points from the left."""
    return np.round(left + (RIGHT - left) * (step - 0.5) / steps, 1)


def drawn(x: np.ndarray, y: np.ndarray, joined: bool) -> str:
    """A path through what is a number, or a dot for each."""
    known = np.isfinite(y)
    if not joined:
        return "".join(f"M{a:g} {b:.1f}h0" for a, b in zip(x[known], y[known], strict=True))
    begins = known & ~np.concatenate([[False], known[:-1]])
    return "".join(
        f"{'M' if begin else 'L'}{a:g} {b:.1f}" for a, b, begin in zip(x[known], y[known], begins[known], strict=True)
    )


def between(values: np.ndarray) -> Named:
    """The values beside the axis, from below the least to above the largest, in as few digits as say them."""
    known = values[np.isfinite(values)]
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
    room = 0.0 if high > low else abs(low) / 10 or 1.0
    places = np.asarray(MaxNLocator(nbins=6, steps=[1, 2, 2.5, 5, 10]).tick_values(low - room, high + room))
    most = (places[1] - places[0]) / 100
    texts = ([f"{place:.{digits}g}" for place in places + 0.0] for digits in range(1, 18))
    said = next(one for one in texts if all(abs(float(t) - p) <= most for t, p in zip(one, places, strict=True)))
    return [(float(place), tidy(text)) for place, text in zip(places, said, strict=True)]


def tidy(text: str) -> str:
    """`1e-7`, and a minus as wide as a plus."""
    return re.sub(r"e\+?(-?)0*", r"e\1", re.sub("^-", "\N{MINUS SIGN}", text))


def whole(steps: int) -> list[int]:
    """The steps that are written out."""
    places = MaxNLocator(integer=True, min_n_ticks=1, steps=[1, 2, 5, 10]).tick_values(1, steps)
    return [round(place) for place in places if 1 <= place <= steps]


@functools.cache
def template() -> jinja2.Template:
    loader = jinja2.FileSystemLoader(pathlib.Path(__file__).parent)
    return jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True
    ).get_template("trajectory.svg.j2")


def table(record: DetectionRecord, number: int) -> dict[str, np.ndarray]:
    ours, theirs, drift = record.trajectory(number)
    element = facts.apart(ours, theirs)
    return {
        "t": np.arange(1, len(drift) + 1),
        "ours": ours,
        "theirs": theirs,
        "abs_difference": element,
        "drift": drift,
    }
