"""Reads records from files that may be anybody's: nothing is unpickled, nothing outside their folder is opened."""

import functools
import hashlib
import io
import json
import os
import pathlib
import re
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np

from lockstep.records.kinds import detection, experiment, explanation, growth, laboratory, run, walk
from lockstep.records.record import ARCHIVE, BadRecord, Record, kind_of
from lockstep.text import is_table, message

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
        content = path.read_bytes()
    except OSError as error:
        raise BadRecord(message("record.unreadable", path=path, words=error.strerror)) from None
    return loaded(path, content, lambda name: path.with_name(name).read_bytes())


def loaded(path: pathlib.Path, content: bytes, beside: Callable[[str], bytes]) -> Record:
    """A record from the content of its NAME.json, where `beside` has that of its archive.

    Raises:
        BadRecord: as above, naming the path.
    """
    try:
        data = json.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise BadRecord(message("record.no-json", path=path, words=error)) from None
    try:
        kind_of(data)
        return Record.from_json(data, archived(data.get("arrays"), beside))
    except BadRecord as error:
        raise BadRecord(message("record.of", path=path, said=error.said)) from None
    except RecursionError as error:
        raise BadRecord(message("record.of", path=path, said=str(error))) from None


def archived(entry: Any, beside: Callable[[str], bytes]) -> dict[str, np.ndarray]:
    """The arrays beside a record, whose JSON has this entry for them.

    Raises:
        BadRecord: for an archive that is missing, another one or none, and where the entry names none beside it.
    """
    name, digest = (entry.get(key) for key in ("file", "sha256")) if is_table(entry) else (None, None)
    if not isinstance(name, str) or not re.fullmatch(r"[^/\\\0]+" + ARCHIVE, name):
        raise BadRecord(message("record.no-archive"))
    try:
        content = beside(name)
    except OSError as error:
        raise BadRecord(message("record.archive-unreadable", name=name, words=error.strerror)) from None
    actual = hashlib.sha256(content).hexdigest()
    if actual != digest:
        raise BadRecord(message("record.another-archive", name=name, digest=actual[:12]))
    try:
        return unpacked(content)
    except BadRecord as error:
        raise BadRecord(message("record.no-arrays", name=name, words=error)) from None


def unpacked(content: bytes) -> dict[str, np.ndarray]:
    """The arrays of an archive.

    Raises:
        BadRecord: for anything else.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return {name.removesuffix(".npy"): array_of(archive.read(name)) for name in archive.namelist()}
    except Exception as error:  # somebody else's file can go wrong in any way there is
        raise BadRecord(str(error)) from None


def array_of(content: bytes) -> np.ndarray:
    """The array of a file of NumPy's, as `numpy.load` reads it: there are a hundred in an archive, few headers among
    them, and reading a header takes far longer than copying a short array.

    Raises:
        ValueError: for anything else, and for an array of objects.
    """
    if content[:8] == b"\x93NUMPY\x01\x00":
        begin = 10 + int.from_bytes(content[8:10], "little")
        shape, fortran_order, dtype = header(content[8:begin])
        if dtype.kind in "fiu":
            return np.ndarray(shape, dtype, bytearray(content[begin:]), order="F" if fortran_order else "C")
    return np.lib.format.read_array(io.BytesIO(content), allow_pickle=False)


@functools.lru_cache(maxsize=4096)
def header(content: bytes) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Shape, order and dtype."""
    return np.lib.format.read_array_header_1_0(io.BytesIO(content))
