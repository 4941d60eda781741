"""The ladders that a report climbs to the last bit, and the runs whose drift it takes apart."""

from collections.abc import Mapping
from typing import Any

from lockstep.experiments.selection import shown
from lockstep.explanation.explain import explain
from lockstep.explanation.growth import growth
from lockstep.records.kinds.explanation import ExplanationRecord
from lockstep.records.kinds.growth import Growth
from lockstep.subjects.subject import Subject


def ladders(subject: Subject) -> dict[str, dict[str, Any]]:
    """Every ladder of a subject: its name here, and the arguments of `lockstep.explain`."""
    return {
        f"{subject.path} {case.desc} to the last bit": {"subject": subject.path, "case": case, "steps": steps}
        for case, steps in shown(subject, "CLIMBED")
    }


def growths(subject: Subject) -> dict[str, dict[str, Any]]:
    """Every run of a subject whose drift is taken apart: its name here, and the arguments of `lockstep.growth`."""
    return {
        f"{subject.path} {case.desc} local against accumulated": {"subject": subject.path, "case": case, "steps": steps}
        for case, steps in (shown(subject, "GROWN") if subject.table("GROWN") else ())
    }


def climbed(arguments: Mapping[str, Any]) -> ExplanationRecord:
    return explain(**arguments).record


def grown(arguments: Mapping[str, Any]) -> Growth:
    return growth(**arguments)
