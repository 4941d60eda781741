"""Where a drift came from: what the steps make by themselves, and what the problem makes of a start one ulp away."""

import numpy as np
from matplotlib.figure import Figure

from lockstep.records.kinds.growth import Growth
from lockstep.text import Message, message
from reports.figures.ends import End, name_ends
from reports.rails import by_step, lay, rails, trace
from reports.style import COLOURS, INK, WIDTH, styled

NAME = "growth"
KIND = "svg"
HEIGHT = 190.0  # of the axis in points, about
SHADES = {"|Δ|": INK, "|Δ₀|": COLOURS["theirs"], "|Δ₁|": COLOURS["ours"]}
DASHES = {"|Δ|": "-", "|Δ₀|": (0, (5, 1.5)), "|Δ₁|": (0, (1.5, 1.2))}
NAMES = ("drift", "alone", "spread")


def applies(record: Growth) -> bool:
    return True


def series(record: Growth) -> dict[str, np.ndarray]:
    """The drift, that on PyTorch's own gradients, and how far a start one ulp away has come, after each step."""
    return {symbol: getattr(record, name) for symbol, name in zip(SHADES, NAMES, strict=True)}


def finding(record: Growth) -> Message:
    drift, alone, times = (float(values[-1]) for values in (record.drift, record.alone, record.amplification))
    values = {"steps": record.steps, "drift": drift, "alone": alone, "times": times}
    return message("figure.growth.found" if drift else "figure.growth.none", **values)


def read(record: Growth) -> Message:
    return message("figure.growth.read")


@styled
def draw(record: Growth) -> Figure:
    curves, steps = series(record), np.arange(1, record.steps + 1)
    figure = Figure(figsize=(WIDTH, 3.4))
    axis = figure.subplots()
    scale = rails(*curves.values())
    lay(axis, scale)
    for lane, (name, values) in zip((0.25, 0.0, -0.25), curves.items(), strict=True):
        width = 2.4 if name == "|Δ|" else 1.4
        trace(axis, steps, values, scale, lane, color=SHADES[name], linestyle=DASHES[name], linewidth=width)
    ends = [End(float(scale.place(values[-1])), name, SHADES[name]) for name, values in curves.items()]
    axis.set_xlim(0.5, len(steps) + 0.5)
    by_step(axis)
    name_ends(axis, ends, HEIGHT)
    return figure


def table(record: Growth) -> dict[str, np.ndarray]:
    steps = {"t": np.arange(1, record.steps + 1)}
    return steps | {name: getattr(record, name) for name in (*NAMES, "defect")}
