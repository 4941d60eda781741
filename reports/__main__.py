"""`python -m reports`: run the experiments, or read records, and draw the report."""

import argparse
import importlib
import os
import pathlib
import sys
import time
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from lockstep.cli.ending import ending
from lockstep.errors import BadValue
from lockstep.numerics import compiler
from lockstep.records.loading import load
from lockstep.records.record import BadRecord
from lockstep.tasks.cluster import workers_of
from lockstep.tasks.kept import Kept
from lockstep.tasks.workers import Progress as Share
from lockstep.tasks.workers import Tell, Workers
from lockstep.text import LANGUAGES, message
from reports import parts
from reports.publish import INDEX, PLACES, RECORDS, check_place, publish, scratch, write

OUT = pathlib.Path("build/report")

errors = Console(stderr=True, highlight=False, soft_wrap=True)


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="python -m reports",
        description="Draw the report: index.html, its pages and pictures, and the records they are drawn from.",
    )
    made.add_argument("--out", type=pathlib.Path, default=OUT, metavar="DIR", help=f"where to (default: {OUT})")
    made.add_argument(
        "--records", type=pathlib.Path, metavar="DIR", help="draw the records of this folder, and run nothing"
    )
    made.add_argument(
        "--only", action="append", metavar="SUBJECT", help="only this subject, for instance optim.adam; repeatable"
    )
    made.add_argument(
        "--lang", choices=LANGUAGES, help="only in this language; in all of them, linked to each other, if left out"
    )
    made.add_argument("--mnist", type=pathlib.Path, metavar="DIR", help="train on MNIST, too: its four IDX files")
    made.add_argument(
        "--cifar10",
        type=pathlib.Path,
        metavar="DIR",
        help="train on CIFAR-10, too: the six files of its binary version",
    )
    made.add_argument("--workers", type=positive, metavar="N", help="so many processes; one a core if left out")
    made.add_argument(
        "--scheduler",
        default=os.environ.get("LOCKSTEP_SCHEDULER"),
        metavar="ADDRESS",
        help="the workers of this Dask scheduler instead (default: LOCKSTEP_SCHEDULER)",
    )
    made.add_argument(
        "--fresh", action="store_true", help="make everything anew, whatever is kept in DIR.kept from before"
    )
    return made


def positive(text: str) -> int:
    """A count of workers.

    Raises:
        ValueError: for any other text.
    """
    if not text.isdecimal() or not int(text):
        raise ValueError(text)
    return int(text)


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit status: 0, 2 for a call or a record that makes no sense, 70 for a fault of Lockstep's own."""
    compiler.defer()
    try:
        options = parser().parse_args(arguments)
    except SystemExit as stop:
        return int(stop.code or 0)
    try:
        with ending("reports"):
            page = report(options)
    except SystemExit as stop:
        return int(stop.code or 0)
    print(f"report: {page}")
    return 0


def folders(options: argparse.Namespace) -> dict[str, pathlib.Path]:
    """The folders of data that were named.

    Raises:
        ValueError: where there are records to draw instead.
    """
    named = {name: getattr(options, name) for name in ("mnist", "cifar10") if getattr(options, name) is not None}
    if named and options.records is not None:
        raise BadValue(message("error.records-alone", other=next(iter(named))))
    return named


def report(options: argparse.Namespace) -> pathlib.Path:
    """Collect or read the records, draw them, and put everything in place at once; the index is returned."""
    out, clock = options.out, Clock()
    languages = (options.lang,) if options.lang else LANGUAGES
    check_place(out, PLACES if options.records else (RECORDS, *PLACES))
    data = folders(options)
    kept = Kept(out.with_name(f"{out.name}.kept"), fresh=options.fresh)
    with workers_of(options.scheduler, options.workers, kept) as workers, scratch(out) as folder, progress() as bar:
        if options.records is None:
            paths = collected(folder / RECORDS, options.only, data, workers, telling(bar, "experiments", workers))
        else:
            paths = read(options.records, options.only)
        clock.phase("records", workers)
        tell = {what: telling(bar, what, workers) for what in ("pictures", "pages")}
        write(parts.report(paths, workers, tell, languages), folder)
        clock.phase("pictures and pages", workers)
        publish(folder, out)
    errors.print(f"report: {clock.said()}, {workers.count} at a time")
    if workers.spent:
        spent = ", ".join(f"{kind} {seconds:.1f} s" for kind, seconds in workers.spent.most_common())
        errors.print(f"spent by the workers: {spent}")
    return out / INDEX


class Clock:
    """How long each phase took, and how much of it was kept from before."""

    def __init__(self):
        self.begun = self.last = time.perf_counter()
        self.phases: list[str] = []
        self.seen = (0, 0)

    def phase(self, name: str, workers: Workers) -> None:
        """A phase ends."""
        now, (done, taken) = time.perf_counter(), self.seen
        self.seen = workers.done, workers.taken
        made, kept = self.seen[0] - done, self.seen[1] - taken
        self.phases.append(f"{name} {now - self.last:.1f} s ({made} made, {kept} kept from before)")
        self.last = now

    def said(self) -> str:
        """All of it in a line."""
        return f"{', '.join(self.phases)}; in all {time.perf_counter() - self.begun:.1f} s"


def collected(
    folder: pathlib.Path, only: list[str] | None, data: Mapping[str, pathlib.Path], workers: Workers, tell: Tell
) -> list[pathlib.Path]:
    """Run the experiments; lockstep.experiments says which."""
    return importlib.import_module("lockstep.experiments").collect(folder, only, data, workers, tell)


def telling(bar: Progress, what: str, workers: Workers) -> Tell:
    """Shows how far a phase is: what is running, and about how long is left."""
    row = bar.add_task(what, total=None, left="", running="")
    begun = time.perf_counter()

    def tell(now: Share) -> None:
        past, done = time.perf_counter() - begun, now.total - now.left
        seconds = now.left * past / done if done else now.left / workers.count
        left = f"{int(seconds) // 60}:{int(seconds) % 60:02d} left" if now.tasks else ""
        bar.update(row, total=now.tasks, completed=now.done, left=left, running=" · ".join(now.running))

    return tell


def read(folder: pathlib.Path, only: list[str] | None) -> list[pathlib.Path]:
    """Where the records of a folder and the folders in it are, by name; each is one.

    Raises:
        BadRecord: for one that cannot be read, or where there is none.
    """
    paths = sorted(folder.rglob("*.json")) if folder.is_dir() else []
    if not paths:
        raise BadRecord(f"{folder}: no records (NAME.json) there")
    subject_of = {path: load(path).subject for path in paths}
    chosen = [path for path in paths if not only or subject_of[path] in only]
    if not chosen:
        subjects = sorted(set(subject_of.values()))
        raise BadRecord(f"{folder}: no record of {' or '.join(only or [])}; there are {', '.join(subjects)}")
    return chosen


def progress() -> Progress:
    """Bars on the terminal's error stream, gone when it is done; nothing where there is no terminal."""
    columns = (
        TextColumn("{task.description}", markup=False), BarColumn(24), MofNCompleteColumn(),
        TextColumn("{task.fields[left]}", markup=False), TextColumn("{task.fields[running]}", markup=False),
    )  # fmt: skip
    return Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal)


if __name__ == "__main__":
    sys.exit(main())
