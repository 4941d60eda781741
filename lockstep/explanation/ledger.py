"""The ledger of one step: the lines of the formula beside the operations that PyTorch really ran.

A walk (lockstep/explanation/walk.py) of which the last step alone is looked at, on any rounding of the ladder.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

from lockstep.cases import Case
from lockstep.errors import BadValue
from lockstep.explanation.walk import Walker
from lockstep.numerics import formats
from lockstep.records.kinds.walk import WalkedLine, WalkedStage
from lockstep.subjects.registry import asked, find
from lockstep.subjects.subject import Request
from lockstep.text import ENGLISH, Message, Voice, message
from lockstep.text.names import place
from lockstep.text.rows import padded

ROUNDINGS = {name: message(f"ledger.{name}") for name in ("plain", "fused", "kernels", "paper")}


@dataclasses.dataclass(frozen=True)
class Ledger:
    """One stage of a step, line by line: `walked`, worked out with `rounding` in `dtype`."""

    label: str
    step: int
    rounding: str
    dtype: str
    walked: WalkedStage

    @property
    def stage(self) -> str:
        """Which."""
        return self.walked.stage

    @property
    def entries(self) -> tuple[WalkedLine, ...]:
        """Its lines."""
        return self.walked.lines

    @property
    def first(self) -> str | None:
        """The first line that differs, or None."""
        return self.walked.first

    @property
    def operations(self) -> tuple[str, ...]:
        """All that PyTorch ran."""
        return self.walked.operations

    def to_json(self) -> dict[str, Any]:
        """The ledger in plain data."""
        known = dataclasses.asdict(self)
        walked = known.pop("walked")
        entries = walked.pop("lines")
        return known | walked | {"entries": entries, "first": self.first, "operations": self.operations}

    def state(self, entry: WalkedLine) -> Message:
        """What is said of an entry: not shown, identical, or how far apart."""
        if not entry.shown:
            return message("ledger.not-shown")
        if not entry.differing:
            return message("ledger.identical")
        apart = message("ledger.apart", ulp=entry.ulp, differing=entry.differing, elements=entry.elements)
        return message("ledger.first", apart=apart) if entry.line == self.first else apart

    def __str__(self) -> str:
        return self.told()

    def told(self, voice: Voice = ENGLISH) -> str:
        """What a person reads of it, in a language."""
        yours, pytorch = (padded(voice(f"row.{side}"), 8) for side in ("yours", "pytorch"))
        held = formats.named(self.dtype)
        numbers = [
            number for entry in self.entries for number in (entry.ours, *(ran.value for ran in entry.operations))
        ]
        width = max(len(held.text(number)) for number in numbers if number is not None)
        rounding = ROUNDINGS[self.rounding]
        lines = [voice("ledger.title", label=self.label, step=self.step, stage=self.stage, rounding=rounding)]
        for entry in self.entries:
            lines.append(f"  {place(entry.line, entry.index):<24} {voice.say(self.state(entry))}")
            lines.append(f"    {yours} {held.text(entry.ours):<{width}} {' '.join(entry.code.split())}")
            for ran in entry.operations:
                text = "" if ran.value is None else held.text(ran.value)
                lines.append(f"    {pytorch} {text:<{width}} {ran.name}")
        return "\n".join(lines)


def ledger(
    subject: str,
    *,
    step: int = 1,
    case: str | Case | None = None,
    problem: Any = None,
    dtype: str | None = None,
    seed: int = 0,
    path: str | None = None,
    tensor: str | None = None,
    rounding: str = "fused",
    hyperparameters: Mapping[str, Any] | None = None,
    ours: type | None = None,
) -> list[Ledger]:
    """One step of both sides from PyTorch's own state, line by line; a ledger a stage.

    Arguments:
        subject, case, problem, dtype, seed, path, hyperparameters: as for `lockstep.run`.
        step: which, from 1.
        tensor: of an optimizer, which parameter; of a network, which layer; the first if None.
        rounding: "plain" (NumPy's own), "fused" (as this CPU's kernels contract and add up), "kernels" (PyTorch's
            kernel for every primitive that has one), all in PyTorch's order; or "paper", the lines of the paper's.
        ours: a class in place of the reference's, with the same `ORDERS`.

    Raises:
        ValueError: for anything that makes no sense, before a step is taken.
    """
    if rounding not in ROUNDINGS:
        raise BadValue(message("error.rounding", known=", ".join(ROUNDINGS), given=rounding))
    request = asked(subject, case, dtype, path, seed, step, problem=problem, hyperparameters=hyperparameters)
    return ledgers(request, tensor, rounding, ours)


def ledgers(request: Request, tensor: str | None, rounding: str, ours: type | None = None) -> list[Ledger]:
    """The last step of what is asked for, a ledger a stage; `ours` in place of the reference's class."""
    pair = request.pair(ours)
    walker = Walker(pair, tensor, rounding)
    for step in range(1, request.steps):
        walker.skip(step)
    label = request.beside(pair).label
    return [Ledger(label, request.steps, rounding, request.dtype, stage) for stage in walker.stages(request.steps)]


def operations(subject: str) -> dict[str, list[str]]:
    """What PyTorch runs for a subject: "CLASS or PATH: STAGE" to ATen's names, in order, in a plain second step.

    Kept as a snapshot, it tells when another PyTorch takes another way.
    """
    known = find(subject)
    classes = {known.family.class_name(case): case for case in reversed(known.cases.CASES)}
    return {
        f"{name or path or known.path}: {entry.stage}": list(entry.operations)
        for name, case in classes.items()
        for path in known.family.paths(known, case)
        for entry in ledger(subject, step=2, case=case, path=path)
    }
