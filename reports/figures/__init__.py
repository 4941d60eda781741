"""Pictures: one kind a file, each a function from a record to a matplotlib Figure.

A module has

    NAME               a word, also that of its messages, `figure.NAME.…`, and the end of its files' names
    KIND               "svg" for lines, "png" for heat maps: the format it is drawn in, and how it stands in a page
    applies(record)    whether the record has what it shows
    finding(record)    what it shows, in numbers of the record: its title
    read(record)       how to read it, and what its symbols mean
    draw(record)       the Figure, or its SVG, in symbols, numbers and names of code alone: it serves every language
    table(record)      what was drawn, as columns of equal length

Those of a cause take the number of the cause besides the record.
"""

from types import ModuleType

from lockstep.records.kinds.detection import DetectionRecord
from lockstep.records.kinds.experiment import ExperimentRecord
from lockstep.records.record import BadRecord, Record
from reports.figures import batches, digits, drift, growth, heat, keep, ladder, loss, path, trajectory
from reports.figures.notebook import batchnorm, convergence, paths, summary, training, weights

RUN: tuple[ModuleType, ...] = (path, loss, drift, heat)
TRACED = (path, loss)  # of a run that is not drawn in full
EXPERIMENT: tuple[ModuleType, ...] = (
    paths, convergence, training, weights, batchnorm, summary, digits, batches, keep,
)  # fmt: skip
CAUSE: tuple[ModuleType, ...] = (trajectory,)  # of one cause of a detection, by the number of its row
KINDS: dict[str, tuple[ModuleType, ...]] = {"run": RUN, "explanation": (ladder,), "growth": (growth,)}


def of(record: Record) -> list[ModuleType]:
    """The pictures that a record has something to show in.

    Raises:
        BadRecord: for an experiment that names pictures there are none of.
    """
    if isinstance(record, ExperimentRecord):
        return of_experiment(record)
    return [module for module in KINDS.get(record.kind, ()) if module.applies(record)]


def of_cause(record: DetectionRecord, number: int) -> list[ModuleType]:
    """The pictures of one cause of a detection, which take the number of its row besides the record."""
    return [module for module in CAUSE if module.applies(record, number)]


def of_experiment(record: ExperimentRecord) -> list[ModuleType]:
    """The pictures an experiment names, in its order; all it has arrays for if it names none.

    Raises:
        BadRecord: for a name there is no picture of, or one whose arrays are missing.
    """
    known = {module.NAME: module for module in EXPERIMENT}
    names = record.figures
    if not names:
        return [module for module in EXPERIMENT if module.applies(record)]
    unknown = [name for name in names if name not in known]
    if unknown:
        raise BadRecord(f"experiment {record.title!r}: no picture {unknown[0]!r}; there are {', '.join(known)}")
    empty = [name for name in names if not known[name].applies(record)]
    if empty:
        raise BadRecord(f"experiment {record.title!r}: the arrays of its picture {empty[0]!r} are missing")
    return [known[name] for name in names]
