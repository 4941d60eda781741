"""Holds the points that an optimizer asked its closure about against the formula: each from the ones before it.

The reference's own step is run on what was recorded: where it asks for a loss and a slope, the next recorded point has
to be the one that it asks about, and what was answered there is what it goes on with. How far the last direction led
is taken from the recorded points as well, so that no error is carried from one direction to the next. Where rounding
decides which way a step goes, every way is tried.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from lockstep.numerics import formats
from lockstep.numerics.bounded import Bounded, Ways
from lockstep.numerics.shapes import Flat
from lockstep.numerics.verdict import distance
from lockstep.subjects.families.optim import weak
from lockstep.subjects.side import Bounds

WAYS = 64  # of a step that are tried


class AskedPoint(NamedTuple):
    """A recorded point, of all parameters as one vector, and what was answered there; nothing where a step ended.

    place: among the recorded states.
    """

    place: int
    point: np.ndarray
    loss: Any = None
    grad: Any = None

    @property
    def answered(self) -> bool:
        return self.grad is not None


class Parted(Exception):
    """The recorded run has left the formula; nothing is known of the rest."""


class Unexplored(Exception):
    """There are more ways for rounding to decide than are tried."""


class Unanswered(Exception):
    """The formula asks about a point at which nothing was recorded any more."""


def followed(kind: Any, recording: Any, hyperparameters: Mapping[str, Any]) -> Iterator[tuple[int, Bounds]]:
    """What a formula makes of each recorded point, as far as it can be followed; nothing of the rest."""
    made = predictions(kind, recording, hyperparameters)
    like = recording.steps[0].before["param"]
    ends = np.cumsum([array.size for array in like.values()])
    for place in range(len(recording.steps)):
        flat = made.get(place)
        named = {}
        if flat is not None:
            parts = zip(like.items(), ends, strict=True)
            named["param"] = {n: flat[end - array.size : end].reshape(array.shape) for (n, array), end in parts}
        yield place + 1, named


@np.errstate(all="ignore")
def predictions(kind: Any, recording: Any, hyperparameters: Mapping[str, Any]) -> dict[int, Bounded]:
    """The place of a recorded state to where the formula asks instead of there."""
    calls = calls_of(recording)
    whole = all(call.answered for call in calls)
    told = dict(hyperparameters)
    told |= {"max_iter": 1} if whole else {}  # of a run nobody knows where a step would end
    start = flat_of(recording.steps[0].before["param"])
    follower = Follower(kind, told, start, calls, whole)
    made: dict[int, Bounded] = {}
    while follower.place < len(calls):
        place = follower.place
        try:
            made |= follower.step()
        except Parted as parted:
            made |= parted.args[0]
            break
        except Unexplored:  # of the rest anything may be true
            nobody = np.zeros_like(calls[0].point)
            made |= {call.place: Bounded(nobody, nobody.dtype, error=np.inf) for call in calls[place:]}
            break
        if follower.place == place:
            break
    return made


def calls_of(recording: Any) -> list[AskedPoint]:
    """What was recorded, of points that are one but for rounding the last."""
    calls: list[AskedPoint] = []
    for place, state in enumerate(recording.steps):
        after = state.after
        point = flat_of(after["param"])
        call = AskedPoint(place, point, *((after["loss"]["loss"], flat_of(after["grad"])) if "grad" in after else ()))
        if calls and call.answered and calls[-1].answered and near(calls[-1].point, point):
            calls[-1] = call._replace(place=calls[-1].place)
        else:
            calls.append(call)
    return calls


def flat_of(named: Mapping[str, Any]) -> np.ndarray:
    return np.concatenate([np.asarray(array).reshape(-1) for array in named.values()])


def near(one: Flat, other: Flat) -> bool:
    """Whether two points are one, got to in two ways that round."""
    room = 2 * formats.of(one.dtype).unit * np.maximum(np.abs(one), np.abs(other))
    return bool(np.all(np.abs(one - other) <= room))


def within(point: Flat, exact: Bounded) -> bool:
    return bool(np.all(distance(point, exact.value) <= exact.error))


class Follower:
    """The reference, asked for its step on what was recorded.

    Arguments:
        kind: its class, or one with causes planted in it. told: hyperparameters. start: the first point.
        calls: what was recorded. whole: as one run, without the ends of steps.
    """

    def __init__(self, kind: Any, told: Mapping[str, Any], start: Flat, calls: list[AskedPoint], whole: bool):
        self.calls, self.whole, self.place = calls, whole, 0
        self.at = Bounded(start, start.dtype)
        self.seen: list[AskedPoint] = []
        self.state: dict[str, Any] = {"func_evals": 0.0, "n_iter": 0.0}
        self.optimizer = on_recorded(kind)({"flat": np.array(start)}, **told)
        (own,) = self.optimizer.param_groups
        self.optimizer.param_groups = [{name: weak(value) for name, value in own.items()}]

    def step(self) -> dict[int, Bounded]:
        """One step of the recorded run, by the way that rounding may have gone in which it agrees longest.

        Raises:
            Parted: with what was expected, where it agrees in none.
        """
        ways, best = Ways(), None
        begun = self.optimizer.began, self.place, list(self.seen)
        for _ in range(WAYS):
            self.optimizer.began, self.place, self.seen = begun[0], begun[1], list(begun[2])
            self.made: dict[int, Bounded] = {}
            with ways:
                try:
                    self.taken()
                    return self.made
                except Parted:
                    best = self.made if best is None or max(self.made) > max(best) else best
            if not ways.more():
                raise Parted(best)
        raise Unexplored

    def taken(self) -> None:
        """The step, and whether it ended where the recorded one did."""
        try:
            param, state, _ = self.optimizer.stepped(self.at, self.state, self.evaluate)
            param = self.arrived(param)
        except Unanswered:
            self.place = len(self.calls)
        else:
            self.at, self.state = param, state

    def arrived(self, param: Bounded) -> Bounded:
        """The parameters after a step, as recorded: what was asked about there does not count."""
        if self.whole:
            if not any(within(call.point, param) for call in self.seen):
                self.expect(self.upcoming(), param)
            return param
        end = self.upcoming()
        self.expect(end, param)
        if end.answered:
            self.place += 1
            self.seen.append(end)
            end = self.upcoming()
            self.expect(end, param)
            if end.answered:
                raise Parted
        self.place += 1
        return Bounded(end.point, end.point.dtype)

    def upcoming(self) -> AskedPoint:
        """What was recorded next, but for points that are asked about again.

        Raises:
            Unanswered: where there is nothing.
        """
        while self.place < len(self.calls):
            call = self.calls[self.place]
            if not (call.answered and any(near(call.point, seen.point) for seen in self.seen)):
                return call
            self.place += 1
        raise Unanswered

    def expect(self, call: AskedPoint, flat: Bounded) -> None:
        """Hold a recorded point against where the formula is.

        Raises:
            Parted: where it is elsewhere.
        """
        self.made[call.place] = flat
        if not within(call.point, flat):
            raise Parted

    def evaluate(self, flat: Bounded) -> tuple[Any, Any]:
        """What was answered where the formula asks, which was recorded next, or before."""
        upcoming = self.calls[self.place] if self.place < len(self.calls) else None
        if upcoming and upcoming.answered and within(upcoming.point, flat):
            self.made[upcoming.place] = flat
            self.place += 1
            return self.answer(upcoming)
        for call in reversed(self.seen):
            if within(call.point, flat):
                return self.answer(call)
        call = self.upcoming()
        self.expect(call, flat)
        if not call.answered:  # the step ended there without asking: what is asked first in the next
            later = [other for other in self.calls[self.place :] if other.answered and near(other.point, call.point)]
            if not later:
                raise Unanswered
            return self.answer(later[0])
        self.place += 1
        return self.answer(call)

    def answer(self, call: AskedPoint) -> tuple[Any, Any]:
        self.seen.append(call)
        dtype = call.point.dtype
        return Bounded(call.loss, dtype), Answered(call.grad, dtype, call.point)


def on_recorded(kind: Any) -> Any:
    """The reference's class, whose every direction begins where a recorded one did."""
    base: Any = kind

    class OnRecorded(base):
        began: Any = None  # where the direction before this one did

        def direction(self, param: Any, grad: Any, loss: Any, state: dict[str, Any]) -> Any:
            """From a recorded point; what the last direction led to is how far this one is from where that began."""
            point, began = grad.point, self.began
            if began is not None:
                t = middle(state["t"])
                way = Bounded(point, point.dtype, error=formats.of(point.dtype).unit * np.abs(point)) - began
                state = state | {"d": way / t, "t": t}
            self.began = Bounded(point, point.dtype)
            return base.direction(self, self.began, grad, loss, state)

        def gone(self, param: Any, start: Any, lines: Any, evaluate: Any, most: int, last: bool) -> Any:
            return base.gone(self, self.began, start, lines, evaluate, most, last)

    return OnRecorded


def middle(t: Any) -> Bounded:
    """A number of the formula without its error: how far a direction led is seen, and this says in which unit."""
    value = float(t.value if isinstance(t, Bounded) else t)
    return Bounded.scalar(value if np.isfinite(value) and value else 1.0)


class Answered(Bounded):
    """A gradient that knows where it was asked for."""

    __slots__ = ("point",)

    def __init__(self, value: Any, dtype: Any, point: Flat):
        super().__init__(value, dtype)
        self.point = point
