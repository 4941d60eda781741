"""The rows of a table of runs."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from lockstep.records.record import Record
from reports import facts, words
from reports.sparkline import Sparkline, sparkline


class Row(NamedTuple):
    """A run in a table."""

    record: Record
    case: str
    variant: str
    verdict: str
    defect: facts.Worst | None
    used: float
    first: dict[str, Any] | None
    line: Sparkline | None


def row(record: Record) -> Row:
    seed, trusted = record.data.get("seed"), record["verdict"] != "broken"
    parts = [record["dtype"], record.data.get("path"), f"seed {seed}" if seed else None]
    return Row(
        record=record,
        case=facts.description(record),
        variant=" · ".join(str(part) for part in parts if part),
        verdict=str(record["verdict"]),
        defect=facts.worst(record, "defect", "scaled_ulp") if trusted else None,
        used=facts.used(record),
        first=facts.finding(record, "first_difference") if trusted else None,
        line=sparkline(record) if trusted else None,
    )


def counted(runs: Sequence[Record]) -> list[tuple[str, int]]:
    """How often each verdict was given, from the best to the worst, none left out that was."""
    found = Counter(str(run["verdict"]) for run in runs)
    return [(verdict, found[verdict]) for verdict in words.SIGNS if found[verdict]]
