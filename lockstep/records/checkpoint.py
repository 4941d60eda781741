"""Checkpoints: arrays and plain values, nested as they like, in one safetensors file. docs/resuming.md says how.

Nothing is unpickled: arrays are safetensors' tensors, and how they are nested stands as JSON in the file's metadata.
"""

import json
import pathlib
from collections.abc import Callable
from typing import Any, cast

import numpy as np
import safetensors
from safetensors.numpy import save as written

from lockstep.errors import BadArgument, BadFile
from lockstep.numerics import formats
from lockstep.numerics.shapes import Array
from lockstep.records.files import whole
from lockstep.text import message

SCHEMA = "lockstep-checkpoint"
VERSION = 1
LENGTH = 8  # bytes at the start of the file, which say how long its header is


class BadCheckpoint(BadFile):
    """A file that is no checkpoint, or one of a later version."""


def save(path: Any, tree: Any) -> None:
    """Write a tree of dicts, lists, tuples, arrays and plain values, whole or not at all.

    Raises:
        BadArgument: for anything else in it; BadPlace: for a place that cannot be written to.
    """
    path, content = pathlib.Path(path), packed(tree)
    with whole(path) as temporary:
        temporary.write_bytes(content)


def load(path: Any) -> Any:
    """The tree that was written to a file.

    Raises:
        BadCheckpoint: for a file that is none.
    """
    path = pathlib.Path(path)
    try:
        content = path.read_bytes()
    except OSError as refusal:
        raise BadCheckpoint(message("saved-state.unreadable", file=path, words=refusal.strerror or refusal)) from None
    return unpacked(content, path)


def packed(tree: Any) -> bytes:
    """A tree as the bytes of a file."""
    arrays: dict[str, np.ndarray] = {}
    layout = json.dumps(described(tree, "", arrays))
    return written(arrays, {"schema": SCHEMA, "version": str(VERSION), "layout": layout})


def unpacked(content: bytes, file: Any = "") -> Any:
    """The tree that the bytes of a file hold.

    Raises:
        BadCheckpoint: for bytes that hold none.
    """
    try:
        arrays = {
            name: np.frombuffer(held["data"], dtype_of(held["dtype"])).reshape(held["shape"])
            for name, held in cast("Any", safetensors).deserialize(content)
        }
        header = json.loads(content[LENGTH : LENGTH + int.from_bytes(content[:LENGTH], "little")])
        about = header["__metadata__"]
        readable = about["schema"] == SCHEMA and int(about["version"]) <= VERSION
        tree = restored(json.loads(about["layout"]), arrays) if readable else None
    except (safetensors.SafetensorError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadCheckpoint(message("saved-state.none", file=file, schema=SCHEMA, words=error)) from None
    if not readable:
        words = f"{about['schema']} {about['version']}"
        raise BadCheckpoint(message("saved-state.none", file=file, schema=SCHEMA, words=words))
    return tree


def dtype_of(name: str) -> np.dtype[Any]:
    """The dtype that safetensors calls so; its own reader knows no bfloat16 without a file."""
    if name == "BF16":
        return formats.named("bfloat16").dtype
    kinds = {"F": "float", "I": "int", "U": "uint"}
    return np.dtype(bool if name == "BOOL" else kinds[name[0]] + name[1:])


def described(tree: Any, place: str, arrays: dict[str, Array]) -> Any:
    """A tree as JSON has it, with the names of its arrays in their place; these are put to `arrays`.

    A list is a list; what JSON has not is an object of one key, which says what it is.
    """
    if tree is None or isinstance(tree, bool | int | float | str):
        return tree
    if isinstance(tree, np.ndarray | np.generic):
        name = place.removeprefix(".")
        while name in arrays:
            name += "'"
        arrays[name] = np.array(cast("Any", tree), order="C")
        return {"array": name}
    if isinstance(tree, dict):
        items = cast("dict[Any, Any]", tree).items()
        return {
            "dict": [[described(key, "", arrays), described(part, f"{place}.{key}", arrays)] for key, part in items]
        }
    if isinstance(tree, list | tuple):
        parts = enumerate(cast("list[Any]", tree))
        listed = [described(part, f"{place}.{number}", arrays) for number, part in parts]
        return listed if isinstance(tree, list) else {"tuple": listed}
    raise BadArgument(message("saved-state.kind", place=place.removeprefix("."), kind=type(tree).__name__))


def restored(layout: Any, arrays: dict[str, Array]) -> Any:
    """The tree that was described."""
    if isinstance(layout, list):
        return [restored(part, arrays) for part in cast("list[Any]", layout)]
    if not isinstance(layout, dict):
        return layout
    ((kind, value),) = cast("dict[str, Any]", layout).items()
    made: dict[str, Callable[[], Any]] = {
        "array": lambda: arrays[value],
        "tuple": lambda: tuple(restored(part, arrays) for part in value),
        "dict": lambda: {restored(key, arrays): restored(part, arrays) for key, part in value},
    }
    return made[kind]()
