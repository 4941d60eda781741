"""The record of a detection: what each known cause does to a subject, in each scenario."""

import dataclasses
from collections.abc import Mapping
from typing import Annotated, Any, Literal, cast

import numpy as np

from lockstep.numerics.verdict import Verdict
from lockstep.records.record import Record
from lockstep.records.schema import NOT_EMPTY, Place, Positive, demand
from lockstep.text import ENGLISH, Message

SIDES = ("ours", "theirs", "drift")


@dataclasses.dataclass(frozen=True, kw_only=True)
class ScenarioEntry:
    """A column: what the causes were tried in.

    Attributes:
        name, why: what it is called, and what it is there for. case: its settings. steps: how many.
    """

    name: str
    why: Message
    case: Mapping[str, Any]
    steps: Positive


@dataclasses.dataclass(frozen=True, kw_only=True)
class Cell:
    """The worst that one step does in a scenario, from the same place each step.

    Attributes:
        error: the difference from PyTorch in parameters, in units of the lr of the step; of a layer in everything it
            makes, in units of the largest magnitude PyTorch makes of it. Infinite where it is no number.
        state: the same in the optimizer's state, in units of its largest magnitude; null without one.
        used: the largest share of the allowance; above 1, the cause shows here.
        step, line: where it first does; null where it never does.
    """

    error: float = 0.0
    state: float | None = None
    used: float = 0.0
    step: Positive | None = None
    line: str | None = None

    @property
    def size(self) -> float:
        """The largest error, in the parameters or in the state."""
        return max(self.error, self.state or 0.0)


@dataclasses.dataclass(frozen=True, kw_only=True)
class ChangeEntry:
    """What a cause exchanges.

    Attributes:
        of: whether the code of a line, what is kept of one, or an argument of the formula. line: its name.
        ours, theirs: the reference's code, and what stands in its place.
    """

    of: Literal["line", "kept", "argument"]
    line: str
    ours: str
    theirs: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class FirstShown:
    """Where a cause shows first.

    Attributes:
        step, line: of the formula.
    """

    step: int
    line: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class CauseEntry:
    """A known cause.

    Attributes:
        id, variant: what it is, and which of its kind.
        formula: LaTeX. equations: of the lines that it exchanges. changes: what of them.
        behaviour, code: where no formula is wrong but what is around it.
        free: the hyperparameters that it comes with.
        seen, threads: who does it, and where that was met.
        fix, first_shows, note: how to put it right, when it shows, how to translate.
        first, shows: where it shows first, and in which scenario.
        verdict, dtypes: what it comes to, and in which dtypes.
        steps, dtype, quantity, tensor, index: of its trajectory: how long, and the element furthest apart at the end.
    """

    id: str
    variant: str
    formula: str
    equations: Mapping[str, str]
    changes: tuple[ChangeEntry, ...]
    behaviour: str | None
    code: str | None
    free: Mapping[str, Any]
    seen: Message | None
    threads: tuple[str, ...]
    fix: Message
    first_shows: Message
    note: Message | None
    first: FirstShown
    shows: str
    verdict: Verdict
    dtypes: tuple[str, ...]
    steps: Positive
    dtype: str
    quantity: str
    tensor: str
    index: Place


@dataclasses.dataclass(frozen=True, kw_only=True)
class DetectionRow:
    """A row: the reference with a cause planted in it, or as it is.

    Attributes:
        name: what it is called. cells: one a scenario. cause: null for the reference as it is.
    """

    name: str
    cells: tuple[Cell, ...]
    cause: CauseEntry | None


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class DetectionRecord(Record, kind="detection"):
    """What each known cause does to a subject.

    The archive holds `trajectory/ROW/ours` (the wrong one), `trajectory/ROW/theirs` and `trajectory/ROW/drift` with the
    row's `steps` values each, of two free runs in the scenario that shows the cause: the element furthest apart at the
    end, and the largest difference of its quantity.

    Attributes:
        dtype, seed, steps: of all of it; the steps are those of the longest trajectory.
        unit: of the errors in parameters: a hyperparameter, or "magnitude", the largest of what PyTorch makes.
        scenarios, rows: the table; its first row is the reference as it is.
        rerun: the command that makes the table again.
    """

    dtype: str
    seed: int
    steps: Positive
    unit: str
    scenarios: Annotated[tuple[ScenarioEntry, ...], NOT_EMPTY]
    rows: Annotated[tuple[DetectionRow, ...], NOT_EMPTY]
    rerun: str

    def __post_init__(self):
        super().__post_init__()
        demand(ENGLISH.has(f"unit.{self.unit}"), f"unit is {self.unit!r}, which has no name here")
        tried = [scenario.name for scenario in self.scenarios]
        wanted: dict[str, int] = {}
        for number, row in enumerate(self.rows):
            demand(len(row.cells) == len(tried), f"rows[{number}].cells: not a cell a scenario")
            demand((row.cause is None) == (number == 0), f"rows[{number}]: the first row alone is without a cause")
            if row.cause:
                known = row.cause.shows in tried
                demand(known, f"rows[{number}]: shows in {row.cause.shows!r}, which is none of the scenarios")
                wanted |= {f"trajectory/{number}/{side}": row.cause.steps for side in SIDES}
        odd = sorted(wanted.keys() ^ self.arrays.keys())
        demand(not odd, f"arrays that are missing, or of no cause: {', '.join(odd)}")
        for name, size in wanted.items():
            proper = self.arrays[name].dtype.kind == "f" and self.arrays[name].shape == (size,)
            demand(proper, f"array {name!r} is not {size} numbers")
        for number in range(1, len(self.rows)):
            ours, theirs, drift = self.trajectory(number)
            with np.errstate(invalid="ignore"):
                beyond = (np.abs(ours - theirs) > drift).any()
            demand(not beyond, f"array 'trajectory/{number}/drift' is less than the sides are apart at its element")

    def twins(self, number: int) -> list[str]:
        """The other rows whose cells are the same, to the bit."""
        own = self.rows[number]
        return [row.name for row in self.rows if row is not own and row.cells == own.cells]

    def cause(self, number: int) -> CauseEntry:
        """What is planted in a row, of any but the first."""
        return cast(CauseEntry, self.rows[number].cause)

    def trajectory(self, number: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Of a row with a cause: the element furthest apart at the end on both sides, and the largest difference."""
        ours, theirs, drift = (self.arrays[f"trajectory/{number}/{side}"].astype(np.float64) for side in SIDES)
        return ours, theirs, drift
