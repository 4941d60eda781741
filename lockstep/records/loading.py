"""Reads records from files that may be anybody's: nothing is unpickled, nothing outside their folder is opened."""

import hashlib
import io
import json
import os
import pathlib
import re
from typing import Any

import numpy as np

from lockstep.records import detection, experiment, explanation, growth, laboratory, run, walk
from lockstep.records.record import ARCHIVE, BadRecord, Record, kind_of
from lockstep.text import is_table

KINDS = (run, explanation, growth, walk, detection, experiment, laboratory)  # whose records there are


def load(path: str | os.PathLike[str]) -> Record:
    """Read a record.

    Arguments:
        path: of NAME.json; its archive lies beside it.

    Raises:
        BadRecord: for a file that is missing, malformed, truncated, of another version, or whose archive is missing or
            another one; for an entry or an array that a record of its kind cannot hold.
    """
    path = pathlib.Path(path)
    try:
        data = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise BadRecord(f"{path}: cannot be read ({error.strerror})") from None
    except (ValueError, RecursionError) as error:
        raise BadRecord(f"{path}: no JSON, or truncated ({error})") from None
    try:
        kind_of(data)
        return Record.from_json(data, archived(path, data.get("arrays")))
    except (BadRecord, RecursionError) as error:
        raise BadRecord(f"{path}: {error}") from None


def archived(path: pathlib.Path, entry: Any) -> dict[str, np.ndarray]:
    """The arrays beside a record, whose JSON has this entry for them.

    Raises:
        BadRecord: for an archive that is missing, another one or none, and where the entry names none beside it.
    """
    name, digest = (entry.get(key) for key in ("file", "sha256")) if is_table(entry) else (None, None)
    if not isinstance(name, str) or not re.fullmatch(r"[^/\\\0]+" + ARCHIVE, name):
        raise BadRecord("'arrays' does not name an archive beside it")
    try:
        content = path.with_name(name).read_bytes()
    except OSError as error:
        raise BadRecord(f"its archive {name} cannot be read ({error.strerror})") from None
    actual = hashlib.sha256(content).hexdigest()
    if actual != digest:
        raise BadRecord(f"{name} is not the archive it was written with (sha256 {actual[:12]}…)")
    try:
        return unpacked(content)
    except BadRecord as error:
        raise BadRecord(f"{name} is no archive of plain arrays ({error})") from None


def unpacked(content: bytes) -> dict[str, np.ndarray]:
    """The arrays of an archive.

    Raises:
        BadRecord: for anything else.
    """
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            arrays = {key: archive[key] for key in archive.files}
    except Exception as error:  # somebody else's file can go wrong in any way there is
        raise BadRecord(str(error)) from None
    strange = [key for key, array in arrays.items() if not isinstance(array, np.ndarray)]
    if strange:
        raise BadRecord(f"{strange[0]!r} is no array")
    return arrays
