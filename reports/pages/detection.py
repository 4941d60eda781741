"""Which wrong one is yours: every known cause, in every scenario, by the size of its first error."""

import functools
from typing import Any, NamedTuple

from lockstep.records.record import Record
from lockstep.text import Message, from_json, message
from reports import facts, figures
from reports.gallery import Gallery, Picture

TEXTS = ("seen", "first_shows", "fix", "note")  # who does it, when it shows, how to put it right, how to translate


class Variant(NamedTuple):
    """One cause as it was planted: what the record holds of it, its cells and its pictures."""

    number: int
    entry: dict[str, Any]
    cells: list[dict[str, Any]]
    pictures: list[Picture]

    @property
    def texts(self) -> dict[str, Message]:
        """What there is to say of it, by what it is about."""
        return {name: from_json(self.entry[name]) for name in TEXTS if self.entry[name]}

    @property
    def shows(self) -> dict[str, Any]:
        """The cell of the scenario that brings it out."""
        return max(self.cells, key=lambda cell: float(cell["used"]))


class Detection:
    """What a record of kind "detection" shows."""

    def __init__(self, record: Record, gallery: Gallery):
        self.record, self.gallery = record, gallery
        name = f"{record['subject']} {record['dtype']}"
        self.pictures = [gallery.picture(module, record, name) for module in figures.of(record)]

    @property
    def scenarios(self) -> list[dict[str, Any]]:
        return self.record["scenarios"]

    @functools.cached_property
    def rows(self) -> list[Variant]:
        """The faithful one first, then every cause."""
        return [
            Variant(number, entry, cells, self.drawn(number, entry))
            for number, (entry, cells) in enumerate(zip(self.record["causes"], self.record["cells"], strict=True))
        ]

    def drawn(self, number: int, entry: dict[str, Any]) -> list[Picture]:
        subject = self.record["subject"]
        return [
            self.gallery.picture(module, self.record, f"{subject} {entry['name']}", number)
            for module in figures.of_cause(self.record, number)
        ]

    @property
    def causes(self) -> dict[str, list[Variant]]:
        """Every cause by its id, with its variants."""
        found: dict[str, list[Variant]] = {}
        for one in self.rows:
            if one.entry["id"]:
                found.setdefault(one.entry["id"], []).append(one)
        return found

    @property
    def worst(self) -> Message | None:
        """How much further from PyTorch a wrong formula is than rounding, at the first step it shows."""
        known = [cell for one in self.rows if one.entry["id"] for cell in one.cells if float(cell["used"]) > 1]
        faithful = max((facts.size(cell) for cell in self.rows[0].cells), default=0.0)
        if not known:
            return None
        shown = [one for one in self.rows if one.entry["id"] and float(one.shows["used"]) > 1]
        at_once = sum(one.shows["step"] == 1 for one in shown)
        return message(
            "subject.would", shown=len(shown), causes=len(self.rows) - 1, first=at_once, faithful=faithful,
            least=min(facts.size(one.shows) for one in shown), unit=message(f"subject.unit.{self.record['unit']}"),
        )  # fmt: skip
