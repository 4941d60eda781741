"""What a record says, ready to be shown: the figures behind every sentence, cell and picture."""

from typing import Any, NamedTuple

import numpy as np

from lockstep.records.record import Record
from lockstep.text import Message, message
from reports import words
from reports.words import severity

MODES = ("drift", "defect")


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


FINDING_NUMBERS = ("numpy", "torch", "allowed", "absolute", "relative", "ulp", "used")


def finding(record: Record, key: str) -> dict[str, Any] | None:
    """A finding as plain fields, its numbers as floats."""
    found = record.data.get(key)
    if found is None:
        return None
    fields = found._asdict() if hasattr(found, "_asdict") else dict(found)
    return fields | {name: float(fields[name]) for name in FINDING_NUMBERS}


def rung_series(record: Record, number: int, figure: str) -> np.ndarray:
    """The largest `figure` of any quantity after each step, on a rung; NaN where it was broken off."""
    found = [
        np.asarray(array, np.float64)
        for name, array in record.arrays.items()
        if name.startswith(f"rung/{number}/") and name.endswith(f"/{figure}")
    ]
    return np.fmax.reduce(found) if found else np.full(record["steps"], np.nan)


LEFT_NUMBERS = ("numpy", "torch", "ulp")


def left(record: Record) -> dict[str, Any] | None:
    """The first element that no rewrite explains, as plain fields."""
    found: Any = record.data.get("left")
    if found is None:
        return None
    fields = found._asdict() if hasattr(found, "_asdict") else dict(found)
    return fields | {name: float(fields[name]) for name in LEFT_NUMBERS}


MADE = {"added by the steps": "added", "multiplied by the problem": "multiplied", "ill-conditioned": "ill"}


def grown(name: str) -> Message | str:
    """What made a difference, as lockstep.amplification names it."""
    return message(f"subject.growth.made.{MADE[name]}") if name in MADE else name


def growth(record: Record) -> Message:
    """What the record of a growth says of the element that drifted furthest."""
    if not record["worst"]:
        return message("subject.growth.none", steps=record["steps"])
    tensor, index, kind = record["worst"]
    start = float(record["start"])
    return message(
        "subject.growth.worst",
        steps=record["steps"],
        place=f"{tensor}[{', '.join(map(str, index))}]" if index else tensor,
        made=grown(kind),
        end=float(record.arrays["growth/drift"][-1]),
        added=float(record["worst_added"]),
        amplification=float(record.arrays["growth/spread"][-1]) / start if start else 0.0,
    )


def size(cell: dict[str, Any]) -> float:
    """The largest error of a cell of a detection, in the parameters or in the state."""
    return max(float(cell["error"]), float(cell.get("state") or 0.0))


def known(record: Record) -> str:
    """Why a run is another formula, as its case says beforehand: what stands behind `page.known.`; else nothing."""
    case = record["case"]
    return str(case.get("differs") or "") if isinstance(case, dict) and record["verdict"] == "different" else ""


def fails(record: Record) -> bool:
    """Whether the verdict of a run says that something is wrong, and its case did not say so beforehand."""
    return words.fails(record["verdict"]) and not known(record)
