"""Experiments that are of no one subject: the notebook, revisited."""

from typing import Any

from lockstep.messages import from_json
from lockstep.record import Record
from reports.contents import Contents
from reports.gallery import Gallery
from reports.pages.subject import Chapter, pictures


def context(name: str, found: Contents, gallery: Gallery) -> dict[str, Any]:
    """All that the page shows; the same in every language."""
    records = found.experiments[name]
    return {
        "name": name,
        "experiments": [Chapter(spoken(record), pictures(record, gallery)) for record in records],
    }


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
