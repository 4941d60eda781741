"""What the engine asks of a side, and nothing more: names, arrays, and a step in stages."""

import functools
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

from lockstep.numerics.bounded import Bounded
from lockstep.numerics.snapshot import Snapshot

RESUME = "resume"  # the stage at which a run that was stopped is gone on with
Bounds = dict[str, dict[str, Bounded]]


class Side(Protocol):
    """Anything with named arrays that takes a step.

    A step is taken in `stages`, each of which `produces` some tensors of some quantities; an optimizer's
    step has a "gradient" and an "update", a network's a stage a layer and direction. Resynchronised runs
    hand over between stages, so that what one stage rounds is not charged to the next. A side that cannot
    be stopped between stages may do all its work in the first: what is handed over is what it produced.
    Stages named in an attribute `unmissed` are taken at every step, also by the resynchronised side at steps
    that are not judged: those of a generator, which goes on whatever is handed over.
    """

    @property
    def stages(self) -> tuple[str, ...]:
        """What a step consists of, in order."""
        ...

    @property
    def moving(self) -> frozenset[str]:
        """The quantities of which at least one element must change in a run."""
        ...

    def produces(self, stage: str, quantity: str, tensor: str) -> bool:
        """Whether `stage` makes this tensor of this quantity."""
        ...

    def read(self) -> Snapshot:
        """Every quantity as it is now. The arrays may be views: whoever keeps them copies them."""
        ...

    def write(self, quantities: Snapshot) -> None:
        """Take over copies of these."""
        ...

    def advance(self, stage: str, step: int) -> None:
        """One stage of step `step` (from 1)."""
        ...

    def only(self, tensor: str) -> None:
        """Leave every other tensor out of the update that follows."""
        ...

    def traces(self) -> dict[str, float]:
        """What is worth a curve and no comparison: the loss, an accuracy."""
        ...


class Inspectable(Side, Protocol):
    """A side that can be looked into and changed: the reference's."""

    def rewrite(self, order: str, ops: Any) -> None:
        """Follow the formula in another order, over an arithmetic, from now on."""
        ...

    def watch(self, note: Callable[[Callable[..., Any], Any, tuple[Any, ...]], Any]) -> None:
        """Tell `note` of each formula evaluated from now on, of its lines and of what it was given."""
        ...


class Exact(Protocol):
    """The exact result of a stage and how far honest arithmetic may be from it."""

    def __call__(self, stage: str, step: int, before: Snapshot) -> Bounds: ...


class Pair(NamedTuple):
    """Two sides of one subject, made afresh for every run, and their arbiter.

    ours: makes a side from scratch. theirs: makes the side it is held against. exact: the arbiter, or
    None where a stage has no formula. lines: which line of the formula makes a quantity. order: all
    lines in formula order. equations: line to LaTeX. path: which of PyTorch's implementations, where it has several.
    still: nothing is meant to move or to be compared, so the guard against that stands back. written_like: which
    order of the reference's formula is that of `theirs`.
    """

    ours: Callable[[], Inspectable]
    theirs: Callable[[], Side]
    exact: Exact | None
    lines: Mapping[str, str]
    order: tuple[str, ...]
    equations: Mapping[str, str]
    path: str | None = None
    still: bool = False
    written_like: str = "pytorch"


def watched(
    formula: Callable[..., Any], note: Callable[[Callable[..., Any], Any, tuple[Any, ...]], Any]
) -> Callable[..., Any]:
    """`formula`, which tells `note` of itself, its lines and what it was given whenever it is evaluated."""

    @functools.wraps(formula)
    def noted(*inputs: Any, **arguments: Any) -> Any:
        lines = formula(*inputs, **arguments)
        note(formula, lines, (*inputs, *arguments.values()))
        return lines

    return noted
