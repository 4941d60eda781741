"""What Lockstep says, in English and in Korean: en.toml and ko.toml, with the same keys and the same placeholders.

A message is looked up by its key, `figure.drift.apart`, and filled in with values. What stands behind the colon of a
placeholder says how its value is written:

    {x:number}   two significant digits: 0.62, 38, 2.4e-7, 0, ∞
    {x:ulp}      the same, in ulps
    {x:share}    a share of an allowance: 37 %, never rounded across 100 %
    {x:percent}  a measured share in per cent
    {n:count}    how many: 10 000
    {n:step}     so many of what `count.step` names; of any other row of `count` likewise
    {v:verdict}  a verdict's name
    {x:code}     code, a name, a number as it was printed
    {x:user}     somebody's own text, or a message in its place
    {x:repr}     a value as Python writes it: 'adam', 0.1
    {x:message}  another message, or a text in its place, or several messages put side by side
    {x:list}     several texts or messages: a, b and c
    {x:lines}    several texts or messages, one a line
    {x:.4f}      anything else as Python formats it
"""

import functools
import string
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import resources
from typing import Any, ClassVar, NamedTuple, TypeGuard

from lockstep.errors import BadValue
from lockstep.text.numbers import number, percent, share, thousands

LANGUAGES = ("en", "ko")


class NoSuchMessage(KeyError):
    """A key that no message has; it is the program's fault, not the user's."""


class Message(NamedTuple):
    """Something to say, in whatever language: a key and the values of its placeholders."""

    key: str
    values: Mapping[str, Any] = {}

    def __str__(self) -> str:
        """In English: what an error says that nobody translates, a log, a test."""
        return ENGLISH.say(self)

    def __hash__(self) -> int:
        return hash(self.key)  # its values may be of any kind


def message(key: str, /, **values: Any) -> Message:
    """The message of that key with these values."""
    return Message(key, values)


def first_known(keys: Iterable[str], /, **values: Any) -> Message | None:
    """The message of the first of these keys that there is, with these values; None where there is none."""
    known = next((key for key in keys if key in texts(LANGUAGES[0])), None)
    return Message(known, values) if known else None


class Voice:
    """Says messages in one language.

    Arguments:
        language: "en" or "ko".

    Raises:
        ValueError: for another one.
    """

    packages: ClassVar[tuple[str, ...]] = (__name__,)  # whose catalogues it speaks from

    def __init__(self, language: str):
        if language not in LANGUAGES:
            raise BadValue(f"language must be one of {', '.join(LANGUAGES)}, not {language!r}")
        self.language = language
        self.texts = texts(language, self.packages)

    def __call__(self, key: str, /, **values: Any) -> str:
        """The message of that key, filled in.

        Raises:
            NoSuchMessage: for a key there is not.
            KeyError: for a placeholder without its value.
        """
        return "".join(self.pieces(key, values))

    def say(self, message: Message) -> str:
        """The message, filled in."""
        return self(message.key, **message.values)

    def has(self, key: str) -> bool:
        """Whether there is a message of that key."""
        return key in self.texts

    def pieces(self, key: str, values: Mapping[str, Any]) -> Iterator[str]:
        """The message in pieces: its own text and its values, in turn."""
        if key not in self.texts:
            raise NoSuchMessage(f"no message {key!r}")
        for text, name, spec, _ in string.Formatter().parse(self.texts[key]):
            yield self.literal(text)
            if name is not None:
                yield self.written(values[name], spec or "")

    def literal(self, text: str) -> str:
        """A message's own text."""
        return text

    def written(self, value: Any, spec: str) -> str:
        """A value as its placeholder wants it."""
        if f"count.{spec}.other" in self.texts:
            return self(f"count.{spec}.{'one' if value == 1 else 'other'}", n=thousands(value))
        form = getattr(self, f"as_{spec}", None)
        return form(value) if form else self.plain(value, spec)

    def plain(self, value: Any, spec: str = "") -> str:
        """A value without a form of ours; a message is said, a text is what it is."""
        return self.say(value) if isinstance(value, Message) else format(value, spec)

    def as_count(self, value: int) -> str:
        return thousands(value)

    def as_number(self, value: float) -> str:
        return number(value)

    def as_ulp(self, value: float) -> str:
        return f"{number(value)} ulp"

    def as_share(self, value: float) -> str:
        return self("count.times", n=number(value)) if 10 <= value < float("inf") else share(value)

    def as_percent(self, value: float) -> str:
        return percent(value)

    def as_verdict(self, value: Any) -> str:
        return self(f"verdict.{value}.name")

    def as_code(self, value: Any) -> str:
        return str(value)

    def as_user(self, value: Any) -> str:
        return self.plain(value) if isinstance(value, Message) else str(value)

    def as_repr(self, value: Any) -> str:
        return repr(value)

    def as_message(self, value: Any) -> str:
        return self.plain(value) if isinstance(value, Message | str) else " ".join(map(self.say, value))

    def as_lines(self, values: Any) -> str:
        return "\n".join(self.plain(value, "") for value in values)

    def as_list(self, values: Any) -> str:
        said = [self.plain(value, "") for value in values]
        if len(said) < 2:
            return "".join(said)
        return self("list.last", before=self("list.comma").join(said[:-1]), last=said[-1])


@functools.cache
def texts(language: str, packages: tuple[str, ...] = (__name__,)) -> dict[str, str]:
    """Every message of a language by its key, the names of the tables it stands in joined by dots.

    Arguments:
        language: "en" or "ko". packages: in which of the packages' catalogues.
    """
    by_key: dict[str, str] = {}
    for package in packages:
        with resources.files(package).joinpath(f"{language}.toml").open("rb") as file:
            by_key |= flat(tomllib.load(file))
    return by_key


def flat(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in table.items():
        if isinstance(value, str):
            yield prefix + name, value
        else:
            yield from flat(value, f"{prefix}{name}.")


ENGLISH = Voice("en")


def is_table(value: Any) -> TypeGuard[Mapping[str, Any]]:
    """Whether plain data are a table; of what, is for whoever reads them to find out."""
    return isinstance(value, Mapping)


def is_list(value: Any) -> TypeGuard[Sequence[Any]]:
    """Whether plain data are a list."""
    return isinstance(value, list | tuple)


def from_json(value: Any) -> Any:
    """A message as a record keeps it, `{"key": …, "values": {…}}`, and whatever holds such; all else as it is.

    An infinity or a NaN among its values, which JSON has as a text, is a number again.
    """
    if is_table(value) and set(value) == {"key", "values"} and is_table(value["values"]):
        return Message(value["key"], {name: from_value(part) for name, part in value["values"].items()})
    if is_list(value):
        return [from_json(part) for part in value]
    return value


def from_value(part: Any) -> Any:
    return float(part) if part in ("inf", "-inf", "nan") else from_json(part)
