"""The harness against itself: what makes a comparison worthless is said before any number."""

import numpy as np
from numpy.lib.array_utils import byte_bounds

from lockstep.errors import TheirCode
from lockstep.subjects.side import Quantities, copied, each


class Broken(TheirCode):
    """The comparison cannot be trusted; `cause` is the id of its row in the catalogue, the message what is wrong."""

    def __init__(self, cause: str, message: str):
        super().__init__(message)
        self.cause = cause


def check_names(ours: Quantities, theirs: Quantities) -> None:
    """The same quantities and tensors on both sides, of one shape and dtype each."""
    if ours.keys() != theirs.keys():
        raise Broken("names-differ", f"quantities differ: {only(ours, theirs)}")
    for quantity, named in ours.items():
        if named.keys() != theirs[quantity].keys():
            raise Broken("names-differ", f"tensors of {quantity} differ: {only(named, theirs[quantity])}")
        for name, array in named.items():
            check_kind(f"{quantity} of {name!r}", np.asarray(array), np.asarray(theirs[quantity][name]))


def only(ours, theirs) -> str:
    left = ", ".join(sorted(set(ours) - set(theirs))) or "nothing"
    right = ", ".join(sorted(set(theirs) - set(ours))) or "nothing"
    return f"only numpy has {left}, only torch has {right}"


def check_kind(what: str, a: np.ndarray, b: np.ndarray) -> None:
    if a.shape != b.shape:
        transposed = a.ndim == 2 and a.shape == b.shape[::-1]
        hint = ": one is laid out as the transpose of the other" if transposed else ""
        raise Broken(
            "layout-transposed" if transposed else "shape-differs",
            f"{what} has shape {a.shape} on the numpy side and {b.shape} on the torch side{hint}",
        )
    if a.dtype != b.dtype:
        raise Broken("dtype-differs", f"{what} is {a.dtype} on the numpy side and {b.dtype} on the torch side")


def check_start(ours: Quantities, theirs: Quantities) -> None:
    """Both sides start from the same numbers, none of them shared."""
    check_names(ours, theirs)
    check_memory(ours, theirs)
    total = 0
    for quantity, name, value in each(ours):
        array, other = np.asarray(value), np.asarray(theirs[quantity][name])
        total += array.size
        if array.tobytes() != other.tobytes():
            square = array.ndim == 2 and array.T.tobytes() == other.tobytes()
            hint = ": one is the transpose of the other" if square else ""
            raise Broken(
                "layout-transposed" if square else "start-differs",
                f"the sides start from different values of {quantity} {name!r}{hint}",
            )
    if ours and not total:
        raise Broken("nothing-compared", "there is nothing to compare: no side holds a single element")


SIDES = ("the numpy side", "the torch side")


def check_memory(ours: Quantities, theirs: Quantities, sides: tuple[str, str] = SIDES) -> None:
    """No array of one side lies in the memory of the other."""
    spans = sorted(
        (*byte_bounds(np.asarray(array)), side, quantity, name)
        for side, quantities in enumerate((ours, theirs))
        for quantity, name, array in each(quantities)
        if np.size(array)
    )
    begun: tuple[list, list] = ([], [])  # of each side: the arrays that may reach further than the next one's begin
    for low, high, side, quantity, name in spans:
        begun[1 - side][:] = [span for span in begun[1 - side] if span[0] > low]
        for _, other_quantity, other_name in begun[1 - side]:
            array, other = (ours, theirs)[side][quantity][name], (theirs, ours)[side][other_quantity][other_name]
            if np.shares_memory(np.asarray(array), np.asarray(other)):
                places = [(quantity, name), (other_quantity, other_name)]
                (q1, n1), (q2, n2) = places if side == 0 else places[::-1]
                raise Broken(
                    "shared-memory",
                    f"{q1} {n1!r} of {sides[0]} and {q2} {n2!r} of {sides[1]} are one buffer: "
                    "they would agree whatever either of them computes; copy it",
                )
        begun[side].append((high, quantity, name))


def dtypes(quantities: Quantities) -> dict[tuple[str, str], np.dtype]:
    """The dtype of every array, to hold the next step against."""
    return {(quantity, name): np.asarray(array).dtype for quantity, name, array in each(quantities)}


def check_dtypes(side: str, before: dict[tuple[str, str], np.dtype], after: Quantities) -> None:
    """No step turns a quantity into another dtype."""
    for quantity, name, array in each(after):
        old, new = before.get((quantity, name)), np.asarray(array).dtype
        if old is not None and old != new:
            raise Broken("dtype-promoted", f"{quantity} {name!r} of the {side} side went from {old} to {new}")


class Movement:
    """Watches whether a side changes any of the quantities that a run must move."""

    def __init__(self, side: str, moving: frozenset[str], start: Quantities):
        self.side = side
        self.start = copied({quantity: named for quantity, named in start.items() if quantity in moving})

    def watch(self, quantities: Quantities) -> None:
        if any(
            np.asarray(quantities[quantity][name]).tobytes() != array.tobytes()
            for quantity, name, array in each(self.start)
        ):
            self.start = {}

    def check(self) -> None:
        if self.start:
            names = " and ".join(sorted(self.start))
            raise Broken("nothing-moved", f"no {names} changed on the {self.side} side: agreement would mean nothing")
