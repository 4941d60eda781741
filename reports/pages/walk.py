"""The steps of a small case, line by line: the paper's line and its value, beside what PyTorch ran for it."""

import functools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from lockstep.messages import Message, message
from lockstep.record import Record
from reports import contents
from reports.symbols import Symbols, symbols


class Stage(NamedTuple):
    """A stage of a step. lines: in formula order, those that had something to do. idle: the others."""

    name: str
    tensor: str
    shape: list[int]
    lines: list[Mapping[str, Any]]
    idle: list[Mapping[str, Any]]
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

    def __init__(self, record: Record):
        self.record = record
        self.steps = [step(one) for one in record["walked"]]

    @functools.cached_property
    def first(self) -> Step:
        """The step that stands there in full: the first in which the sides part, or the first."""
        return next((one for one in self.steps if one.parts), self.steps[0])

    @functools.cached_property
    def symbols(self) -> Symbols:
        return symbols(
            contents.family(self.record["subject"]), self.record["equations"], self.record.data.get("state") or {}
        )

    @property
    def every_line(self) -> list[Mapping[str, Any]]:
        return [line for one in self.steps for stage in one.stages for line in [*stage.lines, *stage.idle]]

    @property
    def legend(self) -> list[Any]:
        """The symbols that the lines name, in the order of the formula."""
        lines = [line for stage in self.steps[0].stages for line in stage.lines]
        return self.symbols.used([line["code"] for line in lines])


def step(entry: Mapping[str, Any]) -> Step:
    stages = [stage(one) for one in entry["stages"]]
    return Step(entry["step"], stages, finding(entry["step"], stages))


def stage(entry: Mapping[str, Any]) -> Stage:
    idle = [line for line in entry["lines"] if line.get("idle")]
    busy = [line for line in entry["lines"] if not line.get("idle")]
    return Stage(entry["stage"], entry["tensor"], entry["shape"], busy, idle, entry["first"])


def finding(number: int, stages: Sequence[Stage]) -> Message:
    """Where a step parts, in a sentence."""
    for one in stages:
        for line in one.lines:
            if line["line"] == one.first:
                where = {key: line[key] for key in ("line", "ulp", "differing", "elements")}
                return message("subject.step.parts", step=number, **where)
    return message("subject.step.same", step=number)
