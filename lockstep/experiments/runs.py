"""A run of the report, as a record."""

from collections.abc import Mapping
from typing import Any

from lockstep.engine.run import run
from lockstep.records.record import Record


def ran(arguments: Mapping[str, Any]) -> Record:
    return run(**arguments).record
