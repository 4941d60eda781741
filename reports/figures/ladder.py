"""What is left after each rewrite of the reference: drift by step, a curve a rung, the last one flat at zero."""

import numpy as np
from matplotlib.figure import Figure

from lockstep.records.kinds.explanation import ExplanationRecord
from lockstep.text import Message, message
from lockstep.text.numbers import thousands
from reports import facts
from reports.figures.ends import End, name_ends
from reports.rails import by_step, lay, rails, trace
from reports.style import CURVES, INK, WIDTH, styled

NAME = "ladder"
KIND = "svg"
DASHES = ("-", (0, (5, 1.5)), (0, (1.5, 1.2)))
HEIGHT = 215.0  # of the axis in points, about


def applies(record: ExplanationRecord) -> bool:
    """Of one step it has no curve; the rungs say it in words."""
    return record.steps > 1


def drifts(record: ExplanationRecord) -> list[np.ndarray]:
    """A value a step for every rung."""
    return [record.series(number) for number in range(len(record.rungs))]


def finding(record: ExplanationRecord) -> Message:
    names, steps = [one.name for one in record.rungs], record.steps
    first, last = (facts.largest(values) for values in (drifts(record)[0], drifts(record)[-1]))
    if record.explained and len(names) == 1:
        return message("figure.ladder.already", rung=names[0], steps=steps)
    if record.explained:
        return message("figure.ladder.closed", ulp=first, rungs=len(names) - 1, last=names[-1], steps=steps)
    left = record.left
    where = message("figure.ladder.some")
    if left:
        where = message("figure.ladder.where", step=left.step, line=left.line)
    return message("figure.ladder.left", ulp=first, left=last, last=names[-1], where=where)


def read(record: ExplanationRecord) -> Message:
    rungs = [
        message("figure.ladder.rung", number=number, name=one.name) for number, one in enumerate(record.rungs, start=1)
    ]
    return message("figure.ladder.read", rungs=rungs)


@styled
def draw(record: ExplanationRecord) -> Figure:
    """Largest difference over all quantities, in ulps at scale, on a log axis with its rails."""
    values, rungs = drifts(record), record.rungs
    figure = Figure(figsize=(WIDTH, 3.7))
    axis = figure.subplots()
    scale, steps = rails(*values), np.arange(1, record.steps + 1)
    lay(axis, scale)
    ends = []
    for place, (rung, drift) in enumerate(zip(rungs, values, strict=True)):
        final = place == len(rungs) - 1
        colour = INK if final else CURVES[place % len(CURVES)]
        lane = 0.0 if final else 0.4 * (1 - place / len(rungs))  # the last one has the middle of the rail
        dash = "-" if final else DASHES[(place + place // len(CURVES)) % len(DASHES)]
        trace(axis, steps, drift, scale, lane, color=colour, linestyle=dash, linewidth=2.4 if final else 1.2)
        apart = f"≠ {thousands(rung.differing)}" if rung.differing else "="
        ends.append(End(float(scale.place(facts.last(drift))), f"{place + 1}:  {apart}", colour))
    axis.set_xlim(0.5, len(steps) + 0.5)
    by_step(axis)
    axis.set_ylabel("|Δ|, ulp")
    name_ends(axis, ends, HEIGHT)
    return figure


def table(record: ExplanationRecord) -> dict[str, np.ndarray]:
    steps, rungs = record.steps, record.rungs
    return {
        "rung": np.repeat(np.arange(1, len(rungs) + 1), steps),
        "name": np.repeat([str(one.name) for one in rungs], steps),
        "t": np.tile(np.arange(1, steps + 1), len(rungs)),
        "ulp": np.concatenate(drifts(record)),
    }
