"""A piece of work, as data: what is called with what, and under what key its result is kept."""

import dataclasses
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from lockstep.records.record import Record
from lockstep.tasks.sources import sources

Files = dict[str, bytes]  # what a task makes: files by their names

VERSION = 1  # of what is kept; another one takes nothing over


@dataclass(frozen=True, eq=False)
class Task:
    """A call that makes files, of what it is given and nothing else.

    Attributes:
        name: in plain words; its own among all tasks of a sweep.
        function: of a module, so that a worker finds it. arguments: what it is called with.
        reads: files of data that it reads besides.
        about: what it looks up by itself, so that the subjects named there count as well.
        seconds: about how long it takes, where nobody has measured it yet.
        kind: what work of its kind is called where its time is told; its function's name if empty.
    """

    name: str
    function: Callable[..., Files]
    arguments: tuple[Any, ...] = ()
    reads: tuple[Path, ...] = ()
    about: tuple[Any, ...] = ()
    seconds: float = 1.0
    kind: str = ""

    def __call__(self) -> Files:
        return self.function(*self.arguments)

    def key(self, world: Mapping[str, Any]) -> str:
        """Under what the result is kept: a digest of all that it depends on.

        Arguments:
            world: versions, machine and settings of the workers.

        Raises:
            TypeError: for an argument whose content cannot be told.
        """
        told = {
            "version": VERSION,
            "function": plain(self.function),
            "arguments": plain(self.arguments),
            "reads": [hashlib.sha256(path.read_bytes()).hexdigest() for path in self.reads],
            "sources": sources(self.modules, self.words),
            "world": plain(world),
        }
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()

    @property
    def modules(self) -> frozenset[str]:
        """The modules in which its functions stand."""
        return frozenset(
            value.__name__ if isinstance(value, ModuleType) else value.__module__
            for value in leaves((self.function, *self.arguments))
            if callable(value) or isinstance(value, ModuleType)
        )

    @property
    def words(self) -> frozenset[str]:
        """Every text among its arguments and what it is about: paths of subjects among them."""
        return frozenset(value for value in leaves((self.arguments, self.about)) if isinstance(value, str))


def plain(value: Any) -> Any:
    """A value as JSON has it, from which it can be told from any other.

    Raises:
        TypeError: for one of another kind.
    """
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value.hex()
    if isinstance(value, bytes):
        return {"bytes": hashlib.sha256(value).hexdigest()}
    if isinstance(value, Mapping):
        return {"mapping": [[plain(key), plain(part)] for key, part in value.items()]}
    if isinstance(value, Record):
        return {"record": digest(value)}
    if isinstance(value, tuple | list):
        return {type(value).__name__: [plain(part) for part in value]}
    if isinstance(value, np.ndarray | np.generic) and not value.dtype.hasobject:
        return {"array": [value.dtype.str, list(value.shape), hashlib.sha256(value.tobytes()).hexdigest()]}
    if isinstance(value, ModuleType):
        return {"module": value.__name__}
    if callable(value) and "<" not in getattr(value, "__qualname__", "<"):
        return {"function": f"{value.__module__}.{value.__qualname__}"}
    if hasattr(value, "__dict__") and (dataclasses.is_dataclass(value) or not callable(value)):
        return {type(value).__qualname__: plain(vars(value)), "module": type(value).__module__}
    raise TypeError(f"a task's argument {value!r} cannot be told from others of its kind")


def digest(record: Record) -> str:
    """A digest of all that a record holds."""
    arrays = {name: plain(np.asarray(array)) for name, array in record.arrays.items()}
    return hashlib.sha256(json.dumps([plain(record.to_json()), arrays], sort_keys=True).encode()).hexdigest()


def leaves(value: Any) -> Iterator[Any]:
    """All that a value is made of."""
    if isinstance(value, Mapping):
        for part in value.values():
            yield from leaves(part)
    elif isinstance(value, tuple | list):
        for part in value:
            yield from leaves(part)
    elif hasattr(value, "__dict__") and not callable(value) and not isinstance(value, ModuleType | Record):
        yield from leaves(vars(value))
    else:
        yield value
