"""What a report is made of: telling runs of every subject, networks on real data, and the notebook, as records."""

import functools
import pathlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from lockstep.engine.run import run
from lockstep.errors import BadValue
from lockstep.experiments import curves, detections, digits, ladders, notebook, selection, walks
from lockstep.records.record import Record
from lockstep.subjects.registry import NoSuchSubject, find, subjects

EXPERIMENTS = ("digits", "notebook")
NETWORK = "models.mlp"  # whose runs are those on real data

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
    if named and "digits" not in chosen:
        raise BadValue(f"{' and '.join(named)} goes with 'digits', which is not among {', '.join(chosen)}")
    digits.check(named)
    plans = [plan for name in chosen if name != "notebook" for plan in planned(name, named)]
    total = len(plans) + (len(notebook.plan()) if "notebook" in chosen else 0)
    done = 0

    def tell(what: str) -> None:
        nonlocal done
        if progress:
            progress(what, done, total)
        done += 1

    paths = []
    for number, (name, record) in enumerate(records(plans, tell, "notebook" in chosen)):
        path = out / f"{number:03d}-{slug(name)}.json"
        record.save(path)
        paths.append(path)
    if progress:
        progress("done", total, total)
    return paths


def planned(name: str, data: Mapping[str, Any]) -> Iterator[tuple[str, Callable[[], Record]]]:
    """What is made of a subject: its runs, and where it has them its walks, causes, curves, ladders and growths."""
    path = NETWORK if name == "digits" else name
    for title, arguments in (digits.plan(data) if name == "digits" else selection.plan(find(name))).items():
        yield title, functools.partial(ran, arguments)
    for title, arguments in walks.walks(path).items():
        yield title, functools.partial(walks.walked, arguments)
    for title, arguments in detections.detections(path).items():
        yield title, functools.partial(detections.detected, arguments)
    for title, arguments in curves.curves(path).items():
        yield title, functools.partial(curves.drawn, arguments)
    for title, arguments in ladders.ladders(path).items():
        yield title, functools.partial(ladders.climbed, arguments)
    for title, arguments in ladders.growths(path).items():
        yield title, functools.partial(ladders.grown, arguments)


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
    known = [subject.path for subject in subjects() if subject.path != NETWORK] + list(EXPERIMENTS)
    wanted = known if only is None else ["digits" if name == NETWORK else checked(name) for name in only]
    return [name for name in known if name in wanted]


def checked(name: str) -> str:
    if name in EXPERIMENTS:
        return name
    try:
        return find(name).path
    except NoSuchSubject as error:
        raise NoSuchSubject(f"{error}; and {' and '.join(repr(one) for one in EXPERIMENTS)}") from None


def slug(name: str) -> str:
    """Letters, digits, dots and dashes."""
    return re.sub(r"[^a-z0-9.]+", "-", name.lower()).strip("-.")[:80]


__all__ = ["collect"]
