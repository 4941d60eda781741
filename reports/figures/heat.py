"""Where the differences sit: step by element, in ulps at the tensor's scale."""

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, LogNorm
from matplotlib.figure import Figure

from lockstep.records.kinds.run import RunRecord
from lockstep.text import Message, message
from lockstep.text.numbers import number, thousands
from reports import facts
from reports.rails import by_step
from reports.style import COLOURS, SOFT, WIDTH, drawable, styled

NAME = "heat"
KIND = "png"
MOST_ROWS = 4
FLOOR = 1 / 16  # ulp; what is smaller takes the palest colour
# Without its palest part, which in greyscale would pass for the white of "identical".
SHADES = ListedColormap(mpl.colormaps["cividis_r"](np.linspace(0.2, 1, 256))).with_extremes(bad="white", over="black")
MOST_COLUMNS = 600  # steps drawn; where there are more, a column is the worst of several


def maps(record: RunRecord) -> dict[str, dict[str, np.ndarray]]:
    """Quantity to mode to heat map, of those quantities in which anything differs."""
    heats: dict[str, dict[str, np.ndarray]] = {}
    for name in facts.quantities(record):
        for mode in facts.MODES:
            heat = record.arrays.get(f"heat/{mode}/{name}")
            if heat is not None and heat.size and (heat > 0).any():
                heats.setdefault(name, {})[mode] = np.asarray(heat, np.float64)
    return heats


def applies(record: RunRecord) -> bool:
    return record.verdict != "broken" and any(
        heat.size > 1 for modes in maps(record).values() for heat in modes.values()
    )


def shown(record: RunRecord) -> dict[str, dict[str, np.ndarray]]:
    """The largest first, by the number of cells that differ."""
    heats = maps(record)
    order = sorted(
        heats, key=lambda name: (name != facts.main_quantity(record), -sum((h > 0).sum() for h in heats[name].values()))
    )
    return {name: heats[name] for name in order[:MOST_ROWS]}


def finding(record: RunRecord) -> Message:
    defects = {name: modes["defect"] for name, modes in shown(record).items() if "defect" in modes}
    if not defects:
        return message("figure.heat.none")
    name, heat = next(iter(defects.items()))
    counts = [np.nansum(facts.series(record, "defect", name, figure)) for figure in ("differing", "elements")]
    changed, total = map(int, counts)
    step, row = (int(place) for place in np.unravel_index(int(np.argmax(heat)), heat.shape))
    whole = elements(record, name) == heat.shape[1]
    where = message(f"figure.heat.{'element' if whole else 'stretch'}", row=row, rows=heat.shape[1], step=step + 1)
    key = "one" if changed == 1 else "some"
    return message(
        f"figure.heat.{key}", name=name, changed=changed, total=total, ulp=float(heat[step, row]), where=where
    )


def read(record: RunRecord) -> Message:
    return message("figure.heat.read")


def elements(record: RunRecord, name: str) -> int:
    return int(np.nan_to_num(facts.largest(facts.series(record, "drift", name, "elements"))))


@styled
def draw(record: RunRecord) -> Figure:
    """A row a quantity; the defect on the left, the drift on the right."""
    every_map = shown(record)
    modes = [mode for mode in reversed(facts.MODES) if any(mode in heats for heats in every_map.values())]
    every = np.concatenate([heat[heat > 0] for heats in every_map.values() for heat in heats.values()])
    finite = every[np.isfinite(every)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (1.0, 1.0)
    low = max(low, min(FLOOR, high / 2))
    norm = LogNorm(low, max(high, 2 * low))
    heights = [1.0 if next(iter(heats.values())).shape[1] <= 4 else 1.7 for heats in every_map.values()]
    figure = Figure(figsize=(WIDTH, sum(heights) + 0.3 * len(every_map) + 0.7))
    grid = figure.subplots(len(every_map), len(modes), sharex=True, squeeze=False, height_ratios=heights)
    image = None
    for row, (name, heats) in zip(grid, every_map.items(), strict=True):
        for axis, mode in zip(row, modes, strict=True):
            if mode in heats:
                image = panel(axis, heats[mode], norm)
            else:
                axis.text(0.5, 0.5, "0", ha="center", va="center", transform=axis.transAxes, color=SOFT)
                axis.set_yticks([])
            axis.grid(visible=False)
            axis.set_title(f"{drawable(name)}   {most(heats.get(mode), mode)}", weight="bold")
        stretches, total = next(iter(heats.values())).shape[1], elements(record, name)
        row[0].set_ylabel("i" if total <= stretches else f"i · {stretches} / {thousands(total)}")
    for axis in grid[-1]:
        by_step(axis)
    if image is not None:
        below = "min" if every.min() < low else "neither"
        bar = figure.colorbar(image, ax=grid.ravel().tolist(), shrink=0.85, pad=0.015, aspect=30, extend=below)
        bar.set_label("ulp")
        bar.outline.set_visible(False)
        ticks = ticks_between(norm.vmin or low, norm.vmax or high)
        bar.set_ticks(ticks, labels=[number(tick) for tick in ticks])
        bar.minorticks_off()
    return figure


def most(heat: np.ndarray | None, mode: str) -> str:
    """`|δ| ≤ 0.6 ulp`, the defect, and likewise the drift."""
    return f"{'|δ|' if mode == 'defect' else '|Δ|'} ≤ {number(float(heat.max()) if heat is not None else 0.0)} ulp"


def ticks_between(low: float, high: float) -> list[float]:
    wanted = [1.0, 2.0, 5.0] if high / low < 300 else [1.0]
    decades = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    ticks = [factor * 10.0**decade for decade in decades for factor in wanted]
    return [tick for tick in ticks if low <= tick <= high][:: max(1, len(ticks) // 9)]


def panel(axis: Axes, heat: np.ndarray, norm: LogNorm):
    """White where nothing differs, the strongest colour with a cross where a difference is infinite."""
    pooled = worst_of(heat, MOST_COLUMNS)
    cells = np.where(pooled > 0, pooled, np.nan).T
    image = axis.imshow(
        cells, aspect="auto", cmap=SHADES, norm=norm, origin="lower",
        extent=(0.5, len(heat) + 0.5, -0.5, heat.shape[1] - 0.5),
    )  # fmt: skip
    steps, rows = np.nonzero(np.isinf(heat))
    if steps.size:
        axis.plot(steps[:400] + 1, rows[:400], "x", color=COLOURS["theirs"], markersize=4)
    if heat.shape[1] <= 8:
        axis.set_yticks(range(heat.shape[1]))
    return image


def worst_of(heat: np.ndarray, most: int) -> np.ndarray:
    """At most `most` rows, each the largest of its stretch, so that no spike is lost in drawing."""
    if len(heat) <= most:
        return heat
    edges = np.linspace(0, len(heat), most + 1).astype(int)[:-1]
    return np.maximum.reduceat(heat, edges)


def table(record: RunRecord) -> dict[str, np.ndarray]:
    """The cells that differ; all others are 0."""
    parts: list[list] = [[], [], [], [], []]
    for name, modes in shown(record).items():
        for mode, heat in modes.items():
            steps, rows = np.nonzero(heat)
            columns = [name] * len(steps), [mode] * len(steps), steps + 1, rows, heat[steps, rows].astype(np.float32)
            for part, values in zip(parts, columns, strict=True):
                part.extend(values)
    names = ("curve", "mode", "t", "element", "ulp")
    return {name: np.asarray(part) for name, part in zip(names, parts, strict=True)}
