"""The record of a laboratory: what PyTorch made of two numbers in some settings, for a page that computes."""

import dataclasses
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from lockstep.records.record import Record
from lockstep.records.schema import NOT_EMPTY, Positive, demand
from lockstep.text import Message

NUMBERS = 2  # of a tensor, each step


@dataclasses.dataclass(frozen=True, kw_only=True)
class KeptEntry:
    """An entry of the state.

    Attributes:
        line: of the formula, which becomes it. kind: like its parameter, one number a tensor, or a count of steps.
        start: what it is before the first step: a number, the hyperparameter it starts as, or null where the first step
            creates it.
        when: the hyperparameter that puts it to use; it always is if empty.
        least_axes, most_axes: of the parameters that it is kept of. axis: along which it has one number for all.
    """

    line: str
    kind: Literal["array", "number", "count"]
    start: float | str | None
    when: str
    least_axes: int
    most_axes: int | None
    axis: int | None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Setting:
    """What was recorded of PyTorch.

    Attributes:
        name, why: what it is called, and what it brings out, where that is known.
        case: its settings. dtype: of its numbers. path: which of PyTorch's implementations.
        seed, steps: of its gradients, and how many. shape: in which the two numbers stand.
        hyperparameters: all that the formula is given, those that the case leaves as they are among them.
    """

    name: str
    why: Message | None
    case: Mapping[str, Any]
    dtype: str
    path: str | None
    seed: int
    steps: Positive
    hyperparameters: Mapping[str, Any]
    shape: tuple[int, ...]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Lead:
    """What a report begins with: a bug beside rounding.

    Attributes:
        dtype: in which format. cause: the name of the mistake.
    """

    dtype: str
    cause: str


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class LaboratoryRecord(Record, kind="laboratory"):
    """What a page needs to work out a subject's formula by itself, beside what PyTorch made of it.

    The archive holds of each setting, by its number, `NUMBER/param` (steps + 1, 2), the start among them; `NUMBER/grad`
    (steps, 2), NaN where there was none; and of the state's arrays and numbers `NUMBER/state/KEY` (steps + 1, 2), NaN
    where there is none yet.

    Attributes:
        equations: line to LaTeX, in formula order.
        state: PyTorch's key to what is declared of the entry.
        source: order of operations ("paper", "pytorch") to the text of the function that states it.
        functions: problem to the same of the function that it is, where it is one.
        sparse: whether what has no entry in a gradient, which is 0, stays where it is.
        settings: what was recorded, the first of them to begin with.
        powers: each x, y and x**y that Python worked out in a coefficient of theirs and did not round correctly, which
            the C library's last bit is the cause of; a page rounds all others.
        lead: what a report shows of it before all else, where it is the subject that a reader begins with.
    """

    equations: Mapping[str, str]
    state: Mapping[str, KeptEntry]
    source: Mapping[str, str]
    functions: Mapping[str, Mapping[str, str]]
    settings: Annotated[tuple[Setting, ...], NOT_EMPTY]
    powers: tuple[tuple[float, ...], ...]
    sparse: bool
    lead: Lead | None

    def __post_init__(self):
        super().__post_init__()
        keys = [key for key, entry in self.state.items() if entry.kind != "count"]
        wanted: dict[str, int] = {}
        for number, setting in enumerate(self.settings):
            wanted |= {f"{number}/param": setting.steps + 1, f"{number}/grad": setting.steps}
            wanted |= {f"{number}/state/{key}": setting.steps + 1 for key in keys}
        odd = sorted(wanted.keys() ^ self.arrays.keys())
        demand(not odd, f"arrays that are missing, or of no setting: {', '.join(odd)}")
        for name, steps in wanted.items():
            proper = self.arrays[name].dtype.kind == "f" and self.arrays[name].shape == (steps, NUMBERS)
            demand(proper, f"array {name!r} is not {NUMBERS} numbers for each of {steps} steps")
