"""The matrix as tasks: the ladder of every cell, shared out among workers, each part kept as soon as it is done."""

import json
from collections.abc import Callable, Sequence
from typing import Any

from lockstep.explanation.matrix import (
    ClimbedCell,
    Configuration,
    Matrix,
    cells,
    configurations,
    in_process,
    parts,
)
from lockstep.records.schema import plain
from lockstep.tasks.task import Files, Task
from lockstep.tasks.workers import Alone, Workers
from lockstep.text import Message, from_json

SECONDS = 0.4  # of a cell, and of a process to begin; where nobody has measured it yet
BEGUN = 2.0
CELLS = "cells.json"


def matrix(
    only: Sequence[str] = (),
    *,
    steps: int | None = None,
    workers: Workers | Alone | None = None,
    on_start: Callable[[int], Any] | None = None,
    on_cells: Callable[[list[ClimbedCell]], Any] | None = None,
) -> Matrix:
    """Climb the ladder of every cell.

    Arguments:
        only: subjects; all of them if there are none.
        steps: of every cell; if None, 500 for an optimizer and 200 for a network where PyTorch runs as it does here
            by itself on one thread, else as many as the case says, and 20 for a network.
        workers: who does it; all cores of this machine, keeping nothing, if None.
        on_start: called with the number of cells. on_cells: called with those that are done.

    Raises:
        ValueError: for a subject that there is not.
        TaskFailed: where a process is lost; what was finished is kept.
    """
    if workers is None:
        with Workers() as own:
            return matrix(only, steps=steps, workers=own, on_start=on_start, on_cells=on_cells)
    whole = {configuration: cells(only, configuration, steps) for configuration in configurations()}
    if on_start:
        on_start(sum(map(len, whole.values())))
    tasks = {
        planned(configuration, part): configuration for configuration in whole for part in parts(whole[configuration])
    }
    done: dict[str, ClimbedCell] = {}
    absent: dict[str, Message] = {}
    for task, files in workers.run(tasks):
        kept = json.loads(files[CELLS])
        climbed = [ClimbedCell.from_json(cell) for cell in kept["cells"]]
        done |= {cell.label: cell for cell in climbed}
        absent |= {tasks[task].name: from_json(kept["absent"])} if kept["absent"] else {}
        if on_cells:
            on_cells(climbed)
    ordered = [done[cell.label] for part in whole.values() for cell in part if cell.label in done]
    return Matrix(ordered, {one.name: absent[one.name] for one in whole if one.name in absent})


def planned(configuration: Configuration, part: list[ClimbedCell]) -> Task:
    """The cells of a configuration that one process works off."""
    first, last = part[0], part[-1]
    name = f"{first.subject}, {configuration.name}: {first.case}, {first.dtype} … {last.case}, {last.dtype}"
    arguments = tuple(configuration), plain(part)
    return Task(name, climbed, arguments, seconds=BEGUN + SECONDS * len(part))


def climbed(configuration: tuple[Any, ...], part: list[dict[str, Any]]) -> Files:
    """What became of cells, or why there are none."""
    cells, absent = in_process(Configuration(*configuration), [ClimbedCell.from_json(cell) for cell in part])
    told = {"cells": plain(cells), "absent": plain(absent)}
    return {CELLS: json.dumps(told, ensure_ascii=False).encode()}
