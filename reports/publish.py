"""Puts a report where it belongs: whole, or not at all."""

import contextlib
import pathlib
import tempfile
from collections.abc import Callable, Iterator, Sequence
from types import ModuleType
from typing import Any

from lockstep.record import Record
from reports import facts, pages, style

MARK = '<meta name="generator" content="lockstep reports">'
PAGE = ("figures", "index.html")
OWN = ("records", *PAGE)  # what a report consists of, in the order in which it is put in place
HEAD = 2_000  # bytes of a page in which its mark must stand


class NotAReport(ValueError):
    """The folder to write to holds something else; the message names it."""


def render(records: Sequence[Record], out, on_picture: Callable[[str], Any] | None = None) -> pathlib.Path:
    """Draw the report of `records` into the folder `out`: index.html, and its pictures in figures/.

    Arguments:
        records: runs, explanations, growths and experiments; they are shown in this order of subjects.
        out: a folder that is missing, empty, or holds a report; `records/` in it is left alone.
        on_picture: called with the file name of every picture when it is drawn.

    Returns:
        The path of the page.

    Raises:
        BadRecord: for a record that cannot be shown, before anything is written.
        NotAReport: if `out` holds something else.
    """
    out = pathlib.Path(out)
    check_place(out, PAGE)
    with scratch(out) as folder:
        write(records, folder, on_picture)
        publish(folder, out)
    return out / "index.html"


def write(records: Sequence[Record], folder: pathlib.Path, on_picture: Callable[[str], Any] | None = None) -> None:
    """The page and its pictures into an empty folder."""
    for record in records:
        facts.check(record)

    def draw(module: ModuleType, record: Record, file: str) -> bytes:
        content = style.png(module.draw(record))
        if on_picture:
            on_picture(file)
        return content

    page, pictures = pages.index(records, draw)
    (folder / "figures").mkdir()
    for name, content in pictures.items():
        (folder / "figures" / name).write_bytes(content)
    (folder / "index.html").write_text(page, "utf-8")


def check_place(out: pathlib.Path, names: Sequence[str]) -> None:
    """Refuse a folder in which publishing `names` would replace something else than a report's own."""
    if not out.exists():
        return
    if not out.is_dir():
        raise NotAReport(f"{out} is no folder")
    page = out / "index.html"
    taken = [name for name in names if (out / name).exists()]
    if taken and not (page.is_file() and marked(page)):
        raise NotAReport(f"{out} has a {taken[0]} that is not of a report; name another folder")


def marked(page: pathlib.Path) -> bool:
    with page.open("rb") as file:
        return MARK.encode() in file.read(HEAD)


@contextlib.contextmanager
def scratch(out: pathlib.Path) -> Iterator[pathlib.Path]:
    """A folder beside `out`, gone afterwards, so that moving from it is a rename."""
    parent = out.absolute().parent
    parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".report-", dir=parent, ignore_cleanup_errors=True) as folder:
        yield pathlib.Path(folder)


def publish(folder: pathlib.Path, out: pathlib.Path) -> None:
    """Move what is in `folder` into `out`, each entry by a rename, the page last; the old one moves out of the way."""
    out.mkdir(parents=True, exist_ok=True)
    old = folder / "old"
    old.mkdir()
    for name in OWN:
        if not (folder / name).exists():
            continue
        if (out / name).is_dir():
            (out / name).rename(old / name)
        (folder / name).replace(out / name)
