"""The runs that a report shows of every subject: a few telling cases each, which its cases declare.

A module of cases, or the package of its family for all of them, may have

- `RUNS`: cases to be run, each by its text in every dtype, or as (text, dtype, PyTorch's path).
- `LONGER`: case to steps, where a curve is worth having.
- `WALKED`, `CLIMBED`, `GROWN`: case to steps (None: its own), to be walked line by line, to climb to the last bit, and
  to take the drift apart.
- `TRIED`: case to steps and to hyperparameters of its own, which its laboratory begins with; None where a page cannot
  work its formula out. `LAID_OUT`: the shape of the two numbers there, where that is not a vector.
- `CURVES`: name to a function of both sides' modules, both generators and a seed, `lockstep.experiments.curves`.
- `LEAD`: a format and a cause of it, which a report begins with. `PANEL`: which of the laboratory's panels is its.
- `SHOWN_AS`: what it is called where somebody names what to run; its path if left out.
- `plan`: a function of its table and of folders of data, in the place of `RUNS`.

What they lack is done with the plain case, the first of the table.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from lockstep.cases import DTYPES, Case
from lockstep.subjects.subject import Subject


def shown(subject: Subject, table: str, steps: int | None = None) -> Iterator[tuple[Case, int]]:
    """The cases of one of its tables, each with its steps; with `steps` the plain one where there is no table."""
    cases = {case.desc: case for case in subject.cases.CASES}
    declared = subject.table(table)
    wanted = {next(iter(cases)): steps} if declared is None else declared
    return ((cases[desc], count or cases[desc].steps) for desc, count in wanted.items() if desc in cases)


def plan(subject: Subject, data: Mapping[str, Any] | None = None) -> dict[str, dict[str, Any]]:
    """Every run of a subject: its name here, and the arguments of `lockstep.run`; the plain case at least."""
    declared = subject.table("plan")
    if declared:
        return {
            name: {"subject": subject.path} | arguments
            for name, arguments in declared(subject.cases.CASES, data or {}).items()
        }
    cases = {case.desc: case for case in subject.cases.CASES}
    longer = subject.table("LONGER") or {}
    planned = {}
    for desc, dtype, path in runs(subject, next(iter(cases))):
        case = cases.get(desc)
        if case is None or dtype not in case.dtypes or path not in {None, *subject.family.paths(subject, case)}:
            continue
        name = " ".join(part for part in (subject.path, desc, dtype, path) if part)
        planned[name] = {"subject": subject.path, "case": case, "dtype": dtype, "path": path}
        planned[name] |= {"steps": longer[desc]} if desc in longer else {}
    return planned


def runs(subject: Subject, plain: str) -> Iterator[tuple[str, str, str | None]]:
    """Case, dtype and path of each run, whether there is such a case or not."""
    for line in subject.table("RUNS") or [plain]:
        yield from [(line, dtype, None) for dtype in DTYPES] if isinstance(line, str) else [line]
