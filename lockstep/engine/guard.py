"""The harness against itself: what makes a comparison worthless is said before any number."""

from collections.abc import Iterable

import numpy as np
from numpy.lib.array_utils import byte_bounds

from lockstep.errors import TheirCode
from lockstep.numerics.shapes import Array
from lockstep.numerics.snapshot import Snapshot
from lockstep.text import Message, message


class Broken(TheirCode):
    """The comparison cannot be trusted; `cause` is the id of its row in the catalogue, `said` what is wrong."""

    def __init__(self, cause: str, said: Message | str):
        super().__init__(said)
        self.cause = cause


def check_names(ours: Snapshot, theirs: Snapshot) -> None:
    """The same quantities and tensors on both sides, of one shape and dtype each."""
    if ours.keys() != theirs.keys():
        raise Broken("names-differ", message("broken.quantities", only=only(ours, theirs)))
    for quantity, named in ours.items():
        if named.keys() != theirs[quantity].keys():
            lonely = only(named, theirs[quantity])
            raise Broken("names-differ", message("broken.tensors", quantity=quantity, only=lonely))
        for name, array in named.items():
            check_kind(quantity, name, np.asarray(array), np.asarray(theirs[quantity][name]))


def only(ours: Iterable[str], theirs: Iterable[str]) -> Message:
    left, right = (
        ", ".join(sorted(set(one) - set(other))) or message("broken.nothing")
        for one, other in ((ours, theirs), (theirs, ours))
    )
    return message("broken.only", yours=left, pytorch=right)


def check_kind(quantity: str, name: str, a: Array, b: Array) -> None:
    if a.shape != b.shape:
        said = message("broken.shape", quantity=quantity, name=name, yours=str(a.shape), pytorch=str(b.shape))
        if a.ndim == 2 and a.shape == b.shape[::-1]:
            raise Broken("layout-transposed", message("broken.turned", said=said))
        raise Broken("shape-differs", said)
    if a.dtype != b.dtype:
        kinds = {"yours": str(a.dtype), "pytorch": str(b.dtype)}
        raise Broken("dtype-differs", message("broken.dtype", quantity=quantity, name=name, **kinds))


def check_start(ours: Snapshot, theirs: Snapshot) -> None:
    """Both sides start from the same numbers, none of them shared."""
    check_names(ours, theirs)
    check_memory(ours, theirs)
    total = 0
    for quantity, name, value in ours.each():
        array, other = np.asarray(value), np.asarray(theirs[quantity][name])
        total += array.size
        if array.tobytes() != other.tobytes():
            said = message("broken.start", quantity=quantity, name=name)
            if array.ndim == 2 and array.T.tobytes() == other.tobytes():
                raise Broken("layout-transposed", message("broken.turned", said=said))
            raise Broken("start-differs", said)
    if ours and not total:
        raise Broken("nothing-compared", message("broken.no-element"))


Span = tuple[int, str, str]  # where an array ends in memory, its quantity and its name

YOURS, PYTORCH = SIDES = (message("side.yours"), message("side.pytorch"))


def check_memory(ours: Snapshot, theirs: Snapshot, sides: tuple[Message, Message] = SIDES) -> None:
    """No array of one side lies in the memory of the other."""
    spans = sorted(
        (*byte_bounds(np.asarray(array)), side, quantity, name)
        for side, quantities in enumerate((ours, theirs))
        for quantity, name, array in quantities.each()
        if np.size(array)
    )
    begun: tuple[list[Span], list[Span]] = (
        [],
        [],
    )  # of each side: the arrays that may reach further than the next one's begin
    for low, high, side, quantity, name in spans:
        begun[1 - side][:] = [span for span in begun[1 - side] if span[0] > low]
        for _, other_quantity, other_name in begun[1 - side]:
            array, other = (ours, theirs)[side][quantity][name], (theirs, ours)[side][other_quantity][other_name]
            if np.shares_memory(np.asarray(array), np.asarray(other)):
                places = [(quantity, name), (other_quantity, other_name)]
                (q1, n1), (q2, n2) = places if side == 0 else places[::-1]
                first = {"side": sides[0], "quantity": q1, "name": n1}
                second = {"other_side": sides[1], "other_quantity": q2, "other_name": n2}
                raise Broken("shared-memory", message("broken.one-buffer", **first, **second))
        begun[side].append((high, quantity, name))


def dtypes(quantities: Snapshot) -> dict[tuple[str, str], np.dtype]:
    """The dtype of every array, to hold the next step against."""
    return {(quantity, name): np.asarray(array).dtype for quantity, name, array in quantities.each()}


def check_dtypes(side: Message, before: dict[tuple[str, str], np.dtype], after: Snapshot) -> None:
    """No step turns a quantity into another dtype."""
    for quantity, name, array in after.each():
        old, new = before.get((quantity, name)), np.asarray(array).dtype
        if old is not None and old != new:
            kinds = {"old": str(old), "new": str(new)}
            raise Broken("dtype-promoted", message("broken.promoted", quantity=quantity, name=name, side=side, **kinds))


class Movement:
    """Watches whether a side changes any of the quantities that a run must move."""

    def __init__(self, side: Message, moving: frozenset[str], start: Snapshot):
        self.side = side
        self.start = start.picked(lambda quantity, _: quantity in moving).copy()

    def watch(self, quantities: Snapshot) -> None:
        if any(
            np.asarray(quantities[quantity][name]).tobytes() != array.tobytes()
            for quantity, name, array in self.start.each()
        ):
            self.start = Snapshot()

    def check(self) -> None:
        if self.start:
            raise Broken("nothing-moved", message("broken.still", names=", ".join(sorted(self.start)), side=self.side))
