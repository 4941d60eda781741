"""What a check answers: a verdict a scenario, the whole of them, as plain data and as a person reads it."""

import dataclasses
from typing import Any, NamedTuple

from lockstep.diagnose.replay import Residual
from lockstep.engine.wording import values
from lockstep.numerics.verdict import Breakage, Finding, Verdict, worst
from lockstep.recordings.recording import Recording
from lockstep.records.schema import plain
from lockstep.text import ENGLISH, Message, Voice, message
from lockstep.text.rows import at, row

ITS_DEFAULT = "its default"  # the variant of a cause that is a default of its own


@dataclasses.dataclass
class TrialOutcome:
    """One scenario in one dtype.

    used: the largest share of an allowance. first: the first number beyond it. identical: whether every bit
    is PyTorch's. drawn: whether what it draws by itself was given to the formula. overflows: whether all that is
    beyond its allowance is no finite number, where inputs are so far apart that only saturation shows. saturates:
    whether some of it is none there. near: whether nothing is further from exact than PyTorch's is, though some is
    beyond an allowance, but for what the lines of the formula round. extreme: whether
    it was tried because it is far out, so that no cause is searched for on it. nearer: of the numbers of the first
    step that differ from PyTorch's, how many are nearer to the exact result on their side ("yours") and how many on
    PyTorch's ("pytorch").
    """

    recording: Recording
    residual: Residual
    identical: bool = False
    drawn: bool = False
    overflows: bool = False
    saturates: bool = False
    near: bool = False
    extreme: bool = False
    nearer: dict[str, int] = dataclasses.field(default_factory=dict[str, int])

    @property
    def finding(self) -> Finding | None:
        """The first number beyond its allowance, or else of which no digit is certain."""
        return self.residual.first or self.residual.uncertain

    @property
    def verdict(self) -> Verdict:
        """identical, rounding, ill-conditioned or different."""
        if self.overflows or self.near:
            return Verdict.ROUNDING
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
            "first_difference": told(self.recording, self.residual.first),
            "nearer": self.nearer,
        }


NAMED = 4  # scenarios that a row of the text names; --json has all of them


class Remark(NamedTuple):
    """What is different beside the numbers of a scenario: a start, a count, an option without effect.

    id: its name. what: what it does and what PyTorch does. scenario: where, if in one.
    """

    id: str
    what: Message
    scenario: str = ""

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return {"id": self.id, "message": ENGLISH.say(self.what), "scenario": self.scenario}

    def as_cause(self) -> dict[str, Any]:
        """As the diagnosis describes a cause."""
        about: dict[str, Any] = {"variant": "", "hyperparameters": {}, "residual": None}
        return {"id": self.id, **about, "scenario": self.scenario, "fix": self.what}


@dataclasses.dataclass
class Check:
    """What a check found.

    Attributes:
        subject: the path of what it was held against. target: what was checked, in words.
        words: the shape it was driven in. names: PyTorch's hyperparameters to its own names.
        verdict: identical, rounding, ill-conditioned, different or broken.
        broken: why it could not be checked.
        outcomes: one a scenario and dtype. remarks: what is different beside their numbers.
        not_triggered: what could not be tried or had no effect, each with its reason. notes: what is true besides.
        unseen: what of PyTorch's it does not show: not compared. formats: quantity to (given, made), where a format
            comes out that did not go in. ineffective: options without effect to PyTorch's defaults.
        reservations: what is to be known of an agreement, which --strict refuses.
        causes, equivalent: what the diagnosis named; diagnosis: itself, if there was need of one. rerun: the command
            that shows it again.
    """

    subject: str
    target: str
    words: Message | str = ""
    names: dict[str, str] = dataclasses.field(default_factory=dict[str, str])
    broken: Breakage | None = None
    outcomes: list[TrialOutcome] = dataclasses.field(default_factory=list[TrialOutcome])
    remarks: list[Remark] = dataclasses.field(default_factory=list[Remark])
    not_triggered: list[dict[str, Any]] = dataclasses.field(default_factory=list[dict[str, Any]])
    notes: list[Message] = dataclasses.field(default_factory=list[Message])
    unseen: list[Message | str] = dataclasses.field(default_factory=list[Message | str])
    formats: dict[str, tuple[str, str]] = dataclasses.field(default_factory=dict[str, tuple[str, str]])
    ineffective: dict[str, Any] = dataclasses.field(default_factory=dict[str, Any])
    reservations: list[Message] = dataclasses.field(default_factory=list[Message])
    causes: list[dict[str, Any]] = dataclasses.field(default_factory=list[dict[str, Any]])
    equivalent: list[Any] = dataclasses.field(default_factory=list[Any])
    diagnosis: Any = None
    rerun: str = ""

    @property
    def verdict(self) -> Verdict:
        """The worst of all scenarios; broken only where nothing is different."""
        judged = Verdict.DIFFERENT if self.remarks else worst(outcome.verdict for outcome in self.outcomes)
        if self.broken and judged is not Verdict.DIFFERENT:
            return Verdict.BROKEN
        return worst([judged, Verdict.PARTIAL]) if self.outcomes and self.unseen else judged

    @property
    def exit_status(self) -> int:
        """0 identical, rounding or partial, 1 different or ill-conditioned, 2 could not be checked."""
        agrees = dict.fromkeys((Verdict.IDENTICAL, Verdict.ROUNDING, Verdict.PARTIAL), 0)
        return (agrees | {Verdict.BROKEN: 2}).get(self.verdict, 1)

    @property
    def strict_status(self) -> int:
        """The same, and 3 for agreement with a reservation: parts unseen, formats or conventions of its own."""
        reserved = self.unseen or self.formats or self.reservations
        return 3 if reserved and self.exit_status == 0 else self.exit_status

    @property
    def sentence(self) -> Message:
        """What the verdict says of it, in one clause."""
        if self.remarks:
            return self.remarks[0].what
        if self.verdict is Verdict.PARTIAL:
            return message("cli.check.partial", unseen=self.unseen)
        if self.verdict is Verdict.ROUNDING and any(outcome.drawn for outcome in self.outcomes):
            return message("cli.check.drawn")
        return message(f"cli.check.{self.verdict}")

    @property
    def evidence(self) -> TrialOutcome | None:
        """The first scenario with the verdict, the plainest in float64 before others."""
        return next((outcome for outcome in self.outcomes if outcome.verdict is self.verdict), None)

    @property
    def first_difference(self) -> Finding | None:
        """Where the verdict falls first in the scenario of its `evidence`; None where nothing is wrong."""
        wrong = self.verdict in (Verdict.DIFFERENT, Verdict.ILL_CONDITIONED)
        return self.evidence.finding if wrong and self.evidence else None

    @property
    def used(self) -> float:
        """The largest share of an allowance that anything used."""
        return max(
            (outcome.residual.used for outcome in self.outcomes if not (outcome.overflows or outcome.near)),
            default=0.0,
        )

    @property
    def nearer(self) -> dict[str, int]:
        """Of the numbers that differ from PyTorch's after one step, how many are nearer to exact on which side."""
        total = {"yours": 0, "pytorch": 0}
        for outcome in self.outcomes:
            for side, count in outcome.nearer.items():
                total[side] += count
        return total

    def see_not(self, names: list[Message | str]) -> None:
        """Keep what was not seen, each once."""
        self.unseen += [name for name in names if name not in self.unseen]

    def note(self, what: Message) -> None:
        """Say it, once."""
        if what not in self.notes:
            self.notes.append(what)

    def reserve(self, what: Message) -> None:
        """Agree with that reservation."""
        if what not in self.reservations:
            self.reservations.append(what)

    def to_json(self) -> dict[str, Any]:
        """The answer as plain data, for `--json`."""
        return {
            "verdict": str(self.verdict),
            "first_difference": self.evidence and told(self.evidence.recording, self.first_difference),
            "causes": plain([cause | {"fix": ENGLISH.plain(cause["fix"])} for cause in self.causes]),
            "equivalent": plain(self.equivalent),
            "not_triggered": [entry | {"reason": ENGLISH.plain(entry["reason"])} for entry in self.not_triggered],
            "scenarios": [outcome.to_json() for outcome in self.outcomes],
            "remarks": [remark.to_json() for remark in self.remarks],
            "subject": self.subject,
            "target": self.target,
            "shape": str(self.words),
            "names": self.names,
            "broken": self.broken and {"id": self.broken.id, "message": ENGLISH.plain(self.broken.message)},
            "used": plain(self.used),
            "nearer": self.nearer,
            "unseen": [str(name) for name in self.unseen],
            "formats": self.formats,
            "reservations": [ENGLISH.say(note) for note in self.reservations],
            "notes": [ENGLISH.say(note) for note in self.notes],
            "rerun": self.rerun,
        }

    def explained(self, voice: Voice = ENGLISH) -> list[str]:
        """What the diagnosis says, or the defaults that explain it."""
        if self.diagnosis:
            beside = [row(voice, "cause", f"{one.id}: {voice.say(one.what)}") for one in self.remarks]
            defaults = [cause for cause in self.causes if cause["variant"] == ITS_DEFAULT]
            return [*beside, *self.diagnosis.lines(voice), *(caused(voice, cause) for cause in defaults)]
        return [caused(voice, cause) for cause in self.causes]

    def __str__(self) -> str:
        return answer(self)


def caused(voice: Voice, cause: dict[str, Any]) -> str:
    return row(voice, "cause", f"{named(cause)}: {voice.plain(cause['fix'])}")


def named(cause: dict[str, Any]) -> str:
    """The id of a cause, with its variant where it has one."""
    return f"{cause['id']} ({cause['variant']})" if cause["variant"] else cause["id"]


def told(recording: Recording, finding: Finding | None) -> dict[str, Any] | None:
    """A finding as plain data, and the scenario that it is in."""
    return finding and {"scenario": recording.scenario, **plain(finding)}


def answer(check: Check, voice: Voice = ENGLISH) -> str:
    """The whole text."""
    lines = [headline(check, voice)]
    if check.broken and check.verdict is Verdict.BROKEN:
        first, *others = voice.plain(check.broken.message).splitlines()
        lines.append(row(voice, "broken", f"{check.broken.id}: {first}"))
        lines += [row(voice, "more", line) for line in others]
    spot = check.first_difference
    if spot and check.remarks and check.evidence:
        label = f"{check.evidence.recording.scenario}, {spot.dtype}"
        lines.append(row(voice, "shows", message("cli.first-in", label=label, step=spot.step, line=spot.line)))
    if spot:
        lines += details(spot, voice)
    lines += check.explained(voice)
    if only := differs_only_in(check):
        lines.append(row(voice, "only", message("cli.only-in", **only)))
    if check.outcomes:
        most = message("cli.headroom-of", used=shared(check.used), scenarios=len(check.outcomes))
        lines.append(row(voice, "headroom", most))
        if sum(check.nearer.values()) and not check.exit_status:
            lines.append(row(voice, "nearer", message("cli.nearer-of", **check.nearer)))
    if check.words:
        lines.append(row(voice, "driven", message("cli.driven", words=check.words)))
    others = [message("cli.named", name=name, own=own) for name, own in check.names.items() if own != name]
    if others:
        lines.append(row(voice, "matched", ", ".join(map(voice.say, others))))
    if check.broken and check.verdict is not Verdict.BROKEN:
        lines.append(row(voice, "besides", f"{check.broken.id}: {voice.plain(check.broken.message)}"))
    lines += [row(voice, "note", note) for note in [*beside(check), *check.notes]]
    lines += not_tried(check.not_triggered, voice)
    if check.rerun:
        lines.append(row(voice, "rerun", check.rerun))
    return "\n".join(lines)


def differs_only_in(check: Check) -> dict[str, Any]:
    """The few scenarios that differ, where all the others agree."""
    names: dict[Verdict, list[str]] = {verdict: [] for verdict in Verdict}
    for outcome in check.outcomes:
        if outcome.recording.scenario not in names[outcome.verdict]:
            names[outcome.verdict].append(outcome.recording.scenario)
    differing, total = names[Verdict.DIFFERENT], {outcome.recording.scenario for outcome in check.outcomes}
    if not differing or len(differing) > NAMED or len(differing) == len(total):
        return {}
    return {"names": "; ".join(differing), "others": len(total) - len(differing)}


def beside(check: Check) -> list[Message]:
    """What is to be known beside the verdict: what was not seen, and the formats that come out."""
    unseen = [message("note.unseen", names=check.unseen)] if check.unseen else []
    if check.verdict is Verdict.PARTIAL:
        unseen = []  # the headline says so
    formats = [
        message("note.held" if held_by_it(check, what) else "note.format", what=what, given=given, made=made)
        for what, (given, made) in check.formats.items()
    ]
    return [*unseen, *formats, *check.reservations]


def held_by_it(check: Check, what: str) -> bool:
    """Whether it is an entry of its state, and not what it makes."""
    return any(outcome.recording.holds == "steps" and what != "param" for outcome in check.outcomes)


def shared(used: float) -> Message:
    """A share of an allowance: 49%, or 2e+14 times."""
    return message("cli.share", used=used) if used < 100 else message("cli.times", used=used)


def headline(check: Check, voice: Voice = ENGLISH) -> str:
    """One line: what, against what, the verdict, and from where on."""
    spot, name = check.first_difference, message("cli.like", target=check.target, subject=check.subject)
    if spot and not check.remarks and check.evidence:
        label = f"{voice.say(name)}[{spot.dtype}, {check.evidence.recording.scenario}]"
        return voice("cli.verdict-from", label=label, verdict=check.verdict, step=spot.step, line=spot.line)
    return voice("cli.verdict-of", name=name, verdict=check.verdict, sentence=check.sentence)


def details(finding: Finding, voice: Voice = ENGLISH) -> list[str]:
    figures = {"absolute": finding.absolute, "relative": finding.relative, "allowed": finding.allowed}
    return [
        at(voice, finding.quantity, finding.tensor, finding.index, finding.shape),
        *values(finding, voice, note=message("cli.by-its-formula")),
        row(voice, "apart", message("cli.apart-from-formula", used=shared(finding.used), **figures)),
    ]


def not_tried(entries: list[dict[str, Any]], voice: Voice = ENGLISH) -> list[str]:
    """Scenarios by the reason they were not tried for."""
    by_reason: dict[str, list[str]] = {}
    for entry in entries:
        names = by_reason.setdefault(voice.plain(entry.get("reason", "")), [])
        name = entry.get("scenario") or entry.get("id") or ""
        if name and name not in names:
            names.append(name)
    return [row(voice, "untried", untried(voice, names, reason)) for reason, names in by_reason.items()]


def untried(voice: Voice, names: list[str], reason: str) -> str:
    """The first names, how many more there are, and why."""
    shown = "; ".join(names[:NAMED])
    if len(names) > NAMED:
        shown = voice("cli.and-more", names=shown, more=len(names) - NAMED)
    return f"{shown}: {reason}"
