"""Writes docs/records.md from the dataclasses: `python -m lockstep.records.documentation > docs/records.md`."""

import inspect
import itertools
import re
import sys
from collections.abc import Iterator
from typing import Any

from lockstep.records.record import SCHEMA, VERSION, Record
from lockstep.records.schema import called, fields, nested

HEAD = f"""# Records

What a run or an experiment leaves behind: `NAME.json`, and beside it an archive of arrays (NumPy's npz, no pickles)
that is named after its content. `lockstep.load(path)` reads them; the record has an attribute for every entry below.

Around the entries of its kind the JSON has `schema`, "{SCHEMA}"; `version`, {VERSION}; `kind`; and `arrays`, the
archive's `file` and its `sha256`. Every entry is there, and no other. An infinity or a NaN, for which JSON has no
number, is the text "inf", "-inf" or "nan". A message is `{{"key": …, "values": {{…}}}}`: what it says in any language
is made when it is read; where one is due a text may stand, which is said as it is.

`python -m lockstep.records.documentation` writes this page from the dataclasses of `lockstep/records`.
"""


def page() -> str:
    """The whole of it."""
    seen: dict[Any, None] = {}
    for kind in Record.kinds.values():
        seen |= dict.fromkeys([kind, *nested(kind)])
    return "\n".join([HEAD, *(line for kind in seen for line in section(kind))])


def section(kind: Any) -> Iterator[str]:
    """A class: what it is, and its fields in a table."""
    own = getattr(kind, "kind", None)
    yield f"## `{own}`" if own else f"### {kind.__name__}"
    text, meanings = described(kind)
    yield f"\n{text}\n"
    yield "| entry | is | |"
    yield "|---|---|---|"
    for meaning, group in itertools.groupby(fields(kind).items(), lambda field: meanings[field[0]]):
        entries = list(group)
        names = ", ".join(f"`{name}`" for name, _ in entries)
        yield f"| {names} | {'; '.join(dict.fromkeys(called(of) for _, of in entries))} | {meaning} |"
    yield ""


def described(kind: Any) -> tuple[str, dict[str, str]]:
    """What the docstrings of a class and those it stands on say: of itself, and of each of its fields."""
    text, meanings = "", dict[str, str]()
    for base in reversed(kind.__mro__):
        text, _, attributes = inspect.cleandoc(base.__dict__.get("__doc__") or "").partition("\nAttributes:\n")
        for entry in re.split(r"\n(?=    \S)|(?<=\.) (?=[a-z_]+(?:, [a-z_]+)*: )", attributes):
            names, _, meaning = entry.strip().partition(": ")
            meanings |= dict.fromkeys(names.split(", "), " ".join(meaning.split()))
    return text.strip(), meanings


if __name__ == "__main__":
    sys.stdout.write(page())
