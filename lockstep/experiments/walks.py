"""The runs that a report walks through line by line: a small case of every subject, to follow one number."""

from collections.abc import Mapping
from typing import Any

from lockstep.experiments.selection import shown
from lockstep.explanation.walk import walk
from lockstep.records.kinds.walk import WalkRecord
from lockstep.subjects.registry import asked
from lockstep.subjects.subject import Subject

STEPS = 2  # where a subject says nothing


def walks(subject: Subject) -> dict[str, dict[str, Any]]:
    """Every run of a subject to walk through: its name here, and the arguments of `walked`."""
    return {
        f"{subject.path} {case.desc} step by step": {"subject": subject.path, "case": case, "steps": steps}
        for case, steps in shown(subject, "WALKED", STEPS)
    }


def walked(arguments: Mapping[str, Any]) -> WalkRecord:
    """The record of a walk."""
    request = asked(**arguments)
    subject, pair = request.subject, request.pair()
    request = request.beside(pair)
    walked_steps = walk(pair, request.steps)
    again = request.command("ledger", count="--step", steps=walked_steps.first_step)
    return WalkRecord(
        **request.header,
        equations=dict(pair.equations),
        state=dict(subject.family.state(subject)),
        source=walked_steps.source,
        walked=tuple(walked_steps.steps),
        rerun=f"{again} --rounding paper",
        panel=subject.table("PANEL"),
    )
