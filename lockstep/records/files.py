"""Files that are written whole or not at all."""

import contextlib
import json
import os
import pathlib
import tempfile
from collections.abc import Generator
from typing import Any

from lockstep.errors import BadPlace
from lockstep.text import message


@contextlib.contextmanager
def whole(path: pathlib.Path) -> Generator[pathlib.Path]:
    """A temporary neighbour of `path` to write to, which takes its place only if nothing went wrong."""
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    os.close(handle)
    temporary = pathlib.Path(name)
    try:
        with writing(path):
            yield temporary
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def writing(path: pathlib.Path) -> Generator[None]:
    """What the system refuses of a place or a disk, said of the file that was to be written.

    Raises:
        BadPlace: for it.
    """
    try:
        yield
    except BadPlace:
        raise
    except OSError as refusal:
        raise BadPlace(message("error.not-written", path=path, words=refusal.strerror or refusal)) from refusal


def check_place(path: pathlib.Path) -> None:
    """Find out before the work whether its result can be written to `path`; its folder is made.

    Raises:
        BadPlace: for a folder, and for a file in one that cannot be made or written to.
    """
    if path.is_dir():
        raise BadPlace(message("error.is-a-folder", path=path))
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    if not os.access(path.parent, os.W_OK):
        raise BadPlace(message("error.no-writing", path=path.parent))


def write_json(path: pathlib.Path, data: Any) -> None:
    """Plain data as a file people can read."""
    text = json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    with whole(path) as temporary:
        temporary.write_text(text, "utf-8")
