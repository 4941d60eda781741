"""What the tables of a record must hold, down to the last entry; a record may have come from somebody else."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from lockstep.errors import BadFile
from lockstep.numerics.difference import UNSIGNED
from lockstep.text import LANGUAGES, Message, Voice, from_json

Test = Callable[[Any], bool]
Arrays = Mapping[str, np.ndarray]
FLOAT = {8: np.float32, 16: np.float64}  # by the digits of its bits


class Improper(BadFile):
    """An entry that a record of its kind cannot hold; the message says where it stands and what is wrong."""


def text(value: Any) -> bool:
    return isinstance(value, str)


def flag(value: Any) -> bool:
    return isinstance(value, bool)


def whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def positive(value: Any) -> bool:
    return whole(value) and value > 0


def number(value: Any) -> bool:
    """A number, or the text that stands for an infinity or a NaN in JSON."""
    return (isinstance(value, int | float) and not isinstance(value, bool)) or value in ("inf", "-inf", "nan")


def bits(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(r"0x([0-9a-f]{8}|[0-9a-f]{16})", value) is not None


def place(value: Any) -> bool:
    """A shape, or an index into one."""
    return isinstance(value, list | tuple) and all(map(whole, value))


def texts(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(map(text, value))


def said(value: Any) -> bool:
    """A message that can be said in every language."""
    try:
        found = from_json(value)
        return isinstance(found, Message) and all(Voice(one).say(found) for one in LANGUAGES)
    except (LookupError, TypeError, ValueError, AttributeError, RecursionError):
        return False


def words(value: Any) -> bool:
    """A text, or a message."""
    return text(value) or said(value)


def table(value: Any) -> bool:
    """Names to texts."""
    return isinstance(value, Mapping) and all(text(key) and text(entry) for key, entry in value.items())


def mapping(value: Any) -> bool:
    return isinstance(value, Mapping)


def optional(test: Test) -> Test:
    return lambda value: value is None or test(value)


OPERATION: dict[str, Test] = {"name": text, "value": optional(number)}
LINE: dict[str, Test] = {
    "line": text,
    "code": text,
    "torch_code": optional(text),
    "shape": place,
    "index": place,
    "numpy": number,
    "numpy_bits": bits,
    "torch": optional(number),
    "torch_bits": optional(bits),
    "shown": flag,
    "idle": flag,
    "ulp_here": optional(number),
    "differing": whole,
    "elements": whole,
    "ulp": number,
    "scaled_ulp": number,
}
STAGE: dict[str, Test] = {
    "stage": text,
    "tensor": optional(text),
    "shape": optional(place),
    "equations": table,
    "first": optional(text),
    "operations": texts,
}
WALK: dict[str, Test] = {
    "subject": text,
    "case": mapping,
    "dtype": text,
    "steps": whole,
    "first_step": optional(whole),
    "equations": table,
    "state": table,
    "source": table,
    "rerun": text,
}


def demand(holds: bool, where: str, what: str) -> None:
    if not holds:
        raise Improper(f"{where}: {what}")


def fields(entry: Any, tests: Mapping[str, Test], where: str) -> bool:
    """True for a table with all the entries that are tested, each as it must be.

    Raises:
        Improper: for any other.
    """
    demand(isinstance(entry, Mapping), where, "is no table")
    missing = [key for key in tests if key not in entry]
    demand(not missing, where, f"is without {', '.join(missing)}")
    wrong = [key for key, test in tests.items() if not test(entry[key])]
    demand(not wrong, where, f"{wrong[0] if wrong else ''!r} is {entry[wrong[0]] if wrong else ''!r:.40}")
    return True


def each(entry: Mapping[str, Any], key: str, where: str) -> list[tuple[Any, str]]:
    """The entries of a list that must not be empty, each with where it stands."""
    found = entry.get(key)
    demand(isinstance(found, list | tuple) and len(found) > 0, where, f"{key!r} is no list, or empty")
    return [(one, f"{where}{key}[{number}]") for number, one in enumerate(found or [])]


def check_walk(data: Mapping[str, Any], arrays: Arrays) -> None:
    """Refuse a walk whose steps, stages or lines are not whole.

    Raises:
        Improper: naming the entry.
    """
    fields(data, WALK, "walk")
    demand(not arrays, "walk", "has arrays, which no walk has")
    steps = each(data, "walked", "")
    for count, (step, where) in enumerate(steps, 1):
        fields(step, {"step": whole}, where)
        demand(step["step"] == count, where, f"is step {step['step']}, where {count} is due")
        for stage, at in each(step, "stages", f"{where}."):
            check_stage(stage, at)
    demand(len(steps) == data["steps"], "walked", f"has {len(steps)} steps, not {data['steps']}")
    parted = [step["step"] for step, _ in steps if any(stage["first"] for stage in step["stages"])]
    first = parted[0] if parted else None
    demand(
        data["first_step"] == first,
        "walk",
        f"'first_step' is {data['first_step']!r}, and lines differ from {first!r} on",
    )


SAID = {"claims": ("claim", "found", "why"), "printed": ("name",)}  # of an experiment


def check_said(data: Mapping[str, Any]) -> None:
    """Refuse an experiment whose claims or names cannot be said.

    Raises:
        Improper: naming the entry.
    """
    for key, parts in SAID.items():
        demand(isinstance(data[key], list), key, "is no list")
        for count, entry in enumerate(data[key]):
            fields(entry, dict.fromkeys(parts, words), f"{key}[{count}]")


def check_run(data: Mapping[str, Any], arrays: Arrays) -> None:
    """Refuse a run whose notes cannot be said.

    Raises:
        Improper: naming the first.
    """
    notes = data.get("notes", [])
    demand(isinstance(notes, list) and all(map(words, notes)), "notes", "are no list of texts and messages")


def check_stage(stage: Any, where: str) -> None:
    fields(stage, STAGE, where)
    lines = each(stage, "lines", f"{where}.")
    for line, at in lines:
        check_line(line, at)
    differing = [line["line"] for line, _ in lines if line["differing"]]
    first = differing[0] if differing else None
    demand(stage["first"] == first, where, f"'first' is {stage['first']!r}, and {first!r} is the first that differs")
    names = [operation["name"] for line, _ in lines for operation in line["operations"]]
    demand(names == list(stage["operations"]), where, "'operations' are not those of its lines")


def check_line(line: Any, where: str) -> None:
    fields(line, LINE, where)
    operations = line.get("operations")
    demand(isinstance(operations, list | tuple), where, "'operations' is no list")
    for count, operation in enumerate(operations or []):
        fields(operation, OPERATION, f"{where}.operations[{count}]")
    fits = len(line["index"]) == len(line["shape"]) and all(
        k < size for k, size in zip(line["index"], line["shape"], strict=True)
    )
    demand(fits, where, f"index {list(line['index'])} is none of shape {list(line['shape'])}")
    shown = [line[key] is not None for key in ("torch", "torch_bits", "ulp_here")]
    demand(set(shown) == {line["shown"]}, where, "PyTorch's value is there and not shown, or shown and not there")
    demand(line["shown"] or not line["differing"], where, "differs from what is not shown")
    demand(line["differing"] <= line["elements"], where, "differs in more elements than there are")
    demand(not (line["idle"] and operations), where, "is idle, and something was done")
    for side in ("numpy", "torch"):
        if line[side] is not None:
            demand(
                means(line[f"{side}_bits"], line[side]),
                where,
                f"{line[f'{side}_bits']} are not the bits of {line[side]!r}",
            )


def means(written: str, value: Any) -> bool:
    """Whether the bits are those of the number."""
    dtype = FLOAT[len(written) - 2]
    found = np.array(int(written, 16), UNSIGNED[np.dtype(dtype).itemsize]).view(dtype)
    return bool(found == float(value) or (np.isnan(found) and np.isnan(float(value))))


SCENARIO: dict[str, Test] = {"name": text, "why": said, "case": mapping, "steps": whole}
FAITHFUL: dict[str, Test] = {"name": text, "id": lambda value: value is None, "twins": texts}
CAUSE: dict[str, Test] = {
    "name": text,
    "id": text,
    "variant": text,
    "formula": text,
    "equations": table,
    "behaviour": optional(text),
    "code": optional(text),
    "free": mapping,
    "seen": optional(said),
    "threads": texts,
    "fix": said,
    "first_shows": said,
    "note": optional(said),
    "shows": text,
    "verdict": text,
    "dtypes": texts,
    "twins": texts,
    "dtype": text,
    "quantity": text,
    "tensor": text,
    "index": place,
    "steps": positive,
}
CHANGE: dict[str, Test] = {
    "of": lambda value: value in ("line", "kept", "argument"),
    "line": text,
    "ours": text,
    "theirs": text,
}
CELL: dict[str, Test] = {
    "error": number,
    "state": optional(number),
    "used": number,
    "step": optional(whole),
    "line": optional(text),
}
DETECTION: dict[str, Test] = {
    "subject": text,
    "dtype": text,
    "steps": positive,
    "unit": lambda value: value in ("lr", "magnitude"),
    "equations": table,
    "rerun": text,
}
SIDES = ("numpy", "torch", "drift")


def check_detection(data: Mapping[str, Any], arrays: Arrays) -> None:
    """Refuse a table of causes whose rows, columns or trajectories are not whole.

    Raises:
        Improper: naming the entry.
    """
    fields(data, DETECTION, "detection")
    tried = [scenario["name"] for scenario, where in each(data, "scenarios", "") if fields(scenario, SCENARIO, where)]
    rows = each(data, "causes", "")
    for count, (row, where) in enumerate(rows):
        fields(row, CAUSE if count else FAITHFUL, where)
        if count:
            check_cause(row, where, tried)
    cells = [row for row, _ in each(data, "cells", "")]
    demand(len(cells) == len(rows), "cells", f"{len(cells)} rows for {len(rows)} causes")
    for count, row in enumerate(cells):
        demand(isinstance(row, list | tuple) and len(row) == len(tried), f"cells[{count}]", "not a cell a scenario")
        for column, cell in enumerate(row):
            fields(cell, CELL, f"cells[{count}][{column}]")
    for count, (row, where) in enumerate(rows):
        same = [other["name"] for k, (other, _) in enumerate(rows) if k != count and cells[k] == cells[count]]
        demand(list(row["twins"]) == same, where, f"its twins are {', '.join(same) or 'none'} by the cells")
    check_trajectories([row["steps"] for row, _ in rows[1:]], arrays)


def check_cause(row: Mapping[str, Any], where: str, tried: list[str]) -> None:
    fields(row.get("first"), {"step": whole, "line": text}, f"{where}.first")
    changed = row.get("changes")
    demand(isinstance(changed, list | tuple), where, "'changes' is no list")
    for count, change in enumerate(changed or []):
        fields(change, CHANGE, f"{where}.changes[{count}]")
    demand(row["shows"] in tried, where, f"shows in {row['shows']!r}, which is none of the scenarios")


def check_trajectories(steps: list[int], arrays: Arrays) -> None:
    wanted = {f"trajectory/{row}/{side}": size for row, size in enumerate(steps, 1) for side in SIDES}
    odd = sorted(wanted.keys() ^ arrays.keys())
    demand(not odd, "arrays", f"{odd[0] if odd else ''!r} is missing, or of no cause")
    for name, size in wanted.items():
        demand(arrays[name].dtype.kind == "f" and arrays[name].shape == (size,), name, f"is not {size} numbers")
    for row in range(1, len(steps) + 1):
        ours, theirs, drift = (arrays[f"trajectory/{row}/{side}"].astype(np.float64) for side in SIDES)
        with np.errstate(invalid="ignore"):
            beyond = np.abs(ours - theirs) > drift
        demand(not beyond.any(), f"trajectory/{row}/drift", "is less than the sides are apart at its element")


BATCH = ("size", "numpy", "torch", "biased", "ratio")
KEEP = ("p", "numpy", "torch", "equal")
MASKS = ("keep/mask/numpy", "keep/mask/torch")


def check_experiment(data: Mapping[str, Any], arrays: Arrays) -> None:
    """Refuse words that cannot be said and a curve that is not whole; all else is for its pictures to know.

    Raises:
        Improper: naming the entry, or the array.
    """
    check_said(data)
    for family, names in (("batch", BATCH), ("keep", KEEP)):
        if any(name.startswith(f"{family}/") for name in arrays):
            check_curve(arrays, [f"{family}/{name}" for name in names])
    if any(name.startswith("keep/") for name in arrays):
        shapes = {arrays[name].shape for name in MASKS if name in arrays}
        demand(len(shapes) == 1 and len(next(iter(shapes))) == 2, "keep/mask", "has no two masks of one shape")
        odd = [name for name in (*MASKS, "keep/equal") if not np.isin(arrays.get(name, 2), (0, 1)).all()]
        demand(not odd, odd[0] if odd else "", "has other entries than 0 and 1")


def check_curve(arrays: Arrays, names: list[str]) -> None:
    missing = [name for name in names if name not in arrays]
    demand(not missing, missing[0] if missing else "", "is missing")
    lengths = {arrays[name].shape for name in names}
    first = arrays[names[0]]
    demand(len(lengths) == 1 and first.ndim == 1 and first.size > 0, names[0], "and its like are no rows of one length")
    odd = [name for name in names if arrays[name].dtype.kind not in "fiu" or not np.isfinite(arrays[name]).all()]
    demand(not odd, odd[0] if odd else "", "holds what is no number")


CHECKS: dict[str, Callable[[Mapping[str, Any], Arrays], None]] = {
    "run": check_run,
    "experiment": check_experiment,
    "walk": check_walk,
    "detection": check_detection,
}
