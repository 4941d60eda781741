"""Which cause shows in which scenario, and how large: the table behind "which wrong Adam is yours"."""

import dataclasses
import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from lockstep.causes.cause import Scenario
from lockstep.causes.planting import plant
from lockstep.causes.tables import causes, scenarios
from lockstep.engine.stepping import arbitrated
from lockstep.numerics.shapes import Array
from lockstep.numerics.snapshot import Snapshot
from lockstep.numerics.verdict import beside
from lockstep.records.kinds.detection import Cell
from lockstep.subjects.registry import asked, find
from lockstep.subjects.side import Bounds, Pair, Side
from lockstep.subjects.subject import Subject

FAITHFUL = "faithful"  # the row of the reference itself, which is rounding


def causes_table(path: str, dtype: str = "float32", seed: int = 0) -> dict[str, tuple[Cell, ...]]:
    """The worst difference that one step makes, from the same place each step: the cells of each row, one a scenario.

    Arguments:
        path: of a subject.
        dtype: the name of a format, "float32" for one.
        seed: of the scenarios' random numbers.

    The first row is the reference without a cause.

    Raises:
        ValueError: for a path without a subject.
    """
    subject = find(path)
    table = causes(subject)

    @functools.cache
    def planted(base: Any) -> list[Any]:
        """A class a cause; None where the cause is of another class of the file, and changes nothing of this one."""
        own = [not cause.layer or issubclass(base, cause.base) for cause in table]
        return [plant(subject, [cause], base) if its else None for cause, its in zip(table, own, strict=True)]

    columns = [column(subject, planted, scenario, dtype, seed) for scenario in scenarios(subject)]
    return dict(zip([FAITHFUL, *(cause.name for cause in table)], zip(*columns, strict=True), strict=True))


def column(
    subject: Subject, planted: Callable[[Any], list[Any]], scenario: Scenario, dtype: str, seed: int
) -> list[Cell]:
    """The cells of one scenario: the reference and each cause beside PyTorch, step by step."""
    request = asked(subject, scenario.case, dtype, seed=seed)
    pairs = [request.pair(), *(request.pair(wrong) for wrong in planted(subject.ours(request.case)))]
    faithful, theirs = pairs[0], pairs[0].theirs()
    ours = [pair.ours() for pair in pairs]
    cells = [Cell() for _ in ours]
    with np.errstate(all="ignore"):  # a wrong formula may divide by zero
        for step in range(1, request.steps + 1):
            for stage in theirs.stages:
                before = theirs.read().copy()
                theirs.advance(stage, step)
                after = made(theirs, stage)
                exact = arbitrated(faithful, stage, step, before, after) if faithful.exact else {}
                for number, side in enumerate(ours):
                    side.write(before)
                    side.advance(stage, step)
                    cells[number] = noted(cells[number], faithful, side, step, made(side, stage), after, exact)
    return cells


def made(side: Side, stage: str) -> Snapshot:
    """Copies of what `stage` made."""
    return side.read().picked(lambda quantity, name: side.produces(stage, quantity, name)).copy()


def noted(cell: Cell, pair: Pair, side: Side, step: int, ours: Snapshot, theirs: Snapshot, exact: Bounds) -> Cell:
    """The cell with what a stage made besides."""
    lr = getattr(getattr(side, "optimizer", None), "lr", None)
    shown, used = [], cell.used
    sizes = {"error": cell.error, "state": cell.state}
    for quantity, name, array in ours.each():
        other = theirs[quantity][name]
        if array.tobytes() == other.tobytes():
            continue
        line = pair.lines.get(quantity, quantity)
        share = float(beside(array, other, exact.get(quantity, {}).get(name)).used.max(initial=0.0))
        used = max(used, share)
        shown += [line] if share > 1 else []
        figure = "state" if lr is not None and quantity != "param" else "error"
        unit = lr if lr is not None and quantity == "param" else largest(other)
        sizes[figure] = max(sizes[figure] or 0.0, apart(array, other) / unit if unit else math.inf)
    cell = dataclasses.replace(cell, used=used, **sizes)
    if not shown or cell.step is not None:
        return cell
    first = min(shown, key=lambda line: pair.order.index(line) if line in pair.order else -1)
    return dataclasses.replace(cell, step=step, line=first)


def apart(array: Array, other: Array) -> float:
    """The largest difference of two arrays; infinite where it is no number."""
    difference = float(np.max(np.abs(array.astype(np.float64) - other)))
    return math.inf if math.isnan(difference) else difference


def largest(array: Array) -> float:
    finite = np.abs(array[np.isfinite(array)])
    return float(finite.max()) if finite.size else 0.0
