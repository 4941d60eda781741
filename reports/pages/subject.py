"""A subject's page: the formula beside what PyTorch ran, why the two part, and which wrong one is yours."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from lockstep.records.kinds.experiment import ExperimentRecord
from lockstep.records.kinds.explanation import ExplanationRecord, Rung
from lockstep.records.kinds.growth import Growth
from lockstep.records.record import CaseRecord
from lockstep.records.schema import Words
from lockstep.text import Message, message
from reports import address, facts, figures
from reports.contents import Contents
from reports.gallery import Gallery, Picture
from reports.pages import laboratory
from reports.pages.detection import Detection
from reports.pages.rows import Row, counted, row
from reports.pages.walk import Walk

PICTURED = 2  # runs with a path or a loss that are drawn


class Shown(NamedTuple):
    """A run whose pictures stand in the page."""

    row: Row
    pictures: list[Picture]


class Ladder(NamedTuple):
    """An explanation: its picture, and a sentence a rung."""

    record: ExplanationRecord
    pictures: list[Picture]
    rungs: list[tuple[Words, Rung, float]]


class Chapter(NamedTuple):
    """An experiment and its pictures."""

    record: Growth | ExperimentRecord
    pictures: list[Picture]


def context(subject: str, records: Contents, gallery: Gallery) -> dict[str, Any]:
    """All that the page shows; the same in every language."""
    rows = [row(record) for record in records.runs.get(subject, [])]
    walks = [Walk(record) for record in records.walks.get(subject, [])]
    ladders = [ladder(record, gallery) for record in records.ladders.get(subject, [])]
    detections = [Detection(record, gallery) for record in records.detections.get(subject, [])]
    growths = [Chapter(record, pictures(record, gallery)) for record in records.growths.get(subject, [])]
    return {
        "subject": subject,
        "rows": rows,
        "counts": counted([shown.record for shown in rows]),
        "walks": walks,
        "ladders": ladders,
        "growths": growths,
        "shown": [pictured(shown, every, gallery) for shown, every in chosen(rows)],
        "detections": detections,
        "experiments": [Chapter(record, pictures(record, gallery)) for record in records.experiments.get(subject, [])],
        "lab": laboratory.of(subject, records),
        "short": short(rows, walks, ladders, detections),
    }


def pictures(record: CaseRecord | ExperimentRecord, gallery: Gallery) -> list[Picture]:
    """Every picture that a record has something to show in."""
    title = facts.label(record) if isinstance(record, CaseRecord) else str(record.title)
    name = title if title.startswith(record.subject) else f"{record.subject} {title}"
    return [gallery.picture(module, record, name) for module in figures.of(record)]


def chosen(rows: Sequence[Row]) -> list[tuple[Row, bool]]:
    """The runs to draw: the worst one in full; of those with a path or a loss one a case, the first of them in full.

    The flag says whether a run is drawn in full or by its path and loss alone.
    """
    traced = [row for row in rows if any(module.applies(row.record) for module in figures.TRACED)]
    cases = {row.case: row for row in reversed(traced)}
    traced = [row for row in rows if cases.get(row.case) is row][:PICTURED]
    full = [row for row in [*rows[:1], *traced[:1]] if figures.of(row.record)]
    picked = [row for row in rows if any(row is other for other in [*full, *traced])]
    return [(row, any(row is other for other in full)) for row in picked]


def pictured(row: Row, every: bool, gallery: Gallery) -> Shown:
    modules = [module for module in figures.of(row.record) if every or module in figures.TRACED]
    name = f"{row.record.subject} {row.case} {row.variant}"
    return Shown(row, [gallery.picture(module, row.record, name) for module in modules])


def ladder(record: ExplanationRecord, gallery: Gallery) -> Ladder:
    worst = [facts.largest(record.series(number)) for number in range(len(record.rungs))]
    rungs = [(one.name, one, ulp) for one, ulp in zip(record.rungs, worst, strict=True)]
    return Ladder(record, pictures(record, gallery), rungs)


def short(
    rows: Sequence[Row], walks: Sequence[Walk], ladders: Sequence[Ladder], detections: Sequence[Detection]
) -> list[tuple[str, Message]]:
    """The page in four answers: where the sides part, why, whether it matters, and what would."""
    answers: list[tuple[str, Message]] = [("where", walk.finding) for walk in walks[:1]]
    answers += [("why", why(record)) for record in ladders[:1]]
    answers += [("matters", matters(rows))] if rows else []
    answers += [("would", record.worst) for record in detections[:1] if record.worst]
    return answers


def why(ladder: Ladder) -> Message:
    """What the ladder says: what was apart in the paper's order, and what it took until nothing was."""
    first, last = ladder.rungs[0], ladder.rungs[-1]
    numbers = {"differing": first[1].differing, "elements": first[1].elements, "ulp": first[2]}
    steps = ladder.record.steps
    if len(ladder.rungs) == 1 and ladder.record.explained:
        return message("subject.why.nothing", steps=steps)
    if not ladder.record.explained:
        return message("subject.why.left", steps=steps, left=last[1].differing, rung=last[0], **numbers)
    return message("subject.why.closed", steps=steps, rungs=[name for name, *_ in ladder.rungs[1:]], **numbers)


def matters(rows: Sequence[Row]) -> Message:
    """Whether a difference is more than rounding in any run, and how much of the allowance was used."""
    failing = [row for row in rows if facts.fails(row.record)]
    if failing:
        verdict, case = failing[0].verdict, failing[0].case
        return message("subject.matters.yes", failing=len(failing), runs=len(rows), verdict=verdict, case=case)
    ill = sum(row.verdict == "ill-conditioned" for row in rows)
    if ill:
        return message("subject.matters.ill", runs=len(rows), ill=ill)
    used = max((row.used for row in rows if row.used == row.used), default=0.0)
    if all(row.verdict == "identical" for row in rows):
        return message("subject.matters.nothing", runs=len(rows))
    return message("subject.matters.no", runs=len(rows), used=used)


def page(subject: str) -> str:
    return address.of_subject(subject)
