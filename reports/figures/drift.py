"""How far the sides are apart, quantity by quantity: on their own ways (drift), and after one shared step (defect)."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lockstep.records.kinds.run import RunRecord
from lockstep.text import Message, message
from lockstep.text.numbers import number, share
from reports import facts
from reports.figures.path import parted
from reports.rails import by_step, envelope, lay, rails, separate, trace
from reports.style import BAND, DEFECT, DRIFT, RULE, WIDTH, drawable, shortened, styled
from reports.words import SIGNS, severity

NAME = "drift"
KIND = "svg"
MOST = 5  # panels: a wide one, and up to four below it


def applies(record: RunRecord) -> bool:
    return record.verdict != "broken" and bool(facts.quantities(record))


def shown(record: RunRecord) -> list[str]:
    """The main quantity, then those with the worst verdict and the most of their allowance used."""
    main, *others = [facts.main_quantity(record), *facts.differing(record)]
    order = sorted(others, key=lambda name: (-severity(record.quantities[name].verdict), -use(record, name)))
    chosen = [name for name in order if name != main][: MOST - 1]
    return [*([main] if main else []), *(name for name in facts.quantities(record) if name in chosen)]


def use(record: RunRecord, quantity: str) -> float:
    return float(np.nan_to_num(facts.largest(facts.series(record, "defect", quantity, "used"))))


def finding(record: RunRecord) -> Message:
    main, steps = facts.main_quantity(record), record.steps
    if not facts.differing(record):
        return message("figure.drift.equal", steps=steps, quantities=len(facts.quantities(record)))
    end = facts.last(facts.series(record, "drift", main, "absolute")) if main else float("nan")
    defect = facts.largest(facts.series(record, "defect", main, "scaled_ulp")) if main else float("nan")
    drifted = bool(main) and (facts.series(record, "drift", main, "absolute") > 0).any()
    said = message(f"figure.drift.{distance(end) if drifted else 'same'}", steps=steps, name=main, end=end)
    if not np.isnan(defect):
        said = message("figure.drift.adds" if defect else "figure.drift.none", start=said, ulp=defect)
    evidence = record.evidence
    key = {"different": "different", "ill-conditioned": "ill"}.get(record.verdict)
    if key and evidence:
        where = {name: getattr(evidence, name) for name in ("step", "line", "quantity", "tensor")}
        return message(f"figure.drift.{key}", rest=said, **where)
    return said


def distance(end: float) -> str:
    return "infinite" if np.isinf(end) else "apart" if end else "together"


def read(record: RunRecord) -> Message:
    return message("figure.drift.read")


@styled
def draw(record: RunRecord) -> Figure:
    """Panels of absolute differences on a log axis, zeros on their rail."""
    first, *others = shown(record)
    rows = -(-len(others) // 2)
    height = 2.6 if facts.differing(record) else 1.2  # a rail alone needs no more
    figure = Figure(figsize=(WIDTH, height + 1.7 * rows))
    layout = figure.add_gridspec(1 + rows, 2, height_ratios=[height, *[1.7] * rows])
    wide = figure.add_subplot(layout[0, :])
    panel(wide, record, first)
    parted(wide, record)
    below = [figure.add_subplot(layout[1 + place // 2, place % 2]) for place in range(len(others))]
    for axis, name in zip(below, others, strict=True):
        panel(axis, record, name)
    for axis in (wide, *below):
        by_step(axis)
        if axis not in (below[-2:] or [wide]):
            axis.set_xlabel("")
    handles, labels = wide.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper right", borderaxespad=0, ncols=3)
    return figure


def panel(axis: Axes, record: RunRecord, name: str) -> None:
    drift, defect = (facts.series(record, mode, name, "absolute") for mode in facts.MODES)
    band = facts.series(record, "defect", name, "band")
    scale = rails(drift, defect, band)
    steps = np.arange(1, record.steps + 1)
    lay(axis, scale)
    known = ~np.isnan(band) & (band > 0)
    if known.any():
        x, edge = envelope(steps[known], scale.place(band[known]))
        axis.fill_between(x, scale.low, edge, color=BAND, alpha=0.25, linewidth=0, label="≤ δ*")
        axis.plot(x, edge, color=BAND, linewidth=0.8)
    lone: dict[str, Any] = {"marker": "_", "markersize": 8} if len(steps) == 1 else {}
    trace(axis, steps, drift, scale, 0.22, **DRIFT | lone)
    axis.plot([], [], label="|Δ|", **DRIFT)
    dots(axis, steps, defect, scale)
    axis.plot([], [], label="|δ|", markersize=4, **DEFECT)
    first = record.first_difference
    if first:
        axis.axvline(first.step, **RULE)
    axis.set_xlim(0.5 if len(steps) > 1 else 0, len(steps) + (0.5 if len(steps) > 1 else 1))
    axis.set_title(shortened(drawable(panel_title(record, name)), 64), weight="bold")


def dots(axis: Axes, steps: np.ndarray, defect: np.ndarray, scale) -> None:
    """A dot a step; of a long run the least and the largest of each stretch."""
    between = (defect > 0) & np.isfinite(defect)
    x, y = envelope(steps, np.where(between, scale.place(defect), np.nan))
    count = int((~np.isnan(y)).sum())
    size = 3.6 if count <= 120 else 2.4 if count <= 300 else 1.6
    separate(axis, x, y, color=DEFECT["color"], linewidth=size, zorder=3)
    trace(axis, steps, np.where(between, np.nan, defect), scale, -0.22, color=DEFECT["color"], linewidth=1.0)


def panel_title(record: RunRecord, name: str) -> str:
    """`exp_avg (m)  ≈  0.6 ulp  46 %`: its verdict's sign, its largest defect, how much of the allowance it used."""
    entry = record.quantities[name]
    named = name if entry.line == name else f"{name} ({entry.line})"
    defect = facts.largest(facts.series(record, "defect", name, "scaled_ulp"))
    if np.isnan(defect) or not defect:
        return f"{named}   {SIGNS[entry.verdict]}"
    used = facts.largest(facts.series(record, "defect", name, "used"))
    return f"{named}   {SIGNS[entry.verdict]}   {number(defect)} ulp   {share(used)}"


def table(record: RunRecord) -> dict[str, np.ndarray]:
    names, steps = shown(record), record.steps
    parts = {"drift": ("drift", "absolute"), "defect": ("defect", "absolute"), "allowed": ("defect", "band")}
    values = {
        key: np.concatenate([facts.series(record, mode, name, figure) for name in names])
        for key, (mode, figure) in parts.items()
    }
    return {"curve": np.repeat(names, steps), "t": np.tile(np.arange(1, steps + 1), len(names))} | values
