"""The search for an explanation: every cause by itself, then several, and the numbers that they leave free.

A hypothesis is a tuple of causes. What comes near a recording in a fast replay is replayed on numbers that carry
their error, and only what explains every recording down to rounding is found.
"""

import ast
import collections
import dataclasses
import functools
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from lockstep.causes.cause import Cause
from lockstep.causes.planting import may_join
from lockstep.causes.source import reads
from lockstep.causes.tables import causes as causes_of
from lockstep.diagnose.by_line.assembly import Assembly
from lockstep.diagnose.by_line.lines import Quick, rounded
from lockstep.diagnose.by_line.mutation import Mutant
from lockstep.diagnose.effort import Effort, limited
from lockstep.diagnose.replay import Observed, Residual, observe, planted, replay, tallied
from lockstep.diagnose.solve import (
    CANNOT,
    Hypothesis,
    Screen,
    apart,
    fits,
    matters,
    near_quantities,
    quantities_felt,
    round_numbers,
    sensitivity,
    solve,
)
from lockstep.numerics.shapes import Array
from lockstep.numerics.verdict import Verdict, distance
from lockstep.recordings.recording import Pass, Recording
from lockstep.subjects.subject import Subject

ENOUGH = 6  # explanations that are verified; those beyond are not looked for
SAMPLES = 4  # recordings that a number is solved on by itself
MOST = 5  # causes in one explanation
WIDTH = 6  # hypotheses that are followed side by side
SPENT = 450_000  # what several causes at once may cost in steps of the formula; what is found needs 400 000 at most


@dataclasses.dataclass(frozen=True)
class Candidate:
    """A hypothesis and what is left of each recording under it.

    causes: one or several. used: label of a recording to the largest share of an allowance that is used there;
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
class Partly:
    """What explains some of what was seen, down to rounding.

    causes: known, or slips of a line. explained: lines that PyTorch's formula leaves and that they explain wherever
    they were seen; without any, `scenarios` of so many as differ are explained whole. left: the first line that is
    something else, with the recording and the step; its parts of all. residual: the largest share that is used.
    """

    causes: Hypothesis
    explained: tuple[str, ...]
    scenarios: int
    differing: int
    left: tuple[str, str, int]
    lines: int
    residual: float


class Search:
    """One look for an explanation.

    Arguments:
        subject: what the recordings are held against.
        recordings: all that has to be explained.
        left: label to what PyTorch's formula leaves.
        thorough: whether a number is sought beside every cause that shows together with it.
    """

    def __init__(
        self,
        subject: Subject,
        recordings: Sequence[Recording],
        left: Mapping[str, Residual],
        thorough: bool = True,
    ):
        self.thorough = thorough
        self.effort = Effort(SPENT if thorough else SPENT // 3)
        self.subject, self.left = subject, dict(left)
        layers = {recording.layer for recording in recordings}
        self.known = [cause for cause in causes_of(subject) if cause.layer in ("", *layers)]
        self.wrong = [cause for cause in self.known if cause.verdict is not Verdict.ROUNDING and not cause.rare]
        differing = [recording for recording in recordings if not left[recording.label].explains]
        agreeing = [recording for recording in recordings if left[recording.label].explains]
        # float64 first: there a formula and rounding cannot be confused
        self.differing = sorted(
            differing, key=lambda recording: (recording.dtype != "float64", -left[recording.label].used)
        )
        self.recordings = [*self.differing, *agreeing]
        self.quick = Quick(self.recordings)
        self.screen = Screen(self.recordings, self.quick.fits)
        self.felt: dict[tuple[str, str], bool] = {}
        # what several causes are sought on: the finest dtype, the plainest scenario first
        self.ground = [
            recording for recording in recordings if self.differing and recording.dtype == self.differing[0].dtype
        ]
        self.parts = {recording.label: parts_of(recording) for recording in self.ground}
        self.nearness: dict[tuple, frozenset[str]] = {}
        self.shares: dict[frozenset, frozenset[str]] = {}
        self.refutations: dict[tuple[str, tuple[bytes, ...]], bool] = {}
        unexplained = [recording for recording in self.ground if not left[recording.label].explains]
        self.to_explain = frozenset().union(
            *(self.parts[recording.label] - self.near(recording, ()) for recording in unexplained)
        )
        self.furthest: Hypothesis = ()
        self.begun: list[Hypothesis] = []
        self.partly: Partly | None = None
        self.tried = 0  # hypotheses of several that were put together line by line
        self.solutions: list[Cause] = []  # with numbers that have been solved for

    def explanations(self) -> list[Candidate]:
        """What explains everything: single causes, else pairs, else more; the best first."""
        candidates = self.alone() or map(
            self.least, self.pairs() or self.assembled() or self.grown() or self.with_a_rare_one()
        )
        different = {frozenset(map(told_apart, candidate.causes)): candidate for candidate in candidates}
        return sorted(different.values(), key=self.preference)

    def least(self, candidate: Candidate) -> Candidate:
        """The same without causes that make no difference to anything that was recorded."""
        for cause in candidate.causes if len(candidate.causes) > 1 else ():
            fewer = tuple(other for other in candidate.causes if other is not cause)
            if smaller := self.verified([fewer], screened=False):
                return self.least(smaller[0])
        return candidate

    @property
    def ended(self) -> int:
        """After how many hypotheses the search ended with others untried; 0 where there were none left."""
        return self.tried + len(self.shares) if self.effort.cut else 0

    def more_than(self, causes: Hypothesis) -> list[Candidate]:
        """What explains everything with one known cause more than these, which are right elsewhere."""
        joined = [(*causes, other) for other in self.known if may_join((*causes, other))]
        return self.verified([causes], screened=False) or self.verified(joined)

    def assembled(self) -> list[Candidate]:
        """What is put together line by line, of causes and of slips that no catalogue has."""
        assembly = Assembly(self.ground, self.wrong, self.quick, self.effort)
        hypotheses = assembly.hypotheses()
        if not hypotheses:
            return []
        self.tried = len(assembly.memory)
        best = assembly.explained(hypotheses[0])
        alike = [hypothesis for hypothesis in hypotheses if assembly.explained(hypothesis) == best]
        if len(best) == len(assembly.parts) and (verified := self.verified(alike, screened=False)):
            return verified
        self.begun = alike
        self.partly = next(filter(None, (self.some_of(assembly, hypothesis) for hypothesis in alike)), None)
        return []

    def some_of(self, assembly: Assembly, causes: Hypothesis) -> Partly | None:
        """What a hypothesis explains that PyTorch's formula does not; None where that is nothing whole."""
        before, near = assembly.explained(()), assembly.explained(causes)
        left = [part for part in assembly.parts if part not in near]
        wrong = list(dict.fromkeys(line for label, line in assembly.parts if (label, line) not in before))
        lines = [line for line in wrong if all(line != other for _, other in left)]
        gained = [part for part in assembly.parts if part in near - before and (part[1] in lines or not lines)]
        if not causes or not left or not gained:
            return None
        differing = {label for label, line in assembly.parts if (label, line) not in before}
        whole = {label for label in differing if all(label != other for other, _ in left)}
        gained = [part for part in gained if lines or part[0] in whole]
        used = [assembly.used(causes, part)[0] for part in gained]
        needed = all(
            any(part not in assembly.explained(less) for part in gained)
            for less in itertools.combinations(causes, len(causes) - 1)
        )
        if not used or max(used) > 1 or not needed:
            return None
        label, line = left[0]
        step = assembly.used(causes, left[0])[1]
        return Partly(causes, tuple(lines), len(whole), len(differing), (label, line, step), len(wrong), max(used))

    def to_the_bit(self, cause: Cause) -> bool:
        """Whether a cause that only rounds differently is what was recorded, and PyTorch's own orders are not."""
        if cause.verdict is not Verdict.ROUNDING:
            return False
        return all(same_bits(recording, cause) for recording in self.recordings) and not any(
            all(same_bits(recording, None, order) for recording in self.recordings) for order in ("paper", "pytorch")
        )

    # one cause

    def alone(self) -> list[Candidate]:
        """Single causes that explain everything: as they were seen, and with their numbers solved for."""
        candidates = self.verified((cause,) for cause in self.known)
        if not candidates and self.subject.family.recorded == "steps":
            # where terms cancel, rounding alone can be more than the screen lets pass
            candidates = self.verified(((cause,) for cause in self.known), screened=False)
        named = {cause.id for candidate in candidates for cause in candidate.causes}
        for cause in families(self.known):
            if cause.id not in named and self.could_be(cause):
                candidates += self.solved((), cause)
        return candidates

    def could_be(self, cause: Cause) -> bool:
        """Whether the cause alone can explain each recording that differs, as it was seen or with another number."""
        return all(matters(few, cause) or fits(few, (cause,)) for few in map(self.until_first, self.differing))

    def until_first(self, recording: Recording) -> Recording:
        """The recording up to the first number that differs."""
        first = self.left[recording.label].first
        return dataclasses.replace(recording, steps=recording.steps[: max(first.step, 1)]) if first else recording

    def verified(self, hypotheses: Iterable[Hypothesis], screened: bool = True) -> list[Candidate]:
        """Those that pass the screen and explain every recording down to rounding."""
        candidates: list[Candidate] = []
        screened = screened and self.subject.family.recorded != "passes"
        for causes in hypotheses:
            if len(candidates) < ENOUGH and (not screened or self.screen.keeps(causes)):
                candidate = self.followed(causes)
                candidates += [candidate] if candidate.residual <= 1 else []
        return candidates

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
            left = tallied(recording, unrefuted(recording, causes))
            if left.undecided == left.compared:
                return np.inf  # what knows no bound explains nothing
            shown = not recording.is_layer or shows(recording, causes, self.left[recording.label].explains)
        except (Refuted, *CANNOT):
            return np.inf
        return left.used if shown else np.inf

    # numbers

    def solved(self, others: Hypothesis, cause: Cause) -> list[Candidate]:
        """The hypothesis with the free number of `cause` solved for, if there is one that explains everything."""
        return self.verified(itertools.islice(self.numbers(others, cause, self.feeling(cause), self.screen.keeps), 3))

    def feeling(self, cause: Cause) -> list[Recording]:
        """The first recording that differs to which the free number of the cause makes a difference."""
        return list(itertools.islice((one for one in self.differing if self.felt_in(one, cause)), 1))

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
            for written in round_numbers(number, name) if number is not None else ():
                causes = (*others, cause.solved(**{name: written}))
                if written not in tried and keeps(causes):
                    yield causes
                tried.add(written)

    def number(self, recording: Recording, opened: Hypothesis, name: str) -> float | None:
        """What the free number must be there, as exactly as the most sensitive recording tells."""
        first = self.left[recording.label].first
        number = solve(recording, opened, name, first.step if first else 1)
        if number is None or recording.is_layer:
            return number
        steps = {other.label: left.step for other in self.differing if (left := self.left[other.label].first)}
        with_dtype = [
            other for other in self.differing if other.dtype == self.differing[0].dtype and other.label in steps
        ]
        felt = {
            other.label: sensitivity(other, opened, name, number, steps[other.label])
            for other in (recording, *with_dtype)
        }
        finest = max(with_dtype, key=lambda other: felt[other.label], default=recording)
        if felt[finest.label] <= felt[recording.label]:
            return number
        return solve(finest, opened, name, steps[finest.label], around=number) or number

    # several causes

    def pairs(self) -> list[Candidate]:
        """Two causes, as they were seen, that explain everything where no cause alone does."""
        return self.joined(itertools.combinations(self.wrong, 2))

    def with_a_rare_one(self) -> list[Candidate]:
        """The same of two of which one is rare, or both."""
        every = [cause for cause in self.known if cause.verdict is not Verdict.ROUNDING]
        return self.joined(pair for pair in itertools.combinations(every, 2) if any(cause.rare for cause in pair))

    def joined(self, pairs: Iterable[Hypothesis]) -> list[Candidate]:
        joined = [*filter(may_join, pairs)]
        # what goes on in a narrower format is further off than the screen lets pass
        return self.verified(joined) or self.verified(
            (both for both in joined if any(map(narrows, both))), screened=False
        )

    def grown(self) -> list[Candidate]:
        """Causes that are added to each other while each of them, or else two, explains scenarios that were left."""
        found: list[Candidate] = []
        with limited(self.effort):
            found += self.added_up()
        return found

    def added_up(self) -> list[Candidate]:
        """The first that explains everything, as far as it may be looked for."""
        for first in (self.assembled_so_far, self.extended, self.extended_by_two):
            beam = self.best_of(first(()))
            while beam:
                whole = [
                    self.needed(hypothesis) for hypothesis in beam if self.explained(hypothesis) == self.to_explain
                ]
                if verified := self.verified(whole):
                    return verified
                self.furthest = max((self.furthest, beam[0]), key=lambda hypothesis: len(self.explained(hypothesis)))
                larger = [hypothesis for causes in beam for hypothesis in self.extended(causes)]
                if not larger and (verified := self.verified(beam, screened=False)):
                    return verified  # what is left is a matter of rounding
                larger = larger or [*self.extended_by_two(beam[0])]
                beam = self.best_of(hypothesis for hypothesis in larger if len(hypothesis) <= MOST)
        return []

    def best_of(self, hypotheses: Iterable[Hypothesis]) -> list[Hypothesis]:
        """Those that explain most, each once; of equals, those with numbers that were seen."""
        seen = {key_of(cause) for cause in self.known}
        by_keys = {frozenset(map(key_of, hypothesis)): hypothesis for hypothesis in hypotheses}
        order = sorted(by_keys, key=lambda keys: (-len(self.explained(by_keys[keys])), len(keys - seen)))
        return [by_keys[keys] for keys in order[:WIDTH]]

    def assembled_so_far(self, _: Hypothesis) -> list[Hypothesis]:
        """What explains most, line by line: what is left may be no matter of lines."""
        return [one for one in self.begun if self.explained(one)]

    def extended(self, causes: Hypothesis) -> Iterator[Hypothesis]:
        """The hypothesis with one cause more, which explains something that was left and loses nothing."""
        held = self.explained(causes)
        for other in (*self.wrong, *self.solved_on(causes, self.left_by(held))):
            larger = (*causes, other)
            if may_join(larger) and self.explained(larger, held) > held:
                yield larger

    def extended_by_two(self, causes: Hypothesis) -> Iterator[Hypothesis]:
        """The hypothesis with two causes more, which show together in the plainest scenario that was left."""
        held = self.explained(causes)
        for plainest in self.left_by(held)[:1]:
            ones = [(*causes, other) for other in self.wrong]
            both = [(*causes, *two) for two in itertools.combinations(self.wrong, 2)]
            gaining = [pair for pair in both if may_join(pair) and self.gains(plainest, causes, pair)]
            if not gaining and self.thorough:
                gaining = [
                    (*pair, solved) for pair in ones if may_join(pair) for solved in self.solved_on(pair, [plainest])
                ]
            yield from (pair for pair in gaining if self.explained(pair, held) > held)

    def left_by(self, held: frozenset[str]) -> list[Recording]:
        """The scenarios of which something is left to explain beside `held`, the plainest first."""
        return [one for one in self.ground if self.parts[one.label] & self.to_explain - held]

    def solved_on(self, causes: Hypothesis, left: Sequence[Recording]) -> Iterator[Cause]:
        """Causes whose number, solved for on one of these scenarios, explains more of it beside the others."""
        solutions: dict[tuple, Cause] = {}
        for cause in families(self.known):
            if not may_join((*causes, cause)):
                continue
            for recording in itertools.islice(
                (recording for recording in left if self.felt_in(recording, cause)), SAMPLES
            ):
                keeps = functools.partial(self.gains, recording, causes)
                if self.settled(recording, causes, cause):
                    continue
                again = [
                    solution for solution in self.solutions if solution.id == cause.id and keeps((*causes, solution))
                ]
                solutions |= {key_of(solution): solution for solution in again}
                if again:
                    continue
                on = [recording, without_buffers(recording)] if recording.is_layer else [recording]
                for hypothesis in itertools.islice(self.numbers(causes, cause, on, keeps), 1):
                    solutions[key_of(hypothesis[-1])] = hypothesis[-1]
        self.solutions += [solution for solution in solutions.values() if solution not in self.solutions]
        yield from solutions.values()

    def felt_in(self, recording: Recording, cause: Cause) -> bool:
        """Whether the number of `cause` makes a difference to the recording."""
        key = recording.label, cause.name
        if key not in self.felt:
            (name,), (seen,) = cause.free, cause.free.values()
            first = self.left[recording.label].first
            self.felt[key] = sensitivity(recording, (cause.opened(),), name, seen, first.step if first else 1) > 0
        return self.felt[key]

    def settled(self, recording: Recording, causes: Hypothesis, cause: Cause) -> bool:
        """Whether the number of `cause` touches what of a layer is near the hypothesis already: it must not change."""
        if not recording.is_layer:
            return False
        (name,), (seen,) = cause.free, cause.free.values()
        opened = (*causes, cause.opened())
        touched = {f"{recording.label}: {one}" for one in quantities_felt(recording, opened, name, seen)}
        return bool(touched & self.near(recording, causes))

    def explained(self, causes: Hypothesis, held: frozenset[str] = frozenset()) -> frozenset[str]:
        """What of `to_explain` the hypothesis explains; nothing where it loses what is `held`, or agreed before."""
        key = frozenset(map(key_of, causes))
        if key not in self.shares:
            near_parts: set[str] = set()
            for recording in sorted(self.ground, key=lambda recording: not self.parts[recording.label] & held):
                near, parts = self.near(recording, causes), self.parts[recording.label]
                if not (parts & held) | (parts - self.to_explain) <= near:
                    near_parts.clear()
                    break
                near_parts |= near
            self.shares[key] = frozenset(near_parts & self.to_explain)
        return self.shares[key]

    def gains(self, recording: Recording, causes: Hypothesis, larger: Hypothesis) -> bool:
        """Whether more of a recording is near the larger hypothesis."""
        return self.near(recording, larger) > self.near(recording, causes)

    def near(self, recording: Recording, causes: Hypothesis) -> frozenset[str]:
        """The parts of a recording that are near the hypothesis: of an optimizer all or none, of a layer by quantity.

        In float64 near is enough to go on; in float32 it is not.
        """
        key = recording.label, frozenset(map(key_of, causes))
        if key not in self.nearness:
            if recording.is_layer:
                quantities = frozenset(f"{recording.label}: {one}" for one in near_quantities(recording, causes))
            else:
                sure = recording.dtype == "float64"
                whole = self.quick.fits(recording, causes) and (sure or not self.refuted(recording, causes))
                quantities = self.parts[recording.label] if whole else frozenset()
            self.nearness[key] = quantities
        return self.nearness[key]

    def refuted(self, recording: Recording, causes: Hypothesis) -> bool:
        """Whether a number is beyond its allowance; of hypotheses that predict the same numbers one is asked."""
        key = recording.label, signature(recording, causes)
        if key not in self.refutations:
            self.refutations[key] = quickly_refuted(recording, causes)
        return self.refutations[key]

    def needed(self, causes: Hypothesis) -> Hypothesis:
        """A hypothesis that explains everything, without the causes that it does so without."""
        for less in itertools.combinations(causes, len(causes) - 1):
            if self.explained(less) == self.to_explain:
                return self.needed(less)
        return causes

    # what is said of it

    def preference(self, candidate: Candidate) -> tuple:
        """Fewest causes, fewest numbers of their own, numbers that were seen and round ones, the more specific."""
        causes = candidate.causes
        numbers = [number for cause in causes for number in cause.free.values()]
        seen = {cause.name for cause in self.known}
        return (
            len(causes),
            sum(isinstance(cause, Mutant) for cause in causes),
            [cause.rank for cause in causes if isinstance(cause, Mutant)],
            len(numbers),
            sum(cause.name not in seen for cause in causes),
            sum(len(f"{number:.12g}") for number in numbers),
            sum(len(cause.lines) + len(cause.backward) for cause in causes),
            -sum(specific(cause) for cause in causes),
        )

    def nearest(self, answer: Candidate | None, ids: set[str]) -> Candidate | None:
        """The next best explanation, which leaves something, replayed to the end.

        Of an answer of several causes, all but one of them; else a cause that is not named, or what came furthest.
        """
        others = [(cause,) for cause in self.known if cause.id not in ids]
        if answer and len(answer.causes) > 1:
            others = list(itertools.combinations(answer.causes, len(answer.causes) - 1))
        elif not answer and self.furthest:
            others = [self.furthest]
        if not others:
            return None
        sample = self.ground if len(others) < ENOUGH else self.differing[:SAMPLES]
        best = min(others, key=lambda causes: sum(np.log1p(apart(recording, causes)) for recording in sample))
        used = {}
        for recording in self.differing:
            try:
                used[recording.label] = replay(recording, best).used
            except CANNOT:
                used[recording.label] = np.inf
        candidate = Candidate(best, used)
        something = any(share <= 1 for share in used.values())
        return candidate if candidate.residual > 1 and something else None


def told_apart(cause: Cause) -> tuple[object, ...]:
    return cause.name, *sorted(cause.free.items())


def narrows(cause: Cause) -> bool:
    """Whether it holds a line in a narrower format."""
    return any(reads(text) & {"single"} for text in cause.lines.values())


class Refuted(Exception):
    """A number is beyond its allowance at whatever scale: nothing more has to be worked out."""


def unrefuted(recording: Recording, causes: Hypothesis) -> Iterator[Observed]:
    """What was observed beside what the hypothesis makes of it.

    Raises:
        Refuted: at the first number that is beyond its allowance.
    """
    for seen in observe(recording, causes, {}, bounded=True):
        if len(seen.predicted) == 1 and beyond(seen.found, seen.predicted[""]):
            raise Refuted
        yield seen


def quickly_refuted(recording: Recording, causes: Hypothesis) -> bool:
    """Whether a number is beyond its allowance, or cannot be told."""
    try:
        with np.errstate(all="ignore"):
            collections.deque(unrefuted(recording, causes), maxlen=0)
    except (Refuted, *CANNOT):
        return True
    return False


@np.errstate(all="ignore")
def shows(recording: Recording, causes: Hypothesis, explained: bool) -> bool:
    """Whether the hypothesis, evaluated in the format of the recording, parts from PyTorch's formula where that did.

    That a number is within its allowance is no evidence where the allowance is what is wide: PyTorch's own number
    is within it, too. So of each quantity that is beyond PyTorch's allowance one element has to be so in both; and
    of one for which the hypothesis knows no bound at all, also where it is beyond that in the hypothesis alone.

    Arguments:
        explained: whether PyTorch's formula, in another form, explains the recording.
    """
    seen: dict[tuple[str, str], list[np.ndarray]] = {}
    pytorchs, bounded = (observe(recording, each, {}, bounded=True) for each in ((), causes))
    evaluated = observe(recording, causes, {}, bounded=False, narrow=True)
    for theirs, allowed, made in zip(pytorchs, bounded, evaluated, strict=True):
        exact = theirs.predicted[""]
        found, own = (too_far(array, exact) for array in (theirs.found, np.asarray(made.predicted[""])))
        unbounded = np.broadcast_to(np.isposinf(allowed.predicted[""].error), found.shape)
        masks = [mask.reshape(-1) for mask in (found & (not explained), np.broadcast_to(own, found.shape), unbounded)]
        of = seen.setdefault((theirs.quantity, theirs.tensor), masks)
        if of is not masks:
            of[:] = [np.concatenate(both) for both in zip(of, masks, strict=True)]
    return all(
        bool(np.any(found & own)) or not (np.any(found) or (unbounded.all() and np.any(own)))
        for found, own, unbounded in seen.values()
    )


def signature(recording: Recording, causes: Hypothesis) -> tuple[bytes, ...]:
    """What the hypothesis predicts of the recording, but for the last bits of a float64."""
    with np.errstate(all="ignore"):
        seen = observe(recording, causes, {}, bounded=False)
        return tuple(rounded(value) for observed in seen for value in observed.predicted.values())


def beyond(held: Array, exact) -> bool:
    """Whether an element is beyond its allowance for sure: of one that is no number on one side nobody knows."""
    apart = distance(held, exact.value)
    return bool(np.any((apart > exact.error) & ~(np.isnan(held) & np.isnan(exact.value))))


def too_far(held: Array, exact) -> np.ndarray:
    """Which elements are not within their allowance."""
    apart = distance(held, exact.value)
    return ~(apart <= exact.error) & ~(np.isnan(held) & np.isnan(exact.value))


@np.errstate(all="ignore")  # what another form overflows in is in its numbers
def same_bits(recording: Recording, cause: Cause | None, order: str = "paper") -> bool:
    """Whether the layer's formula, in the dtype of the recording, gives every bit of the outputs and gradients."""
    kind = planted(recording.subject, recording.layer, (cause,) if cause else ())
    layer = kind(**recording.hyperparameters)
    for passed in recording.steps:
        layer.formula = layer.ORDERS[order]
        layer.train(passed.training)
        output = np.asarray(layer.forward(*passed.inputs))
        if output.tobytes() != passed.output.tobytes():
            return False
        if passed.grad_input is not None and layer.backward(passed.upstream).tobytes() != passed.grad_input.tobytes():
            return False
    return True


def distinct(found: list[Candidate]) -> list[Candidate]:
    """One of each set of ids, the first."""
    return list({tuple(sorted(cause.id for cause in one.causes)): one for one in reversed(found)}.values())[::-1]


def families(known: list[Cause]) -> list[Cause]:
    """One cause of each kind that has a number of its own."""
    kinds = {(cause.id, tuple(cause.free)): cause for cause in reversed(known) if len(cause.free) == 1}
    return list(kinds.values())[::-1]


def parts_of(recording: Recording) -> frozenset[str]:
    """What of a recording is explained by itself: of a layer each quantity, of an optimizer the whole."""
    if not recording.is_layer:
        return frozenset([recording.label])
    with np.errstate(all="ignore"):  # of where the recording was, if only NaN
        return frozenset(f"{recording.label}: {one.quantity}" for one in observe(recording, (), {}, bounded=False))


def without_buffers(recording: Recording) -> Recording:
    """A layer's recording of what it makes of its input alone."""
    steps = [dataclasses.replace(one, buffers={}) for one in recording.steps if isinstance(one, Pass)]
    return dataclasses.replace(recording, steps=steps)


def key_of(cause: Cause) -> tuple:
    """What tells a cause from all others, its numbers included."""
    return cause.name, *cause.free.items()


def specific(cause: Cause) -> int:
    """How many names its expressions make conditions of: one that is about nesterov alone says more."""
    texts = [*cause.lines.values(), *cause.backward.values(), *cause.arguments.values(), *cause.kept.values()]
    tests = [node.test for text in texts for node in ast.walk(ast.parse(text)) if isinstance(node, ast.IfExp)]
    return len({node.id for test in tests for node in ast.walk(test) if isinstance(node, ast.Name)})
