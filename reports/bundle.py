"""Joins the modules of a page's script into one: a page that is opened from the file system cannot import files."""

import re
from importlib import resources

from lockstep.errors import BadSubject

IMPORT = re.compile(r'^import \{[^}]*\} from "(?:[\w.-]+/)+([\w-]+\.js)";\n', re.MULTILINE)
EXPORT = re.compile(r"^export (?=(?:async )?(?:function|class|const|let)\b)", re.MULTILINE)
DECLARED = re.compile(r"^(?:async )?(?:function\*?|class|const|let) (\w+)", re.MULTILINE)
LEFT = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)
STRICT = '"use strict";\n'


class BadScript(BadSubject):
    """Modules that cannot be joined; the message names what they share, or what is left of an import."""


def bundle(entry: str) -> str:
    """The text of a module and of all it imports from `static/lab`, each once and after what it imports itself.

    Modules of a bundle share one scope, so that no two may declare a name.

    Raises:
        BadScript: for a name that two of them declare, or an import or export of another form than these have.
    """
    modules = {name: read(name) for name in in_order(entry, ())} | {"": entry}
    owners: dict[str, str] = {}
    return STRICT + "".join(joined(name, text, owners) for name, text in modules.items())


def joined(name: str, text: str, owners: dict[str, str]) -> str:
    """The text of a module as a part of a bundle; what it declares joins the `owners`."""
    text = EXPORT.sub("", IMPORT.sub("", text)).replace(STRICT, "", 1)
    if left := LEFT.search(text):
        raise BadScript(f"{name} cannot be joined: {left[0]!r}")
    for declared in DECLARED.findall(text):
        if owners.setdefault(declared, name) != name:
            raise BadScript(f"{owners[declared]} and {name} both declare {declared!r}")
    return text


def in_order(text: str, known: tuple[str, ...]) -> tuple[str, ...]:
    """The modules that a text imports and those that they do, after the `known` ones, each after what it imports."""
    for name in IMPORT.findall(text):
        if name not in known:
            known = in_order(read(name), known)
            known = known if name in known else (*known, name)
    return known


def read(name: str) -> str:
    """The text of a module of `static/lab`."""
    return resources.files("reports").joinpath("static", "lab", name).read_text("utf-8")
