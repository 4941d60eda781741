"""Experiments that are of no one subject: the notebook, revisited."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from lockstep.records.kinds.experiment import Claim, ExperimentRecord, PrintedNumber
from reports.contents import Contents
from reports.gallery import Gallery, Picture
from reports.pages.subject import pictures


class Part(NamedTuple):
    """A part of an experiment: a chapter of the notebook, or all of one that has no chapters."""

    name: str
    pictures: list[Picture]
    printed: Sequence[PrintedNumber]
    claims: Sequence[Claim]
    subjects: Sequence[str]
    code: str


class Told(NamedTuple):
    """An experiment in its parts."""

    record: ExperimentRecord
    parts: list[Part]


def context(name: str, records: Contents, gallery: Gallery) -> dict[str, Any]:
    """All that the page shows; the same in every language."""
    return {
        "name": name,
        "experiments": [told(record, pictures(record, gallery)) for record in records.experiments[name]],
    }


def told(record: ExperimentRecord, drawn: list[Picture]) -> Told:
    if not record.chapters:
        return Told(record, [Part("", drawn, record.printed, record.claims, (), "")])
    return Told(
        record,
        [
            Part(
                name=chapter.name,
                pictures=[one for one in drawn if one.name in chapter.figures],
                printed=[row for row in record.printed if row.chapter == chapter.name],
                claims=record.claims if chapter.claims else (),
                subjects=chapter.subjects,
                code=chapter.code,
            )
            for chapter in record.chapters
        ],
    )
