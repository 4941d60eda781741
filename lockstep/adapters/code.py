"""What somebody's code reads: the attributes and the words in it, by which it gives away what it wants to be handed."""

import functools
import inspect
from collections.abc import Callable, Iterator
from types import CodeType
from typing import Any, NamedTuple


class Words(NamedTuple):
    """The names of attributes and functions, and the texts, in somebody's code; in the order they stand there."""

    names: tuple[str, ...]
    texts: tuple[str, ...]


def words_of(target: Any) -> Words:
    """Those of a function with the functions of its module that it calls, or of a class with those it stands on."""
    return words_in(functions_of(target))


def words_in(functions: list[Any]) -> Words:
    """Those of these functions, and of the ones beside them that they call."""
    seen: dict[CodeType, None] = {}
    for function in functions:
        collect(function, seen)
    names = dict.fromkeys(name for code in seen for name in code.co_names)
    texts = dict.fromkeys(text for code in seen for text in texts_in(code.co_consts))
    return Words(tuple(names), tuple(texts))


def functions_of(target: Any) -> list[Callable[..., Any]]:
    """The functions that somebody wrote of it."""
    if isinstance(target, functools.partial):
        return functions_of(target.func)
    if inspect.isroutine(target):
        return [target]
    kind = target if inspect.isclass(target) else type(target)
    held = [value for base in reversed(kind.__mro__[:-1]) for value in vars(base).values()]
    plain = [value.fget if isinstance(value, property) else getattr(value, "__func__", value) for value in held]
    return [value for value in plain if inspect.isfunction(value)]


def collect(function: Callable[..., Any], seen: dict[CodeType, None]) -> None:
    """The code of a function, of those inside it, and of those beside it that it calls."""
    code = getattr(function, "__code__", None)
    if code is None or code in seen:
        return
    around = getattr(function, "__globals__", {})
    for inside in nested(code):
        seen[inside] = None
        for name in inside.co_names:
            called = around.get(name)
            if inspect.isfunction(called) and called.__module__ == function.__module__:
                collect(called, seen)


def nested(code: CodeType) -> Iterator[CodeType]:
    yield code
    for part in code.co_consts:
        if isinstance(part, CodeType):
            yield from nested(part)


def texts_in(constants: tuple[Any, ...]) -> Iterator[str]:
    for part in constants:
        if isinstance(part, str):
            yield part
        elif isinstance(part, tuple | frozenset):
            yield from texts_in(tuple(part))


def strings(function: Callable[..., Any]) -> list[str]:
    """The words in a function's code: the keys that it reads of its state."""
    code = getattr(function, "__code__", None)
    return [word for word in (code.co_consts if code else ()) if isinstance(word, str) and word.isidentifier()]


def calls(target: Any, package: str) -> bool:
    """Whether the module that it stands in knows a package: by its name, or something out of it."""
    return any(
        str(getattr(value, "__name__" if inspect.ismodule(value) else "__module__", "")).partition(".")[0] == package
        for function in functions_of(target)
        for value in getattr(function, "__globals__", {}).values()
    )
