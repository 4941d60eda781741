"""A record: what a run or an experiment leaves behind, as JSON beside NumPy arrays. docs/records.md has every entry.

The archive is named after its content and written first, the JSON last: a reader finds the old record, or the new one,
never half of each.
"""

import dataclasses
import hashlib
import io
import json
import os
import pathlib
import re
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import numpy as np

from lockstep.errors import BadValue
from lockstep.numerics.environment import Environment
from lockstep.numerics.shapes import Array
from lockstep.records.files import check_place, whole
from lockstep.records.schema import ARCHIVED, BadRecord, Positive, demand, plain, table
from lockstep.text import is_table, message
from lockstep.text.names import label

SCHEMA = "lockstep-record"
VERSION = 3
ENVELOPE = ("schema", "version", "kind", "arrays")  # what stands around a record's own entries
ARCHIVE = r"\.[0-9a-f]{12}\.npz"  # what follows the record's own name


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Record:
    """What every record holds.

    Attributes:
        subject: the path of what it is about, "optim.adam", or what else an experiment is of.
        environment: what it was made in.
    """

    kind: ClassVar[str]
    kinds: ClassVar[dict[str, type["Record"]]] = {}

    subject: str
    environment: Environment
    arrays: Mapping[str, np.ndarray] = dataclasses.field(default_factory=dict[str, np.ndarray], metadata=ARCHIVED)

    def __init_subclass__(cls, kind: str = "", **settings: Any):
        super().__init_subclass__(**settings)
        if kind:
            cls.kind = kind
            Record.kinds[kind] = cls

    def __post_init__(self):
        for name, array in self.arrays.items():
            demand(array.dtype.kind in "fiu", f"array {name!r} holds no numbers")

    def to_json(self) -> dict[str, Any]:
        """Everything but the arrays, as plain data."""
        return {"schema": SCHEMA, "version": VERSION, "kind": self.kind, **plain(self)}

    @staticmethod
    def from_json(data: Mapping[str, Any], arrays: Mapping[str, Array]) -> "Record":
        """A record of the kind that the data say, of which `to_json` and its arrays make the same.

        Raises:
            BadRecord: for data and arrays that are none, naming the entry.
        """
        own = {name: entry for name, entry in data.items() if name not in ENVELOPE}
        return table(kind_of(data), own, "", arrays=arrays)

    def save(self, path: str | os.PathLike[str]) -> pathlib.Path:
        """Write NAME.json and its archive, whole or not at all; the path of the JSON is returned.

        Raises:
            ValueError, OSError: for another name, and a folder that cannot be written to; before anything is written.
        """
        path = place(path)
        content = packed(self.arrays)
        digest = hashlib.sha256(content).hexdigest()
        archive = path.with_name(f"{path.stem}.{digest[:12]}.npz")
        data = self.to_json() | {"arrays": {"file": archive.name, "sha256": digest}}
        text = json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
        with whole(path) as new_text, whole(archive) as new_archive:  # the archive takes its place first
            new_archive.write_bytes(content)
            new_text.write_text(text, "utf-8")
        of_this_name = re.compile(re.escape(path.stem) + ARCHIVE)
        for old in path.parent.iterdir():
            if of_this_name.fullmatch(old.name) and old != archive:
                old.unlink()
        return path


def kind_of(data: Any) -> type[Record]:
    """The class of a record, by what stands around its entries.

    Raises:
        BadRecord: for what is none, or of another version of the schema.
    """
    if not is_table(data) or data.get("schema") != SCHEMA:
        raise BadRecord(message("record.none", schema=SCHEMA))
    version, kind = data.get("version"), data.get("kind")
    if type(version) is not int or version != VERSION:
        raise BadRecord(message("record.version", version=f"{version!r:.40}", known=VERSION))
    if not isinstance(kind, str) or kind not in Record.kinds:
        raise BadRecord(message("record.kind", kind=f"{kind!r:.40}", known=list(Record.kinds)))
    return Record.kinds[kind]


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class CaseRecord(Record):
    """What the records of one case hold.

    Attributes:
        case: its settings; `desc` is what it is called.
        dtype: of its numbers. path: which of PyTorch's implementations; null where there is but one.
        seed: of its random numbers. steps: how many.
    """

    case: Mapping[str, Any]
    dtype: str
    path: str | None
    seed: int
    steps: Positive

    def __post_init__(self):
        super().__post_init__()
        demand(isinstance(self.case.get("desc"), str), "case has no 'desc' that says what it is")

    @property
    def desc(self) -> str:
        """What the case is called."""
        return self.case["desc"]

    @property
    def label(self) -> str:
        """Subject, dtype, path and case, on one line."""
        return label(self.subject, self.dtype, self.path, self.desc)

    def check_series(self, names: Iterable[str]) -> None:
        """Refuse an array of these that has not a value a step."""
        for name in names:
            shape, wanted = self.arrays[name].shape, f"not a value for each of {self.steps} steps"
            demand(shape == (self.steps,), f"array {name!r} has shape {shape}, {wanted}")


def place(path: str | os.PathLike[str]) -> pathlib.Path:
    """NAME.json, at which a record can be written; its folder is made.

    Raises:
        BadValue: for another name.
        BadPlace: for a folder that cannot be made or written to.
    """
    path = pathlib.Path(path)
    if path.suffix != ".json" or path.is_dir():
        raise BadValue(message("error.record-name", name=path.name))
    check_place(path)
    return path


def packed(arrays: Mapping[str, Array]) -> bytes:
    """NumPy's archive of them, in the order of their names; its bytes tell of nothing but their content."""
    buffer = io.BytesIO()
    ordered: dict[str, Any] = {key: arrays[key] for key in sorted(arrays)}
    np.savez_compressed(buffer, **ordered)
    return buffer.getvalue()


def check_contour(arrays: Mapping[str, Array]) -> None:
    """Refuse half a function of two variables.

    Raises:
        ValueError: unless x, y and z are all there, z with a row for every y, or none.
    """
    known = [array for name in "xyz" if (array := arrays.get(f"trace/contour/{name}")) is not None]
    fits = len(known) in (0, 3) and all(axis.ndim == 1 and axis.size > 1 for axis in known[:2])
    fits = fits and (not known or known[2].shape == (known[1].size, known[0].size))
    demand(fits, "'trace/contour' is not x and y, and z with a row for every y")
