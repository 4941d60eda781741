"""Which wrong one is yours: every known cause, in every scenario, by the size of its first error."""

import functools
from typing import NamedTuple

from lockstep.records.detection import Cell, DetectionRecord, DetectionRow
from lockstep.text import Message, message
from reports import figures
from reports.gallery import Gallery, Picture

TEXTS = ("seen", "first_shows", "fix", "note")  # who does it, when it shows, how to put it right, how to translate


class Variant(NamedTuple):
    """A row of the table: what the record holds of it, the rows that show alike, and its pictures."""

    row: DetectionRow
    twins: list[str]
    pictures: list[Picture]

    @property
    def texts(self) -> dict[str, Message]:
        """What there is to say of its cause, by what it is about."""
        return {name: text for name in TEXTS if (text := getattr(self.row.cause, name))}

    @property
    def shows(self) -> Cell:
        """The cell of the scenario that brings it out."""
        return max(self.row.cells, key=lambda cell: cell.used)


class Detection:
    """What a record of kind "detection" shows."""

    def __init__(self, record: DetectionRecord, gallery: Gallery):
        self.record, self.gallery = record, gallery
        name = f"{record.subject} {record.dtype}"
        self.pictures = [gallery.picture(module, record, name) for module in figures.of(record)]

    @functools.cached_property
    def rows(self) -> list[Variant]:
        """The faithful one first, then every cause."""
        return [
            Variant(row, self.record.twins(number), self.drawn(number, row.name))
            for number, row in enumerate(self.record.rows)
        ]

    def drawn(self, number: int, name: str) -> list[Picture]:
        return [
            self.gallery.picture(module, self.record, f"{self.record.subject} {name}", number)
            for module in figures.of_cause(self.record, number)
        ]

    @property
    def causes(self) -> dict[str, list[Variant]]:
        """Every cause by its id, with its variants."""
        found: dict[str, list[Variant]] = {}
        for one in self.rows:
            if one.row.cause:
                found.setdefault(one.row.cause.id, []).append(one)
        return found

    @property
    def worst(self) -> Message | None:
        """How much further from PyTorch a wrong formula is than rounding, at the first step it shows."""
        shown = [one.shows for one in self.rows[1:] if one.shows.used > 1]
        if not shown:
            return None
        faithful = max((cell.size for cell in self.rows[0].row.cells), default=0.0)
        at_once = sum(cell.step == 1 for cell in shown)
        return message(
            "subject.would", shown=len(shown), causes=len(self.rows) - 1, first=at_once, faithful=faithful,
            least=min(cell.size for cell in shown), unit=message(f"unit.{self.record.unit}"),
        )  # fmt: skip
