"""Where pages and files of the report are, and how one page names another."""

import posixpath
import re

from lockstep.text import LANGUAGES

INDEX, MACHINE, LABORATORY = "index.html", "machine.html", "laboratory.html"


def of_subject(subject: str) -> str:
    """`optim.adam` is optim/adam.html, as it is in every tree."""
    return "/".join(map(slug, subject.split("."))) + ".html"


def of_cause(subject: str, cause: str) -> str:
    """A cause's page lies in a folder named after its subject."""
    return of_subject(subject).removesuffix(".html") + f"/{slug(cause)}.html"


def of_chapter(name: str) -> str:
    return f"{slug(name)}.html"


def slug(text: str) -> str:
    """Letters, digits, dots and dashes: safe in a file name and in an anchor."""
    return re.sub(r"[^a-z0-9.]+", "-", text.lower()).strip("-.")[:100].strip("-.") or "run"


class Place:
    """Where a page stands, and the addresses of others as seen from it.

    Arguments:
        page: its address within its language.
        language: its own. languages: all that the report is in; the first has the root, each other a folder.
    """

    def __init__(self, page: str, language: str, languages: tuple[str, ...] = LANGUAGES):
        self.page, self.language, self.languages = page, language, languages

    @property
    def file(self) -> str:
        """From the report's root."""
        return self.located(self.page, self.language)

    def located(self, page: str, language: str) -> str:
        return page if language == self.languages[0] else f"{language}/{page}"

    def to(self, page: str, language: str = "") -> str:
        """Another page, in this page's language or another one."""
        return self.beside(self.located(page, language or self.language))

    def beside(self, file: str) -> str:
        """A file of the report by its address from the root."""
        return posixpath.relpath(file, posixpath.dirname(self.file) or ".")
