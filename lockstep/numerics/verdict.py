"""What a difference amounts to: identical, rounding, partial, ill-conditioned, different or broken."""

import dataclasses
import enum
import math
from collections.abc import Iterable
from typing import Any, Literal, NamedTuple

import numpy as np

from lockstep.numerics import formats
from lockstep.numerics.bounded import Bounded
from lockstep.numerics.difference import compare
from lockstep.numerics.shapes import Array
from lockstep.text import Message


class Verdict(enum.StrEnum):
    """From the best to the worst."""

    IDENTICAL = "identical"
    ROUNDING = "rounding"
    PARTIAL = "partial"  # of a check: rounding at most, and not everything could be seen
    ILL_CONDITIONED = "ill-conditioned"
    DIFFERENT = "different"
    BROKEN = "broken"

    @property
    def severity(self) -> int:
        """How bad it is, from 0 for identical."""
        return list(Verdict).index(self)

    @property
    def passes(self) -> bool:
        """Whether a run with this verdict counts as in order: nothing different, nothing broken."""
        return self not in (Verdict.DIFFERENT, Verdict.BROKEN)


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    return max(verdicts, key=lambda verdict: verdict.severity, default=Verdict.IDENTICAL)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Breakage:
    """Why nothing can be said of a run.

    Attributes:
        id: of the cause. message: what was seen.
    """

    id: str
    message: Message | str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Finding:
    """One number that differs: where it stands, both values and their bits, and what an arbiter says of them.

    Attributes:
        step: after which it was seen. stage: in which stage of it; nothing where nobody looked stage by stage.
        line: of the formula. quantity, tensor, index, shape: which element of which tensor.
        differing, elements: of so many of the tensor's elements so many differ by a bit.
        dtype: of both values.
        ours, theirs: the values, whoever the sides are. ours_bits, theirs_bits: in hexadecimal.
        absolute, relative, ulp: how far they are apart.
        exact: what the formula makes of the same numbers; NaN without an arbiter, who can say nothing of the rest.
        allowed: how far from it an honest evaluation may be. used: the larger of both sides' errors as a share of that.
        nearer: which side is nearer to it.
        verdict: what that amounts to.
    """

    step: int
    stage: str = ""
    line: str
    quantity: str
    tensor: str
    index: tuple[int, ...]
    shape: tuple[int, ...]
    differing: int
    elements: int
    dtype: str
    ours: float
    theirs: float
    ours_bits: str
    theirs_bits: str
    absolute: float
    relative: float
    ulp: float
    exact: float = math.nan
    allowed: float = math.nan
    used: float = math.nan
    nearer: Literal["ours", "theirs", "both", "unknown"] = "unknown"
    verdict: Verdict | None = None

    def __post_init__(self):
        check_index(self.index, self.shape)
        for value, written in ((self.ours, self.ours_bits), (self.theirs, self.theirs_bits)):
            check_bits(written, value, self.dtype)

    @classmethod
    def at(cls, place: int, ours: Array, theirs: Array, **known: Any) -> "Finding":
        """The element at a flat place of both sides' arrays, and what else is `known` of it."""
        a, b = (np.ascontiguousarray(side).reshape(-1)[place : place + 1] for side in (ours, theirs))
        apart, held = compare(a, b), formats.of(a.dtype)
        return cls(
            index=tuple(int(i) for i in np.unravel_index(place, ours.shape)),
            shape=tuple(ours.shape),
            elements=ours.size,
            dtype=str(ours.dtype),
            ours=float(a[0]),
            theirs=float(b[0]),
            ours_bits=held.bits(a[0]),
            theirs_bits=held.bits(b[0]),
            absolute=apart.absolute,
            relative=apart.relative,
            ulp=apart.ulp,
            **known,
        )


def check_index(index: tuple[int, ...], shape: tuple[int, ...]) -> None:
    """Refuse what is no index into an array of that shape.

    Raises:
        ValueError: naming both.
    """
    if len(index) != len(shape) or not all(0 <= k < size for k, size in zip(index, shape, strict=True)):
        raise ValueError(f"index {list(index)} is none of shape {list(shape)}")


def check_bits(written: str, value: float, dtype: str) -> None:
    """Refuse bits that are not those of the number.

    Raises:
        ValueError: naming both.
    """
    try:
        held = formats.named(dtype)
        held_value = held.from_bits(written)
        same = held.bits(held_value) == written and (held_value == value or (np.isnan(held_value) and np.isnan(value)))
    except (KeyError, TypeError, ValueError, OverflowError):
        same = False
    if not same:
        raise ValueError(f"{written!r:.40} are not the bits of {value!r} in {dtype!r:.20}")


def differing(ours: Array, theirs: Array) -> np.ndarray:
    """The flat places at which a bit differs; two NaNs agree."""
    a, b = (np.ascontiguousarray(side).reshape(-1) for side in (ours, theirs))
    integer = formats.of(a.dtype).unsigned
    return np.flatnonzero((a.view(integer) != b.view(integer)) & ~(np.isnan(a) & np.isnan(b)))


class Judgement(NamedTuple):
    """One tensor at one step."""

    verdict: Verdict
    used: float
    undecided: int
    nearer_ours: int
    nearer_theirs: int
    finding: Finding


def judge(
    step: int, quantity: str, tensor: str, line: str, ours: Array, theirs: Array, exact: Bounded | None
) -> Judgement:
    """Hold both sides of a tensor that differs somewhere against the exact result and its allowance.

    A side outside the allowance follows another formula: `different`. Inside it, a tensor of which not
    one digit is certain (the allowance covers its largest exact value), or an element whose allowance is
    infinite (a division by what may be zero), is `ill-conditioned`. Everything else is `rounding`.
    Without an exact result, only bit equality is agreement, and nobody can say who is nearer.
    """
    where, value, at, room, (a, b), (a_error, b_error), undecided, used = beside(ours, theirs, exact)
    pick = int(np.argmax(np.where(undecided, -1.0, used))) if not undecided.all() else 0
    verdict = Verdict.ROUNDING
    if (used > 1).any():
        verdict = Verdict.DIFFERENT
    elif (a != b).any() and (undecided.any() or uncertain(value, room)):
        verdict = Verdict.ILL_CONDITIONED
    unknown = exact is None or undecided[pick]
    closer = "unknown" if unknown else nearer(a_error[pick], b_error[pick])
    finding = Finding.at(
        int(where[pick]),
        ours,
        theirs,
        step=step,
        line=line,
        quantity=quantity,
        tensor=tensor,
        differing=where.size,
        exact=float(at[pick]),
        allowed=float(room[pick]),
        used=float(used[pick]),
        nearer=closer,
        verdict=verdict,
    )
    return Judgement(
        verdict,
        float(used.max()),
        int(undecided.sum()),
        int(np.count_nonzero((a_error < b_error) & ~undecided)),
        int(np.count_nonzero((b_error < a_error) & ~undecided)),
        finding,
    )


class SidesApart(NamedTuple):
    """Both sides at the flat places where they differ.

    value: of the whole tensor, exactly. at, room: there, and the allowance. sides, errors: ours and theirs. undecided:
    where nobody can say. used: the larger error as a share of the allowance.
    """

    where: np.ndarray
    value: np.ndarray
    at: np.ndarray
    room: np.ndarray
    sides: tuple[np.ndarray, np.ndarray]
    errors: tuple[np.ndarray, np.ndarray]
    undecided: np.ndarray
    used: np.ndarray


def beside(ours: Array, theirs: Array, exact: Bounded | None) -> SidesApart:
    """Both sides of a tensor that differs somewhere, beside the exact result and its allowance."""
    where = differing(ours, theirs)
    a, b = (np.ascontiguousarray(side).reshape(-1)[where] for side in (ours, theirs))
    arbiter = Bounded(np.full(ours.shape, np.nan), ours.dtype) if exact is None else exact
    value = arbiter.value.reshape(-1)
    allowed = np.broadcast_to(arbiter.error, arbiter.shape).reshape(-1)
    at, room = value[where], allowed[where]
    errors = distance(a, at), distance(b, at)
    undecided = (~np.isfinite(room) | np.isnan(at)) & (exact is not None)
    used = np.where(undecided, 0.0, share(np.maximum(*errors), room))
    return SidesApart(where, value, at, room, (a, b), errors, undecided, used)


def distance(side: Array, exact: Array) -> np.ndarray:
    """|side - exact|; infinities that agree are no distance apart, any other is infinite."""
    with np.errstate(invalid="ignore", over="ignore"):
        apart = np.abs(side.astype(exact.dtype) - exact)
    apart = np.where(side == exact, 0, apart)
    return np.where(np.isnan(apart), np.inf, apart)


def share(error: Array, room: Array) -> np.ndarray:
    """error / room, where nothing needs nothing and anything beyond no room is infinitely much."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(error == 0, 0.0, error / room)


def uncertain(value: Array, room: Array) -> bool:
    """Whether the allowance covers even the largest exact value of the tensor: no digit of it is certain."""
    largest, widest = (np.max(np.abs(x), where=np.isfinite(x), initial=0) for x in (value, room))
    return bool(largest <= widest)


def nearer(our_error: float, their_error: float) -> Literal["ours", "theirs", "both"]:
    if our_error == their_error:
        return "both"
    return "ours" if our_error < their_error else "theirs"
