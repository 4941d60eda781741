"""What `lockstep report` does: run the experiments, or read records, draw the report and put it in place."""

import importlib
import pathlib
import time
from collections.abc import Mapping, Sequence

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from lockstep.cli.terminal import errors, voice
from lockstep.errors import BadValue
from lockstep.records.loading import load
from lockstep.records.record import BadRecord
from lockstep.tasks.cluster import workers_of
from lockstep.tasks.kept import Kept
from lockstep.tasks.workers import Progress as Share
from lockstep.tasks.workers import Tell, Workers
from lockstep.text import Message, message
from reports import parts
from reports.publish import INDEX, PLACES, RECORDS, check_place, publish, scratch, write


def report(
    out: pathlib.Path,
    only: Sequence[str],
    languages: Sequence[str],
    records: pathlib.Path | None,
    data: Mapping[str, pathlib.Path],
    scheduler: str | None,
    count: int | None,
    fresh: bool,
) -> pathlib.Path:
    """Collect or read the records, draw them, and put everything in place at once; the index is returned.

    Arguments:
        out: the folder. only: subjects; all if there are none.
        records: a folder of them, where nothing is to be run. data: folders of data to train on, too, by their names.
        scheduler, count: whose workers do it, and how many. fresh: whether what was kept is made anew.

    Raises:
        BadValue: for data beside records. BadRecord: for a record that cannot be read, or where there is none.
        NotAReport: where the folder holds something else.
    """
    if data and records is not None:
        raise BadValue(message("error.records-alone", other=next(iter(data))))
    clock = Clock()
    check_place(out, PLACES if records else (RECORDS, *PLACES))
    kept = Kept(out.with_name(f"{out.name}.kept"), fresh=fresh)
    with workers_of(scheduler, count, kept) as workers, scratch(out) as folder, progress() as bar:
        if records is None:
            paths = collected(folder / RECORDS, list(only) or None, data, workers, telling(bar, "records", workers))
        else:
            paths = read(records, only)
        clock.phase("records", workers)
        tell = {what: telling(bar, what, workers) for what in ("pictures", "pages")}
        write(parts.report(paths, workers, tell, languages), folder)
        clock.phase("drawing", workers)
        publish(folder, out)
    errors.print(voice().say(clock.said(workers.count)))
    if workers.spent:
        spent = [message("report.each", kind=called(kind), seconds=each) for kind, each in workers.spent.most_common()]
        errors.print(voice()("report.spent", kinds=spent))
    return out / INDEX


def called(kind: str) -> str:
    """What tasks of a kind are called, where there is a word for it; else the name that they have in the code."""
    key = f"report.bar.{kind}"
    return voice()(key) if voice().has(key) else kind


class Clock:
    """How long each phase took, and how much of it was kept from before."""

    def __init__(self):
        self.begun = time.perf_counter()
        self.last = self.begun
        self.phases: list[Message] = []
        self.seen = (0, 0)

    def phase(self, name: str, workers: Workers) -> None:
        """A phase ends."""
        now, (done, taken) = time.perf_counter(), self.seen
        self.seen = workers.done, workers.taken
        spent, self.last = now - self.last, now
        made, kept = self.seen[0] - done, self.seen[1] - taken
        self.phases.append(message(f"report.{name}", seconds=spent, made=made, kept=kept))

    def said(self, count: int) -> Message:
        """All of it in a line."""
        return message("report.took", phases=self.phases, seconds=time.perf_counter() - self.begun, count=count)


def collected(
    folder: pathlib.Path, only: list[str] | None, data: Mapping[str, pathlib.Path], workers: Workers, tell: Tell
) -> list[pathlib.Path]:
    """Run the experiments; lockstep.experiments says which."""
    return importlib.import_module("lockstep.experiments").collect(folder, only, data, workers, tell)


def telling(bar: Progress, what: str, workers: Workers) -> Tell:
    """Shows how far a phase is: what is running, and about how long is left."""
    row = bar.add_task(voice()(f"report.bar.{what}"), total=None, left="", running="")
    begun = time.perf_counter()

    def tell(now: Share) -> None:
        past, done = time.perf_counter() - begun, now.total - now.left
        seconds = now.left * past / done if done else now.left / workers.count
        left = voice()("report.bar.left", minutes=int(seconds) // 60, seconds=int(seconds) % 60) if now.tasks else ""
        bar.update(row, total=now.tasks, completed=now.done, left=left, running=" · ".join(now.running))

    return tell


def read(folder: pathlib.Path, only: Sequence[str]) -> list[pathlib.Path]:
    """Where the records of a folder and the folders in it are, by name; each is one.

    Raises:
        BadRecord: for one that cannot be read, or where there is none.
    """
    paths = sorted(folder.rglob("*.json")) if folder.is_dir() else []
    if not paths:
        raise BadRecord(message("error.no-records", folder=folder))
    subject_of = {path: load(path).subject for path in paths}
    chosen = [path for path in paths if not only or subject_of[path] in only]
    if not chosen:
        subjects = sorted(set(subject_of.values()))
        raise BadRecord(message("error.no-record-of", folder=folder, wanted=", ".join(only), known=", ".join(subjects)))
    return chosen


def progress() -> Progress:
    """Bars on the terminal's error stream, gone when it is done; nothing where there is no terminal."""
    columns = (
        TextColumn("{task.description}", markup=False), BarColumn(24), MofNCompleteColumn(),
        TextColumn("{task.fields[left]}", markup=False), TextColumn("{task.fields[running]}", markup=False),
    )  # fmt: skip
    return Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal)
