"""A run that is stopped, saved, and gone on with from what was saved, by either side."""

from collections.abc import Callable, Sequence
from typing import Any

from lockstep.numerics.bounded import Bounded
from lockstep.numerics.snapshot import Snapshot
from lockstep.records import checkpoint
from lockstep.subjects.side import RESUME, Bounds, Exact, Pair, Side
from lockstep.subjects.subject import Request


class Resuming:
    """A side until a step, and from there one that is made anew and goes on from what the first has saved.

    What is saved goes through the bytes of a file. Every step begins with a stage of its own, at whose end everything
    has to be as it was: before that step nothing is done in it.

    Arguments:
        before: makes the side that is stopped.
        after: make those that take over what was saved, one from the other; the last goes on.
        at: the step.
    """

    def __init__(self, before: Callable[[], Side], after: Sequence[Callable[[], Side]], at: int):
        self.after, self.at = after, at
        self.side: Any = before()

    def __getattr__(self, name: str) -> Any:
        return getattr(vars(self)["side"], name)

    @property
    def stages(self) -> tuple[str, ...]:
        return (RESUME, *self.side.stages)

    @property
    def unmissed(self) -> tuple[str, ...]:
        return (RESUME, *getattr(self.side, "unmissed", ()))

    @property
    def moving(self) -> frozenset[str]:
        return self.side.moving

    def produces(self, stage: str, quantity: str, tensor: str) -> bool:
        return self.side.produces(stage, quantity, tensor)

    def read(self) -> Snapshot:
        return self.side.read()

    def write(self, quantities: Snapshot) -> None:
        self.side.write(quantities)

    def only(self, tensor: str) -> None:
        self.side.only(tensor)

    def traces(self) -> dict[str, float]:
        return self.side.traces()

    def advance(self, stage: str, step: int) -> None:
        if stage != RESUME:
            self.side.advance(stage, step)
        elif step == self.at:
            for make in self.after:
                saved = checkpoint.packed(self.side.saved())
                self.side = make()
                self.side.resume(checkpoint.unpacked(saved))


def resumed(request: Request, ours: type | None = None) -> Pair:
    """The pair that is run: where the case says so, both sides are stopped, and go on from what either has saved."""
    pair, case = request.pair(ours), request.case
    if getattr(case, "resumed", None) is None:
        return pair
    stands_in = request.subject.family.stands_in

    def goes_on(own: Callable[[], Side], other: Callable[[], Side]) -> Callable[[], Side]:
        if not case.crossed:
            first, after = own, [own]
        else:
            first, after = (other, [own]) if stands_in else (own, [other, own])
        return lambda: Resuming(first, after, case.resumed)

    return pair._replace(
        ours=goes_on(pair.ours, pair.theirs),
        theirs=goes_on(pair.theirs, pair.ours),
        exact=pair.exact and as_it_was(pair.exact),
    )


def as_it_was(exact: Exact) -> Exact:
    """The arbiter, to whom everything has to stay as it was where a run is gone on with."""

    def arbiter(stage: str, step: int, before: Snapshot) -> Bounds:
        if stage != RESUME:
            return exact(stage, step, before)
        return {
            quantity: {name: Bounded(array, array.dtype) for name, array in named.items()}
            for quantity, named in before.items()
        }

    return arbiter
