"""Records as what tasks make: their files, and back."""

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lockstep.records.loading import loaded
from lockstep.records.record import Record
from lockstep.tasks.task import Files


def recorded(stem: str, make: Callable[[Any], Record], arguments: Any) -> Files:
    """The files of the record that `make` makes of its arguments: STEM.json and its archive."""
    with tempfile.TemporaryDirectory(prefix="lockstep-") as folder:
        make(arguments).save(Path(folder, f"{stem}.json"))
        return {path.name: path.read_bytes() for path in sorted(Path(folder).iterdir())}


def record_of(files: Mapping[str, bytes]) -> Record:
    """The record whose files these are."""
    name = next(name for name in files if name.endswith(".json"))
    return loaded(Path(name), files[name], files.__getitem__)
