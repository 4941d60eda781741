"""Two safetensors files beside each other, a stretch at a time: of any size, in little memory."""

import dataclasses
import hashlib
import json
import math
import mmap
import pathlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from safetensors import SafetensorError, safe_open

from lockstep.numerics import formats
from lockstep.numerics.difference import compare
from lockstep.recordings.recording import BadRecording
from lockstep.text import message

STRETCH = 1 << 22  # bytes of either file at a time, that stay in a cache


class Stored(NamedTuple):
    """A tensor where it stands in a file: its dtype in safetensors' spelling, and its first and last byte."""

    file: pathlib.Path
    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int

    @property
    def held(self) -> formats.Format | None:
        """Its format; None for whole numbers, and for others that are compared by their bytes alone."""
        return CODES.get(self.dtype)

    def stretches(self, size: int) -> Iterator[np.ndarray]:
        """Its numbers as whole numbers of `size` bytes, so many bytes at a time."""
        count = STRETCH // 8  # of any size, as many of either side
        total = (self.end - self.begin) // size
        with self.file.open("rb") as opened:
            for start in range(0, total, count):
                yield mapped(opened.fileno(), f"u{size}", min(count, total - start), self.begin + start * size)


def mapped(file: int, dtype: str, count: int, offset: int) -> np.ndarray:
    """Numbers of a file where they are in memory: nothing is copied, and they go with the array."""
    before = offset % mmap.ALLOCATIONGRANULARITY
    length = before + count * np.dtype(dtype).itemsize
    pages = mmap.mmap(file, length, access=mmap.ACCESS_READ, offset=offset - before)
    return np.frombuffer(pages, dtype, count, before)


CODES = {name.replace("bfloat", "BF").replace("float", "F"): held for name, held in formats.FORMATS.items()}


@dataclasses.dataclass
class Apart:
    """How a tensor of one file differs from that of the same name in the other.

    kind: "values", "shape" or "dtype". dtypes, shapes: of either. elements, differing, absolute, relative, ulp, index:
    as in `Difference`, in the wider format; the index is that of the largest difference. rounded: the format that one
    file's numbers are the other's rounded to; which: that file, "one" or "other".
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
    rounded: str = ""
    which: str = ""


@dataclasses.dataclass
class TwoCheckpoints:
    """What differs between two files; nothing where `same` counts all tensors of both.

    same: how many tensors are the same to the bit. apart: those that are not. missing, added: in the first file alone,
    in the second alone. renamed: the first's name to the second's of one and the same bytes. whole: whether all of
    both was looked at.
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
        return not (self.missing or self.added or self.renamed) and all(part.rounded for part in self.apart)


def stored(file: pathlib.Path) -> dict[str, Stored]:
    """The tensors of a file by their names.

    Raises:
        BadRecording: for what is no safetensors file, or truncated.
    """
    try:
        with safe_open(file, framework="np"):  # which looks through the whole header, and at the file's length
            pass
        with file.open("rb") as opened:
            length = int.from_bytes(opened.read(8), "little")
            header = json.loads(opened.read(length))
    except (SafetensorError, OSError, ValueError) as error:
        raise BadRecording(message("recording.no-safetensors", file=file, words=error)) from None
    tensors = {}
    for name, entry in header.items():
        if name != "__metadata__":
            begin, end = (8 + length + offset for offset in entry["data_offsets"])
            tensors[name] = Stored(file, entry["dtype"], tuple(entry["shape"]), begin, end)
    return tensors


def compare_checkpoints(
    one: pathlib.Path,
    other: pathlib.Path,
    *,
    first: bool = False,
    on_bytes: Callable[[int], Any] = lambda count: None,
) -> TwoCheckpoints:
    """Compare two safetensors files, tensor by tensor.

    Arguments:
        first: stop after the first tensor that differs.
        on_bytes: called with how many bytes of both have been looked at since it was called last.

    Raises:
        BadRecording: for what is no safetensors file, or truncated, or holds nothing.
    """
    left, right = stored(one), stored(other)
    if not left and not right:
        raise BadRecording(message("checkpoint.empty", one=one, other=other))
    both = TwoCheckpoints()
    for name in sorted(left.keys() & right.keys()):
        part = apart(name, left[name], right[name], on_bytes)
        if part is None:
            both.same += 1
            continue
        both.apart.append(part)
        if first:
            both.whole = False
            return both
    both.missing, both.added = sorted(left.keys() - right.keys()), sorted(right.keys() - left.keys())
    find_renamed(both, left, right, on_bytes)
    return both


def find_renamed(both: TwoCheckpoints, left, right, on_bytes) -> None:
    """Pair what only one file has with what only the other has, where dtype, shape and bytes are the same."""

    def key(tensor: Stored) -> tuple[Any, ...]:
        return tensor.dtype, tensor.shape

    alike = {key(left[name]) for name in both.missing} & {key(right[name]) for name in both.added}
    prints: dict[tuple[Any, ...], list[str]] = {}
    for name in both.added:
        if key(right[name]) in alike:
            prints.setdefault((*key(right[name]), fingerprint(right[name], on_bytes)), []).append(name)
    for name in list(both.missing):
        if key(left[name]) in alike:
            same = prints.get((*key(left[name]), fingerprint(left[name], on_bytes)))
            if same:
                both.renamed[name] = same.pop(0)
                both.missing.remove(name)
                both.added.remove(both.renamed[name])


def fingerprint(tensor: Stored, on_bytes) -> bytes:
    digest = hashlib.sha256()
    for stretch in tensor.stretches(1):
        digest.update(stretch.data)
        on_bytes(stretch.nbytes)
    return digest.digest()


def apart(name: str, a: Stored, b: Stored, on_bytes) -> Apart | None:
    """How two tensors of one name differ; None where not a bit does."""
    dtypes, shapes = (a.dtype, b.dtype), (a.shape, b.shape)
    if a.shape != b.shape:
        return Apart(name, "shape", dtypes, shapes)
    if a.held is None or b.held is None:
        return in_bytes(name, a, b, on_bytes)
    part = Apart(name, "values" if a.dtype == b.dtype else "dtype", dtypes, shapes, elements=math.prod(a.shape))
    wider = max(a.held, b.held, key=lambda held: held.precision)
    possible = roundings(a.held, b.held)
    start = 0
    for x, y in zip(a.stretches(a.held.size), b.stretches(b.held.size), strict=True):
        numbers = x.view(a.held.dtype), y.view(b.held.dtype)
        with np.errstate(over="ignore", invalid="ignore"):
            difference = compare(*(array.astype(wider.dtype, copy=False) for array in numbers))
        if a.held != b.held:
            possible = [way for way in possible if way.explains(*numbers)]
        elif possible and difference.index is not None:  # the rest is looked at where these leave one possible
            possible = [way for way in possible if way.explains(*(array[x != y] for array in numbers))]
        if difference.index is not None:
            if not part.differing or difference.absolute > part.absolute:
                part.index = tuple(int(i) for i in np.unravel_index(start + difference.index, a.shape))
            part.differing += difference.differing
            part.absolute = max(part.absolute, difference.absolute)
            part.relative = max(part.relative, difference.relative)
            part.ulp = max(part.ulp, difference.ulp)
        start += x.size
        on_bytes(x.nbytes + y.nbytes)
    if part.differing and a.held == b.held:
        possible = [way for way in possible if way.explains_all(a, b)]
    if possible and (part.differing or part.kind == "dtype"):
        part.rounded, part.which = possible[0].held.name, possible[0].which
    return part if part.differing or part.kind == "dtype" else None


class Rounding(NamedTuple):
    """That the numbers of one file are the other's rounded to a format, whatever either keeps them in."""

    which: str
    held: formats.Format

    def explains(self, one: np.ndarray, other: np.ndarray) -> bool:
        """Whether it does, of these numbers."""
        rounded, exact = (one, other) if self.which == "one" else (other, one)
        with np.errstate(over="ignore", invalid="ignore"):
            expected = exact.astype(self.held.dtype).astype(rounded.dtype)
        bits = formats.of(rounded.dtype).unsigned
        return bool(np.all((expected.view(bits) == rounded.view(bits)) | (np.isnan(expected) & np.isnan(rounded))))

    def explains_all(self, one: Stored, other: Stored) -> bool:
        """Whether it does, of two tensors of one format."""
        assert one.held is not None
        pairs = zip(one.stretches(one.held.size), other.stretches(one.held.size), strict=True)
        return all(self.explains(x.view(one.held.dtype), y.view(one.held.dtype)) for x, y in pairs)


def roundings(one: formats.Format, other: formats.Format) -> list[Rounding]:
    """What may have been done: rounded to the other's format, or to a coarser one than both and kept in it."""
    if one != other:
        which = "other" if np.can_cast(other.dtype, one.dtype) else "one"
        return [Rounding(which, other if which == "other" else one)]
    coarser = [held for held in formats.FORMATS.values() if held.precision < one.precision]
    return [Rounding(which, held) for held in coarser for which in ("other", "one")]


def in_bytes(name: str, a: Stored, b: Stored, on_bytes) -> Apart | None:
    """Two tensors of whole numbers, or of what no format is known of: how many bytes differ."""
    part = Apart(name, "values", (a.dtype, b.dtype), (a.shape, b.shape), elements=a.end - a.begin)
    if a.dtype != b.dtype:
        return dataclasses.replace(part, kind="dtype")
    for x, y in zip(a.stretches(1), b.stretches(1), strict=True):
        part.differing += int(np.count_nonzero(x != y))
        on_bytes(2 * x.nbytes)
    return part if part.differing else None
