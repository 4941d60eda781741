"""The index: the verdict of everything, where to begin, and a row a subject."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from lockstep.records.kinds.laboratory import LaboratoryRecord
from lockstep.records.kinds.run import RunRecord
from lockstep.text import Message, message
from reports import facts, words
from reports.contents import Contents, family
from reports.figures import path, trajectory
from reports.gallery import Gallery, Picture
from reports.pages import laboratory, subject
from reports.pages.laboratory import Laboratory
from reports.pages.rows import Row, counted, row

LEADING = ("run", "detection", "laboratory")  # records that its pictures are made of


class Subject(NamedTuple):
    """A row of the index: a subject, its verdicts, its worst run and its first words."""

    subject: str
    counts: list[tuple[str, int]]
    worst: Row | None
    explained: tuple[int, int]


def context(records: Contents, gallery: Gallery) -> dict[str, Any]:
    """All that the page shows; the same in every language."""
    begin, answers = beginning(records)
    return {
        "families": families(records),
        "begin": begin,
        "opening": opening(records),
        "still": still(records, gallery),
        "answers": answers,
        "headline": headline(records),
        "lead": lead(records.every_run),
        "chapters": records.chapters,
        "machines": records.machines,
        "environments": records.environments,
        "failing": [row(record) for record in records.every_run if facts.fails(record)],
        "known": [row(record) for record in records.every_run if facts.known(record)],
    }


def beginning(records: Contents) -> tuple[str | None, list[tuple[str, Message]]]:
    """The first subject that has something to say in short, the one a report leads with before all others; and what."""
    first = leading(records)
    for name in sorted(records.subjects, key=lambda name: not first or name != first.subject):
        answers = subject.context(name, records, Gallery())["short"]  # whose pictures nobody draws
        if answers:
            return name, answers
    return None, []


def leading(records: Contents) -> LaboratoryRecord | None:
    """What the page leads with, where that was recorded."""
    return next((record for kept in records.laboratories.values() for record in kept if record.lead), None)


def opening(records: Contents) -> Laboratory | None:
    """The laboratory that it begins with."""
    first = leading(records)
    lab = laboratory.of(first.subject, records) if first else None
    return lab.leading(first.lead.dtype, first.lead.cause) if lab and first and first.lead else None


def still(records: Contents, gallery: Gallery) -> list[Picture]:
    """The same for who runs no scripts: the path of a run, which is rounding, and what the mistake does."""
    first = leading(records)
    if not first or not first.lead:
        return []
    dtype, cause, name = first.lead.dtype, first.lead.cause, first.subject
    runs = [run for run in records.runs.get(name, []) if run.dtype == dtype and path.applies(run)]
    shown = [gallery.picture(path, run, "index") for run in runs[:1]]
    for detection in records.detections.get(name, [])[:1]:
        numbers = [n for n, row in enumerate(detection.rows) if row.name == cause and trajectory.applies(detection, n)]
        shown += [gallery.picture(trajectory, detection, "index", number) for number in numbers]
    return shown


def families(records: Contents) -> dict[str, list[Subject]]:
    made: dict[str, list[Subject]] = {}
    for name in records.subjects:
        runs = records.runs.get(name, [])
        ladders = records.ladders.get(name, [])
        explained = (sum(one.explained for one in ladders), len(ladders))
        made.setdefault(family(name), []).append(
            Subject(name, counted(runs), row(runs[0]) if runs else None, explained)
        )
    return made


def headline(contents: Contents) -> Message:
    """The whole report in a sentence."""
    runs = contents.every_run
    if not runs:
        ladders = [record for records in contents.ladders.values() for record in records]
        climbed = sum(record.explained for record in ladders)
        return message("page.headline.none", climbed=climbed, ladders=len(ladders), chapters=len(contents.experiments))
    failing, known = sum(map(facts.fails, runs)), [run for run in runs if facts.known(run)]
    others = counted([run for run in runs if run not in known])
    parts = [message(f"page.headline.{verdict}", n=n) for verdict, n in others]
    parts += [message("page.headline.known", n=len(known))] if known else []
    if failing:
        return message("page.headline.failing", failing=failing, runs=len(runs), parts=parts)
    return message("page.headline.agree", runs=len(runs) - len(known), parts=parts)


def lead(runs: Sequence[RunRecord]) -> Message | None:
    """How much was compared, and the closest call of all that passes."""
    if not runs:
        return None
    within = [run for run in runs if facts.used(run) > 0 and not words.fails(run.verdict)]
    numbers = {
        "subjects": len({run.subject for run in runs}),
        "steps": sum(run.steps for run in runs if run.verdict != "broken"),
    }
    if not within:
        return message("page.lead.compared", **numbers)
    closest = max(within, key=facts.used)
    key = "closest" if len(within) == len([run for run in runs if facts.used(run) > 0]) else "elsewhere"
    return message(f"page.lead.{key}", used=facts.used(closest), label=facts.label(closest), **numbers)
