"""The record of a run: everything a page or a verdict needs, as JSON beside NumPy arrays.

Schema, version 1. `NAME.json`:

    schema, version        "lockstep-record", 1
    kind                   "run", "explanation", "growth", "walk", "detection" or "experiment" (all below)
    subject, case, dtype, path, seed, steps
                           what was run; `case` holds desc, problem, hyperparameters, shapes, schedule
    environment            versions, CPU, capability, threads (lockstep/numerics/environment.py)
    verdict, used          the run's verdict; the largest share of an allowance used
    broken                 null, or {id, message}
    first_difference, evidence, closest_call
                           null, or a finding (the fields of lockstep.verdict.Finding)
    first_drift            null, or the first step after which the free runs differ
    quantities             name to {line, verdict}
    equations              line to LaTeX, in formula order
    notes                  messages: what a reader must know besides the settings
    rerun                  the command that runs it again
    arrays                 {file, sha256}: the archive beside it

The archive (NumPy's npz, no pickles) holds, with `steps` values each, `drift/QUANTITY/FIGURE` and
`defect/QUANTITY/FIGURE` for the figures of lockstep.series.Series; `heat/MODE/QUANTITY` (steps × columns);
`trace/loss/SIDE`, `trace/accuracy/SIDE`, `trace/path/SIDE`; `trace/contour/x`, `y` and `z`, the values of a
function of two variables around the path; and `window/…`, the values around the findings. NaN is what was not
measured.

An explanation, kind "explanation", is a ladder (lockstep/explanation/ladder.py):

    schema, version, kind, subject, case, dtype, path, seed, steps, environment, equations, rerun
                           as above
    rungs                  a list of {name, differing, elements, max_ulp, first_step}: what was left after each
    explained, kernels     whether the last rung closed; the primitives that had to be PyTorch's
    left                   null, or the first element left (the fields of lockstep.ladder.Left)
    findings               what the probe found out about the machine (lockstep/numerics/probe.py)

Its archive holds `rung/NUMBER/QUANTITY/FIGURE` with `steps` values each, the rungs counted from 0.

A growth, kind "growth", is where the drift of the parameters came from (lockstep/explanation/growth.py):

    schema, version, kind, subject, case, dtype, path, seed, steps, environment
                           as above
    start, differing, elements, classes, worst, worst_added, ill_conditioned
                           the fields of lockstep.amplification.Growth

Its archive holds `growth/drift`, `growth/alone`, `growth/defect` and `growth/spread` with `steps` values each.

A walk, kind "walk", is a short run line by line (lockstep/explanation/walk.py):

    schema, version, kind, subject, case, dtype, path, seed, steps, environment, equations, rerun
                           as above
    source                 order of operations ("paper", "pytorch") to the text of the functions that state it
    state                  PyTorch's key of a state entry to the line that becomes it
    first_step             null, or the first step at which a line differs
    walked                 a list of {step, stages}, one a step; a stage has the fields of lockstep.walk.Stage, its
                           `lines` those of lockstep.walk.Row: a line of the paper's order, worked out by NumPy from
                           PyTorch's state before the step, beside PyTorch's value of it and the operations it ran

It has no arrays.

A detection, kind "detection", is what each known cause does to a subject (lockstep/experiments/detection_table.py):

    schema, version, kind, subject, dtype, seed, steps, environment, equations, rerun
                           as above; `steps` are those of the longest trajectory
    unit                   of the errors in parameters: "lr", or of everything a layer makes its largest "magnitude"
    scenarios              a list of {name, why, case, steps}: the columns; `why` is a message
    causes                 the rows; the first is the reference itself, {name, id: null, twins}. A cause has `name`,
                           `id`, `variant`, `formula` (LaTeX), `equations` (of the lines that it exchanges), `changes`
                           (a list of {of, line, ours, theirs}: the code of a "line", of what is "kept" of one or of an
                           "argument"), `behaviour` and `code` (where no formula is wrong but what is around it),
                           `free`, `threads`, `first` {step, line}, `shows` (a scenario), `verdict`, `dtypes`,
                           the messages `fix`, `first_shows`, `seen` and `note` (either may be null);
                           `twins`, the rows whose cells are the same; and of its trajectory `steps`, `dtype`,
                           `quantity`, `tensor` and `index`
    cells                  a list of cells a row; a cell is {error, state, used, step, line} as matrix tells

Its archive holds `trajectory/ROW/numpy` (the wrong one), `trajectory/ROW/torch` and `trajectory/ROW/drift` with
the row's `steps` values each, of two free runs in the scenario that shows the cause: the element furthest apart at
the end, and the largest difference of its quantity.

An experiment, kind "experiment", is what several runs together say:

    schema, version, kind, subject, environment
                           as above; subject is "notebook", "digits" or the path of the subject it is about
    title                  a line
    figures                names of pictures to draw, or nothing: all there are arrays for
    claims                 a list of {claim, original, holds, found, why, torch}: a message, the claim that was put
                           to the test, and the sentence as it stands in its source; holds is true, false or
                           "partly", torch the same of PyTorch's run; found a message with the numbers, why a message
    printed                a list of {name, notebook, numpy, torch, equal, chapter}: a message, and a number as it was
                           printed, beside ours and PyTorch's in as many digits; equal says whether ours reads the
                           same
    chapters               nothing, or a list of {name, figures, printed, runs, subjects, claims, code}: the parts it
                           is told in (lockstep/experiments/chapters.py); code is Python that makes its runs again
    optimum                null, or [x, y] of the function that the paths are on
    runs                   a list of {subject, case, dtype, verdict, used}: the runs it rests on

Its archive holds `nb/optim/NAME/SIDE/path` and `loss`, `nb/regular/NAME/SIDE/losses` and `W1`,
`nb/batchnorm/before` and `SIDE`, `trace/contour/…`, and `digits/NAME/SIDE/loss` and `accuracy`. "layers.batchnorm
batch sizes" has `batch/size` and, of a batch of each, `batch/SIDE` (the running variance it leaves with momentum 1),
`batch/biased` (its own, in double) and `batch/ratio` (n/(n-1)); "layers.dropout keep rate" has `keep/p` and of each
`keep/SIDE` (the share of the units kept) and `keep/equal` (whether the masks are the same, 1 or 0), and a corner of
two masks, `keep/mask/SIDE`.

A message is {key, values} (lockstep/text): what it says in any language is made when it is read, by
`lockstep.messages.from_json` and a `Voice`. Where one is due a text may stand, which is said as it is.

The archive is named after its content and written first, the JSON last: a reader finds the old record, or
the new one, never half of each.
"""

import dataclasses
import hashlib
import io
import json
import math
import pathlib
import re
from typing import Any

import numpy as np

from lockstep.errors import BadFile, BadValue
from lockstep.records.files import check_place, whole
from lockstep.records.validation import CHECKS, Improper

SCHEMA = "lockstep-record"
VERSION = 1
REQUIRED = {
    "run": ("subject", "case", "dtype", "steps", "verdict", "quantities"),
    "explanation": ("subject", "case", "dtype", "steps", "rungs", "explained", "kernels"),
    "growth": (
        "subject",
        "case",
        "dtype",
        "steps",
        "start",
        "differing",
        "elements",
        "classes",
        "worst",
        "worst_added",
    ),
    "walk": ("subject", "case", "dtype", "steps", "equations", "state", "source", "first_step", "walked", "rerun"),
    "detection": ("subject", "dtype", "steps", "unit", "scenarios", "causes", "cells"),
    "experiment": ("subject", "title", "claims", "printed"),
}
TYPES = {"subject": str, "case": dict, "dtype": str, "steps": int, "verdict": str, "quantities": dict, "rungs": list}
ARCHIVE = r"\.[0-9a-f]{12}\.npz"  # what follows the record's own name


class BadRecord(BadFile):
    """A file that is no record, or not one this version reads; the message names it and what is wrong."""


@dataclasses.dataclass
class Record:
    """What a run leaves behind: `data` as in the schema, `arrays` by their names in the archive."""

    data: dict[str, Any]
    arrays: dict[str, np.ndarray]

    def __getitem__(self, key: str) -> Any:
        return self.data[key]

    def series(self, mode: str, quantity: str, figure: str) -> np.ndarray:
        """A value a step of `figure` ("absolute", "ulp", "used", …) of a quantity's drift or defect."""
        return self.arrays[f"{mode}/{quantity}/{figure}"]

    def save(self, path) -> pathlib.Path:
        """Write NAME.json and its archive, whole or not at all; the path of the JSON is returned.

        Raises:
            ValueError, OSError: for another name, and a folder that cannot be written to.
            TypeError: for an array of Python objects. Both before anything is written.
        """
        path = place(path)
        content = packed(self.arrays)
        digest = hashlib.sha256(content).hexdigest()
        archive = path.with_name(f"{path.stem}.{digest[:12]}.npz")
        data = plain(self.data | {"arrays": {"file": archive.name, "sha256": digest}})
        text = json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
        with whole(path) as new_text, whole(archive) as new_archive:  # the archive takes its place first
            new_archive.write_bytes(content)
            new_text.write_text(text, "utf-8")
        of_this_name = re.compile(re.escape(path.stem) + ARCHIVE)
        for old in path.parent.iterdir():
            if of_this_name.fullmatch(old.name) and old != archive:
                old.unlink()
        return path


def place(path) -> pathlib.Path:
    """NAME.json, at which a record can be written; its folder is made.

    Raises:
        BadValue: for another name.
        BadPlace: for a folder that cannot be made or written to.
    """
    path = pathlib.Path(path)
    if path.suffix != ".json" or path.is_dir():
        raise BadValue(f"a record is saved as NAME.json, not {path.name!r}")
    check_place(path)
    return path


def packed(arrays: dict[str, np.ndarray]) -> bytes:
    """NumPy's archive of them, in the order of their names; its bytes tell of nothing but their content."""
    for key, array in arrays.items():
        if np.asarray(array).dtype.hasobject:
            raise TypeError(f"{key!r} holds Python objects; a record holds plain numbers")
    buffer = io.BytesIO()
    ordered: dict[str, Any] = {key: arrays[key] for key in sorted(arrays)}
    np.savez_compressed(buffer, **ordered)
    return buffer.getvalue()


def unpacked(content: bytes) -> dict[str, np.ndarray]:
    """The arrays of an archive.

    Raises:
        ValueError: for anything else.
    """
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            arrays = {key: archive[key] for key in archive.files}
    except Exception as error:  # somebody else's file can go wrong in any way there is
        raise ValueError(str(error)) from None
    strange = [key for key, array in arrays.items() if not isinstance(array, np.ndarray)]
    if strange:
        raise ValueError(f"{strange[0]!r} is no array")
    return arrays


def load(path) -> Record:
    """Read a record.

    Arguments:
        path: of NAME.json; its archive lies beside it.

    Raises:
        BadRecord: for a file that is missing, malformed, truncated, of a later version, or whose archive is
            missing or another one; for an entry of a walk, a detection or a curve that cannot be.
    """
    path = pathlib.Path(path)
    data = read_json(path)
    found = data.get("arrays")
    entry = found if isinstance(found, dict) else {}
    name = entry.get("file")
    if not isinstance(name, str) or not re.fullmatch(r"[^/\\\0]+" + ARCHIVE, name):
        raise BadRecord(f"{path}: 'arrays' does not name an archive beside it")
    archive = path.with_name(name)
    try:
        content = archive.read_bytes()
    except OSError as error:
        raise BadRecord(f"{path}: its archive {name} cannot be read ({error.strerror})") from None
    digest = hashlib.sha256(content).hexdigest()
    if digest != entry.get("sha256"):
        raise BadRecord(f"{path}: {name} is not the archive it was written with (sha256 {digest[:12]}…)")
    try:
        record = Record(data, unpacked(content))
    except ValueError as error:
        raise BadRecord(f"{path}: {name} is no archive of plain arrays ({error})") from None
    try:
        CHECKS.get(data.get("kind", "run"), lambda data, arrays: None)(data, record.arrays)
    except Improper as error:
        raise BadRecord(f"{path}: {error}") from None
    return record


def read_json(path: pathlib.Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise BadRecord(f"{path}: cannot be read ({error.strerror})") from None
    except (ValueError, RecursionError) as error:
        raise BadRecord(f"{path}: no JSON, or truncated ({error})") from None
    if not isinstance(data, dict) or data.get("schema") != SCHEMA:
        raise BadRecord(f"{path}: not a record (its 'schema' is not {SCHEMA!r})")
    version = data.get("version")
    if isinstance(version, bool) or not isinstance(version, int) or not 1 <= version <= VERSION:
        raise BadRecord(f"{path}: version {version!r} of the schema; this Lockstep reads up to {VERSION}")
    kind = data.get("kind", "run")
    if not isinstance(kind, str) or kind not in REQUIRED:
        raise BadRecord(f"{path}: of kind {kind!r}; this Lockstep reads {' and '.join(REQUIRED)}")
    missing = [key for key in REQUIRED[kind] if key not in data]
    if missing:
        raise BadRecord(f"{path}: incomplete, without {', '.join(missing)}")
    wrong = [key for key in REQUIRED[kind] if not isinstance(data[key], TYPES.get(key, object))]
    if wrong:
        raise BadRecord(f"{path}: {wrong[0]!r} is {data[wrong[0]]!r:.40}, which it cannot be")
    return data


def plain(value: Any) -> Any:
    """What JSON can hold; infinities and NaNs become the strings that Python's float() reads back."""
    if isinstance(value, dict):
        return {str(key): plain(part) for key, part in value.items()}
    if hasattr(value, "_asdict"):
        return plain(value._asdict())
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    return str(value)
