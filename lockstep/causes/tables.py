"""Finds a subject's table of causes, and checks each table when it is imported."""

import dataclasses

from lockstep.causes.cause import Cause, Scenario
from lockstep.causes.planting import plant
from lockstep.causes.source import BadEdit
from lockstep.subjects.registry import find
from lockstep.subjects.subject import Subject


def table(path: str, scenarios: list[Scenario], rows: list[Cause], line: str = "param") -> list[Cause]:
    """The rows as causes of the subject at `path`, each planted once to see that it fits.

    Those that name no scenario show in the first; those that name no line show first in `line`.

    Raises:
        BadEdit: for an edit that fits no line or changes nothing, a cause that edits nothing, a name
            given twice, a scenario there is not, or a cause without a message.
    """
    subject = find(path)
    known = {scenario.name for scenario in scenarios}
    names = [cause.name for cause in rows]
    rows = [settled(cause, path, scenarios[0].name, line) for cause in rows]
    for cause in rows:
        if names.count(cause.name) > 1:
            raise BadEdit(f"{path} has the cause {cause} twice")
        if cause.shows not in known:
            raise BadEdit(f"{cause} of {path} names no scenario; there are {'; '.join(known)}")
        if not (cause.edits_lines or cause.arguments or cause.behaviour):
            raise BadEdit(f"{cause} of {path} edits nothing")
        plant(subject, [cause])
        if cause.said("fix") is None:
            raise BadEdit(f"{cause} of {path} has no message cause.{cause.id}.fix to say what to change")
    return rows


def settled(cause: Cause, path: str, shows: str, line: str) -> Cause:
    """A row with what its table says for all of them."""
    first = cause.first._replace(line=cause.first.line or line)
    return dataclasses.replace(cause, subject=path, shows=cause.shows or shows, first=first)


def causes(subject: Subject | str) -> list[Cause]:
    """What can be wrong with a subject: its part of the catalogue, discrete causes before solvable ones.

    Arguments:
        subject: a subject or its path; one without a table has no causes.

    Raises:
        ValueError: for a path without a subject.
    """
    subject = find(subject) if isinstance(subject, str) else subject
    return list(subject.causes.CAUSES) if subject.causes else []


def scenarios(subject: Subject | str) -> list[Scenario]:
    """The cases that bring the causes of a subject out, each with its reason.

    Arguments:
        subject: a subject or its path; one without a table has none.

    Raises:
        ValueError: for a path without a subject.
    """
    subject = find(subject) if isinstance(subject, str) else subject
    return list(subject.causes.SCENARIOS) if subject.causes else []
