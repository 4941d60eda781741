"""What a pile of records is about: sorted by what pages show together."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from lockstep.records.record import Record
from lockstep.subjects.registry import families
from reports import facts

Sorted = dict[str, list[Record]]  # subject to its records


class Contents(NamedTuple):
    """Records by kind and subject, in an order that does not depend on theirs.

    runs: the worst first. experiments: by what they are of, a subject or something of their own ("notebook").
    """

    runs: Sorted
    walks: Sorted
    ladders: Sorted
    growths: Sorted
    detections: Sorted
    experiments: Sorted

    @property
    def subjects(self) -> list[str]:
        """Every subject that there is something to show of, in the order of the index."""
        known = {name for part in self[:-1] for name in part}
        known |= {name for name in self.experiments if family(name) in families()}
        return sorted(known, key=lambda name: (place_of(family(name)), name))

    @property
    def chapters(self) -> list[str]:
        """What experiments are of that is no subject."""
        return sorted(name for name in self.experiments if name not in self.subjects)

    @property
    def every_run(self) -> list[Record]:
        return [run for runs in self.runs.values() for run in runs]

    @property
    def machines(self) -> list[dict[str, Any]]:
        """What was found out about every machine, once; how long it took makes no other machine."""
        ladders = [record for records in self.ladders.values() for record in records]
        found = (record.data.get("findings") for record in ladders)
        return once({key: value for key, value in one.items() if key != "seconds"} for one in found if one)

    @property
    def environments(self) -> list[dict[str, Any]]:
        """Every environment that records were made in, once."""
        records = [record for part in self for named in part.values() for record in named]
        return once(one for record in records if (one := record.data.get("environment")))


def contents(records: Sequence[Record]) -> Contents:
    """Sort records, in whatever order they come."""

    def of(kind: str, order: Callable[[Record], Any]) -> Sorted:
        found: Sorted = {}
        for record in sorted((one for one in records if facts.kind(one) == kind), key=order):
            found.setdefault(record["subject"], []).append(record)
        return found

    runs = of("run", facts.label)
    return Contents(
        runs={name: sorted(found, key=facts.rank) for name, found in runs.items()},
        walks=of("walk", facts.label),
        ladders=of("explanation", facts.label),
        growths=of("growth", facts.label),
        detections=of("detection", lambda record: record["dtype"]),
        experiments=of("experiment", lambda record: str(record["title"])),
    )


def place_of(family: str) -> int:
    """Where a family stands in the index; what is none of ours comes last."""
    known = list(families())
    return known.index(family) if family in known else len(known)


def family(subject: str) -> str:
    return subject.split(".", maxsplit=1)[0]


def once(items) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for one in items:
        if one not in found:
            found.append(one)
    return found
