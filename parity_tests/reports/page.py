"""What a browser would make of a page: its tags, its addresses, its text."""

import html.parser
import re
from pathlib import Path

from lockstep.records.record import Record
from lockstep.tasks.recorded import recorded
from lockstep.tasks.task import Files
from reports.gallery import Gallery, Picture


class Page(html.parser.HTMLParser):
    """A page, read. text: all of it, styles and scripts left out, white space folded."""

    def __init__(self, text: str):
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.attributes: list[str] = []
        self.names: list[str] = []
        self.labels: list[str] = []
        self.words: list[str] = []
        self.hidden = ""
        self.feed(text)
        self.text = re.sub(r"\s+", " ", " ".join(self.words))

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.hidden = tag if tag in ("style", "script") else self.hidden
        self.attributes += [name for name, _ in attrs]
        self.labels += [value or "" for name, value in attrs if name in ("aria-label", "alt", "title")]
        self.names += [value or "" for name, value in attrs if name == "id"]
        self.addresses += [value or "" for name, value in attrs if name in ("href", "src", "srcset", "action", "data")]

    def handle_endtag(self, tag):
        self.hidden = "" if tag == self.hidden else self.hidden

    def handle_data(self, data):
        if not self.hidden:
            self.words.append(data)


def tree(folder: Path) -> dict[str, bytes]:
    """Every file of a folder by its path in it."""
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


def files_of(record: Record) -> Files:
    """A record as the files that hold it."""
    return recorded("record", lambda known: known, record)


class Undrawn(Gallery):
    """A gallery in which nothing is drawn: pages are the same but for the pictures."""

    def draw(self):
        for _, picture in self.asked.values():
            picture.content.update(svg=b"<svg/>", png=b"", csv=b"")


def hung(module, record, name: str, *which: int) -> tuple[Gallery, Picture]:
    """A picture, drawn, and the gallery it hangs in."""
    gallery = Gallery()
    picture = gallery.picture(module, record, name, *which)
    gallery.draw()
    return gallery, picture
