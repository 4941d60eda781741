"""Which wrong one is yours: what each known cause does in each scenario, and where it leads to."""

import inspect
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from lockstep.causes import Cause, Change, Scenario, causes, scenarios
from lockstep.experiments.detection.table import FAITHFUL, causes_table
from lockstep.experiments.detection.trajectory import Trajectory, trajectory
from lockstep.numerics.environment import environment
from lockstep.numerics.verdict import Verdict
from lockstep.records.kinds.detection import (
    SIDES,
    CauseEntry,
    ChangeEntry,
    DetectionRecord,
    DetectionRow,
    FirstShown,
    ScenarioEntry,
)
from lockstep.records.schema import plain
from lockstep.subjects.registry import find
from lockstep.subjects.subject import Subject

STEPS = 40  # of a trajectory: enough that a course can be told from a jump
DTYPE = "float32"
THREAD = r"[\w.-]+/[\w.-]+#\d+"


def detections(path: str) -> dict[str, dict[str, Any]]:
    """The table of a subject that has causes: its name here, and the arguments of `detected`."""
    return {f"{path} known causes": {"subject": path}} if causes(path) else {}


def detected(arguments: Mapping[str, Any], steps: int = STEPS, seed: int = 0) -> DetectionRecord:
    """The record of a table of causes."""
    subject, table = find(arguments["subject"]), causes(arguments["subject"])
    tried = {scenario.name: scenario for scenario in scenarios(subject.path)}
    cells = causes_table(subject.path, DTYPE, seed)
    rows = [DetectionRow(name=FAITHFUL, cells=cells[FAITHFUL], cause=None)]
    arrays: dict[str, np.ndarray] = {}
    for number, cause in enumerate(table, 1):
        scenario = tried[cause.shows]
        taken = lasting(subject, scenario, steps)
        way = trajectory(cause, scenario, taken, seed)
        rows.append(DetectionRow(name=cause.name, cells=cells[cause.name], cause=described(cause, way, taken)))
        arrays |= {f"trajectory/{number}/{side}": getattr(way, side) for side in SIDES}
    return DetectionRecord(
        subject=subject.path,
        environment=environment(),
        dtype=DTYPE,
        seed=seed,
        steps=steps,
        unit=subject.family.unit,
        scenarios=tuple(
            ScenarioEntry(name=name, why=scene.why, case=plain(scene.case.described()), steps=scene.case.steps)
            for name, scene in tried.items()
        ),
        rows=tuple(rows),
        rerun=f"lockstep causes {subject.path}",
        arrays=arrays,
    )


def lasting(subject: Subject, scenario: Scenario, steps: int) -> int:
    """How many steps a scenario is followed: `steps`, or its own where it has an end, as a schedule may."""
    ends = getattr(scenario.case, "evaluate_from", None) is not None or subject.family.recorded == "states"
    return scenario.case.steps if ends else steps


def described(cause: Cause, way: Trajectory, steps: int) -> CauseEntry:
    """A cause as data: what it exchanges, PyTorch's own line beside it, where it was met, and its trajectory."""
    equations = find(cause.subject).reference.EQUATIONS
    return CauseEntry(
        id=cause.id,
        variant=cause.variant,
        formula=cause.formula,
        equations={line: equations[line] for line in (*cause.lines, *cause.backward, *cause.kept) if line in equations},
        changes=tuple(exchange(cause, change) for change in cause.changes()),
        behaviour=None if cause.behaviour is None else cause.behaviour.__name__,
        code=None if cause.behaviour is None else inspect.getsource(cause.behaviour).rstrip(),
        free=plain(dict(cause.free)),
        seen=cause.met,
        threads=tuple(re.findall(THREAD, cause.seen)),
        fix=cause.fix,
        first_shows=cause.first_shows,
        note=cause.note,
        first=FirstShown(step=cause.first.step, line=cause.first.line),
        shows=cause.shows,
        verdict=Verdict(cause.verdict),
        dtypes=tuple(cause.dtypes),
        steps=steps,
        dtype=way.dtype,
        quantity=way.quantity,
        tensor=way.tensor,
        index=way.index,
    )


def exchange(cause: Cause, change: Change) -> ChangeEntry:
    """A change as data: of a line, of what is kept of a line, or of an argument of the formula."""
    of = "kept" if change.line in cause.kept else "argument" if change.line in cause.arguments else "line"
    ours = change.ours if of == "line" else change.line
    return ChangeEntry(of=of, line=change.line, ours=ours, theirs=change.theirs)
