"""Draws pictures once for all languages, under file names that are safe and each its own."""

import base64
import csv
import io
import itertools
import re
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from lockstep.records.record import Record
from lockstep.text import Message
from reports.style import png
from reports.vector import inline, svg


class Picture(NamedTuple):
    """A picture on a page: what it shows, how to read it, and the picture itself, as SVG or as an address of data.

    stem: of its files, STEM.svg, STEM.png and STEM.csv. inline: the SVG, its ids beginning with the stem, or nothing.
    source: a data URI where `inline` is empty.
    """

    name: str
    stem: str
    title: Message
    read: Message
    inline: str
    source: str


class Gallery:
    """Every picture of a report, each drawn once.

    Arguments:
        on_picture: called with the file name of every picture when it is drawn.
    """

    def __init__(self, on_picture: Callable[[str], Any] | None = None):
        self.on_picture = on_picture
        self.files: dict[str, bytes] = {}
        self.drawn: dict[tuple[str, int, tuple[int, ...]], tuple[Record, Picture]] = {}

    def picture(self, module: ModuleType, record: Record, name: str, *which: int) -> Picture:
        """The picture that a module of reports.figures draws of a record.

        Arguments:
            module: with NAME, KIND, `finding`, `read`, `draw` and `table`.
            record: what it is drawn from.
            name: what its files are called after.
            which: of a record that holds several, the number; passed on to the module's functions.
        """
        key = (module.__name__, id(record), which)
        if key not in self.drawn:
            self.drawn[key] = record, self.draw(module, record, f"{slug(name)}-{module.NAME}", which)
        return self.drawn[key][1]

    def draw(self, module: ModuleType, record: Record, wanted: str, which: tuple[int, ...]) -> Picture:
        stem = next(one for one in stems(wanted) if f"{one}.svg" not in self.files)
        figure = module.draw(record, *which)
        dots, lines = png(figure), svg(figure)
        self.files |= {f"{stem}.svg": lines, f"{stem}.png": dots, f"{stem}.csv": columns(module.table(record, *which))}
        if self.on_picture:
            self.on_picture(f"{stem}.svg")
        shown = module.KIND == "svg"
        source = "" if shown else "data:image/png;base64," + base64.b64encode(dots).decode("ascii")
        return Picture(
            module.NAME, stem, module.finding(record, *which), module.read(record, *which),
            inline(lines, stem) if shown else "", source,
        )  # fmt: skip


def stems(wanted: str):
    """The name as it is wanted, then with a number."""
    yield wanted
    yield from (f"{wanted}-{number}" for number in itertools.count(2))


def slug(text: str) -> str:
    """Letters, digits, dots and dashes: safe in a file name, and in an id behind a letter."""
    return re.sub(r"[^a-z0-9.]+", "-", text.lower()).strip("-.")[:100].strip("-.") or "run"


def columns(table: Mapping[str, Any]) -> bytes:
    """Columns of equal length as CSV, every number in as many digits as tell it from its neighbours.

    Raises:
        ValueError: for columns of different lengths, which would be no table.
    """
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(table)
    writer.writerows(zip(*(map(str, np.asarray(column).ravel()) for column in table.values()), strict=True))
    return buffer.getvalue().encode("utf-8")
