"""What is left after each rewrite of the reference: drift by step, a curve a rung, the last one flat at zero."""

import numpy as np
from matplotlib.figure import Figure

from lockstep.record import Record
from reports import facts
from reports.figures.curves import COLOURS
from reports.rails import lay, rails, trace
from reports.style import INK, WIDTH, drawable, headed, shortened, styled
from reports.words import count, number, ulps

NAME = "ladder"
READ = (
    "A curve a rung: the reference with one rewrite more than the curve before it, beside PyTorch from the same start, "
    "each on its own way. Black: the last rung. Ulps are those of each tensor's largest value, the worst of all "
    "tensors; the grey rail is zero."
)
DASHES = ("-", (0, (5, 1.5)), (0, (1.5, 1.2)))


def applies(record: Record) -> bool:
    return bool(record["rungs"])


def drifts(record: Record) -> list[np.ndarray]:
    """A value a step for every rung."""
    return [facts.rung_series(record, number, "scaled_ulp") for number in range(len(record["rungs"]))]


def finding(record: Record) -> str:
    names, steps = [rung["name"] for rung in record["rungs"]], record["steps"]
    everywhere = f"at every one of {steps} steps" if steps > 1 else "after the one step"
    first, last = drifts(record)[0], drifts(record)[-1]
    if record["explained"] and len(names) == 1:
        return f"0 ulp in {names[0]} already, {everywhere}"
    start = f"{ulps(facts.largest(first))} in {names[0]}"
    if record["explained"]:
        return f"{start}, 0 with {names[-1]}, {everywhere}"
    left = facts.left(record)
    where = f", from step {left['step']}, line {left['line']}" if left else ""
    return f"not explained: {start}, {ulps(facts.largest(last))} still with {names[-1]}{where}"


@styled
def draw(record: Record) -> Figure:
    """Largest difference over all quantities, in ulps at scale, on a log axis with its rails."""
    values, rungs = drifts(record), record["rungs"]
    figure = Figure(figsize=(WIDTH, 4.2 + 0.22 * -(-len(rungs) // 2)))
    axis = figure.subplots()
    scale, steps = rails(*values), np.arange(1, record["steps"] + 1)
    lay(axis, scale)
    for place, (rung, drift) in enumerate(zip(rungs, values, strict=True)):
        final = place == len(rungs) - 1
        colour = INK if final else COLOURS[place % len(COLOURS)]
        lane = 0.0 if final else 0.4 * (1 - place / len(rungs))  # the last one has the middle of the rail
        dash = "-" if final else DASHES[place // len(COLOURS) % len(DASHES)]
        trace(axis, steps, drift, scale, lane, color=colour, linestyle=dash, linewidth=1.8 if final else 1.2)
        ends = f"{shortened(drawable(rung['name']), 30)}: {count(rung['differing'], 'element')} apart at the end"
        axis.plot([], [], color=colour, linestyle=dash, linewidth=2.4, label=ends)
        if final and not np.any(drift != 0):
            axis.plot(steps, np.full(len(steps), scale.bottom), color=colour, linewidth=2.2, marker=".", markersize=3)
    axis.set_xlim(0.5, len(steps) + 0.5)
    axis.set_xlabel("step")
    axis.set_ylabel("largest difference, ulp at scale")
    figure.legend(loc="outside lower left", ncols=2)
    headed(figure, finding(record), facts.label(record))
    return figure


def worst(record: Record) -> list[str]:
    """The largest difference on each rung, as a table shows it."""
    return [number(facts.largest(values)) for values in drifts(record)]
