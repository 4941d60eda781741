"""Which formula an implementation follows instead: the catalogue, replayed on what was recorded of it.

Every cause is tried by itself, then in pairs, then with its numbers solved for. What comes near is replayed on
numbers that carry their error, and only what explains every recording down to rounding is named.
"""

import ast
import dataclasses
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from lockstep.causes.cause import Cause
from lockstep.causes.harness import FAULTS, Fault
from lockstep.causes.planting import check_together
from lockstep.causes.source import BadEdit
from lockstep.causes.tables import causes as causes_of
from lockstep.recording import Pass, Recording, Step
from lockstep.replay import Element, Residual, planted, replay, walk
from lockstep.solving import CANNOT, Hypothesis, Screen, apart, fits, round_numbers, sensitivity, solve
from lockstep.subject import Subject, find
from lockstep.verdict import Verdict, distance

ENOUGH = 6  # explanations that are verified; those beyond are not looked for
SAMPLES = 4  # recordings that a number is solved on by itself


@dataclasses.dataclass(frozen=True)
class Candidate:
    """A hypothesis and what is left of each recording under it.

    causes: one, or a pair. used: label of a recording to the largest share of an allowance that is used there;
    where it is refuted, as far as it was followed.
    """

    causes: Hypothesis
    used: dict[str, float]

    @property
    def name(self) -> str:
        return " + ".join(cause.name for cause in self.causes)

    @property
    def residual(self) -> float:
        """The largest share over all recordings; at most 1 explains them."""
        return max(self.used.values(), default=0.0)

    @property
    def where(self) -> str:
        """The recording in which that is."""
        return max(self.used, key=lambda label: self.used[label], default="")


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
    """

    verdict: Verdict
    subject: str
    answer: Candidate | None = None
    equivalent: list[Candidate] = dataclasses.field(default_factory=list)
    next_best: Candidate | None = None
    first: tuple[str, Element] | None = None
    fault: Fault | None = None
    residuals: dict[str, Residual] = dataclasses.field(default_factory=dict)
    known: int = 0

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
            "fault": self.fault and {"id": self.fault.id, "what": self.fault.what, "fix": self.fault.fix},
            "first_difference": self.first and {"scenario": self.first[0], **self.first[1]._asdict()},
            "causes": [described(cause, self.answer) for cause in self.causes if self.answer],
            "equivalent": [[described(cause, one) for cause in one.causes] for one in self.equivalent],
            "next_best": self.next_best
            and {
                "causes": [cause.name for cause in self.next_best.causes],
                "residual": self.next_best.residual,
                "scenario": self.next_best.where,
            },
            "not_triggered": self.not_triggered,
            "scenarios": [
                {"name": label, "used": left.used, "explained": self.answer.used[label] if self.answer else None}
                for label, left in self.residuals.items()
            ],
            "known": self.known,
        }

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def lines(self) -> Iterator[str]:
        """What a person reads of it."""
        if self.fault:
            yield f"  cause    {self.fault.id}: {self.fault.what}"
            yield f"  fix      {self.fault.fix}"
        elif self.answer:
            yield from self.accusation(self.answer)
        elif self.verdict is Verdict.DIFFERENT:
            yield f"  cause    none of the {self.known} known causes, nor two of them together"
            if self.first:
                label, found = self.first
                yield f"  shows    first in {label!r}, step {found.step}, line {found.line}"
        if self.next_best and not self.fault:
            differing = [label for label, left in self.residuals.items() if not left.explains]
            explained = sum(self.next_best.used.get(label, np.inf) <= 1 for label in differing)
            yield f"  nearest  {self.next_best.name} explains {explained} of {len(differing)} scenarios that differ"
            yield f"           and leaves {self.next_best.residual:.2g} allowances in {self.next_best.where!r}"

    def accusation(self, answer: Candidate) -> Iterator[str]:
        for cause in answer.causes:
            yield f"  cause    {cause.name}: {cause.fix}"
            for change in cause.changes():
                yield f"  theirs   {change.line} = {change.theirs}"
                yield f"  PyTorch  {change.line} = {change.ours}"
            for label, text in (("seen", cause.seen), ("note", cause.note)):
                if text:
                    yield f"  {label:<8} {text}"
        yield f"  residual {answer.residual:.0%} of the allowance at most, in {len(answer.used)} recordings"
        for other in self.equivalent:
            yield f"  or       {other.name}: the same on everything tried"


def described(cause: Cause, within: Candidate) -> dict[str, Any]:
    return {
        "id": cause.id,
        "variant": cause.variant,
        "hyperparameters": dict(cause.free),
        "residual": within.residual,
        "scenario": within.where,
        "formula": cause.formula,
        "changes": [change._asdict() for change in cause.changes()],
        "seen": cause.seen,
        "fix": cause.fix,
        "note": cause.note,
    }


def diagnose(
    recordings: Sequence[Recording],
    subject: str | None = None,
    residuals: Mapping[str, Residual] | None = None,
) -> Diagnosis:
    """Name the formula that an implementation follows instead of PyTorch's.

    Arguments:
        recordings: of one implementation; more scenarios tell more causes apart.
        subject: path of what it is held against; that of the recordings if None.
        residuals: `replay` of each recording by its label, where that has been done.

    Raises:
        ValueError: without recordings, and for two of one label.
    """
    if not recordings:
        raise ValueError("nothing was recorded, so there is nothing to explain")
    path = subject or recordings[0].subject
    recordings = [with_mask(dataclasses.replace(one, subject=path)) for one in recordings]
    if len({one.label for one in recordings}) < len(recordings):
        raise ValueError("two recordings have the same scenario and dtype")
    if fault := fault_of(recordings):
        return Diagnosis(Verdict.BROKEN, path, fault=fault)
    left = {one.label: (residuals or {}).get(one.label) or replay(one) for one in recordings}
    return Search(find(path), recordings, left).diagnosis()


class Search:
    """One look for an explanation.

    Arguments:
        subject: what the recordings are held against.
        recordings: all that has to be explained.
        left: label to what PyTorch's formula leaves.
    """

    def __init__(self, subject: Subject, recordings: Sequence[Recording], left: Mapping[str, Residual]):
        self.subject, self.left = subject, dict(left)
        self.known = causes_of(subject)
        differing = [one for one in recordings if not left[one.label].explains]
        agreeing = [one for one in recordings if left[one.label].explains]
        # float64 first: there a formula and rounding cannot be confused
        self.differing = sorted(differing, key=lambda one: (one.dtype != "float64", -left[one.label].used))
        self.recordings = [*self.differing, *agreeing]
        self.screen = Screen(self.recordings)
        self.felt: dict[str, list[Recording]] = {}

    def diagnosis(self) -> Diagnosis:
        """Everything that is found, the best answer first."""
        about = {"subject": self.subject.path, "residuals": self.left, "known": len(self.known)}
        if not self.differing:
            unsure = any(left.uncertain for left in self.left.values())
            known = [self.followed((cause,)) for cause in self.known if self.to_the_bit(cause)]
            answer = known[0] if known else None
            return Diagnosis(Verdict.ILL_CONDITIONED if unsure else Verdict.ROUNDING, answer=answer, **about)
        first = min(
            ((one.label, left.first) for one in self.recordings if (left := self.left[one.label]).first),
            key=lambda found: found[1].step if found[1] else 0,
        )
        found = self.alone() or self.together()
        found.sort(key=self.preference)
        answer = found[0] if found else None
        equivalent = distinct(found)[1:]
        nearest = self.nearest({cause.id for one in found for cause in one.causes}) if answer or self.known else None
        return Diagnosis(
            Verdict.DIFFERENT, answer=answer, equivalent=equivalent, next_best=nearest, first=first, **about
        )

    def to_the_bit(self, cause: Cause) -> bool:
        """Whether a cause that only rounds differently is what was recorded, and PyTorch's own orders are not."""
        if cause.verdict is not Verdict.ROUNDING:
            return False
        return all(same_bits(one, cause) for one in self.recordings) and not any(
            all(same_bits(one, None, order) for one in self.recordings) for order in ("paper", "pytorch")
        )

    # one cause

    def alone(self) -> list[Candidate]:
        """Single causes that explain everything: as they were seen, and with their numbers solved for."""
        found = self.verified((cause,) for cause in self.known)
        if not found:  # where terms cancel, rounding alone can be more than the screen lets pass
            found = self.verified(((cause,) for cause in self.known), screened=False)
        named = {cause.id for one in found for cause in one.causes}
        for cause in families(self.known):
            if cause.id not in named:
                found += self.solved((), cause)
        return found

    def verified(self, hypotheses: Iterable[Hypothesis], screened: bool = True) -> list[Candidate]:
        """Those that pass the screen and explain every recording down to rounding."""
        found: list[Candidate] = []
        screened = screened and self.subject.family == "optim"
        for causes in hypotheses:
            if len(found) < ENOUGH and (not screened or self.screen.keeps(causes)):
                candidate = self.followed(causes)
                found += [candidate] if candidate.residual <= 1 else []
        return found

    def followed(self, causes: Hypothesis) -> Candidate:
        """The replay of all recordings under the hypothesis, up to the first that refutes it."""
        used: dict[str, float] = {}
        for recording in self.recordings:
            used[recording.label] = self.residual(recording, causes)
            if not used[recording.label] <= 1:
                break
        return Candidate(causes, used)

    def residual(self, recording: Recording, causes: Hypothesis) -> float:
        try:
            if quickly_refuted(recording, causes):
                return np.inf
            left = replay(recording, causes)
            return left.used if left.undecided < left.compared else np.inf  # what knows no bound explains nothing
        except CANNOT:
            return np.inf

    # numbers

    def solved(self, others: Hypothesis, cause: Cause) -> list[Candidate]:
        """The hypothesis with the free number of `cause` solved for, if there is one that explains everything."""
        return self.verified(itertools.islice(self.numbers(others, cause, self.feeling(cause), self.screen.keeps), 3))

    def feeling(self, cause: Cause) -> list[Recording]:
        """The first recording that differs to which the free number of the cause makes a difference."""
        if cause.name not in self.felt:
            (name,), (seen,) = cause.free, cause.free.values()
            feel = (one for one in self.differing if sensitivity(one, (cause.opened(),), name, seen, 1) > 0)
            self.felt[cause.name] = list(itertools.islice(feel, 1))
        return self.felt[cause.name]

    def numbers(self, others: Hypothesis, cause: Cause, on: Sequence[Recording], keeps) -> Iterator[Hypothesis]:
        """The hypothesis with each number that meets one of the recordings `on`, the roundest first."""
        (name,) = cause.free
        opened = (*others, cause.opened())
        tried = set()
        for recording in on:
            try:
                number = self.number(recording, opened, name)
            except CANNOT:
                return
            for one in round_numbers(number, name) if number is not None else ():
                causes = (*others, cause.solved(**{name: one}))
                if one not in tried and keeps(causes):
                    yield causes
                tried.add(one)

    def number(self, recording: Recording, opened: Hypothesis, name: str) -> float | None:
        """What the free number must be there, as exactly as the most sensitive recording tells."""
        first = self.left[recording.label].first
        number = solve(recording, opened, name, first.step if first else 1)
        if number is None or recording.is_layer:
            return number
        steps = {one.label: left.step for one in self.differing if (left := self.left[one.label].first)}
        with_dtype = [one for one in self.differing if one.dtype == self.differing[0].dtype and one.label in steps]
        felt = {one.label: sensitivity(one, opened, name, number, steps[one.label]) for one in (recording, *with_dtype)}
        finest = max(with_dtype, key=lambda one: felt[one.label], default=recording)
        if felt[finest.label] <= felt[recording.label]:
            return number
        return solve(finest, opened, name, steps[finest.label], around=number) or number

    # two causes

    def together(self) -> list[Candidate]:
        """Pairs that explain everything where no cause alone does."""
        found = self.verified(filter(may_join, itertools.combinations(self.known, 2)))
        if found:
            return found
        partly = self.partly()
        known = [*self.known, *partly]
        found = self.verified((one, other) for one in partly for other in known if may_join((one, other)))
        if found:
            return found
        for cause in families(self.known):
            for other in self.known:
                if may_join((other, cause)):
                    found += self.solved((other,), cause)
                if len(found) >= ENOUGH:
                    return found
        return found

    def partly(self) -> list[Cause]:
        """Causes with numbers other than those seen, which explain some recording by themselves."""
        found: dict[str, Cause] = {}
        for cause in families(self.known):
            for recording in self.differing[:SAMPLES]:
                keeps = lambda causes, recording=recording: fits(recording, causes)  # noqa: E731
                for (solved,) in itertools.islice(self.numbers((), cause, [recording], keeps), 1):
                    found[solved.name] = solved
        return [cause for name, cause in found.items() if name not in {known.name for known in self.known}]

    # what is said of it

    def preference(self, candidate: Candidate) -> tuple:
        """Fewest causes, fewest numbers of their own, numbers that were seen and round ones, the more specific."""
        causes = candidate.causes
        numbers = [number for cause in causes for number in cause.free.values()]
        seen = {cause.name for cause in self.known}
        return (
            len(causes),
            len(numbers),
            sum(cause.name not in seen for cause in causes),
            sum(len(f"{number:.12g}") for number in numbers),
            -sum(specific(cause) for cause in causes),
        )

    def nearest(self, ids: set[str]) -> Candidate | None:
        """Of the causes that are not named, the one that explains most of what differs, replayed to the end."""
        others = [cause for cause in self.known if cause.id not in ids]
        sample = self.differing[:SAMPLES]
        if not others:
            return None
        best = min(others, key=lambda cause: sum(np.log1p(apart(recording, (cause,))) for recording in sample))
        used = {}
        for recording in self.differing:
            try:
                used[recording.label] = replay(recording, (best,)).used
            except CANNOT:
                used[recording.label] = np.inf
        candidate = Candidate((best,), used)
        return candidate if candidate.residual > 1 else None


def quickly_refuted(recording: Recording, causes: Hypothesis) -> bool:
    """Whether a number is beyond its allowance at whatever scale; stops at the first."""
    with np.errstate(all="ignore"):
        for one in walk(recording, causes, {}, bounded=True):
            if len(one.predicted) == 1 and beyond(one.found, one.predicted[""]):
                return True
    return False


def beyond(found: np.ndarray, exact) -> bool:
    apart = distance(found, exact.value)
    return bool(np.any((apart > exact.error) & ~(np.isnan(found) & np.isnan(exact.value))))


def same_bits(recording: Recording, cause: Cause | None, order: str = "paper") -> bool:
    """Whether the layer's formula, in the dtype of the recording, gives every bit of the outputs and gradients."""
    kind = planted(recording.subject, recording.layer, (cause,) if cause else ())
    layer = kind(**recording.hyperparameters)
    for one in recording.steps:
        layer.formula = layer.ORDERS[order]
        layer.train(one.training)
        output = np.asarray(layer.forward(*one.inputs))
        if output.tobytes() != one.output.tobytes():
            return False
        if one.grad_input is not None and layer.backward(one.upstream).tobytes() != one.grad_input.tobytes():
            return False
    return True


def distinct(found: list[Candidate]) -> list[Candidate]:
    """One of each set of ids, the first."""
    return list({tuple(sorted(cause.id for cause in one.causes)): one for one in reversed(found)}.values())[::-1]


def families(known: list[Cause]) -> list[Cause]:
    """One cause of each kind that has a number of its own."""
    kinds = {(cause.id, tuple(cause.free)): cause for cause in reversed(known) if len(cause.free) == 1}
    return list(kinds.values())[::-1]


def may_join(pair: Hypothesis) -> bool:
    """Whether two causes are of different kinds and can be planted together."""
    first, second = pair
    if first.id == second.id and tuple(first.free) == tuple(second.free):
        return False
    try:
        check_together(list(pair))
    except BadEdit:
        return False
    return True


def specific(cause: Cause) -> int:
    """How many names its expressions make conditions of: one that is about nesterov alone says more."""
    texts = [*cause.lines.values(), *cause.backward.values(), *cause.arguments.values(), *cause.kept.values()]
    tests = [node.test for text in texts for node in ast.walk(ast.parse(text)) if isinstance(node, ast.IfExp)]
    return len({node.id for test in tests for node in ast.walk(test) if isinstance(node, ast.Name)})


# the comparison itself


def fault_of(recordings: Sequence[Recording]) -> Fault | None:
    """What is wrong with the comparison, before anything is said of the implementation."""
    steps = [(one, step) for one in recordings for step in one.steps if isinstance(step, Step)]
    if any(after.dtype != step.before[name].dtype for _, step in steps for name, after in step.after.items()):
        return fault("dtype-promoted")
    if steps and not any(moved(step) for _, step in steps) and any(pushed(step) for _, step in steps):
        return fault("nothing-moved")
    if any(turned(one) for one in recordings):
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


def square(array: np.ndarray) -> bool:
    return array.ndim == 2 and array.shape[0] == array.shape[1] and not np.array_equal(array, array.T)


def upright(array: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(array.T) if square(array) else array


def fault(row: str) -> Fault:
    return next(one for one in FAULTS if one.id == row)


def moved(step: Step) -> bool:
    return any(step.before[name].tobytes() != after.tobytes() for name, after in step.after.items())


def pushed(step: Step) -> bool:
    return (
        any(grad is not None and np.any(grad) for grad in step.grads.values()) and step.hyperparameters.get("lr") != 0
    )


def with_mask(recording: Recording) -> Recording:
    """A dropout's recording with the masks that can be seen of it where it was given none: what it set to 0."""
    if recording.subject != "layers.dropout":
        return recording
    return dataclasses.replace(recording, steps=[masked(one) for one in recording.steps])


def masked(one: Pass) -> Pass:
    x, *given = one.inputs
    kept = (one.output != 0) | (x == 0)
    return one if given else dataclasses.replace(one, inputs=(x, kept.astype(one.output.dtype)))
