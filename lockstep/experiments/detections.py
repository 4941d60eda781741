"""Which wrong one is yours: what each known cause does in each scenario, and where it leads to."""

import inspect
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from lockstep.causes import Cause, Change, Scenario, causes, scenarios
from lockstep.experiments.detection_table import causes_table
from lockstep.experiments.trajectory import trajectory
from lockstep.numerics.environment import environment
from lockstep.records.record import SCHEMA, VERSION, Record
from lockstep.subjects.registry import find

STEPS = 40  # of a trajectory: enough that a course can be told from a jump
DTYPE = "float32"
THREAD = r"[\w.-]+/[\w.-]+#\d+"


def detections(path: str) -> dict[str, dict[str, Any]]:
    """The table of a subject that has causes: its name here, and the arguments of `detected`."""
    return {f"{path} known causes": {"subject": path}} if causes(path) else {}


def detected(arguments: Mapping[str, Any], steps: int = STEPS, seed: int = 0) -> Record:
    """The record of a table of causes; lockstep/records/record.py documents it."""
    path = arguments["subject"]
    found = causes_table(path, DTYPE, seed)
    cells, table = found["cells"], causes(path)
    tried = {scenario.name: scenario for scenario in scenarios(path)}
    rows: list[dict[str, Any]] = [{"name": found["causes"][0]["name"], "id": None, "twins": twins(found, 0)}]
    arrays: dict[str, np.ndarray] = {}
    for number, cause in enumerate(table, 1):
        scenario = tried[cause.shows]
        taken = lasting(scenario, steps)
        way = trajectory(cause, scenario, taken, seed)
        rows.append(
            described(cause)
            | {"twins": twins(found, number), "steps": taken}
            | {key: getattr(way, key) for key in ("dtype", "quantity", "tensor", "index")}
        )
        for side in ("numpy", "torch", "drift"):
            arrays[f"trajectory/{number}/{side}"] = getattr(way, side)
    data = {
        "schema": SCHEMA,
        "version": VERSION,
        "kind": "detection",
        "subject": path,
        "dtype": DTYPE,
        "seed": seed,
        "steps": steps,
        "environment": environment(),
        "unit": found["unit"],
        "scenarios": [
            {"name": name, "why": scenario.why, "case": scenario.case.described(), "steps": scenario.case.steps}
            for name, scenario in tried.items()
        ],
        "causes": rows,
        "cells": cells,
        "equations": dict(find(path).reference.EQUATIONS),
        "rerun": f"lockstep causes {path}",
    }
    return Record(data, arrays)


def lasting(scenario: Scenario, steps: int) -> int:
    """How many steps a scenario is followed: `steps`, or its own where it passes from training to evaluation."""
    return steps if getattr(scenario.case, "evaluate_from", None) is None else scenario.case.steps


def twins(found: dict[str, Any], number: int) -> list[str]:
    """The other rows of a table whose cells are the same, to the bit."""
    cells = found["cells"]
    return [
        row["name"] for other, row in enumerate(found["causes"]) if other != number and cells[other] == cells[number]
    ]


def described(cause: Cause) -> dict[str, Any]:
    """A cause as data: what it exchanges, PyTorch's own line beside it, and where it was met."""
    equations = find(cause.subject).reference.EQUATIONS
    return {
        "name": cause.name,
        "id": cause.id,
        "variant": cause.variant,
        "formula": cause.formula,
        "equations": {
            line: equations[line] for line in (*cause.lines, *cause.backward, *cause.kept) if line in equations
        },
        "changes": [exchange(cause, change) for change in cause.changes()],
        "behaviour": None if cause.behaviour is None else cause.behaviour.__name__,
        "code": None if cause.behaviour is None else inspect.getsource(cause.behaviour).rstrip(),
        "free": dict(cause.free),
        "seen": cause.met,
        "threads": re.findall(THREAD, cause.seen),
        "fix": cause.fix,
        "first_shows": cause.first_shows,
        "note": cause.note,
        "first": {"step": cause.first.step, "line": cause.first.line},
        "shows": cause.shows,
        "verdict": cause.verdict,
        "dtypes": list(cause.dtypes),
    }


def exchange(cause: Cause, change: Change) -> dict[str, str]:
    """A change as data; `of` says of what: a line, what is kept of a line, or an argument of the formula."""
    of = "kept" if change.line in cause.kept else "argument" if change.line in cause.arguments else "line"
    return {
        "of": of,
        "line": change.line,
        "ours": change.ours if of == "line" else change.line,
        "theirs": change.theirs,
    }
