"""The steps of a small case, line by line: the paper's line and its value, beside what PyTorch ran for it."""

import functools
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from lockstep.records.kinds.walk import WalkedLine, WalkedStage, WalkRecord
from lockstep.text import Message, message
from reports import contents
from reports.symbols import Symbol, Symbols, symbols


class Stage(NamedTuple):
    """A stage of a step. lines: in formula order, those that had something to do. idle: the others."""

    name: str
    tensor: str | None
    equations: Mapping[str, str]
    symbols: Symbols
    lines: list[WalkedLine]
    idle: list[WalkedLine]
    first: str | None


class Step(NamedTuple):
    """One step, and what is to be said of it."""

    number: int
    stages: list[Stage]
    finding: Message

    @property
    def parts(self) -> bool:
        """Whether the sides part in it."""
        return any(stage.first for stage in self.stages)


class Walk:
    """What a record of kind "walk" shows."""

    def __init__(self, record: WalkRecord):
        self.record = record
        family, state = contents.family(record.subject), record.state
        self.symbols = symbols(family, record.equations, state)
        self.steps = [step(number, stages, family, state) for number, stages in enumerate(record.walked, 1) if stages]

    @functools.cached_property
    def first(self) -> Step:
        """The step that stands there in full: the first in which the sides part, or the first."""
        return next((one for one in self.steps if one.parts), self.steps[0])

    @property
    def finding(self) -> Message:
        """Where the sides part first, in a sentence."""
        return self.first.finding if self.first.parts else message("subject.step.never", steps=len(self.steps))

    @property
    def legend(self) -> list[Symbol]:
        """The symbols that the lines name, in the order of the formula; none of a network, whose layers share names."""
        stages = [stage for stage in self.steps[0].stages if set(stage.equations) <= set(self.record.equations)]
        if len(stages) < len(self.steps[0].stages):
            return []
        return self.symbols.used([line.code for stage in stages for line in stage.lines])


def step(number: int, walked: Sequence[WalkedStage], family: str, state: Mapping[str, str]) -> Step:
    stages = [stage(one, family, state) for one in walked]
    return Step(number, stages, finding(number, stages))


def stage(walked: WalkedStage, family: str, state: Mapping[str, str]) -> Stage:
    return Stage(
        name=walked.stage,
        tensor=walked.tensor,
        equations=walked.equations,
        symbols=symbols(family, walked.equations, state, walked.stage),
        lines=[line for line in walked.lines if not line.idle],
        idle=[line for line in walked.lines if line.idle],
        first=walked.first,
    )


def finding(number: int, stages: Sequence[Stage]) -> Message:
    """Where a step parts, in a sentence."""
    for stage in stages:
        for line in stage.lines:
            if line.line == stage.first:
                where = {"line": line.line, "differing": line.differing, "elements": line.elements}
                return message("subject.step.parts", step=number, ulp=line.scaled_ulp, **where)
    return message("subject.step.same", step=number)
