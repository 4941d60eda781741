"""How far the sides are apart, quantity by quantity: on their own ways (drift), and after one shared step (defect)."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lockstep.record import Record
from reports import facts
from reports.rails import lay, rails, trace
from reports.style import BAND, DEFECT, DRIFT, GREY, RULE, WIDTH, drawable, headed, shortened, styled
from reports.words import SIGNS, count, number, severity, share, ulps

NAME = "drift"
READ = (
    "Line: drift, each side on its own way from one start. Dots: defect, after a single step from the same place. "
    "Shaded: how far each side may be from the exact step, derived, worked out where anything differs; the verdict "
    "weighs every element against its own allowance. Dotted rule: the first difference. Ulps are those of the "
    "tensor's largest value."
)
MOST = 5  # panels: a wide one, and up to four below it


def applies(record: Record) -> bool:
    return record["verdict"] != "broken" and bool(facts.quantities(record))


def shown(record: Record) -> list[str]:
    """The main quantity, then those with the worst verdict and the most of their allowance used."""
    main, *others = [facts.main_quantity(record), *facts.differing(record)]
    order = sorted(others, key=lambda name: (-severity(record["quantities"][name]["verdict"]), -use(record, name)))
    chosen = [name for name in order if name != main][: MOST - 1]
    return [*([main] if main else []), *(name for name in facts.quantities(record) if name in chosen)]


def use(record: Record, quantity: str) -> float:
    return float(np.nan_to_num(facts.largest(facts.series(record, "defect", quantity, "used"))))


def finding(record: Record) -> str:
    main, steps = facts.main_quantity(record), count(record["steps"], "step")
    if not facts.differing(record):
        return f"{steps}, {count(len(facts.quantities(record)), 'quantity', 'quantities')}: not a bit apart"
    end = facts.last(facts.series(record, "drift", main, "absolute")) if main else float("nan")
    defect = facts.largest(facts.series(record, "defect", main, "scaled_ulp")) if main else float("nan")
    named = "parameter" if main == "param" else f"value of {main}"
    start = f"after {steps} {distance(named, end)}"
    if np.isnan(defect):
        return start
    added = f"one step by itself adds at most {ulps(defect)}" if defect else "no step by itself adds a bit"
    evidence = facts.finding(record, "evidence")
    if record["verdict"] == "different" and evidence:
        return f"another formula from step {evidence['step']} on, line {evidence['line']}: {start}; {added}"
    if record["verdict"] == "ill-conditioned" and evidence:
        where = f"{evidence['quantity']} of {evidence['tensor']} (step {evidence['step']})"
        return f"rounding alone decides {where}: {start}; {added}"
    return f"{start}; {added}"


def distance(named: str, end: float) -> str:
    if np.isinf(end):
        return f"a {named} is infinitely far apart"
    return f"no {named} is more than {number(end)} apart" if end else f"every {named} is equal"


@styled
def draw(record: Record) -> Figure:
    """Panels of absolute differences on a log axis, zeros on their rail."""
    first, *others = shown(record)
    rows = -(-len(others) // 2)
    figure = Figure(figsize=(WIDTH, 2.6 + 1.9 * rows + 0.35))
    layout = figure.add_gridspec(1 + rows, 2, height_ratios=[2.6, *[1.9] * rows])
    wide = figure.add_subplot(layout[0, :])
    panel(wide, record, first)
    below = [figure.add_subplot(layout[1 + place // 2, place % 2]) for place in range(len(others))]
    for axis, name in zip(below, others, strict=True):
        panel(axis, record, name)
    for axis in below[-2:] or [wide]:
        axis.set_xlabel("step")
    for axis in [wide, *below[::2]]:
        axis.set_ylabel("absolute difference")
    labels = {
        text: handle for axis in [wide, *below] for handle, text in zip(*axis.get_legend_handles_labels(), strict=True)
    }
    figure.legend(labels.values(), labels.keys(), loc="outside lower left", ncols=4)
    headed(figure, finding(record), facts.label(record))
    return figure


def panel(axis: Axes, record: Record, name: str) -> None:
    drift, defect = (facts.series(record, mode, name, "absolute") for mode in facts.MODES)
    band = facts.series(record, "defect", name, "band")
    scale = rails(drift, defect, band)
    steps = np.arange(1, record["steps"] + 1)
    lay(axis, scale)
    known = ~np.isnan(band) & (band > 0)
    if known.any():
        edge = scale.place(band[known])
        axis.fill_between(
            steps[known], scale.low, edge, color=BAND, alpha=0.28, linewidth=0, label="allowed, from the exact step"
        )
        axis.plot(steps[known], edge, color=BAND, linewidth=1.0)
    lone: dict[str, Any] = {"marker": "_", "markersize": 8} if len(steps) == 1 else {}
    trace(axis, steps, drift, scale, 0.22, label="drift (free run)", **DRIFT | lone)
    placed, zero, size = scale.place(defect), defect == 0, 3.4 if len(steps) <= 300 else 1.8
    axis.plot(steps[~zero], placed[~zero], label="defect (one step)", markersize=size, zorder=3, **DEFECT)
    axis.plot(steps[zero], placed[zero] - 0.22 * scale.gap, markersize=1.4, zorder=3, **DEFECT)
    first = facts.finding(record, "first_difference")
    if first:
        axis.axvline(
            first["step"], **RULE, label=f"first difference: step {first['step']}, line {drawable(first['line'])}"
        )
    axis.set_xlim(0.5 if len(steps) > 1 else 0, len(steps) + (0.5 if len(steps) > 1 else 1))
    axis.set_title(shortened(drawable(panel_title(record, name)), 64), color=GREY, weight="bold")


def panel_title(record: Record, name: str) -> str:
    entry = record["quantities"][name]
    line = entry.get("line", name)
    named = name if line == name else f"{name} ({line})"
    defect = facts.largest(facts.series(record, "defect", name, "scaled_ulp"))
    if np.isnan(defect) or not defect:
        return f"{named}   {SIGNS[entry['verdict']]} {entry['verdict']}"
    used = facts.largest(facts.series(record, "defect", name, "used"))
    return f"{named}   {SIGNS[entry['verdict']]} {entry['verdict']}, {ulps(defect)}, used {share(used)}"
