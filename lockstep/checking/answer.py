"""What a check answers: a verdict a scenario, the whole of them, as plain data and as a person reads it."""

import dataclasses
import math
from typing import Any

import numpy as np

from lockstep.diagnose.replay import Element, Residual
from lockstep.numerics.difference import bits
from lockstep.numerics.verdict import Verdict, worst
from lockstep.recordings.recording import Recording
from lockstep.records.record import plain
from lockstep.text import ENGLISH, Message, Voice, message
from lockstep.text.rows import at, row


@dataclasses.dataclass
class Outcome:
    """One scenario in one dtype.

    used: the largest share of an allowance. first: the first number beyond it. identical: whether every bit
    is PyTorch's. nearer: of the numbers of the first step that differ from PyTorch's, how many are nearer to
    the exact result on their side ("yours") and how many on PyTorch's ("torch").
    """

    recording: Recording
    residual: Residual
    identical: bool = False
    nearer: dict[str, int] = dataclasses.field(default_factory=dict)

    @property
    def verdict(self) -> Verdict:
        """identical, rounding, ill-conditioned or different."""
        if not self.residual.explains:
            return Verdict.DIFFERENT
        if self.identical:
            return Verdict.IDENTICAL
        return Verdict.ILL_CONDITIONED if self.residual.uncertain else Verdict.ROUNDING

    def to_json(self) -> dict[str, Any]:
        """The scenario as plain data."""
        return {
            "name": self.recording.scenario,
            "why": ENGLISH.plain(self.recording.why),
            "dtype": self.recording.dtype,
            "steps": len(self.recording.steps),
            "hyperparameters": plain(self.recording.hyperparameters),
            "verdict": str(self.verdict),
            "used": plain(self.residual.used),
            "first_difference": described(self.recording, self.residual.first),
            "nearer": self.nearer,
        }


@dataclasses.dataclass
class Check:
    """What a check found.

    Attributes:
        subject: the path of what it was held against. target: what was checked, in words.
        words: the shape it was driven in. names: PyTorch's hyperparameters to its own names.
        verdict: identical, rounding, ill-conditioned, different or broken.
        broken: None, or `{id, message}`: why it could not be checked.
        outcomes: one a scenario and dtype. not_triggered: what could not be tried or had no effect, each
            with its reason. notes: what is true besides.
        causes, equivalent: what the diagnosis named; diagnosis: itself, if there was need of one. rerun: the command
            that shows it again.
    """

    subject: str
    target: str
    words: str = ""
    names: dict[str, str] = dataclasses.field(default_factory=dict)
    broken: dict[str, Any] | None = None
    outcomes: list[Outcome] = dataclasses.field(default_factory=list)
    not_triggered: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    notes: list[Message] = dataclasses.field(default_factory=list)
    causes: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    equivalent: list[Any] = dataclasses.field(default_factory=list)
    diagnosis: Any = None
    rerun: str = ""

    @property
    def verdict(self) -> Verdict:
        """The worst of all scenarios; broken only where nothing is different."""
        found = worst(outcome.verdict for outcome in self.outcomes)
        return Verdict.BROKEN if self.broken and found is not Verdict.DIFFERENT else found

    @property
    def exit_status(self) -> int:
        """0 identical or rounding, 1 different or ill-conditioned, 2 could not be checked."""
        return {Verdict.IDENTICAL: 0, Verdict.ROUNDING: 0, Verdict.BROKEN: 2}.get(self.verdict, 1)

    @property
    def evidence(self) -> Outcome | None:
        """The first scenario with the verdict, the plainest in float64 before others."""
        return next((outcome for outcome in self.outcomes if outcome.verdict is self.verdict), None)

    @property
    def first_difference(self) -> dict[str, Any] | None:
        """Where the verdict falls first: scenario, step, tensor, both values; None where nothing is wrong."""
        outcome = self.evidence
        if outcome is None or self.verdict not in (Verdict.DIFFERENT, Verdict.ILL_CONDITIONED):
            return None
        return described(outcome.recording, outcome.residual.first or outcome.residual.uncertain)

    @property
    def used(self) -> float:
        """The largest share of an allowance that anything used."""
        return max((outcome.residual.used for outcome in self.outcomes), default=0.0)

    @property
    def nearer(self) -> dict[str, int]:
        """Of the numbers that differ from PyTorch's after one step, how many are nearer to exact on which side."""
        total = {"yours": 0, "torch": 0}
        for outcome in self.outcomes:
            for side, count in outcome.nearer.items():
                total[side] += count
        return total

    def to_json(self) -> dict[str, Any]:
        """The answer as plain data, for `--json`."""
        return {
            "verdict": str(self.verdict),
            "first_difference": self.first_difference,
            "causes": plain([cause | {"fix": ENGLISH.plain(cause["fix"])} for cause in self.causes]),
            "equivalent": plain(self.equivalent),
            "not_triggered": [entry | {"reason": ENGLISH.plain(entry["reason"])} for entry in self.not_triggered],
            "scenarios": [outcome.to_json() for outcome in self.outcomes],
            "subject": self.subject,
            "target": self.target,
            "shape": self.words,
            "names": self.names,
            "broken": self.broken and self.broken | {"message": ENGLISH.plain(self.broken["message"])},
            "used": plain(self.used),
            "nearer": self.nearer,
            "notes": [ENGLISH.say(note) for note in self.notes],
            "rerun": self.rerun,
        }

    def explained(self, voice: Voice = ENGLISH) -> list[str]:
        """What the diagnosis says, or the defaults that explain it."""
        if self.diagnosis:
            return list(self.diagnosis.lines(voice))
        return [
            row(voice, "cause", f"{cause['id']} ({cause['variant']}): {voice.plain(cause['fix'])}")
            for cause in self.causes
        ]

    def __str__(self) -> str:
        return answer(self)


def described(recording: Recording, found: Element | None) -> dict[str, Any] | None:
    """An element as plain data: where, yours, PyTorch's formula's from the same place, allowed, used."""
    if found is None:
        return None
    kind = np.dtype(found.dtype).type
    with np.errstate(over="ignore"):
        exact = kind(found.exact)
    return plain(
        {
            "scenario": recording.scenario,
            "dtype": found.dtype,
            "step": found.step,
            "line": found.line,
            "quantity": found.quantity,
            "tensor": found.tensor,
            "index": list(found.index),
            "shape": list(found.shape),
            "yours": found.found,
            "yours_bits": bits(kind(found.found)),
            "exact": found.exact,
            "exact_bits": bits(exact),
            "absolute": abs(found.found - found.exact),
            "relative": abs(found.found - found.exact) / abs(found.exact) if found.exact else math.inf,
            "allowed": found.allowed,
            "used": found.used,
        }
    )


def answer(check: Check, voice: Voice = ENGLISH) -> str:
    """The whole text."""
    lines = [headline(check, voice)]
    if check.broken and check.verdict is Verdict.BROKEN:
        first, *others = voice.plain(check.broken["message"]).splitlines()
        lines.append(row(voice, "broken", f"{check.broken['id']}: {first}"))
        lines += [row(voice, "more", line) for line in others]
    found = check.first_difference
    if found:
        lines += details(found, voice)
    lines += check.explained(voice)
    if check.outcomes:
        most = message("cli.headroom-of", used=shared(check.used), scenarios=len(check.outcomes))
        lines.append(row(voice, "headroom", most))
        if sum(check.nearer.values()) and check.verdict in (Verdict.ROUNDING, Verdict.IDENTICAL):
            lines.append(row(voice, "nearer", message("cli.nearer-of", **check.nearer)))
    if check.words:
        lines.append(row(voice, "driven", message("cli.driven", words=check.words)))
    others = [message("cli.named", name=name, own=own) for name, own in check.names.items() if own != name]
    if others:
        lines.append(row(voice, "matched", ", ".join(map(voice.say, others))))
    if check.broken and check.verdict is not Verdict.BROKEN:
        lines.append(row(voice, "besides", f"{check.broken['id']}: {voice.plain(check.broken['message'])}"))
    lines += [row(voice, "note", note) for note in check.notes]
    lines += not_tried(check.not_triggered, voice)
    if check.rerun:
        lines.append(row(voice, "rerun", check.rerun))
    return "\n".join(lines)


def shared(used: float) -> Message:
    """A share of an allowance: 49%, or 2e+14 times."""
    return message("cli.share", used=used) if used < 100 else message("cli.times", used=used)


def headline(check: Check, voice: Voice = ENGLISH) -> str:
    """One line: what, against what, the verdict, and from where on."""
    found, name = check.first_difference, message("cli.like", target=check.target, subject=check.subject)
    if found:
        label = f"{voice.say(name)}[{found['dtype']}, {found['scenario']}]"
        return voice("cli.verdict-from", label=label, verdict=check.verdict, step=found["step"], line=found["line"])
    return voice("cli.verdict-of", name=name, verdict=check.verdict, sentence=sentence(check.verdict))


def sentence(verdict: Verdict) -> Message:
    """What a verdict says of an implementation."""
    return message(f"cli.check.{verdict}")


def details(found: dict[str, Any], voice: Voice = ENGLISH) -> list[str]:
    digits = 9 if found["dtype"] == "float32" else 17
    yours, exact = (f"{float(found[key]):.{digits}g}" for key in ("yours", "exact"))
    width = max(len(yours), len(exact))
    figures = {key: float(found[key]) for key in ("absolute", "relative", "allowed")}
    return [
        at(voice, found["quantity"], found["tensor"], found["index"], found["shape"]),
        row(voice, "yours", f"{yours:<{width}}   {found['yours_bits']}"),
        row(voice, "pytorch-value", f"{exact:<{width}}   {found['exact_bits']}   {voice('cli.by-its-formula')}"),
        row(voice, "apart", message("cli.apart-from-formula", used=shared(float(found["used"])), **figures)),
    ]


def not_tried(entries: list[dict[str, Any]], voice: Voice = ENGLISH) -> list[str]:
    """Scenarios by the reason they were not tried for."""
    by_reason: dict[str, list[str]] = {}
    for entry in entries:
        names = by_reason.setdefault(voice.plain(entry.get("reason", "")), [])
        name = entry.get("scenario") or entry.get("id") or ""
        if name and name not in names:
            names.append(name)
    return [row(voice, "untried", f"{'; '.join(names)}: {reason}") for reason, names in by_reason.items()]
