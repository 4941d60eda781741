"""One picture as files: lines, dots, and the numbers that were drawn."""

import csv
import io
from collections.abc import Mapping
from types import ModuleType
from typing import Any

import numpy as np

from lockstep.records.record import Record
from lockstep.tasks.task import Files
from reports.style import png
from reports.vector import svg

FORMATS = {"svg": svg, "png": png}


def drawn(module: ModuleType, record: Record, *which: int) -> Files:
    """The picture that a module of reports.figures draws of a record, as it is shown, and its numbers as CSV."""
    return {
        module.KIND: FORMATS[module.KIND](module.draw(record, *which)),
        "csv": columns(module.table(record, *which)),
    }


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
