"""The record of a walk: a short run line by line, the paper's order beside what PyTorch ran for it."""

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Annotated

from lockstep.numerics.verdict import check_bits, check_index
from lockstep.records.record import CaseRecord
from lockstep.records.schema import NOT_EMPTY, Count, Place, demand


@dataclasses.dataclass(frozen=True, kw_only=True)
class Operation:
    """An operation that PyTorch ran.

    Attributes:
        name: in PyTorch. value: what it made of the element that is read; null where its result has another shape.
    """

    name: str
    value: float | None


@dataclasses.dataclass(frozen=True, kw_only=True)
class WalkedLine:
    """A line of the paper's formula beside PyTorch's.

    Attributes:
        line: its name. code, their_code: the assignment as it stands in the source, in the paper's order, and in
            PyTorch's if that has it.
        shape, index: which element of it is read.
        dtype: of the values.
        ours, theirs, ours_bits, theirs_bits: the element; null where PyTorch does not show the line.
        operations: what PyTorch ran for it, in order.
        idle: nothing was done, on either side: the line is what it was given, or a line before it.
        ulp_here: between both at `index`. differing, elements, ulp, scaled_ulp: over the whole tensor; nothing where it
            is not shown.
    """

    line: str
    code: str
    their_code: str | None
    shape: Place
    index: Place
    dtype: str
    ours: float
    ours_bits: str
    theirs: float | None
    theirs_bits: str | None
    operations: tuple[Operation, ...]
    idle: bool
    ulp_here: float | None
    differing: Count
    elements: Count
    ulp: float
    scaled_ulp: float

    def __post_init__(self):
        check_index(self.index, self.shape)
        check_bits(self.ours_bits, self.ours, self.dtype)
        absent = {value is None for value in (self.theirs, self.theirs_bits, self.ulp_here)}
        demand(len(absent) == 1, "PyTorch's value is half there")
        if self.theirs is not None:
            check_bits(str(self.theirs_bits), self.theirs, self.dtype)
        demand(self.shown or not self.differing, "differs from what is not shown")
        demand(self.differing <= self.elements, "differs in more elements than there are")
        demand(not (self.idle and self.operations), "is idle, and something was done")

    @property
    def shown(self) -> bool:
        """Whether PyTorch has a value of it."""
        return self.theirs is not None


@dataclasses.dataclass(frozen=True, kw_only=True)
class WalkedStage:
    """One stage of a step.

    Attributes:
        stage: its name. tensor, shape: which parameter an update is taken of.
        equations: line to LaTeX. lines: in the order of the paper.
    """

    stage: str
    tensor: str | None
    shape: Place | None
    equations: Mapping[str, str]
    lines: Annotated[tuple[WalkedLine, ...], NOT_EMPTY]

    @property
    def first(self) -> str | None:
        """The first line that differs."""
        return next((line.line for line in self.lines if line.differing), None)

    @property
    def operations(self) -> tuple[str, ...]:
        """All that PyTorch ran."""
        return tuple(operation.name for line in self.lines for operation in line.operations)


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class WalkRecord(CaseRecord, kind="walk"):
    """A short run line by line: worked out by NumPy from PyTorch's state before the step, beside PyTorch's values.

    It has no arrays.

    Attributes:
        equations: line to LaTeX, in formula order.
        state: PyTorch's key of a state entry to the line that becomes it.
        source: order of operations ("paper", "pytorch") to the text of the functions that state it.
        walked: the stages of each step; none of one in which no formula is worked out.
        rerun: the command that walks to where the sides part.
        panel: which of the laboratory's panels works out its formula, at the notebook's size; null where none does.
    """

    equations: Mapping[str, str]
    state: Mapping[str, str]
    source: Mapping[str, str]
    walked: Annotated[tuple[tuple[WalkedStage, ...], ...], NOT_EMPTY]
    rerun: str
    panel: str | None

    def __post_init__(self):
        super().__post_init__()
        demand(not self.arrays, "has arrays, which no walk has")
        demand(any(self.walked), "has no step in which a formula is worked out")
        demand(len(self.walked) == self.steps, f"walked has {len(self.walked)} steps, not {self.steps}")

    @property
    def first_step(self) -> int | None:
        """The first step at which any line differs."""
        return first_step(self.walked)


def first_step(walked: Iterable[Iterable[WalkedStage]]) -> int | None:
    """The first step at which any line differs."""
    return next((step for step, stages in enumerate(walked, 1) if any(stage.first for stage in stages)), None)
