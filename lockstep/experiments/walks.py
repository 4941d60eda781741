"""The runs that a report walks through line by line: a small case of every subject, to follow one number."""

from collections.abc import Mapping
from typing import Any

from lockstep.experiments.selection import shown
from lockstep.explanation.walk import walk
from lockstep.numerics.environment import environment
from lockstep.records.record import SCHEMA, VERSION, Record
from lockstep.subjects.registry import asked
from lockstep.subjects.subject import Subject

STEPS = 2  # where a subject says nothing


def walks(subject: Subject) -> dict[str, dict[str, Any]]:
    """Every run of a subject to walk through: its name here, and the arguments of `walked`."""
    return {
        f"{subject.path} {case.desc} step by step": {"subject": subject.path, "case": case, "steps": steps}
        for case, steps in shown(subject, "WALKED", STEPS)
    }


def walked(arguments: Mapping[str, Any]) -> Record:
    """The record of a walk; lockstep/records/record.py documents it."""
    request = asked(**arguments)
    subject, pair = request.subject, request.pair()
    request = request.beside(pair)
    found = walk(pair, request.steps)
    again = request.command("ledger", count="--step", steps=found.first_step)
    data = {
        "schema": SCHEMA,
        "version": VERSION,
        "kind": "walk",
        "subject": subject.path,
        "case": request.case.described(),
        "dtype": request.dtype,
        "path": request.path,
        "seed": request.seed,
        "steps": request.steps,
        "environment": environment(),
        "equations": dict(pair.equations),
        "state": dict(subject.family.state(subject)),
        "source": found.source,
        "first_step": found.first_step,
        "walked": [
            {
                "step": step,
                "stages": [stage._asdict() | {"lines": [row._asdict() for row in stage.lines]} for stage in stages],
            }
            for step, stages in enumerate(found.steps, 1)
        ],
        "rerun": f"{again} --rounding paper",
    }
    return Record(data, {})
