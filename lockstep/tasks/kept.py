"""Results of tasks, each kept in a folder as soon as it is there, under a key made of all that it depends on."""

import io
import json
import os
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path

from lockstep.errors import BadPlace
from lockstep.records.files import whole
from lockstep.tasks.task import Files
from lockstep.text import message

DAYS = 30  # for which nobody asked, until a result is thrown away
HOUR = 3600.0
TIMES = "times.json"  # how long each task took, by its name


class Kept:
    """A folder of results, a file each.

    Arguments:
        folder: it is made where it is missing, with the first result. None keeps nothing.
        fresh: take nothing from it; what is made anew is kept all the same.
    """

    def __init__(self, folder: Path | None, *, fresh: bool = False):
        self.folder, self.fresh = folder, fresh
        self.seconds: dict[str, float] = {}
        if folder is not None and folder.is_dir():
            self.sweep(folder)
            self.seconds = times(folder / TIMES)

    def get(self, key: str) -> Files | None:
        """The files kept under a key; None where there are none, or not whole."""
        if self.folder is None or self.fresh:
            return None
        path = self.folder / f"{key}.zip"
        try:
            with zipfile.ZipFile(path) as archive:
                files = {name: archive.read(name) for name in archive.namelist()}  # each is held against its checksum
        except (OSError, zipfile.BadZipFile, EOFError, NotImplementedError):
            return None
        os.utime(path)
        return files

    def put(self, key: str, files: Mapping[str, bytes]) -> None:
        """Keep files under a key, all of them or none.

        Raises:
            BadPlace: where they cannot be written.
        """
        if self.folder is None:
            return
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for name, content in files.items():
                archive.writestr(zipfile.ZipInfo(name), content)  # without a date
        path = self.folder / f"{key}.zip"
        try:
            with whole(path) as temporary:
                temporary.write_bytes(buffer.getvalue())
        except OSError as error:
            raise BadPlace(message("error.not-written", path=path, words=error.strerror)) from error

    def took(self, name: str, seconds: float) -> None:
        """Note how long a task took, for the next time's order."""
        self.seconds[name] = round(seconds, 3)

    def close(self) -> None:
        """Write down how long tasks took."""
        if self.folder is not None and self.seconds:
            with whole(self.folder / TIMES) as temporary:
                temporary.write_text(json.dumps(self.seconds, indent=1, sort_keys=True, ensure_ascii=False), "utf-8")

    def sweep(self, folder: Path) -> None:
        """Throw away what nobody asked for in a long time, and what a process left half written that was killed."""
        now = time.time()
        for path in folder.iterdir():
            age = now - path.stat().st_mtime
            if (path.suffix == ".zip" and age > DAYS * 24 * HOUR) or (path.name.startswith(".") and age > HOUR):
                path.unlink(missing_ok=True)


def times(path: Path) -> dict[str, float]:
    """How long each task took the last time, where that is known."""
    try:
        seconds = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(name): float(value) for name, value in seconds.items() if isinstance(value, int | float)}
