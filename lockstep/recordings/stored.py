"""Tensors where they stand in safetensors files, one or the shards of one checkpoint: of any size, in little memory."""

import json
import mmap
import pathlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from safetensors import SafetensorError, safe_open

from lockstep.numerics import formats
from lockstep.recordings.recording import MANIFEST, BadRecording
from lockstep.text import message

STRETCH = 1 << 22  # bytes of either file at a time, that stay in a cache
INDEX = ".safetensors.index.json"  # how the name of an index of shards ends; `weight_map` has the shard of each tensor
CODES = {name.replace("bfloat", "BF").replace("float", "F"): held for name, held in formats.FORMATS.items()}
WHOLE = {f"{kind}{8 * size}": np.dtype(f"{kind.lower()}{size}") for kind in "IU" for size in (1, 2, 4, 8)}
WHOLE |= {"BOOL": np.dtype(bool)}


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

    @property
    def bits(self) -> np.dtype[Any]:
        """What its bits are looked at as: unsigned whole numbers of its size; bytes where that is not known."""
        size = self.held.size if self.held else WHOLE[self.dtype].itemsize if self.dtype in WHOLE else 1
        return np.dtype(f"u{size}")

    def stretches(self, dtype: np.dtype[Any]) -> Iterator[np.ndarray]:
        """Its numbers as what they are looked at as, so many at a time."""
        count = STRETCH // 8  # of any size, as many of either side
        total = (self.end - self.begin) // dtype.itemsize
        with self.file.open("rb") as opened:
            for start in range(0, total, count):
                yield mapped(opened.fileno(), dtype, min(count, total - start), self.begin + start * dtype.itemsize)

    def rows(self, first: int, last: int) -> np.ndarray:
        """Some rows of a matrix, by their bits."""
        width = self.shape[1]
        with self.file.open("rb") as opened:
            begin = self.begin + first * width * self.bits.itemsize
            return mapped(opened.fileno(), self.bits, (last - first) * width, begin).reshape(-1, width)


def mapped(file: int, dtype: np.dtype[Any], count: int, offset: int) -> np.ndarray:
    """Numbers of a file where they are in memory: nothing is copied, and they go with the array."""
    before = offset % mmap.ALLOCATIONGRANULARITY
    pages = mmap.mmap(file, before + count * dtype.itemsize, access=mmap.ACCESS_READ, offset=offset - before)
    return np.frombuffer(pages, dtype, count, before)


def is_stored(place: pathlib.Path) -> bool:
    """Whether it is a file, or a folder of shards and no recording."""
    recorded = (place / MANIFEST).exists() or any(place.glob(f"*/{MANIFEST}"))
    return place.is_file() or (place.is_dir() and not recorded and any(place.glob("*.safetensors")))


def files_of(place: pathlib.Path) -> list[pathlib.Path]:
    """The files of a checkpoint: one, or those that an index names, or all of a folder that has none.

    Raises:
        BadRecording: for several indices, and for what is none.
    """
    indices = sorted(place.glob(f"*{INDEX}")) if place.is_dir() else [place] if place.name.endswith(INDEX) else []
    if len(indices) > 1:
        raise BadRecording(message("checkpoint.indices", place=place, names=", ".join(one.name for one in indices)))
    if indices:
        return sorted({indices[0].parent / shard for shard in weight_map(indices[0]).values()})
    return sorted(place.glob("*.safetensors")) if place.is_dir() else [place]


def weight_map(index: pathlib.Path) -> dict[str, str]:
    """The file of each tensor, as an index has it.

    Raises:
        BadRecording: for what is no index.
    """
    try:
        shards = dict(json.loads(index.read_text("utf-8"))["weight_map"])
        elsewhere = [shard for shard in shards.values() if pathlib.Path(shard).name != shard]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadRecording(message("checkpoint.no-index", file=index, words=error)) from None
    if elsewhere or not shards:
        raise BadRecording(message("checkpoint.no-index", file=index, words=", ".join(elsewhere) or "weight_map"))
    return shards


def stored(place: pathlib.Path) -> dict[str, Stored]:
    """The tensors of a checkpoint by their names.

    Raises:
        BadRecording: for what is no safetensors file, or truncated; for a tensor that two files hold, or that is not
            where an index has it.
    """
    tensors: dict[str, Stored] = {}
    for file in files_of(place):
        for name, tensor in in_file(file).items():
            if name in tensors:
                raise BadRecording(message("checkpoint.twice", tensor=name, one=tensors[name].file, other=file))
            tensors[name] = tensor
    for index in [place] if place.name.endswith(INDEX) else sorted(place.glob(f"*{INDEX}")):
        for name, shard in weight_map(index).items():
            if name not in tensors or tensors[name].file.name != shard:
                raise BadRecording(message("checkpoint.not-there", file=index, tensor=name, shard=shard))
    return tensors


def in_file(file: pathlib.Path) -> dict[str, Stored]:
    """The tensors of one file.

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
