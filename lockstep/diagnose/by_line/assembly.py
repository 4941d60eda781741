"""Puts an explanation together from known causes and from slips that no catalogue has, line by line.

What is to be explained is in parts: of each recording, each line that can be seen. A hypothesis grows by what
explains the first part that is left and loses none that it explains. Everything here is a screen in float64.
"""

import functools
import itertools
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from lockstep.causes.cause import Cause
from lockstep.causes.planting import may_join
from lockstep.diagnose.by_line.lines import NO_FORMULA, Call, Exchange, Quick, Script, Trail, near
from lockstep.diagnose.by_line.mutation import ALONE, Mutant, mutants
from lockstep.diagnose.by_line.pairs import Pairs
from lockstep.diagnose.effort import Effort, limited
from lockstep.diagnose.solve import LIMIT, Hypothesis, round_numbers, seek
from lockstep.recordings.recording import Recording

Part = tuple[str, str]  # the label of a recording, and a line of it

MOST = 4  # times that a hypothesis grows
WIDTH = 6  # hypotheses that grow side by side
EACH = 3  # of those, that explain the same
SAME = 3  # calls by which two variants are told apart
NARROWEST = 10 * float(np.finfo(np.float32).eps)  # a share of the largest number, from which on no format explains it


class Piece(NamedTuple):
    """A recording with what it takes to try a hypothesis on it."""

    recording: Recording
    trail: Trail
    script: Script


class Assembly:
    """One look for an explanation of some recordings of one dtype.

    Arguments:
        recordings: the plainest first.
        known: causes of the catalogue.
        quick: holds the recordings line by line. effort: what may be spent.
    """

    def __init__(self, recordings: Sequence[Recording], known: Sequence[Cause], quick: Quick, effort: Effort):
        self.effort = effort
        self.pieces: list[Piece] = []
        for recording in recordings:
            if there := quick.of(recording):
                self.pieces.append(Piece(recording, there[1], there[0]))
        self.parts: list[Part] = [(piece.trail.label, line) for piece in self.pieces for line in piece.trail.lines]
        self.known = [cause for cause in known if not cause.behaviour]
        first = {id(piece.script): piece for piece in reversed(self.pieces)}
        self.of_script = {
            key: mutants(piece.script, piece.trail, piece.recording.subject, piece.recording.layer)
            for key, piece in first.items()
        }
        self.memory: dict[frozenset, frozenset[Part]] = {}
        self.no_two: set[tuple[frozenset, str]] = set()  # hypotheses and lines that no two more explain

    def piece(self, label: str) -> Piece:
        return next(one for one in self.pieces if one.trail.label == label)

    def explained(self, causes: Hypothesis) -> frozenset[Part]:
        """The parts that are near the hypothesis."""
        key = names_of(causes)
        if key not in self.memory:
            self.memory[key] = frozenset(
                (one.trail.label, line) for one in self.pieces for line in one.script.near(one.trail, causes)
            )
        return self.memory[key]

    def used(self, causes: Hypothesis, part: Part) -> tuple[float, int]:
        """The largest share of its allowance that a part uses given what was seen, and at which step."""
        piece = self.piece(part[0])
        with np.errstate(all="ignore"):
            return piece.script.used(piece.trail, causes, piece.recording.dtype).get(part[1], (np.inf, 1))

    def hypotheses(self) -> list[Hypothesis]:
        """What explains most, and of those the simplest first."""
        with np.errstate(all="ignore"):
            return self.grown()

    def grown(self) -> list[Hypothesis]:
        beam: list[Hypothesis] = [()]
        hopeless: set[Part] = set()
        ended: list[Hypothesis] = []  # that cannot grow, and may be the simplest all the same
        for _ in range(MOST):
            left = [self.left(causes, hopeless) for causes in beam]
            if not all(left):
                break
            extended: list[list[Hypothesis]] = [[] for _ in beam]
            with limited(self.effort):
                for place, (part, *_) in enumerate(left):
                    extended[place].extend(self.extended(beam[place], part))
            ended += [causes for causes, larger in zip(beam, extended, strict=True) if not larger]
            if not any(extended):
                hopeless |= {part for part, *_ in left}
            beam = self.best([*itertools.chain(*extended)]) or beam
            if self.effort.cut:
                break
        return self.best([self.needed(one) for one in (*ended, *beam)])

    def needed(self, causes: Hypothesis) -> Hypothesis:
        """The hypothesis without what it explains as much without."""
        for place in range(len(causes)):
            less = (*causes[:place], *causes[place + 1 :])
            if self.explained(less) >= self.explained(causes):
                return self.needed(less)
        return causes

    def left(self, causes: Hypothesis, hopeless: set[Part]) -> list[Part]:
        """What is left to explain, the plainest first."""
        held = self.explained(causes)
        return [part for part in self.parts if part not in held and part not in hopeless]

    def best(self, hypotheses: Sequence[Hypothesis]) -> list[Hypothesis]:
        """Those that explain most; of those that explain the same, the simplest."""
        order = sorted(
            {names_of(hypothesis): hypothesis for hypothesis in hypotheses}.values(),
            key=lambda hypothesis: (-len(self.explained(hypothesis)), cost(hypothesis)),
        )
        kept: list[Hypothesis] = []
        count: dict[frozenset[Part], int] = {}
        for hypothesis in order:
            explained = self.explained(hypothesis)
            count[explained] = count.get(explained, 0) + 1
            if count[explained] <= EACH:
                kept.append(hypothesis)
        return kept[:WIDTH]

    def extended(self, causes: Hypothesis, part: Part) -> Iterator[Hypothesis]:
        """The hypothesis with what explains one part more and loses none."""
        held = self.explained(causes)
        piece = self.piece(part[0])
        slips = self.of_script[id(piece.script)]
        if not self.slight(causes, piece, part[1]):
            slips = [slip for slip in slips if slip.kind != "narrow"]
        variants = [*self.known, *slips]
        for ways in (self.by_one, self.by_a_number, self.by_two):
            if ways == self.by_two:
                if (names_of(causes), part[1]) in self.no_two:
                    return
                variants = [
                    variant for variant in variants if not (isinstance(variant, Mutant) and variant.kind in ALONE)
                ]
            larger_ones = [
                larger for larger in ways(causes, piece, part[1], variants) if held <= self.explained(larger)
            ]
            if larger_ones:
                yield from larger_ones
                return
        self.no_two.add((names_of(causes), part[1]))

    def slight(self, causes: Hypothesis, piece: Piece, line: str) -> bool:
        """Whether the line is off by no more than a narrower format may make of it."""
        number, call = self.first_off(causes, piece, line)
        try:
            made = [
                made for _, made in piece.script.walked(piece.trail, piece.script.exchange(causes), number + 1, line)
            ]
        except NO_FORMULA:
            return False
        apart, seen = np.abs(call.seen[line].found - made[-1].get(line, np.inf)), call.seen[line]
        return bool(np.all(apart <= NARROWEST * np.max(np.abs(seen.found), initial=0)))

    def by_one(self, causes: Hypothesis, one: Piece, line: str, variants: Sequence[Cause]) -> Iterator[Hypothesis]:
        for variant in variants:
            if one.script.near(one.trail, (*causes, variant), (line,)) and may_join((*causes, variant)):
                yield (*causes, variant)

    def by_a_number(self, causes: Hypothesis, one: Piece, line: str, variants: Sequence[Cause]) -> Iterator[Hypothesis]:
        """One cause more, with its number solved for."""
        opened = {(cause.id if not isinstance(cause, Mutant) else cause.name, *cause.free): cause for cause in variants}
        for cause in opened.values():
            if len(cause.free) == 1 and may_join((*causes, cause)):
                yield from self.solved(causes, cause, one, line)

    def solved(self, causes: Hypothesis, cause: Cause, piece: Piece, line: str) -> Iterator[Hypothesis]:
        (name,) = cause.free
        first, call = self.first_off(causes, piece, line)
        calls = piece.trail.calls[: first + 1] if piece.trail.carried else [call]
        try:
            exchange = piece.script.exchange((*causes, cause.opened()))
            off = functools.partial(
                self.off, piece.trail._replace(calls=calls), piece.script, exchange, f"free_{name}", line
            )
            around = off(np.array([0.3, 1.0]))
            if np.array_equal(around[0], around[1]):
                return
            number = seek(off, name)
        except NO_FORMULA:
            return
        for value in round_numbers(number, name) if number is not None else ():
            larger = (*causes, cause.solved(**{name: value}))
            if piece.script.near(piece.trail, larger, (line,)):
                yield larger
                return

    def off(self, trail: Trail, script: Script, exchange: Exchange, name: str, line: str, numbers) -> np.ndarray:
        """How far the line is off at the end of the trail for each of the numbers, signed, in roundings."""
        rows = []
        for number in numbers:
            call, made = [*script.walked(trail, exchange, None, line, **{name: float(number)})][-1]
            seen = call.seen[line]
            rows.append(((made[line] - seen.found) / seen.room * LIMIT).reshape(-1))
        off = np.stack(rows)
        return np.where(np.isnan(off), np.inf, off)

    # two at once

    def by_two(self, causes: Hypothesis, piece: Piece, line: str, variants: Sequence[Cause]) -> Iterator[Hypothesis]:
        """Two causes more, which explain the part together and neither alone."""
        script, trail = piece.script, piece.trail
        classes: dict[tuple, list[Cause]] = {}
        for variant in variants:
            mark = script.signature(trail, (*causes, variant), line, SAME)
            if mark is not None:
                classes.setdefault(mark, []).append(variant)
        classes.pop(script.signature(trail, causes, line, SAME) or (), None)
        kinds = [sorted(alike, key=lambda cause: cost((cause,))) for alike in classes.values()]
        first_off, _ = self.first_off(causes, piece, line)
        pairs = Pairs(script, trail, line, causes, [alike[0] for alike in kinds], first_off)
        for first, second in pairs.near():
            for pair in itertools.product(kinds[first][:WIDTH], kinds[second][:WIDTH]):
                if may_join((*causes, *pair)) and script.near(trail, (*causes, *pair), (line,)):
                    yield (*causes, *pair)

    def first_off(self, causes: Hypothesis, piece: Piece, line: str) -> tuple[int, Call]:
        """The first call in which the line is not near, or in which the formula gives nothing, and its number."""
        number, calls = 0, piece.trail.calls
        try:
            for number, (call, made) in enumerate(piece.script.walked(piece.trail, piece.script.exchange(causes))):
                if line in call.seen and not near(call.seen[line], made.get(line)):
                    return number, call
        except NO_FORMULA:
            return number + 1, calls[number + 1]
        return 0, calls[0]


def names_of(causes: Hypothesis) -> frozenset:
    """What tells a hypothesis from all others."""
    return frozenset((cause.name, *cause.free.items()) for cause in causes)


def cost(causes: Hypothesis) -> tuple:
    """The simpler, the less: few causes, known ones, small slips."""
    unknown = [cause for cause in causes if isinstance(cause, Mutant)]
    return len(causes), len(unknown), sorted(cause.rank for cause in unknown)
