"""Which wrong one is yours: every known cause, in every scenario, by the size of its first error."""

import functools
import math
from typing import NamedTuple

import numpy as np

from lockstep.records.kinds.detection import Cell, DetectionRecord, DetectionRow
from lockstep.text import Message, message
from reports import figures
from reports.gallery import Gallery, Picture

TEXTS = ("seen", "first_shows", "fix", "note")  # who does it, when it shows, how to put it right, how to translate


class Variant(NamedTuple):
    """A row of the table: what the record holds of it, the rows that show alike, and its pictures."""

    row: DetectionRow
    twins: list[str | Message]
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
        self.sizes = np.array([[cell.size for cell in row.cells] for row in record.rows])
        self.caught = np.array([[cell.used > 1 for cell in row.cells] for row in record.rows])
        shown = self.sizes[self.caught & (self.sizes > 0) & np.isfinite(self.sizes)]
        # From the smallest error to one that few exceed: one giant hides no others.
        self.least, self.most = (shown.min(), np.quantile(shown, 0.95)) if shown.size else (1.0, 1.0)

    @property
    def unit(self) -> Message:
        """What errors are counted in."""
        return message(f"unit.{self.record.unit}")

    @property
    def finding(self) -> Message:
        """What the table shows: how many causes, by how many scenarios."""
        each = self.caught[1:].sum(axis=0)
        best, caught = int(np.argmax(each)), int(self.caught[1:].any(axis=1).sum())
        values = {"causes": len(self.caught) - 1, "rounding": float(self.sizes[0].max()), "unit": self.unit}
        if not caught:
            return message("subject.which.none", **values)
        scenario = self.record.scenarios[best].name
        some, several = caught < values["causes"], each[best] < caught
        return message(
            "subject.which.found",
            caught=message(f"subject.which.caught.{'some' if some else 'all'}", caught=caught, causes=values["causes"]),
            by=message(f"subject.which.by.{'several' if several else 'one'}", scenario=scenario, alone=int(each[best])),
            **values,
        )

    def heat(self, size: float) -> int:
        """How strong the colour of an error is, in per cent, on a logarithmic scale."""
        span = math.log(self.most / self.least)
        reached = math.log(min(max(size, self.least), self.most) / self.least)
        return round(100 * reached / span) if span > 0 else 100

    @functools.cached_property
    def rows(self) -> list[Variant]:
        """The faithful one first, then every cause."""
        return [
            Variant(row, self.alike(number), self.drawn(number, row.name))
            for number, row in enumerate(self.record.rows)
        ]

    def alike(self, number: int) -> list[str | Message]:
        """The rows that show alike: causes by their names, the faithful one in words."""
        faithful = self.record.rows[0].name
        return [message("subject.which.faithful") if name == faithful else name for name in self.record.twins(number)]

    def drawn(self, number: int, name: str) -> list[Picture]:
        return [
            self.gallery.picture(module, self.record, f"{self.record.subject} {name}", number)
            for module in figures.of_cause(self.record, number)
        ]

    @property
    def causes(self) -> dict[str, list[Variant]]:
        """Every cause by its id, with its variants."""
        variants: dict[str, list[Variant]] = {}
        for variant in self.rows:
            if variant.row.cause:
                variants.setdefault(variant.row.cause.id, []).append(variant)
        return variants

    @property
    def worst(self) -> Message | None:
        """How much further from PyTorch a wrong formula is than rounding, at the first step it shows."""
        shown = [one.shows for one in self.rows[1:] if one.shows.used > 1]
        if not shown:
            return None
        faithful = max((cell.size for cell in self.rows[0].row.cells), default=0.0)
        at_once = sum(cell.step == 1 for cell in shown)
        every = len(shown) == len(self.rows) - 1
        key = "some" if not every else "at-once" if at_once == len(shown) else "all"
        caught = message(f"subject.caught.{key}", shown=len(shown), causes=len(self.rows) - 1, first=at_once)
        return message(
            "subject.would", caught=caught, faithful=faithful, least=min(cell.size for cell in shown), unit=self.unit
        )
