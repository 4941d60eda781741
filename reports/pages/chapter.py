"""Experiments that are of no one subject: the notebook, revisited."""

from typing import Any, NamedTuple

from lockstep.records.record import Record
from lockstep.text import from_json
from reports.contents import Contents
from reports.gallery import Gallery, Picture
from reports.pages.subject import pictures


class Part(NamedTuple):
    """A part of an experiment: a chapter of the notebook, or all of one that has no chapters."""

    name: str
    pictures: list[Picture]
    printed: list[dict[str, Any]]
    claims: list[dict[str, Any]]
    subjects: list[str]
    code: str


class Told(NamedTuple):
    """An experiment in its parts."""

    record: Record
    parts: list[Part]


def context(name: str, found: Contents, gallery: Gallery) -> dict[str, Any]:
    """All that the page shows; the same in every language."""
    records = found.experiments[name]
    return {"name": name, "experiments": [told(spoken(record), pictures(record, gallery)) for record in records]}


def told(record: Record, drawn: list[Picture]) -> Told:
    printed, claims = record.data.get("printed") or [], record.data.get("claims") or []
    chapters = record.data.get("chapters") or []
    if not chapters:
        return Told(record, [Part("", drawn, printed, claims, [], "")])
    return Told(
        record,
        [
            Part(
                name=chapter["name"],
                pictures=[one for one in drawn if one.name in chapter["figures"]],
                printed=[row for row in printed if row.get("chapter") == chapter["name"]],
                claims=claims if chapter["claims"] else [],
                subjects=list(chapter["subjects"]),
                code=chapter["code"],
            )
            for chapter in chapters
        ],
    )


def spoken(record: Record) -> Record:
    """The record with what it says as messages."""
    said = {key: said_in(value) for key, value in record.data.items()}
    return Record(said, record.arrays)


def said_in(value: Any) -> Any:
    """Messages wherever a value holds them."""
    found = from_json(value)
    if isinstance(found, dict):
        return {key: said_in(part) for key, part in found.items()}
    return [said_in(part) for part in found] if isinstance(found, list) else found
