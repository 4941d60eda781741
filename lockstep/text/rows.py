"""What answers in a terminal are made of: a row with its label in a column of its own, a place, a case on a line."""

import unicodedata
from typing import Any

from lockstep.text import Voice, message
from lockstep.text.names import place


def row(voice: Voice, label: str, text: Any) -> str:
    """The row of that label (`row.LABEL`) with a text or a message."""
    return f"  {padded(voice(f'row.{label}'), 8)} {voice.plain(text)}"


def columns(text: str) -> int:
    """How many columns of a terminal it takes: a Hangul syllable two."""
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)


def padded(text: str, width: int) -> str:
    """`text` and blanks to so many columns."""
    return text + " " * (width - columns(text))


def padded_left(text: str, width: int) -> str:
    """Blanks to so many columns and `text`."""
    return " " * (width - columns(text)) + text


def at(voice: Voice, quantity: str, tensor: str, index: Any, shape: Any) -> str:
    """The row that says which element of which tensor."""
    return row(voice, "at", message("cli.at", quantity=quantity, place=place(tensor, index), shape=tuple(shape)))
