"""The record of a run: everything a page or a verdict needs, as JSON beside NumPy arrays.

Schema, version 1. `NAME.json`:

    schema, version        "lockstep-record", 1
    kind                   "run", "explanation" or "experiment" (both below)
    subject, case, dtype, path, seed, steps
                           what was run; `case` holds desc, problem, hyperparameters, shapes, schedule
    environment            versions, CPU, capability, threads (lockstep/environment.py)
    verdict, used          the run's verdict; the largest share of an allowance used
    broken                 null, or {id, message}
    first_difference, evidence, closest_call
                           null, or a finding (the fields of lockstep.verdict.Finding)
    first_drift            null, or the first step after which the free runs differ
    quantities             name to {line, verdict}
    equations              line to LaTeX, in formula order
    rerun                  the command that runs it again
    arrays                 {file, sha256}: the archive beside it

The archive (NumPy's npz, no pickles) holds, with `steps` values each, `drift/QUANTITY/FIGURE` and
`defect/QUANTITY/FIGURE` for the figures of lockstep.series.Series; `heat/MODE/QUANTITY` (steps × columns);
`trace/loss/SIDE`, `trace/accuracy/SIDE`, `trace/path/SIDE`; `trace/contour/x`, `y` and `z`, the values of a
function of two variables around the path; and `window/…`, the values around the findings. NaN is what was not
measured.

An explanation, kind "explanation", is a ladder (lockstep/ladder.py):

    schema, version, kind, subject, case, dtype, path, seed, steps, environment, equations, rerun
                           as above
    rungs                  a list of {name, differing, elements, max_ulp, first_step}: what was left after each
    explained, kernels     whether the last rung closed; the primitives that had to be PyTorch's
    left                   null, or the first element left (the fields of lockstep.ladder.Left)
    findings               what the probe found out about the machine (lockstep/probe.py)

Its archive holds `rung/NUMBER/QUANTITY/FIGURE` with `steps` values each, the rungs counted from 0.

An experiment, kind "experiment", is what several runs together say:

    schema, version, kind, subject, environment
                           as above; subject is "notebook" or "digits"
    title                  a line
    figures                names of pictures to draw, or nothing: all there are arrays for
    claims                 a list of {claim, original, holds, found, why}: a sentence put to the test, and as it
                           stands in its source; holds is
                           true, false or "partly", found a sentence with the numbers, why a sentence
    printed                a list of {name, notebook, numpy, torch, equal}: a number as it was printed, beside
                           ours and PyTorch's in as many digits; equal says whether ours reads the same
    optimum                null, or [x, y] of the function that the paths are on
    runs                   a list of {subject, case, dtype, verdict, used}: the runs it rests on

Its archive holds `nb/optim/NAME/SIDE/path` and `loss`, `nb/regular/NAME/SIDE/losses` and `W1`,
`nb/batchnorm/before` and `SIDE`, `trace/contour/…`, and `digits/NAME/SIDE/loss` and `accuracy`.

The archive is named after its content and written first, the JSON last: a reader finds the old record, or
the new one, never half of each.
"""

import dataclasses
import hashlib
import io
import json
import math
import pathlib
import zipfile
from typing import Any

import numpy as np

from lockstep.files import whole

SCHEMA = "lockstep-record"
VERSION = 1
REQUIRED = {
    "run": ("subject", "case", "dtype", "steps", "verdict", "quantities"),
    "explanation": ("subject", "case", "dtype", "steps", "rungs", "explained", "kernels"),
    "experiment": ("subject", "title", "claims", "printed"),
}


class BadRecord(ValueError):
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
        """Write NAME.json and its archive, whole or not at all; the path of the JSON is returned."""
        path = pathlib.Path(path)
        if path.suffix != ".json":
            raise ValueError(f"a record is saved as NAME.json, not {path.name!r}")
        buffer = io.BytesIO()
        np.savez_compressed(buffer, allow_pickle=False, **{key: self.arrays[key] for key in sorted(self.arrays)})
        content = buffer.getvalue()
        digest = hashlib.sha256(content).hexdigest()
        archive = path.with_name(f"{path.stem}.{digest[:12]}.npz")
        data = self.data | {"arrays": {"file": archive.name, "sha256": digest}}
        with whole(archive) as temporary:
            temporary.write_bytes(content)
        with whole(path) as temporary:
            temporary.write_text(json.dumps(plain(data), indent=1, ensure_ascii=False, allow_nan=False) + "\n", "utf-8")
        for old in path.parent.glob(f"{path.stem}.{'?' * 12}.npz"):
            if old != archive:
                old.unlink()
        return path


def load(path) -> Record:
    """Read a record.

    Raises:
        BadRecord: for a file that is missing, malformed, truncated, of a later version, or whose archive is
            missing or another one.
    """
    path = pathlib.Path(path)
    data = read_json(path)
    found = data.get("arrays")
    entry = found if isinstance(found, dict) else {}
    name = entry.get("file")
    if not isinstance(name, str) or pathlib.PurePath(name).name != name:
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
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            loaded = {key: arrays[key] for key in arrays.files}
    except (ValueError, zipfile.BadZipFile, EOFError) as error:
        raise BadRecord(f"{path}: {name} is no archive of plain arrays ({error})") from None
    return Record(data, loaded)


def read_json(path: pathlib.Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise BadRecord(f"{path}: cannot be read ({error.strerror})") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise BadRecord(f"{path}: no JSON, or truncated ({error})") from None
    if not isinstance(data, dict) or data.get("schema") != SCHEMA:
        raise BadRecord(f"{path}: not a record (its 'schema' is not {SCHEMA!r})")
    version = data.get("version")
    if not isinstance(version, int) or version > VERSION:
        raise BadRecord(f"{path}: version {version!r} of the schema; this Lockstep reads up to {VERSION}")
    kind = data.get("kind", "run")
    if kind not in REQUIRED:
        raise BadRecord(f"{path}: of kind {kind!r}; this Lockstep reads {' and '.join(REQUIRED)}")
    missing = [key for key in REQUIRED[kind] if key not in data]
    if missing:
        raise BadRecord(f"{path}: incomplete, without {', '.join(missing)}")
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
