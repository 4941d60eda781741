"""Which scenario brings out which cause: the largest error of one step, cause by scenario, on a log scale."""

import math
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, LogNorm
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from lockstep.records.detection import DetectionRecord
from lockstep.text import Message, message
from lockstep.text.numbers import number
from reports.figures.heat import ticks_between
from reports.style import INK, LINE, PAPER, SOFT, WIDTH, drawable, labelled, shortened, styled

NAME = "detection"
KIND = "png"
ROW, HEAD = 0.205, 1.5  # inches
LONGEST = 46  # characters of a name
MOST_TICKS = 9
# Without its palest part, which would pass for the white of what does not show.
SHADES = ListedColormap(mpl.colormaps["YlOrRd"](np.linspace(0.12, 1, 256))).with_extremes(bad=(1, 1, 1, 0))


def applies(record: DetectionRecord) -> bool:
    return len(record.rows) > 1


def sizes(record: DetectionRecord) -> np.ndarray:
    """The largest error of every cell, causes in rows, scenarios in columns."""
    return np.array([[cell.size for cell in row.cells] for row in record.rows])


def caught(record: DetectionRecord) -> np.ndarray:
    """Where rounding cannot explain the error."""
    return np.array([[cell.used > 1 for cell in row.cells] for row in record.rows])


def finding(record: DetectionRecord) -> Message:
    shows, errors = caught(record), sizes(record)
    values = {"causes": len(shows) - 1, "caught": int(shows[1:].any(axis=1).sum()), "rounding": float(errors[0].max())}
    if not values["caught"]:
        return message("figure.detection.none", **values)
    counts = shows[1:].sum(axis=0)
    best = int(np.argmax(counts))
    scenario = record.scenarios[best].name
    key = "alone" if counts[best] == values["caught"] else "found"
    return message(f"figure.detection.{key}", scenario=scenario, alone=int(counts[best]), unit=unit(record), **values)


def unit(record: DetectionRecord) -> Message:
    """What errors are counted in."""
    return message(f"unit.{record.unit}")


def read(record: DetectionRecord) -> Message:
    return message("figure.detection.read", unit=unit(record))


@styled
def draw(record: DetectionRecord) -> Figure:
    """A row a cause, the faithful one first; filled where the cause shows."""
    errors, shows = sizes(record), caught(record)
    rows, columns = errors.shape
    figure = Figure(figsize=(WIDTH, HEAD + ROW * rows))
    axis = figure.subplots()
    norm = scale(errors[shows & (errors > 0) & np.isfinite(errors)])
    low, high = norm.vmin or 1.0, norm.vmax or 1.0
    filled = np.where(shows, np.clip(errors, low, high), np.nan)
    image = axis.imshow(filled, aspect="auto", cmap=SHADES, norm=norm)
    for row in range(rows):
        for column in range(columns):
            written(axis, row, column, errors[row, column], SHADES(norm(filled[row, column])))
    framed(axis, record)
    names = ["NumPy", *(row.name for row in record.rows[1:])]
    axis.set_yticks(range(rows), [shortened(drawable(name), LONGEST) for name in names], size=7.5)
    scenarios = [shortened(drawable(one.name), LONGEST) for one in record.scenarios]
    axis.set_xticks(range(columns), scenarios, rotation=32, ha="left", rotation_mode="anchor")
    axis.tick_params(top=True, labeltop=True, bottom=False, labelbottom=False, length=0, labelcolor=INK)
    axis.grid(visible=False)
    axis.spines[["left", "bottom"]].set_visible(False)
    axis.axhline(0.5, color=INK, linewidth=1.2)
    for row in range(1, rows):
        axis.axhline(row + 0.5, color=LINE, linewidth=0.5, zorder=0)
    over = "max" if (errors[shows] > high).any() else "neither"
    bar = figure.colorbar(image, ax=axis, orientation="horizontal", shrink=0.5, aspect=40, pad=0.015, extend=over)
    ticks = ticks_between(low, high)[:: math.ceil(len(ticks_between(low, high)) / MOST_TICKS)]
    bar.set_ticks(ticks, labels=[number(tick) for tick in ticks])
    bar.minorticks_off()
    bar.outline.set_visible(False)
    labelled(figure, f"{record.subject} · {record.dtype}" + (" · lr" if record.unit == "lr" else ""))
    return figure


def scale(seen: np.ndarray) -> LogNorm:
    """From the smallest error to one that few exceed, which take the strongest colour: one giant hides no others."""
    low, high = (float(seen.min()), float(np.quantile(seen, 0.95))) if seen.size else (1.0, 2.0)
    return LogNorm(low, max(high, 2 * low))


def written(axis: Axes, row: int, column: int, error: float, shade: Any) -> None:
    """The error in two digits: bold on its colour where the cause shows, grey on nothing where it does not."""
    red, green, blue, opaque = shade
    dark = 0.2126 * red + 0.7152 * green + 0.0722 * blue < 0.5
    style: dict[str, Any] = {"color": PAPER if dark else INK, "weight": "bold"} if opaque else {"color": SOFT}
    axis.text(column, row, number(error), ha="center", va="center_baseline", size=7, **style)


def framed(axis: Axes, record: DetectionRecord) -> None:
    """A frame around the cell of the scenario that is there to bring the cause out."""
    names = [one.name for one in record.scenarios]
    for place, row in enumerate(record.rows):
        if row.cause:
            corner = names.index(row.cause.shows) - 0.5, place - 0.5
            axis.add_patch(Rectangle(corner, 1, 1, fill=False, edgecolor=INK, linewidth=1.2, zorder=3))


def table(record: DetectionRecord) -> dict[str, np.ndarray]:
    names = [one.name for one in record.scenarios]
    causes = [row.name for row in record.rows]
    every = [cell for row in record.rows for cell in row.cells]
    return {
        "cause": np.repeat(causes, len(names)),
        "scenario": np.tile(names, len(causes)),
        "error": sizes(record).ravel(),
        "used": np.array([cell.used for cell in every]),
        "step": np.array(["" if cell.step is None else str(cell.step) for cell in every]),
        "line": np.array([cell.line or "" for cell in every]),
    }
