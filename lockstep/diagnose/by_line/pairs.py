"""Which two causes bring a line near that neither brings near alone.

There are thousands of pairs, so most are not walked one by one: all second causes that change the same line are tried
in one walk, where that can be done, each a row of what that line makes. What is found so is tried once more by itself.
"""

import collections
import functools
import types
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from lockstep.causes.cause import Cause
from lockstep.causes.planting import may_join
from lockstep.causes.source import WAS, reads
from lockstep.diagnose.by_line.lines import NO_FORMULA, Exchange, Numbers, Script, Trail, in_order_of, near
from lockstep.diagnose.by_line.many import Many
from lockstep.diagnose.by_line.mutation import Mutant
from lockstep.diagnose.effort import spend

ROWS = "rows"  # what the lines of a walk call the array that has a row for each second cause
ROWS_CODE = compile(ROWS, "<rows>", "eval")
NO_LINE = -1


class Pairs:
    """Pairs of variants, beside `causes`, on what went on until one line was first off.

    Arguments:
        script, trail: the formula and what was recorded of it. line: the line that is to be near.
        causes: what is there already. variants: what is tried, two at once.
        first_off: the call in which the line is not near, from 0. later: whether the calls before it count.
    """

    def __init__(
        self,
        script: Script,
        trail: Trail,
        line: str,
        causes: tuple[Cause, ...],
        variants: Sequence[Cause],
        first_off: int,
    ):
        self.script, self.trail, self.line, self.causes, self.variants = script, trail, line, causes, variants
        self.call = trail.calls[first_off]
        self.later = bool(first_off and trail.carried)
        self.calls = trail.calls[: first_off + 1] if self.later else [self.call]
        self.alone = script.exchange(causes)
        self.with_each = [script.exchange((*causes, variant)) for variant in variants]
        self.own = [changed(exchange, self.alone) for exchange in self.with_each]
        self.argues = [exchange.arguments != self.alone.arguments for exchange in self.with_each]
        self.begins = [0 if argues else min(own, default=0) for argues, own in zip(self.argues, self.own, strict=True)]
        self.merged: dict[tuple, list[int]] = {}

    @functools.cached_property
    def plan_of_each(self) -> list[frozenset[int]]:
        """The lines that the line is made of, with each of the variants."""
        return [self.script.plan((self.line,), exchange, self.call) for exchange in self.with_each]

    def near(self) -> Iterator[tuple[int, int]]:
        """The numbers of the two variants of each pair that brings the line near."""
        order = [number for number, exchange in enumerate(self.with_each) if self.later or not exchange.kept]
        if not self.later:
            order.sort(key=self.begins.__getitem__)
        trace: list = []
        if not self.later:
            try:
                self.script.go(
                    [self.script.begun(self.call, {}, self.alone)], self.script.everything, self.call, self.alone, trace
                )
            except NO_FORMULA:
                return  # there is nothing that another cause could be put into
        for at, first in enumerate(order):
            seconds = order[at + 1 :]
            near_ones, rest = self.in_rows(first, seconds)
            near_ones |= set(self.one_by_one(first, rest, trace))
            yield from ((first, second) for second in seconds if second in near_ones)

    # all that change one line, each a row

    def in_rows(self, first: int, seconds: Sequence[int]) -> tuple[set[int], list[int]]:
        """Which of the seconds bring the line near, and which have to be tried one by one."""
        at_line: dict[int, list[int]] = collections.defaultdict(list)
        for second in seconds:
            at_line[self.line_of(first, second)].append(second)
        near_ones: set[int] = set()
        rest = at_line.pop(NO_LINE, [])
        for at, alike in at_line.items():
            try:
                near_ones |= self.rows_near(first, at, alike)
            except NO_FORMULA:
                rest += alike
        return near_ones, rest

    def line_of(self, first: int, second: int) -> int:
        """The one line that the second changes, and the first does not."""
        a, b, own = self.with_each[first], self.with_each[second], self.own[second]
        more = self.argues[second] or a.kept or b.kept or b.free
        if len(own) != 1 or more or not own.isdisjoint(self.own[first]):
            return NO_LINE
        (at,) = own
        return at if len(self.script.lines[at].names) == 1 else NO_LINE

    def rows_near(self, first: int, at: int, seconds: Sequence[int]) -> set[int]:
        """Those of the seconds, all of which change line `at`, that bring the line near."""
        script, a = self.script, self.with_each[first]
        joint = a._replace(lines={**a.lines, at: ROWS_CODE})
        codes = [self.with_each[second].lines[at] for second in seconds]
        spend(len(seconds))
        carried: Numbers = {}
        made: dict[str, Any] = {}
        for call in self.calls:
            state = [script.begun(call, carried, joint)]
            script.go(state, range(at), call, joint)
            numbers = state[script.lines[at].function]
            numbers[ROWS] = Many(in_rows(numbers, codes))
            made = script.go(state, range(at, len(script.lines)), call, joint)
            carried = {key: state[0][line] for key, line in self.trail.carried.items() if line in state[0]}
        seen, value = self.call.seen[self.line], made.get(self.line)
        if not isinstance(value, Many):  # it is not made of that line
            return set(seconds) if near(seen, value) else set()
        if value.shape != seen.found.shape:
            return set()
        far = np.any((np.abs(seen.found - value.held) > seen.room).reshape(len(seconds), -1), 1).tolist()
        return {
            second
            for second, row, is_far in zip(seconds, value.held, far, strict=True)
            if not is_far and near(seen, row)
        }

    # one pair after the other

    def one_by_one(self, first: int, seconds: Sequence[int], trace: Sequence[list[Numbers]]) -> Iterator[int]:
        """Which of the seconds bring the line near; `trace`: what there was before each line without both."""
        if self.later or not seconds:
            yield from (second for second in seconds if self.walked_near(self.joint(first, second)))
            return
        script, call, a = self.script, self.call, self.with_each[first]
        snapshots: list = []
        start = self.begins[first]
        try:
            state = [script.begun(call, {}, a)] if self.argues[first] else [*map(dict, trace[start])]
            script.go(state, range(start, len(script.lines)), call, a, snapshots)
        except NO_FORMULA:
            return
        for second in seconds:
            joint, begin = self.joint(first, second) or self.composed(first, second), self.begins[second]
            if joint is None:
                continue
            try:
                anew = self.argues[second]
                state = [script.begun(call, {}, joint)] if anew else [*map(dict, snapshots[begin - start])]
                made = script.go(state, self.plan(first, second, begin), call, joint)
                is_near = near(call.seen[self.line], made.get(self.line))
            except NO_FORMULA:
                continue
            if is_near:
                yield second

    def walked_near(self, joint: Exchange | None) -> bool:
        """Whether the line is near at the end of all calls until it was off."""
        if joint is None:
            return False
        try:
            *_, (call, made) = self.script.walked(self.trail, joint, len(self.calls), self.line)
            return near(call.seen[self.line], made.get(self.line))
        except NO_FORMULA:
            return False

    def plan(self, first: int, second: int, begin: int) -> list[int]:
        """The lines from `begin` on that the line is made of with both."""
        plans = [self.plan_of_each[number] for number in (first, second)]
        key = *plans, begin
        if key not in self.merged:
            self.merged[key] = in_order_of(plans[0] | plans[1], begin)
        return self.merged[key]

    def joint(self, first: int, second: int) -> Exchange | None:
        """Both, where they change nothing in common."""
        a, b, of_a = self.with_each[first], self.with_each[second], self.own[first]
        if not of_a.isdisjoint(self.own[second]) or (a.kept and b.kept and a.kept.keys() & b.kept.keys()):
            return None
        lines = {**b.lines, **{at: a.lines[at] for at in of_a}}
        if a.arguments and b.arguments and a.arguments != b.arguments:
            arguments = a.arguments + tuple(exchanged for exchanged in b.arguments if exchanged not in a.arguments)
        else:
            arguments = a.arguments or b.arguments
        return Exchange(lines, arguments, {**a.kept, **b.kept}, min(a.first, b.first), a.free + b.free)

    def composed(self, first: int, second: int) -> Exchange | None:
        """Both in one line, where one of them alters what the other puts there."""
        pair = self.variants[first], self.variants[second]
        if any(isinstance(variant, Mutant) for variant in pair) or not any(alters(variant) for variant in pair):
            return None
        causes = (*self.causes, *pair)
        return self.script.exchange(causes) if may_join(causes) else None


def in_rows(numbers: Numbers, codes: Sequence[Any]) -> np.ndarray:
    """What each code makes of its own row of the numbers."""
    before = vars(numbers["lines"]) if "lines" in numbers else {}
    parted, parted_before = of_many(numbers), of_many(before)
    values: list[Any] = []
    for row, code in enumerate(codes):
        own = {name: many.held[row] for name, many in parted.items()}
        if parted_before:
            own["lines"] = types.SimpleNamespace(
                **before | {name: many.held[row] for name, many in parted_before.items()}
            )
        values.append(np.asarray(eval(code, numbers, own)))
    return np.stack(np.broadcast_arrays(*values))


def of_many(numbers: Numbers) -> dict[str, Many]:
    return {name: value for name, value in numbers.items() if isinstance(value, Many)}


def changed(exchange: Exchange, shared: Exchange) -> frozenset[int]:
    """The lines that are another's than those of what it begins with."""
    return frozenset(at for at, code in exchange.lines.items() if shared.lines.get(at) is not code)


def alters(cause: Cause) -> bool:
    """Whether it alters what is there, whatever that is."""
    return any(WAS in reads(text) for text in (*cause.lines.values(), *cause.backward.values()))
