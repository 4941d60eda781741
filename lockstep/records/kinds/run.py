"""The record of a run: both sides side by side, free and resynchronised."""

import dataclasses
from collections.abc import Mapping

import numpy as np

from lockstep.numerics.verdict import Breakage, Finding, Verdict
from lockstep.records.record import CaseRecord, check_contour
from lockstep.records.schema import Positive, Words, demand

MODES = ("drift", "defect")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Quantity:
    """What was compared under one name.

    Attributes:
        verdict: the worst of all its steps. line: of the formula, that becomes it.
    """

    verdict: Verdict
    line: str


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class RunRecord(CaseRecord, kind="run"):
    """A run of one case.

    The archive holds, with `steps` values each, `drift/QUANTITY/FIGURE` and `defect/QUANTITY/FIGURE` for the figures of
    lockstep.engine.series.Series; `heat/MODE/QUANTITY` (steps × columns); `trace/loss/SIDE`, `trace/accuracy/SIDE`,
    `trace/path/SIDE`; `trace/contour/x`, `y` and `z`, the values of a function of two variables around the path; and
    `window/…`, the values around the findings. NaN is what was not measured.

    Attributes:
        verdict: the worst of all quantities. used: the largest share of an allowance used.
        broken: why the harness cannot be trusted here.
        first_difference: the first element that differs after one step from the same place. evidence: what the verdict
            rests on. closest_call: what used most of its allowance.
        first_drift: the first step after which the free runs differ.
        quantities: by name. equations: line to LaTeX, in formula order.
        notes: what a reader must know besides the settings.
        rerun: the command that runs it again.
    """

    verdict: Verdict
    used: float
    broken: Breakage | None = None
    first_difference: Finding | None = None
    evidence: Finding | None = None
    closest_call: Finding | None = None
    first_drift: Positive | None = None
    quantities: Mapping[str, Quantity]
    equations: Mapping[str, str]
    notes: tuple[Words, ...] = ()
    rerun: str

    def __post_init__(self):
        super().__post_init__()
        for name, array in self.arrays.items():
            rows, dimensions = layout(name, self.steps)
            fits = rows is None or (array.ndim == dimensions and len(array) == rows)
            demand(fits, f"array {name!r} has shape {array.shape}, not {rows} rows for {self.steps} steps")
            counts = not name.endswith(("/differing", "/elements")) or not np.isinf(array).any()
            demand(counts, f"array {name!r} counts to infinity")
            other = self.arrays.get(name.removesuffix("theirs") + "ours", array) if name.startswith("trace/") else array
            demand(other.shape == array.shape, f"array {name!r} has another shape than ours")
        check_contour(self.arrays)

    def series(self, mode: str, quantity: str, figure: str) -> np.ndarray:
        """A value a step of `figure` ("absolute", "ulp", "used", …) of a quantity's drift or defect."""
        return self.arrays[f"{mode}/{quantity}/{figure}"]


def layout(name: str, steps: int) -> tuple[int | None, int]:
    """How many rows an array has, and how many dimensions; None where it is not one by steps."""
    family, *rest = name.split("/")
    if family in MODES:
        return steps, 1
    if family == "heat":
        return steps, 2
    if family == "trace" and rest[:1] != ["contour"]:
        return (steps + 1, 2) if rest[:1] == ["path"] else (steps, 1)
    return None, 0
