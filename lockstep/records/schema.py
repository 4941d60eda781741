"""The schema of records is their dataclasses: what JSON holds is read, checked and written as their fields say.

A record may have come from somebody else: every entry is held against the type of its field, down to the last one.
What a type cannot say, its class checks when it is made (`__post_init__`), of a live record as of a loaded one.
"""

import dataclasses
import enum
import functools
import math
import operator
import sys
import types
import typing
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, NamedTuple, NoReturn, cast

import numpy as np

from lockstep.errors import BadFile
from lockstep.text import LANGUAGES, Message, NoSuchMessage, Voice, from_json, is_list, is_table


class BadRecord(BadFile):
    """A file that is no record, or not one this version reads; the message names it and what is wrong."""


class Rule(NamedTuple):
    """What more is true of a field's value than its type says."""

    words: str
    holds: Callable[[Any], bool]


Count = Annotated[int, Rule("a whole number from 0 on", functools.partial(operator.le, 0))]
Positive = Annotated[int, Rule("a whole number from 1 on", functools.partial(operator.lt, 0))]
Place = tuple[Count, ...]  # a shape, or an index into one
Words = Message | str  # where a message is due, somebody's own text may stand
NOT_EMPTY = Rule("a list that is not empty", bool)

ARCHIVED = {"archived": True}  # of a field that stands in the archive of arrays, not in the JSON
INFINITE = ("inf", "-inf", "nan")  # what JSON has no number for
NAMES: dict[Any, str] = {
    Any: "anything",
    Message: "a message",
    bool: "true or false",
    float: "a number",
    int: "a whole number",
    str: "a text",
    types.NoneType: "null",
}


def demand(holds: bool, what: str) -> None:
    """Refuse what a class of records cannot hold; of a file it is told as any other fault.

    Raises:
        ValueError: saying what is wrong.
    """
    if not holds:
        raise ValueError(what)


def read(kind: Any, value: Any, where: str = "") -> Any:
    """Plain data as what the type of a field says it is.

    Arguments:
        kind: the type.
        value: as JSON has it.
        where: the entry, for the message.

    Raises:
        BadRecord: for any other, naming the entry, what it is and what it has to be.
    """
    origin: Any = typing.get_origin(kind) or kind
    parts = typing.get_args(kind)
    if origin is Any:
        return anything(value, where)
    if origin is Message:
        return message(value, where)
    if dataclasses.is_dataclass(kind):
        return table(kind, value, where)
    if origin is Annotated:
        value_read = read(parts[0], value, where)
        return value_read if parts[1].holds(value_read) else refuse(kind, value, where)
    if origin in (typing.Union, types.UnionType):
        others = (part for part in parts if part not in (str, types.NoneType))
        own = cast(Any, type(value) if type(value) in parts else next(others, str))
        single = own in NAMES and not is_table(value)
        return refuse(kind, value, where) if single and not fits(own, (), value) else read(own, value, where)
    if origin in (list, tuple) and is_list(value):
        each = parts if origin is tuple and parts[1:] != (...,) else parts[:1] * len(value)
        if len(each) == len(value):
            return cast(Callable[[Any], Any], origin)(
                read(part, value[n], f"{where}[{n}]") for n, part in enumerate(each)
            )
    elif origin in (dict, Mapping) and is_table(value):
        return {str(key): read(parts[1], entry, f"{where}[{key!r:.40}]") for key, entry in value.items()}
    elif fits(origin, parts, value):
        return value if origin is Literal or value is None else cast(Callable[[Any], Any], origin)(value)
    return refuse(kind, value, where)


def refuse(kind: Any, value: Any, where: str) -> NoReturn:
    raise BadRecord(f"{where or 'the record'} is {value!r:.60}, not {called(kind)}")


def fits(kind: Any, parts: tuple[Any, ...], value: Any) -> bool:
    """Whether a value is a single one of a kind; a truth value is no number."""
    if kind in (list, tuple, dict, Mapping):
        return False
    if kind is Literal:
        return any(type(value) is type(part) and value == part for part in parts)
    if kind is float:
        whole = type(value) is int and abs(value) <= sys.float_info.max
        return whole or isinstance(value, float) or value in INFINITE
    if issubclass(kind, enum.Enum):
        return value in list(kind)
    return isinstance(value, kind) and isinstance(value, bool) == (kind is bool)


def table(kind: Any, value: Any, where: str, **given: Any) -> Any:
    """A dataclass from the table of its fields, and what else it is `given`."""
    if not is_table(value):
        refuse(kind, value, where)
    known, own = fields(kind), where or "the record"
    missing = [name for name in known if name not in value]
    if missing:
        raise BadRecord(f"{own} is without {', '.join(missing)}")
    strange = [name for name in value if name not in known]
    if strange:
        raise BadRecord(f"{own} has {', '.join(map(repr, strange)):.60}, which it cannot have")
    entries = {name: read(known[name], entry, f"{where}.{name}" if where else name) for name, entry in value.items()}
    try:
        return kind(**entries, **given)
    except ValueError as error:
        raise BadRecord(f"{where}: {error}" if where else str(error)) from None


@functools.cache
def fields(kind: Any) -> dict[str, Any]:
    """The fields that stand in the JSON: name to type."""
    hints = typing.get_type_hints(kind, include_extras=True)
    return {field.name: hints[field.name] for field in dataclasses.fields(kind) if dict(field.metadata) != ARCHIVED}


def nested(kind: Any) -> list[Any]:
    """The dataclasses that a type holds, in the order of their fields."""
    kinds = dict.fromkeys([kind] if dataclasses.is_dataclass(kind) else [])
    parts = fields(kind).values() if dataclasses.is_dataclass(kind) else typing.get_args(kind)
    for part in parts:
        kinds |= dict.fromkeys(nested(part))
    return list(kinds)


def anything(value: Any, where: str) -> Any:
    """Data of no type of ours; what looks like a message in it has to be one."""
    if is_table(value):
        if set(value) == {"key", "values"}:
            return message(value, where)
        return {str(key): anything(part, f"{where}[{key!r:.40}]") for key, part in value.items()}
    if is_list(value):
        return [anything(part, f"{where}[{n}]") for n, part in enumerate(value)]
    return value


def message(value: Any, where: str) -> Message:
    """A message that can be said in every language."""
    if not is_table(value) or set(value) != {"key", "values"} or not is_table(value["values"]):
        refuse(Message, value, where)
    key = value["key"]
    try:
        text = from_json(value)
        for language in LANGUAGES:
            Voice(language).say(text)
    except NoSuchMessage:
        raise BadRecord(f"{where} says {key!r:.80}, which this Lockstep has no words for") from None
    except (LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise BadRecord(f"{where} says {key!r:.80} with other values than it takes ({error})") from None
    return text


def called(kind: Any) -> str:
    """What a type is called, in messages and in docs/records.md."""
    origin, parts = typing.get_origin(kind) or kind, typing.get_args(kind)
    if origin in NAMES:
        return NAMES[origin]
    if dataclasses.is_dataclass(origin):
        return f"a table, {getattr(origin, '__name__', '')}"
    if origin is Annotated:
        return parts[1].words + (f", {called(parts[0]).partition(', ')[2]}" if parts[1] is NOT_EMPTY else "")
    if origin in (typing.Union, types.UnionType):
        return " or ".join(map(called, parts))
    if origin in (dict, Mapping):
        return f"a table, each entry {called(parts[1])}"
    if origin in (list, tuple):
        same = origin is list or parts[1:] == (...,)
        return f"a list, each entry {called(parts[0])}" if same else f"a list of {', '.join(map(called, parts))}"
    return f"one of {', '.join(map(written, parts or origin))}"


def written(value: Any) -> str:
    """One of a few values, as JSON has it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def plain(value: Any) -> Any:
    """What JSON can hold; infinities and NaNs become the strings that Python's float() reads back."""
    if isinstance(value, Message):
        return {"key": value.key, "values": plain(value.values)}
    if dataclasses.is_dataclass(value):
        return {name: plain(getattr(value, name)) for name in fields(type(value))}
    if is_table(value):
        return {str(key): plain(part) for key, part in value.items()}
    if is_list(value):
        return [plain(part) for part in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    return str(value)
