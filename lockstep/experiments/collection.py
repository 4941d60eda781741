"""Collects what a report shows: a task a record, shared out among workers, and the records in a folder."""

import pathlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from lockstep.causes import scenarios
from lockstep.errors import BadValue
from lockstep.experiments import curves, laboratories, ladders, runs, selection, walks
from lockstep.experiments.detection import detections
from lockstep.experiments.notebook import record as notebook
from lockstep.experiments.notebook.parts import part
from lockstep.records.record import Record
from lockstep.subjects.registry import families, find, subjects
from lockstep.subjects.subject import NoSuchSubject, Subject
from lockstep.tasks.recorded import record_of, recorded
from lockstep.tasks.task import Files, Task
from lockstep.tasks.workers import Tell, Workers, silent
from lockstep.text import message

NOTEBOOK = "notebook"
SENTENCES = pathlib.Path(__file__).parents[1] / "text/ko.toml"  # which its claims are quoted from
# About how many seconds a record takes that nobody has made yet, for the longest to come first.
SECONDS: dict[Callable[[Any], Record], float] = {
    ladders.climbed: 2.5, ladders.grown: 2.0, detections.detected: 2.0, part: 0.8, runs.ran: 0.3,
    walks.walked: 0.1, laboratories.equipped: 0.5, curves.drawn: 0.1, notebook.record: 0.1,
}  # fmt: skip


def collect(
    out,
    only: Sequence[str] | None = None,
    data: Mapping[str, Any] | None = None,
    workers: Workers | None = None,
    tell: Tell = silent,
) -> list[pathlib.Path]:
    """Run everything a report shows, and write a record of each run and experiment into a folder.

    Arguments:
        out: the folder; it is made where it is missing.
        only: paths of subjects, "digits" (the networks, on the digits and on `data`) and "notebook"; all if None.
        data: "mnist" or "cifar10" to a folder with its files, to train on besides the digits.
        workers: who does the work; all cores of this machine, keeping nothing, if None.
        tell: called with how far it is, again and again.

    Returns:
        The paths of the records, in the order of the report: subjects, networks, notebook.

    Raises:
        ValueError: for an unknown subject or kind of data, and for files of `data` that are not what they should be,
            before anything is run.
        OSError: for files of `data` that are missing, before anything is run; where a record cannot be written.
        TaskFailed: for the first run that fails.
    """
    if workers is None:
        with Workers() as own:
            return collect(out, only, data, own, tell)
    out = pathlib.Path(out)
    chosen = names(only)
    named = {kind: pathlib.Path(folder) for kind, folder in (data or {}).items() if folder is not None}
    check_data(named, chosen)
    workers.begin()
    tasks = [task for name in chosen if name != NOTEBOOK for task in planned(name, named)]
    runs_of_it = notebook.plan() if NOTEBOOK in chosen else {}
    parts = {task_of(f"{NOTEBOOK} {name}", part, notebook.part(name)): name for name in runs_of_it}
    out.mkdir(parents=True, exist_ok=True)
    paths: dict[str, pathlib.Path] = {}
    made: dict[str, Record] = {}
    for task, files in workers.run([*tasks, *parts], tell):
        if task in parts:
            made[parts[task]] = record_of(files)
        else:
            paths[task.name] = put(files, out)
    if made:
        ordered = {name: made[name] for name in runs_of_it}
        paths |= {task.name: put(files, out) for task, files in workers.run([whole(ordered)], tell)}
    return [paths[name] for name in [*(task.name for task in tasks), *([NOTEBOOK] if made else [])]]


def put(files: Files, out: pathlib.Path) -> pathlib.Path:
    """Write a record's files into a folder; where its JSON is."""
    for name, content in files.items():
        (out / name).write_bytes(content)
    return out / next(name for name in files if name.endswith(".json"))


def check_data(named: Mapping[str, pathlib.Path], chosen: Sequence[str]) -> None:
    """See that folders of data are there for somebody, and hold what they should."""
    takers = [title(subject) for subject in subjects() if subject.table("plan")]
    if named and not set(takers) & set(chosen):
        known = " or ".join(map(repr, takers))
        where = {"known": known, "chosen": ", ".join(chosen)}
        raise BadValue(message("error.data-alone", data=", ".join(named), **where))
    for kind, folder in named.items():
        for family in families().values():
            family.check_data(kind, folder)


def whole(parts: Mapping[str, Record]) -> Task:
    """What makes the notebook's record of its runs; it asks every subject whether it takes part."""
    return task_of(NOTEBOOK, notebook.record, parts, [SENTENCES], about=[subject.path for subject in subjects()])


def planned(name: str, data: Mapping[str, pathlib.Path]) -> Iterator[Task]:
    """What is made of a subject: its runs, and where it has them its walks, causes, curves, ladders and growths."""
    subject = next(one for one in subjects() if title(one) == name)
    reads = [file for folder in data.values() for file in sorted(folder.iterdir()) if file.is_file()]
    about = scenarios(subject)  # in which its causes are tried
    for make, plan in (
        (runs.ran, selection.plan(subject, data)),
        (walks.walked, walks.walks(subject)),
        (detections.detected, detections.detections(subject.path)),
        (laboratories.equipped, laboratories.laboratories(subject)),
        (curves.drawn, curves.curves(subject)),
        (ladders.climbed, ladders.ladders(subject)),
        (ladders.grown, ladders.growths(subject)),
    ):
        beside = about if make in (detections.detected, laboratories.equipped) else ()
        yield from (task_of(text, make, arguments, reads, beside) for text, arguments in plan.items())


def task_of(
    text: str,
    make: Callable[[Any], Record],
    arguments: Any,
    reads: Sequence[pathlib.Path] = (),
    about: Sequence[Any] = (),
) -> Task:
    """What makes the record of that name."""
    kind = make.__module__.split(".")[2]
    return Task(text, recorded, (slug(text), make, arguments), tuple(reads), tuple(about), SECONDS[make], kind)


def names(only: Sequence[str] | None) -> list[str]:
    """The subjects and experiments asked for, in the order of the report, each once.

    Raises:
        ValueError: for one there is not.
    """
    known = [title(subject) for subject in subjects()] + [NOTEBOOK]
    wanted = known if only is None else [name if name in known else checked(name) for name in only]
    return [name for name in known if name in wanted]


def title(subject: Subject) -> str:
    """What it is called where somebody names what to run."""
    return subject.table("SHOWN_AS") or subject.path


def checked(name: str) -> str:
    try:
        return title(find(name))
    except NoSuchSubject as error:
        others = [title(subject) for subject in subjects() if title(subject) != subject.path] + [NOTEBOOK]
        there = ", ".join(map(repr, others))
        raise NoSuchSubject(message("error.no-experiment", said=error.said, others=there)) from None


def slug(name: str) -> str:
    """Letters, digits, dots and dashes."""
    return re.sub(r"[^a-z0-9.]+", "-", name.lower()).strip("-.")[:120]
