"""The record of an explanation: the ladder from the paper's order to PyTorch's last bit."""

import dataclasses
from typing import Annotated

import numpy as np

from lockstep.numerics.probe import Findings
from lockstep.numerics.verdict import Finding
from lockstep.records.record import CaseRecord
from lockstep.records.schema import NOT_EMPTY, Count, Positive, Words, demand


@dataclasses.dataclass(frozen=True, kw_only=True)
class Rung:
    """What was left after a rewrite of the reference.

    Attributes:
        name: of the rewrite. differing, elements: after the last step, over all quantities. max_ulp: the largest at any
            step. first_step: the first after which anything differs.
    """

    name: Words
    differing: Count
    elements: Count
    max_ulp: float
    first_step: Positive | None

    @property
    def closes(self) -> bool:
        """Whether not one bit differed at any step."""
        return self.first_step is None


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class ExplanationRecord(CaseRecord, kind="explanation"):
    """A ladder.

    The archive holds `rung/NUMBER/QUANTITY/FIGURE` with `steps` values each, the rungs counted from 0.

    Attributes:
        rungs: in the order they were climbed.
        explained: whether the last one closes. kernels: the primitives that had to be PyTorch's.
        left: the first element that no rewrite explains.
        findings: what the probe found out about the machine.
        rerun: the command that climbs it again.
    """

    rungs: Annotated[tuple[Rung, ...], NOT_EMPTY]
    explained: bool
    kernels: tuple[str, ...]
    left: Finding | None
    findings: Findings | None
    rerun: str

    def __post_init__(self):
        super().__post_init__()
        self.check_series(self.arrays)
        for number, rung in enumerate(self.rungs):
            known = not np.isnan(self.series(number)).all()
            demand(known, f"rung {str(rung.name)!r} has no series of scaled_ulp")
        last = self.rungs[-1]
        closes = last.closes and not np.any(self.series(len(self.rungs) - 1) != 0)
        demand(closes or not self.explained, f"explained, and rung {str(last.name)!r} leaves a difference")

    def series(self, number: int, figure: str = "scaled_ulp") -> np.ndarray:
        """The largest `figure` of any quantity after each step, on a rung; NaN where it was broken off."""
        of_all = [
            np.asarray(array, np.float64)
            for name, array in self.arrays.items()
            if name.startswith(f"rung/{number}/") and name.endswith(f"/{figure}")
        ]
        return np.fmax.reduce(of_all) if of_all else np.full(self.steps, np.nan)
