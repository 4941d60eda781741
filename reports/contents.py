"""What a pile of records is about: sorted by what pages show together."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, TypeVar

from lockstep.numerics.environment import Environment
from lockstep.numerics.probe import Findings
from lockstep.records.kinds.detection import DetectionRecord
from lockstep.records.kinds.experiment import ExperimentRecord
from lockstep.records.kinds.explanation import ExplanationRecord
from lockstep.records.kinds.growth import Growth
from lockstep.records.kinds.laboratory import LaboratoryRecord
from lockstep.records.kinds.run import RunRecord
from lockstep.records.kinds.walk import WalkRecord
from lockstep.records.record import Record
from lockstep.subjects.registry import families
from reports import address, facts

Item = TypeVar("Item")
Kind = TypeVar("Kind", bound=Record)


class Head(NamedTuple):
    """What a record is of. machine: whether it says how the machine rounds. leads: whether a report begins with it."""

    kind: str
    subject: str
    machine: bool
    leads: bool

    @classmethod
    def of(cls, record: Record) -> "Head":
        return cls(
            record.kind, record.subject, bool(getattr(record, "findings", None)), bool(getattr(record, "lead", None))
        )


class Ways(NamedTuple):
    """What any page may link to: chapters by name, subjects by the addresses of their pages, and whether there are
    laboratories and a machine.
    """

    chapters: tuple[str, ...]
    subjects: tuple[str, ...]
    laboratories: bool
    machines: bool


class Contents(NamedTuple):
    """Records by kind and subject, in an order that does not depend on theirs.

    runs: the worst first. experiments: by what they are of, a subject or something of their own ("notebook").
    """

    runs: dict[str, list[RunRecord]]
    walks: dict[str, list[WalkRecord]]
    ladders: dict[str, list[ExplanationRecord]]
    growths: dict[str, list[Growth]]
    detections: dict[str, list[DetectionRecord]]
    laboratories: dict[str, list[LaboratoryRecord]]
    experiments: dict[str, list[ExperimentRecord]]

    @property
    def subjects(self) -> list[str]:
        """Every subject that there is something to show of, in the order of the index."""
        return shown(self.heads)[0]

    @property
    def chapters(self) -> list[str]:
        """What experiments are of that is no subject."""
        return shown(self.heads)[1]

    @property
    def heads(self) -> list[Head]:
        return [Head.of(record) for part in self for named in part.values() for record in named]

    @property
    def every_run(self) -> list[RunRecord]:
        return [run for runs in self.runs.values() for run in runs]

    @property
    def machines(self) -> list[Findings]:
        """What was found out about every machine, once."""
        ladders = [record for records in self.ladders.values() for record in records]
        return once(record.findings for record in ladders if record.findings)

    @property
    def environments(self) -> list[Environment]:
        """Every environment that records were made in, once."""
        records = [record for part in self for named in part.values() for record in named]
        return once(record.environment for record in records)


def shown(heads: Iterable[Head]) -> tuple[list[str], list[str]]:
    """The subjects there is something to show of, in the order of the index, and what experiments are of besides."""
    every = list(heads)
    subjects = {
        head.subject for head in every if head.kind != ExperimentRecord.kind or family(head.subject) in families()
    }
    ordered = sorted(subjects, key=lambda name: (place_of(family(name)), name))
    return ordered, sorted({head.subject for head in every} - subjects)


def ways(heads: Iterable[Head]) -> Ways:
    """What there is to link to."""
    every = list(heads)
    subjects, chapters = shown(every)
    return Ways(
        tuple(chapters),
        tuple(map(address.of_subject, subjects)),
        any(head.kind == LaboratoryRecord.kind for head in every),
        any(head.machine for head in every),
    )


def contents(records: Sequence[Record]) -> Contents:
    """Sort records, in whatever order they come."""
    runs = sorted_by(RunRecord, records, facts.label)
    return Contents(
        runs={name: sorted(found, key=facts.rank) for name, found in runs.items()},
        walks=sorted_by(WalkRecord, records, facts.label),
        ladders=sorted_by(ExplanationRecord, records, facts.label),
        growths=sorted_by(Growth, records, facts.label),
        detections=sorted_by(DetectionRecord, records, lambda record: record.dtype),
        laboratories=sorted_by(LaboratoryRecord, records, lambda record: record.subject),
        experiments=sorted_by(ExperimentRecord, records, lambda record: str(record.title)),
    )


def sorted_by(kind: type[Kind], records: Sequence[Record], order: Callable[[Kind], Any]) -> dict[str, list[Kind]]:
    """The records of a kind by their subjects, in that order."""
    by_subject: dict[str, list[Kind]] = {}
    for record in sorted((one for one in records if isinstance(one, kind)), key=order):
        by_subject.setdefault(record.subject, []).append(record)
    return by_subject


def place_of(family: str) -> int:
    """Where a family stands in the index; what is none of ours comes last."""
    known = list(families())
    return known.index(family) if family in known else len(known)


def family(subject: str) -> str:
    return subject.split(".", maxsplit=1)[0]


def once(items: Iterable[Item]) -> list[Item]:
    kept: list[Item] = []
    for item in items:
        if item not in kept:
            kept.append(item)
    return kept
