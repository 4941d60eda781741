"""Which formula an implementation follows instead: the catalogue, replayed on what was recorded of it.

Every cause is tried by itself, with its numbers solved for, then two and more of them together
(`lockstep.searching`). Only what explains every recording down to rounding is named.
"""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from lockstep.causes.cause import Cause
from lockstep.causes.harness import FAULTS, Fault
from lockstep.diagnose.holding import kept_otherwise, without, words_of
from lockstep.diagnose.replay import Residual, replay
from lockstep.diagnose.search import Candidate, Partly, Search, distinct, quickly_refuted
from lockstep.diagnose.solve import Hypothesis
from lockstep.errors import BadValue
from lockstep.numerics.shapes import Array
from lockstep.numerics.verdict import Finding, Verdict
from lockstep.recordings.recording import Pass, Recording, Step
from lockstep.records.schema import plain
from lockstep.subjects.registry import Subject, find
from lockstep.text import ENGLISH, Message, Voice, message
from lockstep.text.rows import row


@dataclasses.dataclass(frozen=True)
class Diagnosis:
    """What is the matter, with the evidence.

    Attributes:
        verdict: of the recordings under PyTorch's formula: rounding, ill-conditioned, different or broken.
        subject: its path.
        answer: what explains every recording down to rounding, or None.
        equivalent: other explanations that do so on everything tried.
        next_best: the nearest explanation that does not; its `where` is the scenario that separates it.
        first: the first number beyond its allowance under PyTorch's formula, and in which recording, or None.
        fault: what is wrong with the comparison itself; nothing else is looked for then.
        residuals: label of a recording to what PyTorch's formula leaves of it.
        known: how many causes there are to try.
        partly: what explains some of it, where nothing explains all.
        kept: state entry to what it holds, where that is PyTorch's up to a factor.
        formats: dtype to its answer, where the formats have not one answer; None where there is none.
        together: whether several causes at once were looked for.
        ended: after how many hypotheses the search ended with others untried; 0 where it did not.
    """

    verdict: Verdict
    subject: str
    answer: Candidate | None = None
    equivalent: list[Candidate] = dataclasses.field(default_factory=list)
    next_best: Candidate | None = None
    first: tuple[str, Finding] | None = None
    fault: Fault | None = None
    residuals: dict[str, Residual] = dataclasses.field(default_factory=dict)
    known: int = 0
    partly: Partly | None = None
    kept: dict[str, Message] = dataclasses.field(default_factory=dict)
    formats: dict[str, Candidate | None] = dataclasses.field(default_factory=dict)
    together: bool = True
    ended: int = 0

    @property
    def causes(self) -> Hypothesis:
        """The causes of the answer; none where there is none."""
        return self.answer.causes if self.answer else ()

    @property
    def not_triggered(self) -> list[str]:
        """Recordings that PyTorch's formula explains: the causes do not show there."""
        return [label for label, left in self.residuals.items() if left.explains]

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return {
            "verdict": str(self.verdict),
            "fault": self.fault
            and {"id": self.fault.id, "what": ENGLISH.say(self.fault.what), "fix": ENGLISH.say(self.fault.fix)},
            "first_difference": self.first and {"scenario": self.first[0], **plain(self.first[1])},
            "causes": [described(cause, self.answer) for cause in self.causes if self.answer]
            + [
                described(cause, candidate) | {"dtype": dtype}
                for dtype, candidate in self.formats.items()
                if candidate
                for cause in candidate.causes
            ]
            + [
                {
                    "id": "state-scaled",
                    "variant": key,
                    "hyperparameters": {},
                    "residual": self.answer.residual if self.answer else None,
                    "scenario": "",
                    "fix": ENGLISH.say(what),
                }
                for key, what in self.kept.items()
            ],
            "equivalent": [
                [described(cause, candidate) for cause in candidate.causes] for candidate in self.equivalent
            ],
            "next_best": self.next_best
            and {
                "causes": [cause.name for cause in self.next_best.causes],
                "residual": self.next_best.residual,
                "scenario": self.next_best.where,
            },
            "not_triggered": self.not_triggered,
            "scenarios": [
                {"name": label, "used": left.used, "explained": self.answer.used.get(label) if self.answer else None}
                for label, left in self.residuals.items()
            ],
            "known": self.known,
            "ended": self.ended,
            "partly": self.partly
            and {
                "causes": [described(cause, Candidate(self.partly.causes, {})) for cause in self.partly.causes],
                "lines": list(self.partly.explained),
                "left": dict(zip(("scenario", "line", "step"), self.partly.left, strict=True)),
            },
            "formats": {
                dtype: [described(cause, candidate) for cause in candidate.causes] if candidate else []
                for dtype, candidate in self.formats.items()
            },
        }

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def lines(self, voice: Voice = ENGLISH) -> Iterator[str]:
        """What a person reads of it."""
        if self.fault:
            yield row(voice, "cause", f"{self.fault.id}: {voice.say(self.fault.what)}")
            yield row(voice, "fix", self.fault.fix)
        elif self.formats:
            for dtype, candidate in self.formats.items():
                yield row(
                    voice,
                    "format",
                    message("cli.format", dtype=dtype) if candidate else message("cli.format-no", dtype=dtype),
                )
                yield from self.accusation(candidate, voice) if candidate else ()
        elif self.answer:
            yield from self.accusation(self.answer, voice)
        elif self.partly:
            yield from self.some(self.partly, voice)
        elif self.verdict is Verdict.DIFFERENT:
            yield row(voice, "cause", self.none_known)
            if self.first:
                label, spot = self.first
                yield row(voice, "shows", message("cli.first-in", label=repr(label), step=spot.step, line=spot.line))
        if self.ended and not self.answer and not self.formats:
            yield row(voice, "untried", message("cli.search-ended", tried=self.ended))
        for key, what in self.kept.items():
            yield row(voice, "cause", f"state-scaled ({key}): {voice.say(what)}")
        if self.next_best and not self.fault:
            differing = [label for label, left in self.residuals.items() if not left.explains]
            explained = sum(self.next_best.used.get(label, np.inf) <= 1 for label in differing)
            some = message("cli.nearest", name=self.next_best.name, explained=explained, differing=len(differing))
            rest = message("cli.leaves", residual=self.next_best.residual, where=repr(self.next_best.where))
            yield row(voice, "nearest", some)
            yield row(voice, "more", rest)

    @property
    def none_known(self) -> Message:
        """That nothing explains it, and what was tried."""
        if not self.known:
            return message("cli.no-causes")
        return message("cli.no-cause" if self.together else "cli.no-cause-alone", known=self.known)

    def beside(self, others: Mapping[str, Residual]) -> "Diagnosis":
        """The same, where its answer leaves something of these recordings, on which it was not looked for."""
        if not self.answer:
            return self
        firsts = [(label, left.first) for label, left in others.items() if left.first]
        if not firsts:  # it would make a difference where there is none
            return dataclasses.replace(self, answer=None, equivalent=[], next_best=None)
        label, first = firsts[0]
        differing = [label for label, left in self.residuals.items() if not left.explains]
        left = label, first.line, first.step
        partly = Partly(
            self.answer.causes, (), len(differing), len(differing) + len(others), left, 0, self.answer.residual
        )
        return dataclasses.replace(self, answer=None, equivalent=[], next_best=None, partly=partly)

    def some(self, partly: Partly, voice: Voice) -> Iterator[str]:
        """What is explained, and what is left."""
        label, line, step = partly.left
        if partly.explained:
            explained, names = len(partly.explained), ", ".join(partly.explained)
            yield row(voice, "partly", message("cli.some-lines", explained=explained, lines=partly.lines, names=names))
        else:
            told = {"explained": partly.scenarios, "differing": partly.differing}
            yield row(voice, "partly", message("cli.some-scenarios", **told))
        yield from named(partly.causes, voice)
        yield row(voice, "left", message("cli.something-else", line=line, label=repr(label), step=step))

    def accusation(self, answer: Candidate, voice: Voice) -> Iterator[str]:
        yield from named(answer.causes, voice)
        yield row(voice, "residual", message("cli.residual", used=answer.residual, recordings=len(answer.used)))
        for other in self.equivalent:
            yield row(voice, "or", message("cli.equivalent", name=other.name))


def named(causes: Hypothesis, voice: Voice) -> Iterator[str]:
    """Each cause: what to change, the lines, where it was met, what else to know."""
    for cause in causes:
        yield row(voice, "cause", f"{cause.name}: {voice.say(cause.fix)}")
        for change in cause.changes():
            for label, text in change.rows(voice, ours="pytorch"):
                yield row(voice, label, text)
        for label, text in (("seen", cause.met), ("note", cause.note)):
            if text:
                yield row(voice, label, text)


def described(cause: Cause, within: Candidate) -> dict[str, Any]:
    return {
        "id": cause.id,
        "variant": cause.variant,
        "hyperparameters": dict(cause.free),
        "residual": within.residual,
        "scenario": within.where,
        "formula": cause.formula,
        "changes": [change._asdict() for change in cause.changes()],
        "seen": ENGLISH.say(cause.met) if cause.met else "",
        "fix": ENGLISH.say(cause.fix),
        "note": ENGLISH.say(cause.note) if cause.note else "",
    }


def diagnose(
    recordings: Sequence[Recording],
    subject: str | None = None,
    residuals: Mapping[str, Residual] | None = None,
    thorough: bool = True,
    together: bool = True,
    beside: Hypothesis = (),
) -> Diagnosis:
    """Name the formula that an implementation follows instead of PyTorch's.

    Arguments:
        recordings: of one implementation; more scenarios tell more causes apart.
        subject: path of what it is held against; that of the recordings if None.
        residuals: `replay` of each recording by its label, where that has been done.
        thorough: whether a number is sought beside every cause that shows together with it, which takes longest.
        together: whether several causes at once, and slips that are in no catalogue, are looked for.
        beside: what is known to explain some of it: only that with one cause more is looked for.

    Raises:
        ValueError: without recordings, and for two of one label.
    """
    if not recordings:
        raise BadValue(message("error.nothing-recorded"))
    path = subject or recordings[0].subject
    recordings = [with_mask(dataclasses.replace(recording, subject=path)) for recording in recordings]
    if len({recording.label for recording in recordings}) < len(recordings):
        raise BadValue(message("error.same-scenario"))
    if fault := fault_of(recordings):
        return Diagnosis(Verdict.BROKEN, path, fault=fault)
    all_seen, keys = recordings, kept_otherwise(recordings)
    if keys:
        recordings, residuals = [without(recording, keys) for recording in recordings], None
    left = {recording.label: (residuals or {}).get(recording.label) or replay(recording) for recording in recordings}
    search = Search(find(path), recordings, left, thorough)
    about = {"subject": path, "residuals": left, "known": len(search.known)}
    if keys and not search.differing:
        kept = words_of(all_seen, keys, ())
        before = {recording.label: replay(recording) for recording in all_seen}
        about |= {"residuals": before, "first": first_of(all_seen, before), "kept": kept}
        return Diagnosis(Verdict.DIFFERENT, answer=search.followed(()) if kept.keys() == keys else None, **about)
    if not search.differing:
        unsure = any(residual.uncertain for residual in left.values())
        known = [search.followed((cause,)) for cause in search.known if search.to_the_bit(cause)]
        return Diagnosis(
            Verdict.ILL_CONDITIONED if unsure else Verdict.ROUNDING, answer=known[0] if known else None, **about
        )
    together = together and not beside
    alone = search.more_than(beside) if beside else [] if together else search.alone()
    looked = answered(search, find(path), recordings, left, thorough) if together else (alone, {}, search)
    explanations, formats, first = looked
    answer = explanations[0] if explanations else None
    named = {cause.id for candidate in explanations for cause in candidate.causes}
    return Diagnosis(
        Verdict.DIFFERENT,
        answer=answer,
        equivalent=distinct(explanations)[1:],
        next_best=search.nearest(answer, named) if together and not formats else None,
        first=first_of(search.recordings, left),
        partly=first.partly if not answer and not formats else None,
        ended=first.ended,
        formats=formats,
        kept=words_of(all_seen, keys, answer.causes) if answer else {},
        together=together,
        **about,
    )


def answered(
    search: Search, subject: Subject, recordings: Sequence[Recording], left: Mapping[str, Residual], thorough: bool
) -> tuple[list[Candidate], dict[str, Candidate | None], Search]:
    """What explains all recordings; else what explains those of each format by themselves; the search of the finest.

    What differs in one format alone must not spoil what another shows without doubt, so each is asked by itself.
    """
    kinds = list(dict.fromkeys(recording.dtype for recording in (*search.differing, *recordings)))  # the finest first
    apart = {dtype: [recording for recording in recordings if recording.dtype == dtype] for dtype in kinds}
    first = Search(subject, apart[kinds[0]], left, thorough) if len(kinds) > 1 else search
    explanations = first.explanations()
    if len(kinds) == 1:
        return explanations, {}, first
    whole = [
        candidate
        for candidate in map(search.followed, (candidate.causes for candidate in explanations))
        if candidate.residual <= 1
    ]
    if whole:
        return whole, {}, first
    formats: dict[str, Candidate | None] = {kinds[0]: explanations[0] if explanations else None}
    for dtype in kinds[1:]:
        other = Search(subject, apart[dtype], left, thorough=False)
        if other.differing:
            with_more = [more for candidate in explanations[:1] for more in other.more_than(candidate.causes)]
            by_itself = with_more or (other.explanations() if explanations else other.alone())
            formats[dtype] = next(iter(by_itself), None)
    return [], formats if any(formats.values()) else {}, first


def first_of(recordings: Sequence[Recording], left: Mapping[str, Residual]) -> tuple[str, Finding]:
    """The first number beyond its allowance, and the recording it is in."""
    firsts = [(recording.label, first) for recording in recordings if (first := left[recording.label].first)]
    return min(firsts, key=lambda place: place[1].step)


# the comparison itself


def fault_of(recordings: Sequence[Recording]) -> Fault | None:
    """What is wrong with the comparison, before anything is said of the implementation."""
    steps = [(recording, step) for recording in recordings for step in recording.steps if isinstance(step, Step)]
    if any(after.dtype != step.before[name].dtype for _, step in steps for name, after in step.after.items()):
        return fault("dtype-promoted")
    if steps and not any(moved(step) for _, step in steps) and any(pushed(step) for _, step in steps):
        return fault("nothing-moved")
    if any(turned(recording) for recording in recordings):
        return fault("layout-transposed")
    return None


def turned(recording: Recording) -> bool:
    """Whether PyTorch's formula explains the transpose of square weights, and not the weights."""
    steps = [step for step in recording.steps if isinstance(step, Step)]
    if not any(square(array) for step in steps for array in step.after.values()):
        return False
    back = [dataclasses.replace(step, after={name: upright(a) for name, a in step.after.items()}) for step in steps]
    other = dataclasses.replace(recording, steps=back)
    return quickly_refuted(recording, ()) and not quickly_refuted(other, ())


def square(array: Array) -> bool:
    return array.ndim == 2 and array.shape[0] == array.shape[1] and not np.array_equal(array, array.T)


def upright(array: Array) -> np.ndarray:
    return np.ascontiguousarray(array.T) if square(array) else array


def fault(row: str) -> Fault:
    return next(known for known in FAULTS if known.id == row)


def moved(step: Step) -> bool:
    return any(step.before[name].tobytes() != after.tobytes() for name, after in step.after.items())


def pushed(step: Step) -> bool:
    return (
        any(grad is not None and np.any(grad) for grad in step.grads.values()) and step.hyperparameters.get("lr") != 0
    )


def with_mask(recording: Recording) -> Recording:
    """The recording of a layer that draws masks, with those that show in what it set to 0 where it was given none."""
    if not (recording.is_layer and any(case.masked for case in find(recording.subject).cases.CASES)):
        return recording
    return dataclasses.replace(recording, steps=[masked(one) for one in recording.steps])


def masked(passed: Pass) -> Pass:
    x, *given = passed.inputs
    kept = (passed.output != 0) | (x == 0)
    if kept.all() and not passed.training:
        return passed  # nothing was dropped: there is no mask to be seen
    return passed if given else dataclasses.replace(passed, inputs=(x, kept.astype(passed.output.dtype)))
