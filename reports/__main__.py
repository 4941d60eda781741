"""`python -m reports`: run the experiments, or read records, and draw the report."""

import argparse
import importlib
import pathlib
import sys
from collections.abc import Callable, Sequence
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from lockstep.cli.ending import ending
from lockstep.errors import BadValue
from lockstep.records.loading import load
from lockstep.records.record import BadRecord, Record
from lockstep.text import LANGUAGES, message
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
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit status: 0, 2 for a call or a record that makes no sense, 70 for a fault of Lockstep's own."""
    try:
        options = parser().parse_args(arguments)
    except SystemExit as stop:
        return int(stop.code or 0)
    try:
        languages = (options.lang,) if options.lang else LANGUAGES
        with ending("reports"):
            page = report(options.out, options.records, options.only, folders(options), languages)
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


def report(
    out: pathlib.Path,
    records: pathlib.Path | None,
    only: list[str] | None,
    data: dict[str, pathlib.Path] | None = None,
    languages: Sequence[str] = LANGUAGES,
) -> pathlib.Path:
    """Collect or read the records, draw them, and put everything in place at once; the index is returned."""
    check_place(out, PLACES if records else (RECORDS, *PLACES))
    with scratch(out) as folder, progress() as bar:
        chosen = collected(folder / RECORDS, only, bar, data) if records is None else read(records, only, bar)
        task = bar.add_task("pictures", total=None)
        write(chosen, folder, languages, lambda file: bar.update(task, advance=1, description=f"pictures: {file}"))
        publish(folder, out)
    return out / INDEX


def collected(
    folder: pathlib.Path, only: list[str] | None, bar: Progress, data: dict[str, pathlib.Path] | None = None
) -> list[Record]:
    """Run the experiments; lockstep.experiments says which."""
    experiments = importlib.import_module("lockstep.experiments")
    task = bar.add_task("experiments", total=None)
    folder.mkdir()
    return [load(path) for path in experiments.collect(folder, only=only, progress=telling(bar, task), data=data)]


def telling(bar: Progress, task: Any) -> Callable[..., None]:
    """What the experiments tell how far they are: `progress("optim.adam", 3, 40)`, the numbers if they know them."""

    def tell(what: object = "", done: int | None = None, total: int | None = None) -> None:
        known = {"completed": done, "total": total} if done is not None else {"advance": 1}
        bar.update(task, description=f"experiments: {what}", **known)  # type: ignore[arg-type]

    return tell


def read(folder: pathlib.Path, only: list[str] | None, bar: Progress) -> list[Record]:
    """The records of a folder and the folders in it, by name.

    Raises:
        BadRecord: for one that cannot be read, or where there is none.
    """
    paths = sorted(folder.rglob("*.json")) if folder.is_dir() else []
    if not paths:
        raise BadRecord(f"{folder}: no records (NAME.json) there")
    records = [load(path) for path in bar.track(paths, description="records")]
    chosen = [record for record in records if not only or record.subject in only]
    if not chosen:
        subjects = sorted({record.subject for record in records})
        raise BadRecord(f"{folder}: no record of {' or '.join(only or [])}; there are {', '.join(subjects)}")
    return chosen


def progress() -> Progress:
    """A bar on the terminal's error stream, gone when it is done; nothing where there is no terminal."""
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal)


if __name__ == "__main__":
    sys.exit(main())
