"""Two safetensors files beside each other, a stretch at a time: of any size, in little memory."""

import dataclasses
import math
import pathlib
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from lockstep.comparison.tensor_names import renamed_by_content, renamed_by_name, turned
from lockstep.numerics import formats
from lockstep.numerics.difference import compare
from lockstep.numerics.shapes import Array
from lockstep.recordings.recording import BadRecording
from lockstep.recordings.stored import STRETCH, WHOLE, Stored, stored
from lockstep.text import message

FORMATS = tuple(formats.FORMATS.values())


@dataclasses.dataclass
class Apart:
    """How a tensor of one file differs from the one of the other that goes with it.

    kind: "values"; "dtype", also where the values are the same; "shape"; "turned": a matrix is the other with its axes
    exchanged; "bytes": of what no format is known of; "unlike": dtypes between which nothing is compared. dtypes,
    shapes: of either. elements, differing, absolute, relative, ulp, index: as in `Difference`, in a format that holds
    both; the index is that of the largest difference. nans: how many are a NaN in both, of other bits. rounded: the
    format that one file's numbers are the other's rounded to; which: that file, "one" or "other".
    """

    tensor: str
    kind: str
    dtypes: tuple[str, str]
    shapes: tuple[tuple[int, ...], tuple[int, ...]]
    elements: int = 0
    differing: int = 0
    absolute: float = 0.0
    relative: float = 0.0
    ulp: float = 0.0
    index: tuple[int, ...] = ()
    nans: int = 0
    rounded: str = ""
    which: str = ""


@dataclasses.dataclass
class TwoCheckpoints:
    """What differs between two files; nothing where `same` counts all tensors of both.

    same: how many tensors are the same to the bit. apart: those that are not. missing, added: in the first file alone,
    in the second alone. renamed: the first's name to the second's: the same but for what wraps a module or a prefix,
    whatever they hold, else of the same bytes. whole: whether all of both was looked at.
    """

    same: int = 0
    apart: list[Apart] = dataclasses.field(default_factory=list)
    missing: list[str] = dataclasses.field(default_factory=list)
    added: list[str] = dataclasses.field(default_factory=list)
    renamed: dict[str, str] = dataclasses.field(default_factory=dict)
    whole: bool = True

    @property
    def agrees(self) -> bool:
        """Whether the files hold the same tensors, at most rounded to a format."""
        same = all(part.rounded or (part.nans and not part.differing) for part in self.apart)
        return same and not (self.missing or self.added or self.renamed)


def compare_checkpoints(
    one: pathlib.Path,
    other: pathlib.Path,
    *,
    first: bool = False,
    on_bytes: Callable[[int], Any] = lambda count: None,
) -> TwoCheckpoints:
    """Compare two checkpoints, tensor by tensor: safetensors files, indices of shards, or folders of either.

    Arguments:
        first: stop after the first tensor that differs.
        on_bytes: called with how many bytes of both have been looked at since it was called last.

    Raises:
        BadRecording: for what is no safetensors file, or truncated, or holds nothing.
    """
    left, right = stored(one), stored(other)
    if not left and not right:
        raise BadRecording(message("checkpoint.empty", one=one, other=other))
    both = TwoCheckpoints(renamed=renamed_by_name(left, right))
    pairs = {name: name for name in left.keys() & right.keys()} | both.renamed
    for name in sorted(pairs):
        part = apart(name, left[name], right[pairs[name]], on_bytes)
        if part is None:
            both.same += 1
            continue
        both.apart.append(part)
        if first:
            both.whole = False
            return both
    here = {name: tensor for name, tensor in left.items() if name not in pairs}
    there = {name: tensor for name, tensor in right.items() if name not in pairs.values()}
    same = renamed_by_content(here, there, on_bytes)
    both.renamed |= same
    parts = [apart(name, left[name], right[same[name]], lambda count: None) for name in sorted(same)]
    both.same += parts.count(None)
    both.apart += filter(None, parts)
    both.missing, both.added = sorted(here.keys() - same.keys()), sorted(there.keys() - set(same.values()))
    return both


def alone(name: str, a: Stored, b: Stored, kind: str) -> Apart:
    return Apart(name, kind, (a.dtype, b.dtype), (a.shape, b.shape), elements=math.prod(a.shape))


def apart(name: str, a: Stored, b: Stored, on_bytes: Callable[[int], Any]) -> Apart | None:
    """How two tensors differ; None where not a bit does."""
    if a.shape != b.shape:
        return alone(name, a, b, "turned" if turned(a, b) else "shape")
    part = alone(name, a, b, "values" if a.dtype == b.dtype else "dtype")
    if a.held and b.held:
        differ_in_numbers(part, a, b, on_bytes)
    elif a.dtype in WHOLE and b.dtype in WHOLE:
        differ_in_whole_numbers(part, a, b, on_bytes)
    elif a.dtype == b.dtype:
        part.kind, part.elements = "bytes", a.end - a.begin
        for x, y in zip(a.stretches(a.bits), b.stretches(b.bits), strict=True):
            part.differing += int(np.count_nonzero(x != y))
            on_bytes(x.nbytes + y.nbytes)
    else:
        part.kind = "unlike"
    if not (part.differing or part.nans or part.kind in ("dtype", "unlike")):
        return None
    if part.kind == "values" and part.differing and not part.rounded and turned(a, b):
        part.kind = "turned"
    return part


def differ_in_numbers(part: Apart, a: Stored, b: Stored, on_bytes: Callable[[int], Any]) -> None:
    """What differs of two tensors in formats, and whether a rounding explains it."""
    assert a.held is not None
    assert b.held is not None
    wider = next(
        held for held in reversed(FORMATS) if all(np.can_cast(one.dtype, held.dtype) for one in (a.held, b.held))
    )
    possible = roundings(a.held, b.held)
    unequal = np.empty(STRETCH // 8, bool)
    start = 0
    for x, y in zip(a.stretches(a.bits), b.stretches(b.bits), strict=True):
        on_bytes(x.nbytes + y.nbytes)
        begin, start = start, start + x.size
        numbers = x.view(a.held.dtype), y.view(b.held.dtype)
        changed = np.not_equal(x, y, out=unequal[: x.size]) if a.held == b.held else None
        if changed is not None and not changed.any():
            continue
        with np.errstate(over="ignore", invalid="ignore"):
            difference = compare(*(array.astype(wider.dtype, copy=False) for array in numbers))
        if changed is not None:
            part.nans += int(np.count_nonzero(changed)) - difference.differing
            if difference.index is not None:  # the number furthest apart leaves few possible, those that differ one
                possible = [way for way in possible if way.explains(*(array[[difference.index]] for array in numbers))]
                places = np.flatnonzero(changed) if possible else []
                possible = [way for way in possible if way.explains(*(array[places] for array in numbers))]
        else:
            possible = [way for way in possible if way.explains(*numbers)]
        if difference.index is not None:
            if not part.differing or difference.absolute > part.absolute:
                part.index = tuple(int(i) for i in np.unravel_index(begin + difference.index, a.shape))
            part.differing += difference.differing
            part.absolute = max(part.absolute, difference.absolute)
            part.relative = max(part.relative, difference.relative)
            part.ulp = max(part.ulp, difference.ulp)
    if part.differing and a.held == b.held:
        possible = [way for way in possible if way.explains_all(a, b)]
    if possible and (part.differing or part.kind == "dtype"):
        part.rounded, part.which = possible[0].held.name, possible[0].which


def differ_in_whole_numbers(part: Apart, a: Stored, b: Stored, on_bytes: Callable[[int], Any]) -> None:
    """What differs of two tensors of whole numbers or flags, by their values, whatever either is kept in."""
    start = 0
    for x, y in zip(a.stretches(WHOLE[a.dtype]), b.stretches(WHOLE[b.dtype]), strict=True):
        on_bytes(x.nbytes + y.nbytes)
        places = np.flatnonzero(x != y)
        if places.size:
            signs_mixed = np.result_type(x, y).kind == "f"  # 64 bits of either kind, which no dtype holds
            p, q = (numbers[places].astype(object if signs_mixed else np.uint64) for numbers in (x, y))  # modulo 2^64
            distances = np.where(x[places] > y[places], p - q, q - p)
            furthest = int(distances.argmax())
            if distances[furthest] > part.absolute:
                part.absolute = float(distances[furthest])
                part.index = tuple(int(i) for i in np.unravel_index(start + places[furthest], a.shape))
        part.differing += places.size
        start += x.size


class Rounding(NamedTuple):
    """That the numbers of one file are the other's rounded to a format, whatever either keeps them in."""

    which: str
    held: formats.Format

    def explains(self, one: Array, other: Array) -> bool:
        """Whether it does, of these numbers."""
        rounded, exact = (one, other) if self.which == "one" else (other, one)
        with np.errstate(over="ignore", invalid="ignore"):
            expected = exact.astype(self.held.dtype).astype(rounded.dtype)
        bits = formats.of(rounded.dtype).unsigned
        return bool(np.all((expected.view(bits) == rounded.view(bits)) | (np.isnan(expected) & np.isnan(rounded))))

    def explains_all(self, one: Stored, other: Stored) -> bool:
        """Whether it does, of two tensors of one format."""
        assert one.held is not None
        pairs = zip(one.stretches(one.bits), other.stretches(one.bits), strict=True)
        return all(self.explains(x.view(one.held.dtype), y.view(one.held.dtype)) for x, y in pairs)


def roundings(one: formats.Format, other: formats.Format) -> list[Rounding]:
    """What may have been done: rounded to the other's format, or to a coarser one than both and kept in it."""
    if one != other:
        ways = Rounding("other", other), Rounding("one", one)
        return [way for way, held, wide in zip(ways, (other, one), (one, other), strict=True)
                if not np.can_cast(wide.dtype, held.dtype)]  # fmt: skip
    coarser = [held for held in formats.FORMATS.values() if held.precision < one.precision]
    return [Rounding(which, held) for held in coarser for which in ("other", "one")]
