"""Puts a report where it belongs: whole, or not at all."""

import contextlib
import fcntl
import os
import pathlib
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence

from lockstep.errors import BadFile
from lockstep.records.record import Record
from lockstep.subjects.registry import families
from lockstep.tasks.task import Files
from lockstep.text import LANGUAGES, message
from reports import address
from reports.gallery import FIGURES, Gallery
from reports.site import encoded, site

MARK = '<meta name="generator" content="lockstep reports">'
INDEX = "index.html"
RECORDS = "records"
PLACES = (
    FIGURES,
    *families(),
    *LANGUAGES,
    address.MACHINE,
    address.LABORATORY,
    INDEX,
)  # what a report puts into its folder
SCRATCH = ".report-"  # how the folder's name begins in which a report is put together
MINUTE = 60.0
HEAD = 2_000  # bytes of a page in which its mark must stand


class NotAReport(BadFile):
    """The folder to write to holds something else; the message names it."""


def render(
    records: Sequence[Record],
    out,
    languages: Sequence[str] = LANGUAGES,
) -> pathlib.Path:
    """Draw the report of `records` into the folder `out`: its pages, and its pictures in figures/.

    Arguments:
        records: of every kind there is (docs/records.md), in whatever order.
        out: a folder that is missing, empty, or holds a report; `records/` in it is left alone.
        languages: "en", "ko"; the first has the folder itself, each other one a folder in it.

    Returns:
        The path of the index.

    Raises:
        BadRecord: for an experiment with a picture that there is not, before anything is written.
        NotAReport: if `out` holds something else.
    """
    out = pathlib.Path(out)
    check_place(out)
    with scratch(out) as folder:
        gallery = Gallery()
        write(encoded(site(records, gallery, languages)) | gallery.files, folder)
        publish(folder, out)
    return out / INDEX


def write(files: Files, folder: pathlib.Path) -> None:
    """Files by their addresses into an empty folder."""
    for folders in {(folder / name).parent for name in files}:
        folders.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)


def check_place(out: pathlib.Path, names: Sequence[str] = PLACES) -> None:
    """Refuse a folder in which publishing `names` would replace something else than a report's own.

    Raises:
        NotAReport: naming what is in the way.
    """
    if not out.exists():
        return
    if not out.is_dir():
        raise NotAReport(message("error.no-folder", path=out))
    page = out / INDEX
    report = page.is_file() and marked(page)
    for name in names:
        place = out / name
        if place.exists() and not (marked(place) if place.is_file() else report):
            raise NotAReport(message("error.not-of-a-report", path=out, name=name))


def marked(page: pathlib.Path) -> bool:
    with page.open("rb") as file:
        return MARK.encode() in file.read(HEAD)


@contextlib.contextmanager
def scratch(out: pathlib.Path) -> Iterator[pathlib.Path]:
    """A folder beside `out`, gone afterwards, so that moving from it is a rename.

    It is locked as long as its process lives: one that was killed leaves its folder to the next, which clears it away.
    """
    parent = out.absolute().parent
    parent.mkdir(parents=True, exist_ok=True)
    for left in parent.glob(f"{SCRATCH}*"):
        clear(left)
    with (
        tempfile.TemporaryDirectory(prefix=SCRATCH, dir=parent, ignore_cleanup_errors=True) as folder,
        locked(pathlib.Path(folder)),
    ):
        yield pathlib.Path(folder)


def clear(left: pathlib.Path) -> None:
    """Remove a scratch folder whose process is gone; one that is at work, or only just begun, stays."""
    with contextlib.suppress(OSError):
        if left.is_dir() and not left.is_symlink() and time.time() - left.stat().st_mtime > MINUTE:
            with locked(left):
                shutil.rmtree(left)


@contextlib.contextmanager
def locked(folder: pathlib.Path) -> Iterator[None]:
    """The folder, locked by this process and no other, until it is left or the process dies.

    Raises:
        OSError: where another process has it.
    """
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(handle)


def publish(folder: pathlib.Path, out: pathlib.Path) -> None:
    """Move what is in `folder` into `out`, each entry by a rename, the index last; the old one moves out of the way.

    Pages that the new report does not have go with the old one.

    Raises:
        NotAReport: where a page would replace somebody else's, before anything is moved.
    """
    made = sorted((path.name for path in folder.iterdir()), key=lambda name: (name == INDEX, name))
    check_place(out, made)
    out.mkdir(parents=True, exist_ok=True)
    old = folder / ".old"
    old.mkdir()
    stale = [name for name in of_report(out) if name not in made]
    for name in [*stale, *made]:
        if (out / name).exists():
            (out / name).rename(old / name)
        if name in made:
            (folder / name).rename(out / name)


def of_report(out: pathlib.Path) -> list[str]:
    """The pages and folders of pages of the report in a folder; its records stay."""
    folders = [name for name in (FIGURES, *families(), *LANGUAGES) if (out / name).is_dir()]
    return sorted([*folders, *(path.name for path in out.glob("*.html") if marked(path))])
