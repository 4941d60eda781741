"""What pages and pictures say, in English and in Korean: en.toml and ko.toml, beside those of lockstep.text.

The names of cases are data in English; `cases.ko.toml` has those that a report shows in Korean, by that text. A
placeholder `{x:called}` is such a name, or a label that holds one.
"""

import functools
import tomllib
from collections.abc import Mapping
from importlib import resources

from lockstep import text

APART, COMMA = " · ", ", "  # between the parts of a label, and of a name


class PageVoice(text.Voice):
    """Says what Lockstep says, and what only pages and pictures do."""

    packages = ("lockstep.text", "reports.text")

    def called(self, name: str) -> str:
        """What a case is called in this language; of a label each part, and of a name each part of it that has one."""
        known = cases(self.language)
        named = (
            known.get(part) or COMMA.join(known.get(one, one) for one in part.split(COMMA))
            for part in name.split(APART)
        )
        return APART.join(named)

    def as_called(self, value: str) -> str:
        return self.called(value)


@functools.cache
def cases(language: str) -> Mapping[str, str]:
    """The names of cases in a language, by their text; of English, whose they are, none."""
    file = resources.files(__name__).joinpath(f"cases.{language}.toml")
    return tomllib.loads(file.read_text("utf-8")) if file.is_file() else {}
