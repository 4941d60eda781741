"""What a record says, ready to be shown: the figures behind every sentence, cell and picture."""

from typing import NamedTuple

import numpy as np

from lockstep.records.kinds.growth import Growth
from lockstep.records.kinds.run import MODES, RunRecord
from lockstep.records.record import CaseRecord, Record
from lockstep.subjects.registry import families
from lockstep.text import Message, message
from lockstep.text.names import place
from reports import words
from reports.words import severity


class Worst(NamedTuple):
    """The largest value of a figure over all quantities and steps."""

    value: float
    quantity: str
    step: int


def label(record: CaseRecord) -> str:
    """`optim.adam · Rosenbrock · float32 · single`"""
    return " · ".join(part for part in (record.subject, record.desc, variant(record)) if part)


def variant(record: CaseRecord) -> str:
    """`float32 · single`"""
    parts = (record.dtype, record.path, f"seed {record.seed}" if record.seed else None)
    return " · ".join(part for part in parts if part)


def quantities(record: RunRecord) -> list[str]:
    """Every compared quantity, in the record's order."""
    return [name for name in record.quantities if f"drift/{name}/absolute" in record.arrays or has_defect(record, name)]


def has_defect(record: RunRecord, quantity: str) -> bool:
    return f"defect/{quantity}/absolute" in record.arrays


def series(record: RunRecord, mode: str, quantity: str, figure: str) -> np.ndarray:
    """A value a step; NaN where the record has none."""
    array = record.arrays.get(f"{mode}/{quantity}/{figure}")
    return np.full(record.steps, np.nan) if array is None else np.asarray(array, np.float64)


def largest(values: np.ndarray) -> float:
    return float(np.nanmax(values)) if values.size and not np.isnan(values).all() else float("nan")


def last(values: np.ndarray) -> float:
    known = values[~np.isnan(values)]
    return float(known[-1]) if known.size else float("nan")


def worst(record: RunRecord, mode: str, figure: str) -> Worst | None:
    """The largest `figure` of any quantity, or None where nothing was measured."""
    every = []
    for quantity in quantities(record):
        values = series(record, mode, quantity, figure)
        if not np.isnan(values).all():
            every.append(Worst(largest(values), quantity, int(np.nanargmax(values)) + 1))
    return max(every, key=lambda one: one.value, default=None)


def used(record: RunRecord) -> float:
    """The largest share of an allowance that any element used."""
    return float("nan") if record.verdict == "broken" else record.used


def main_quantity(record: RunRecord) -> str | None:
    """What a person looks at first, as its family says, else what was compared first."""
    known, family = quantities(record), families().get(record.subject.partition(".")[0])
    return next((name for name in (*(family.watched if family else ()), *known) if name in known), None)


def differing(record: RunRecord) -> list[str]:
    """The quantities of which a bit differs at some step, in either run."""
    return [
        quantity
        for quantity in quantities(record)
        if any((series(record, mode, quantity, "differing") > 0).any() for mode in MODES)
    ]


def rank(record: RunRecord) -> tuple[float, ...]:
    """From the worst run down: verdict, share of the allowance, defect."""
    defect = worst(record, "defect", "scaled_ulp")
    return (-severity(record.verdict), -np.nan_to_num(used(record), nan=0.0), -(defect.value if defect else 0.0))


def sides(record: Record, prefix: str) -> tuple[np.ndarray, np.ndarray] | None:
    """Both sides' arrays below `prefix`, or None unless the record has the two."""
    ours, theirs = (record.arrays.get(f"{prefix}/{side}") for side in ("ours", "theirs"))
    return None if ours is None or theirs is None else (np.asarray(ours, np.float64), np.asarray(theirs, np.float64))


def apart(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """|ours - theirs|; equal infinities and two NaNs agree, one alone is infinitely far."""
    with np.errstate(invalid="ignore"):
        distance = np.abs(ours - theirs)
    agree = (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))
    return np.where(agree, 0.0, np.where(np.isnan(distance), np.inf, distance))


MADE = {"added by the steps": "added", "multiplied by the problem": "multiplied", "ill-conditioned": "ill"}


def grown(name: str) -> Message | str:
    """What made a difference, as lockstep.amplification names it."""
    return message(f"subject.growth.made.{MADE[name]}") if name in MADE else name


def growth(record: Growth) -> Message:
    """What the record of a growth says of the element that drifted furthest."""
    if not record.worst:
        return message("subject.growth.none", steps=record.steps)
    tensor, index, kind = record.worst
    return message(
        "subject.growth.worst",
        steps=record.steps,
        place=place(tensor, index),
        made=grown(kind),
        end=float(record.drift[-1]),
        added=record.worst_added,
        amplification=float(record.amplification[-1]),
    )


def known(record: RunRecord) -> str:
    """Why a run is another formula, as its case says beforehand: what stands behind `page.known.`; else nothing."""
    return str(record.case.get("differs") or "") if record.verdict == "different" else ""


def fails(record: RunRecord) -> bool:
    """Whether the verdict of a run says that something is wrong, and its case did not say so beforehand."""
    return words.fails(record.verdict) and not known(record)
