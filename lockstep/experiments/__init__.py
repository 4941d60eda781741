"""What a report is made of: telling runs of every subject, networks on real data, and the notebook, as records."""

import functools
import pathlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from lockstep.engine.run import run
from lockstep.errors import BadValue
from lockstep.experiments import curves, detections, ladders, notebook, selection, walks
from lockstep.records.record import Record
from lockstep.subjects.registry import families, find, subjects
from lockstep.subjects.subject import NoSuchSubject, Subject
from lockstep.text import message

NOTEBOOK = "notebook"

Progress = Callable[[str, int, int], Any]


def collect(
    out,
    only: Sequence[str] | None = None,
    progress: Progress | None = None,
    data: Mapping[str, Any] | None = None,
) -> list[pathlib.Path]:
    """Run everything a report shows, and write a record of each run and experiment into a folder.

    Arguments:
        out: the folder; it is made where it is missing.
        only: paths of subjects, "digits" (the networks, on the digits and on `data`) and "notebook"; all if None.
        progress: called with what is being done, how many runs are done, and how many there are.
        data: "mnist" or "cifar10" to a folder with its files, to train on besides the digits.

    Returns:
        The paths of the records, in the order of the report: subjects, networks, notebook.

    Raises:
        ValueError: for an unknown subject or kind of data, and for files of `data` that are not what they should be,
            before anything is run.
        OSError: for files of `data` that are missing, before anything is run; where a record cannot be written.
    """
    out = pathlib.Path(out)
    chosen = names(only)
    named = {kind: folder for kind, folder in (data or {}).items() if folder is not None}
    takers = [title(subject) for subject in subjects() if subject.table("plan")]
    if named and not set(takers) & set(chosen):
        known = " or ".join(map(repr, takers))
        where = {"known": known, "chosen": ", ".join(chosen)}
        raise BadValue(message("error.data-alone", data=", ".join(named), **where))
    for kind, folder in named.items():
        for family in families().values():
            family.check_data(kind, folder)
    plans = [plan for name in chosen if name != NOTEBOOK for plan in planned(name, named)]
    total = len(plans) + (len(notebook.plan()) if NOTEBOOK in chosen else 0)
    done = 0

    def tell(what: str) -> None:
        nonlocal done
        if progress:
            progress(what, done, total)
        done += 1

    paths = []
    for number, (name, record) in enumerate(records(plans, tell, NOTEBOOK in chosen)):
        path = out / f"{number:03d}-{slug(name)}.json"
        record.save(path)
        paths.append(path)
    if progress:
        progress("done", total, total)
    return paths


def planned(name: str, data: Mapping[str, Any]) -> Iterator[tuple[str, Callable[[], Record]]]:
    """What is made of a subject: its runs, and where it has them its walks, causes, curves, ladders and growths."""
    subject = next(one for one in subjects() if title(one) == name)
    for made, arguments in (
        (ran, selection.plan(subject, data)),
        (walks.walked, walks.walks(subject)),
        (detections.detected, detections.detections(subject.path)),
        (curves.drawn, curves.curves(subject)),
        (ladders.climbed, ladders.ladders(subject)),
        (ladders.grown, ladders.growths(subject)),
    ):
        yield from ((text, functools.partial(made, given)) for text, given in arguments.items())


def ran(arguments: Mapping[str, Any]) -> Record:
    return run(**arguments).record


def records(plans, tell: Callable[[str], Any], with_notebook: bool) -> Iterator[tuple[str, Record]]:
    for name, make in plans:
        tell(name)
        yield name, make()
    if with_notebook:
        yield "notebook", notebook.experiment(tell)[0]


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
    return re.sub(r"[^a-z0-9.]+", "-", name.lower()).strip("-.")[:80]


__all__ = ["collect"]
