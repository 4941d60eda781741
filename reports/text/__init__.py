"""What pages and pictures say, in English and in Korean: en.toml and ko.toml, beside those of lockstep.text.

The names of cases and of causes are data in English, which a command takes; `cases.ko.toml` and `causes.ko.toml` have
those that a report shows in Korean, by that text. A placeholder `{x:called}` is such a name, or a label that holds one.
"""

import functools
import re
import tomllib
from collections.abc import Mapping
from importlib import resources

from lockstep import text

APART, COMMA = " · ", ", "  # between the parts of a label, and of a name
VARIANT = re.compile(r"(.+) \((.+)\)")  # of a cause


class PageVoice(text.Voice):
    """Says what Lockstep says, and what only pages and pictures do."""

    packages = ("lockstep.text", "reports.text")

    def called(self, name: str) -> str:
        """What a case or a cause is called in this language; of a label each part, of a name each part that has one."""
        known = names(self.language)
        return APART.join(known.get(part) or part_by_part(part, known) for part in name.split(APART))

    def as_called(self, value: str) -> str:
        return self.called(value)


def part_by_part(name: str, known: Mapping[str, str]) -> str:
    """A cause and its variant, or what stands between the commas of a name."""
    variant = VARIANT.fullmatch(name)
    if variant and variant[1] in known:
        return f"{known[variant[1]]} ({known.get(variant[2], variant[2])})"
    return COMMA.join(known.get(part, part) for part in name.split(COMMA))


@functools.cache
def names(language: str) -> Mapping[str, str]:
    """The names of cases and of causes in a language, by their text; of English, whose they are, none."""
    return {name: said for kind in ("cases", "causes") for name, said in named(kind, language).items()}


@functools.cache
def named(kind: str, language: str) -> Mapping[str, str]:
    """The names of one kind."""
    file = resources.files(__name__).joinpath(f"{kind}.{language}.toml")
    return tomllib.loads(file.read_text("utf-8")) if file.is_file() else {}
