"""Which cause shows in which scenario, and how large: the table behind "which wrong Adam is yours"."""

import math
from typing import Any

import numpy as np

from lockstep.causes.cause import Cause, Scenario
from lockstep.causes.planting import plant
from lockstep.causes.tables import causes, scenarios
from lockstep.numerics.verdict import judge
from lockstep.subjects.registry import asked, find
from lockstep.subjects.side import Bounds, Pair, Quantities, Side, copied, each
from lockstep.subjects.subject import Subject

FAITHFUL = "faithful"  # the row of the reference itself, which is rounding


def causes_table(path: str, dtype: str = "float32", seed: int = 0) -> dict[str, Any]:
    """The worst difference that one step makes, a cell a cause and scenario, from the same place each step.

    Arguments:
        path: of a subject.
        dtype: "float32" or "float64".
        seed: of the scenarios' random numbers.

    Returns plain data: `subject`, `dtype`, `unit`, `scenarios` and `causes` (`name` and what it is, of a scenario the
    message `why`), and `cells[cause][scenario]` with

    - `error`: the worst difference from PyTorch in parameters, in units of the lr of the step; of a layer in
      everything it makes, in units of the largest magnitude PyTorch makes of it. Infinite where it is no number.
    - `state`: the same in the optimizer's state, in units of its largest magnitude; None without one.
    - `used`: the largest share of the allowance; above 1, the cause shows here.
    - `step`, `line`: where it first does; None where it never does.

    The first row is the reference without a cause.

    Raises:
        ValueError: for a path without a subject.
    """
    subject = find(path)
    table, tried = causes(subject), scenarios(subject)
    columns = [column(subject, table, scenario, dtype, seed) for scenario in tried]
    rows = [FAITHFUL, *(cause.name for cause in table)]
    return {
        "subject": path,
        "dtype": dtype,
        "unit": subject.family.unit,
        "scenarios": [{"name": scenario.name, "why": scenario.why} for scenario in tried],
        "causes": [
            {"name": FAITHFUL, "id": None, "formula": None},
            *({"name": cause.name, "id": cause.id, "formula": cause.formula} for cause in table),
        ],
        "cells": [[cells[place] for cells in columns] for place in range(len(rows))],
    }


def column(subject: Subject, table: list[Cause], scenario: Scenario, dtype: str, seed: int) -> list[dict[str, Any]]:
    """The cells of one scenario: the reference and each cause beside PyTorch, step by step."""
    request = asked(subject, scenario.case, dtype, seed=seed)
    base = subject.ours(request.case)
    pairs = [request.pair(), *(request.pair(plant(subject, [cause], base)) for cause in table)]
    faithful, theirs = pairs[0], pairs[0].theirs()
    ours = [pair.ours() for pair in pairs]
    cells = [{"error": 0.0, "state": None, "used": 0.0, "step": None, "line": None} for _ in ours]
    with np.errstate(all="ignore"):  # a wrong formula may divide by zero
        for step in range(1, request.steps + 1):
            for stage in theirs.stages:
                before = copied(theirs.read())
                theirs.advance(stage, step)
                after = made(theirs, stage)
                exact = faithful.exact(stage, step, before) if faithful.exact else {}
                for side, cell in zip(ours, cells, strict=True):
                    side.write(before)
                    side.advance(stage, step)
                    note(cell, faithful, side, step, made(side, stage), after, exact)
    return cells


def made(side: Side, stage: str) -> Quantities:
    """Copies of what `stage` made."""
    picked: Quantities = {}
    for quantity, name, array in each(side.read()):
        if side.produces(stage, quantity, name):
            picked.setdefault(quantity, {})[name] = np.array(array)
    return picked


def note(cell, pair: Pair, side: Side, step: int, ours: Quantities, theirs: Quantities, exact: Bounds) -> None:
    """Add what a stage made to its cell."""
    lr = getattr(getattr(side, "optimizer", None), "lr", None)
    shown = []
    for quantity, name, array in each(ours):
        other = theirs[quantity][name]
        if array.tobytes() == other.tobytes():
            continue
        line = pair.lines.get(quantity, quantity)
        judgement = judge(step, quantity, name, line, array, other, exact.get(quantity, {}).get(name))
        cell["used"] = max(cell["used"], judgement.used)
        shown += [line] if judgement.used > 1 else []
        figure = "state" if lr is not None and quantity != "param" else "error"
        unit = lr if lr is not None and quantity == "param" else largest(other)
        cell[figure] = max(cell[figure] or 0.0, apart(array, other) / unit if unit else math.inf)
    if shown and cell["step"] is None:
        cell["step"] = step
        cell["line"] = min(shown, key=lambda line: pair.order.index(line) if line in pair.order else -1)


def apart(array: np.ndarray, other: np.ndarray) -> float:
    """The largest difference of two arrays; infinite where it is no number."""
    difference = float(np.max(np.abs(array.astype(np.float64) - other)))
    return math.inf if math.isnan(difference) else difference


def largest(array: np.ndarray) -> float:
    finite = np.abs(array[np.isfinite(array)])
    return float(finite.max()) if finite.size else 0.0
