"""What a difference amounts to: identical, rounding, partial, ill-conditioned, different or broken."""

import enum
from typing import NamedTuple

import numpy as np

from lockstep.numerics.bounded import Bounded
from lockstep.numerics.difference import UNSIGNED, bits, compare


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


def worst(verdicts) -> Verdict:
    return max(verdicts, key=lambda verdict: verdict.severity, default=Verdict.IDENTICAL)


class Finding(NamedTuple):
    """One element at one step on both sides, with the arbiter's word on it.

    exact: NaN without an arbiter. used: the larger of both sides' errors as a share of `allowed`.
    nearer: "numpy", "torch", "both" or "unknown" (the arbiter cannot tell). absolute, relative, ulp:
    between the sides.
    """

    step: int
    quantity: str
    tensor: str
    line: str
    index: tuple[int, ...]
    shape: tuple[int, ...]
    dtype: str
    numpy: float
    torch: float
    numpy_bits: str
    torch_bits: str
    exact: float
    allowed: float
    absolute: float
    relative: float
    ulp: float
    used: float
    nearer: str
    verdict: Verdict


class Judgement(NamedTuple):
    """One tensor at one step."""

    verdict: Verdict
    used: float
    undecided: int
    nearer_numpy: int
    nearer_torch: int
    finding: Finding


def judge(step: int, quantity: str, tensor: str, line: str, ours, theirs, exact: Bounded | None) -> Judgement:
    """Hold both sides of a tensor that differs somewhere against the exact result and its allowance.

    A side outside the allowance follows another formula: `different`. Inside it, a tensor of which not
    one digit is certain (the allowance covers its largest exact value), or an element whose allowance is
    infinite (a division by what may be zero), is `ill-conditioned`. Everything else is `rounding`.
    Without an exact result, only bit equality is agreement, and nobody can say who is nearer.
    """
    shape, dtype = ours.shape, ours.dtype
    ours, theirs = np.ascontiguousarray(ours).reshape(-1), np.ascontiguousarray(theirs).reshape(-1)
    integer = UNSIGNED[dtype.itemsize]
    where = np.flatnonzero((ours.view(integer) != theirs.view(integer)) & ~(np.isnan(ours) & np.isnan(theirs)))
    a, b = ours[where], theirs[where]
    arbiter = Bounded(np.full(shape, np.nan), dtype) if exact is None else exact
    value = arbiter.value.reshape(-1)
    allowed = np.broadcast_to(arbiter.error, arbiter.shape).reshape(-1)
    at, room = value[where], allowed[where]
    a_error, b_error = distance(a, at), distance(b, at)
    undecided = (~np.isfinite(room) | np.isnan(at)) & (exact is not None)
    used = np.where(undecided, 0.0, share(np.maximum(a_error, b_error), room))
    pick = int(np.argmax(np.where(undecided, -1.0, used))) if not undecided.all() else 0
    verdict = Verdict.ROUNDING
    if (used > 1).any():
        verdict = Verdict.DIFFERENT
    elif (a != b).any() and (undecided.any() or uncertain(value, room)):
        verdict = Verdict.ILL_CONDITIONED
    unknown = exact is None or undecided[pick]
    closer = "unknown" if unknown else nearer(a_error[pick], b_error[pick])
    apart = compare(a[pick : pick + 1], b[pick : pick + 1])
    finding = Finding(
        step=step,
        quantity=quantity,
        tensor=tensor,
        line=line,
        index=tuple(int(i) for i in np.unravel_index(where[pick], shape)),
        shape=tuple(shape),
        dtype=str(dtype),
        numpy=float(a[pick]),
        torch=float(b[pick]),
        numpy_bits=bits(a[pick]),
        torch_bits=bits(b[pick]),
        exact=float(at[pick]),
        allowed=float(room[pick]),
        absolute=apart.absolute,
        relative=apart.relative,
        ulp=apart.ulp,
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


def distance(side, exact):
    """|side - exact|; infinities that agree are no distance apart, any other is infinite."""
    with np.errstate(invalid="ignore", over="ignore"):
        apart = np.abs(side.astype(exact.dtype) - exact)
    apart = np.where(side == exact, 0, apart)
    return np.where(np.isnan(apart), np.inf, apart)


def share(error, room):
    """error / room, where nothing needs nothing and anything beyond no room is infinitely much."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(error == 0, 0.0, error / room)


def uncertain(value, room) -> bool:
    """Whether the allowance covers even the largest exact value of the tensor: no digit of it is certain."""
    largest, widest = (np.max(np.abs(x), where=np.isfinite(x), initial=0) for x in (value, room))
    return bool(largest <= widest)


def nearer(numpy_error: float, torch_error: float) -> str:
    if numpy_error == torch_error:
        return "both"
    return "numpy" if numpy_error < torch_error else "torch"
