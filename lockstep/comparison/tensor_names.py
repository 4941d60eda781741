"""Which tensors of two checkpoints are one under two names: by what wraps a module, by a prefix, by what they hold."""

import collections
import itertools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from lockstep.recordings.stored import Stored

# What stands in a name for a module around another: DataParallel, torch.compile, FSDP and activation checkpointing.
WRAPPERS = {"module", "_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"}
TILE = 256  # rows of a matrix at a time that are held against columns

Tensors = Mapping[str, Stored]


def renamed_by_name(left: Tensors, right: Tensors) -> dict[str, str]:
    """Names that only one has to those that only the other has: the same but for wrappers, or for a prefix of all."""
    ours, theirs = (
        [name for name in sorted(one) if name not in other] for one, other in ((left, right), (right, left))
    )
    by_bare: list[dict[str, list[str]]] = [{}, {}]
    for names, of_bare in zip((ours, theirs), by_bare, strict=True):
        for name in names:
            of_bare.setdefault(bare(name), []).append(name)
    pairs = {
        same[0]: by_bare[1][name][0]
        for name, same in by_bare[0].items()
        if len(same) == len(by_bare[1].get(name, ())) == 1
    }
    rest = [{name for name in names if name not in (*pairs, *pairs.values())} for names in (ours, theirs)]
    longer = prefixed(rest[0], rest[1])
    pairs |= longer or {short: long for long, short in prefixed(rest[1], rest[0]).items()}
    return {one: other for one, other in pairs.items() if sorted(left[one].shape) == sorted(right[other].shape)}


def bare(name: str) -> str:
    """A name without what wraps a module."""
    return ".".join(part for part in name.split(".") if part not in WRAPPERS)


def prefixed(longer: set[str], shorter: set[str]) -> dict[str, str]:
    """The longer names to the shorter, where one prefix before every shorter one makes a longer one; two at least."""
    prefixes = {name[: -len(short)] for short in itertools.islice(sorted(shorter), 1) for name in longer
                if name.endswith(f".{short}")}  # fmt: skip
    whole = sorted(prefix for prefix in prefixes if all(prefix + short in longer for short in shorter))
    return {whole[0] + short: short for short in shorter} if whole and len(shorter) > 1 else {}


def renamed_by_content(left: Tensors, right: Tensors, on_bytes: Callable[[int], Any]) -> dict[str, str]:
    """Pairs of tensors of the same numbers, also in a matrix turned around; of several alike the first of either."""

    def shape(tensor: Stored) -> tuple[Any, ...]:
        return tensor.dtype, *sorted(tensor.shape)

    alike = {shape(tensor) for tensor in left.values()} & {shape(tensor) for tensor in right.values()}
    by_sums: dict[tuple[Any, ...], list[str]] = collections.defaultdict(list)
    for name in sorted(right):
        if shape(right[name]) in alike:
            by_sums[(*shape(right[name]), *sums(right[name], on_bytes))].append(name)
    pairs: dict[str, str] = {}
    for name in sorted(left):
        if shape(left[name]) in alike:
            others = by_sums.get((*shape(left[name]), *sums(left[name], on_bytes)), [])
            same = next((other for other in others if holds(left[name], right[other])), None)
            if same is not None:
                others.remove(same)
                pairs[name] = same
    return pairs


def sums(tensor: Stored, on_bytes: Callable[[int], Any]) -> tuple[int, int]:
    """Two sums over the bits that do not depend on their order; what has others holds other numbers."""
    total = mixed = 0
    for stretch in tensor.stretches(tensor.bits):
        total += int(np.add.reduce(stretch, dtype=np.uint64))
        mixed ^= int(np.bitwise_xor.reduce(stretch))
        on_bytes(stretch.nbytes)
    return total, mixed


def holds(one: Stored, other: Stored) -> bool:
    """Whether two tensors hold the same bits, in place or turned around."""
    if one.shape != other.shape:
        return turned(one, other)
    pairs = zip(one.stretches(one.bits), other.stretches(other.bits), strict=True)
    return all(np.array_equal(x, y) for x, y in pairs) or turned(one, other)


def turned(one: Stored, other: Stored) -> bool:
    """Whether a matrix is another, turned around, to the bit."""
    if len(one.shape) != 2 or one.shape[::-1] != other.shape or one.dtype != other.dtype or 0 in one.shape:
        return False
    for first in range(0, one.shape[0], TILE):
        last = min(first + TILE, one.shape[0])
        columns = other.rows(0, other.shape[0])[:, first:last]  # of which memory holds what is looked at
        if not np.array_equal(one.rows(first, last), columns.T):
            return False
    return True
