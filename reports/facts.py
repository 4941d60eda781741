"""What a record says, ready to be shown: the figures behind every sentence, cell and picture."""

from typing import Any, NamedTuple

import numpy as np

from lockstep.record import BadRecord, Record
from reports.words import SIGNS, severity

KINDS = ("run", "experiment")
MODES = ("drift", "defect")
HOLDS = (True, False, "partly", None)


class Worst(NamedTuple):
    """The largest value of a figure over all quantities and steps."""

    value: float
    quantity: str
    step: int


def kind(record: Record) -> str:
    return record.data.get("kind", "run")


def label(record: Record) -> str:
    """`optim.adam · Rosenbrock · float32 · single`"""
    seed = record.data.get("seed")
    parts = [
        record["subject"],
        description(record),
        record["dtype"],
        record.data.get("path"),
        f"seed {seed}" if seed else None,
    ]
    return " · ".join(str(part) for part in parts if part)


def description(record: Record) -> str:
    case = record["case"]
    return str(case.get("desc", "")) if isinstance(case, dict) else str(case)


def quantities(record: Record) -> list[str]:
    """Every compared quantity, in the record's order."""
    return [
        name for name in record["quantities"] if f"drift/{name}/absolute" in record.arrays or has_defect(record, name)
    ]


def has_defect(record: Record, quantity: str) -> bool:
    return f"defect/{quantity}/absolute" in record.arrays


def series(record: Record, mode: str, quantity: str, figure: str) -> np.ndarray:
    """A value a step; NaN where the record has none."""
    found = record.arrays.get(f"{mode}/{quantity}/{figure}")
    return np.full(record["steps"], np.nan) if found is None else np.asarray(found, np.float64)


def largest(values: np.ndarray) -> float:
    return float(np.nanmax(values)) if values.size and not np.isnan(values).all() else float("nan")


def last(values: np.ndarray) -> float:
    known = values[~np.isnan(values)]
    return float(known[-1]) if known.size else float("nan")


def worst(record: Record, mode: str, figure: str) -> Worst | None:
    """The largest `figure` of any quantity, or None where nothing was measured."""
    found = []
    for quantity in quantities(record):
        values = series(record, mode, quantity, figure)
        if not np.isnan(values).all():
            found.append(Worst(largest(values), quantity, int(np.nanargmax(values)) + 1))
    return max(found, key=lambda one: one.value, default=None)


def used(record: Record) -> float:
    """The largest share of an allowance that any element used."""
    value = record.data.get("used")
    return float("nan") if value is None or record["verdict"] == "broken" else float(value)


def elements(record: Record) -> int:
    """How many elements were compared after a step, at most."""
    counts = [series(record, "drift", quantity, "elements") for quantity in quantities(record)]
    return int(sum(largest(values) for values in counts if not np.isnan(values).all()))


def main_quantity(record: Record) -> str | None:
    """What a person watches: the parameters, else the output, else what was compared first."""
    known = quantities(record)
    return next((name for name in ("param", "output", *known) if name in known), None)


def differing(record: Record) -> list[str]:
    """The quantities of which a bit differs at some step, in either run."""
    return [
        quantity
        for quantity in quantities(record)
        if any((series(record, mode, quantity, "differing") > 0).any() for mode in MODES)
    ]


def rank(record: Record) -> tuple[float, ...]:
    """From the worst run down: verdict, share of the allowance, defect."""
    defect = worst(record, "defect", "scaled_ulp")
    return (-severity(record["verdict"]), -np.nan_to_num(used(record), nan=0.0), -(defect.value if defect else 0.0))


def sides(record: Record, prefix: str) -> tuple[np.ndarray, np.ndarray] | None:
    """Both sides' arrays below `prefix`, or None unless the record has the two."""
    ours, theirs = (record.arrays.get(f"{prefix}/{side}") for side in ("numpy", "torch"))
    return None if ours is None or theirs is None else (np.asarray(ours, np.float64), np.asarray(theirs, np.float64))


def apart(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """|ours - theirs|; equal infinities and two NaNs agree, one alone is infinitely far."""
    with np.errstate(invalid="ignore"):
        distance = np.abs(ours - theirs)
    agree = (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))
    return np.where(agree, 0.0, np.where(np.isnan(distance), np.inf, distance))


def check(record: Record) -> None:
    """Refuse a record that cannot be shown, before anything is drawn.

    Raises:
        BadRecord: naming the run and the entry that is wrong.
    """
    if kind(record) not in KINDS:
        raise BadRecord(f"a record of kind {kind(record)!r}; this report draws {' and '.join(KINDS)}")
    (check_run if kind(record) == "run" else check_experiment)(record)


def demand(holds: bool, record: Record, what: str) -> None:
    if not holds:
        raise BadRecord(f"record {str(record.data.get('subject') or record.data.get('title'))!r}: {what}")


def check_run(record: Record) -> None:
    data = record.data
    missing = [key for key in ("subject", "case", "dtype", "steps", "verdict", "quantities") if key not in data]
    demand(not missing, record, f"incomplete, without {', '.join(missing)}")
    steps = data["steps"]
    demand(isinstance(data["subject"], str), record, "'subject' is no text")
    demand(isinstance(steps, int) and not isinstance(steps, bool) and steps > 0, record, f"'steps' is {steps!r}")
    demand(data["verdict"] in SIGNS, record, f"'verdict' is {data['verdict']!r}, not one of {', '.join(SIGNS)}")
    demand(isinstance(data["quantities"], dict), record, "'quantities' is no table")
    for name, entry in data["quantities"].items():
        known = isinstance(entry, dict) and entry.get("verdict") in SIGNS
        demand(known, record, f"quantity {name!r} has no verdict among {', '.join(SIGNS)}")
    demand(is_number(data.get("used", 0)), record, f"'used' is {data.get('used')!r}, no number")
    for key in ("first_difference", "evidence", "closest_call"):
        check_finding(record, key, data.get(key))
    broken = data.get("broken")
    demand(
        broken is None or (isinstance(broken, dict) and {"id", "message"} <= broken.keys()),
        record,
        "'broken' has no id and message",
    )
    demand(isinstance(data.get("environment") or {}, dict), record, "'environment' is no table")
    check_arrays(record, steps)


FINDING = {
    "step": int, "quantity": str, "tensor": str, "line": str, "index": list | tuple, "dtype": str,
    "numpy_bits": str, "torch_bits": str, "nearer": str,
}  # fmt: skip
FINDING_NUMBERS = ("numpy", "torch", "allowed", "absolute", "relative", "ulp", "used")


def check_finding(record: Record, key: str, finding: Any) -> None:
    if finding is None:
        return
    fields = finding._asdict() if hasattr(finding, "_asdict") else finding
    demand(isinstance(fields, dict), record, f"{key!r} is no finding")
    wrong = [name for name, wanted in FINDING.items() if not isinstance(fields.get(name), wanted)]
    wrong += [name for name in FINDING_NUMBERS if not is_number(fields.get(name))]
    demand(not wrong, record, f"{key!r} has no proper {', '.join(wrong)}")


def finding(record: Record, key: str) -> dict[str, Any] | None:
    """A finding as plain fields, its numbers as floats."""
    found = record.data.get(key)
    if found is None:
        return None
    fields = found._asdict() if hasattr(found, "_asdict") else dict(found)
    return fields | {name: float(fields[name]) for name in FINDING_NUMBERS}


def is_number(value: Any) -> bool:
    """A number, or the text that stands for an infinity or a NaN in JSON."""
    return (isinstance(value, int | float) and not isinstance(value, bool)) or value in ("inf", "-inf", "nan")


def check_arrays(record: Record, steps: int) -> None:
    for name, array in record.arrays.items():
        if name.startswith("window/"):
            continue
        check_numbers(record, name)
        rows, dimensions = layout(name, steps)
        fits = rows is None or (array.ndim == dimensions and len(array) == rows)
        demand(fits, record, f"array {name!r} has shape {array.shape}, not {rows} rows for {steps} steps")
        counts = not name.endswith(("/differing", "/elements")) or not np.isinf(array).any()
        demand(counts, record, f"array {name!r} counts to infinity")
        if name.startswith("trace/") and name.endswith("/torch"):
            other = record.arrays.get(name.removesuffix("torch") + "numpy")
            demand(
                other is None or other.shape == array.shape, record, f"array {name!r} has another shape than NumPy's"
            )
    check_contour(record)


def layout(name: str, steps: int) -> tuple[int | None, int]:
    """How many rows an array has, and how many dimensions; None where it is not one by steps."""
    family, *rest = name.split("/")
    if family in MODES:
        return steps, 1
    if family == "heat":
        return steps, 2
    if family == "trace" and rest[0] != "contour":
        return (steps + 1, 2) if rest[0] == "path" else (steps, 1)
    return None, 0


def check_numbers(record: Record, name: str) -> None:
    array = record.arrays[name]
    numeric = isinstance(array, np.ndarray) and array.dtype.kind in "fiu"
    demand(numeric, record, f"array {name!r} holds no numbers")


def check_contour(record: Record) -> None:
    known = [array for name in "xyz" if (array := record.arrays.get(f"trace/contour/{name}")) is not None]
    if not known:
        return
    fits = len(known) == 3 and known[0].ndim == known[1].ndim == 1 and min(known[0].size, known[1].size) > 1
    fits = fits and known[2].shape == (known[1].size, known[0].size)
    demand(fits, record, "'trace/contour' is not x and y, and z with a row for every y")


EXPERIMENT = {
    "claims": ("claim", "holds", "found", "why"),
    "printed": ("name", "notebook", "numpy", "torch", "equal"),
    "runs": ("subject", "case", "dtype", "verdict", "used"),
}


def check_experiment(record: Record) -> None:
    data = record.data
    demand(isinstance(data.get("title"), str), record, "an experiment without a 'title'")
    for key, wanted in EXPERIMENT.items():
        rows = data.get(key) or []
        demand(isinstance(rows, list), record, f"{key!r} is no list")
        for row in rows:
            missing = [field for field in wanted if not isinstance(row, dict) or field not in row]
            demand(not missing, record, f"an entry of {key!r} is without {', '.join(missing)}")
    for claim in data.get("claims") or []:
        demand(claim["holds"] in HOLDS, record, f"a claim's 'holds' is {claim['holds']!r}, not true, false or 'partly'")
    for run in data.get("runs") or []:
        demand(run["verdict"] in SIGNS, record, f"a run's 'verdict' is {run['verdict']!r}")
        demand(is_number(run["used"]), record, f"a run's 'used' is {run['used']!r}, no number")
    best = data.get("optimum")
    point = best is None or (
        isinstance(best, list | tuple) and len(best) == 2 and all(is_number(value) for value in best)
    )
    demand(point, record, f"'optimum' is {best!r}, not a point")
    for name in record.arrays:
        check_numbers(record, name)
    check_contour(record)
