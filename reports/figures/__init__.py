"""Pictures: one kind a file, each a function from a record to a matplotlib Figure.

A module has NAME, READ (how to read it), `applies(record)`, `finding(record)` (what it shows, in numbers of
the record) and `draw(record)`.
"""

from types import ModuleType

from lockstep.record import BadRecord, Record
from reports.figures import digits, drift, heat, ladder, loss, path
from reports.figures.notebook import batchnorm, convergence, paths, summary, training, weights

RUN: tuple[ModuleType, ...] = (path, loss, drift, heat)
EXPLANATION: tuple[ModuleType, ...] = (ladder,)
EXPERIMENT: tuple[ModuleType, ...] = (paths, convergence, training, weights, batchnorm, summary, digits)


def of_run(record: Record) -> list[ModuleType]:
    """The pictures a run has something to show in."""
    return [module for module in RUN if module.applies(record)]


def of_explanation(record: Record) -> list[ModuleType]:
    """The pictures of a ladder."""
    return [module for module in EXPLANATION if module.applies(record)]


def of_experiment(record: Record) -> list[ModuleType]:
    """The pictures an experiment names, in its order; all it has arrays for if it names none.

    Raises:
        BadRecord: for a name there is no picture of, or one whose arrays are missing.
    """
    known = {module.NAME: module for module in EXPERIMENT}
    names = record.data.get("figures")
    if not names:
        return [module for module in EXPERIMENT if module.applies(record)]
    unknown = [name for name in names if name not in known]
    if unknown:
        raise BadRecord(f"experiment {record['title']!r}: no picture {unknown[0]!r}; there are {', '.join(known)}")
    empty = [name for name in names if not known[name].applies(record)]
    if empty:
        raise BadRecord(f"experiment {record['title']!r}: the arrays of its picture {empty[0]!r} are missing")
    return [known[name] for name in names]
