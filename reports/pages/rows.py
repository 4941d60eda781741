"""The rows of a table of runs."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from lockstep.numerics.verdict import Finding
from lockstep.records.kinds.run import RunRecord
from reports import facts, words
from reports.sparkline import Sparkline, sparkline


class Row(NamedTuple):
    """A run in a table."""

    record: RunRecord
    case: str
    variant: str
    verdict: str
    defect: facts.Worst | None
    used: float
    first: Finding | None
    line: Sparkline | None


def row(record: RunRecord) -> Row:
    trusted = record.verdict != "broken"
    return Row(
        record=record,
        case=record.desc,
        variant=facts.variant(record),
        verdict=str(record.verdict),
        defect=facts.worst(record, "defect", "scaled_ulp") if trusted else None,
        used=facts.used(record),
        first=record.first_difference if trusted else None,
        line=sparkline(record) if trusted else None,
    )


def counted(runs: Sequence[RunRecord]) -> list[tuple[str, int]]:
    """How often each verdict was given, from the best to the worst, none left out that was."""
    count = Counter(str(run.verdict) for run in runs)
    return [(verdict, count[verdict]) for verdict in words.SIGNS if count[verdict]]
