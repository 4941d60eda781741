"""Every picture of a report, drawn once for all languages, under file names that are safe and each its own."""

import base64
import dataclasses
import functools
import itertools
import re
from collections.abc import Iterator, Mapping
from types import ModuleType

from lockstep.records.record import Record
from lockstep.tasks.task import Files, Task
from lockstep.tasks.workers import Alone, Tell, Workers, silent
from lockstep.text import Message
from reports.drawing import drawn
from reports.vector import inline

FIGURES = "figures"  # the folder in which they are
SECONDS = 0.15  # about what a picture takes that nobody has drawn yet


@dataclasses.dataclass(eq=False)
class Picture:
    """A picture on a page: what it shows, how to read it, and the picture itself, once the gallery has drawn it.

    Attributes:
        stem: of its files, STEM.KIND and STEM.csv. kind: "svg" or "png", how it stands in a page.
        content: its files, by their format.
    """

    name: str
    stem: str
    kind: str
    title: Message
    read: Message
    content: Files = dataclasses.field(default_factory=dict)

    def file(self, form: str) -> str:
        """The address of a file of it, from the report's root."""
        return f"{FIGURES}/{self.stem}.{form}"

    @functools.cached_property
    def inline(self) -> str:
        """The SVG, its ids beginning with the stem; nothing for one of dots."""
        return inline(self.content["svg"], self.stem) if self.kind == "svg" else ""

    @functools.cached_property
    def source(self) -> str:
        """A data URI, where it is one of dots."""
        if self.kind == "svg":
            return ""
        return f"data:image/png;base64,{base64.b64encode(self.content['png']).decode('ascii')}"


class Gallery:
    """The pictures that pages ask for, each once; they are drawn together.

    Arguments:
        workers: who draws them; this process if None.
        tell: called with how far it is, again and again.
    """

    def __init__(self, workers: Workers | None = None, tell: Tell = silent):
        self.workers, self.tell = workers or Alone(), tell
        self.asked: dict[tuple[str, int, tuple[int, ...]], tuple[Task, Picture]] = {}
        self.stems: set[str] = set()

    def picture(self, module: ModuleType, record: Record, name: str, *which: int) -> Picture:
        """The picture that a module of reports.figures draws of a record.

        Arguments:
            module: with NAME, KIND, `finding`, `read`, `draw` and `table`.
            record: what it is drawn from.
            name: what its files are called after.
            which: of a record that holds several, the number; passed on to the module's functions.
        """
        key = (module.__name__, id(record), which)
        if key not in self.asked:
            wanted = f"{slug(name)}-{module.NAME}"
            stem = next(name for name in stems(wanted) if name not in self.stems)
            self.stems.add(stem)
            task = Task(stem, drawn, (module, record, *which), seconds=SECONDS)
            title, read = module.finding(record, *which), module.read(record, *which)
            self.asked[key] = task, Picture(module.NAME, stem, module.KIND, title, read)
        return self.asked[key][1]

    def draw(self) -> None:
        """Draw every picture that was asked for and is not drawn yet.

        Raises:
            TaskFailed: for the first that cannot be drawn.
        """
        missing = {task: picture for task, picture in self.asked.values() if not picture.content}
        for task, files in self.workers.run(missing, self.tell):
            missing[task].content.update(files)

    def hang(self, files: Mapping[str, bytes]) -> None:
        """Take every picture that was asked for from files that a gallery drew before."""
        for _, picture in self.asked.values():
            picture.content |= {form: files[picture.file(form)] for form in (picture.kind, "csv")}

    @property
    def files(self) -> Files:
        """What is drawn, by the addresses of the files."""
        return {
            picture.file(form): made for _, picture in self.asked.values() for form, made in picture.content.items()
        }


def stems(wanted: str) -> Iterator[str]:
    """The name as it is wanted, then with a number."""
    yield wanted
    yield from (f"{wanted}-{number}" for number in itertools.count(2))


def slug(text: str) -> str:
    """Letters, digits, dots and dashes: safe in a file name, and in an id behind a letter."""
    return re.sub(r"[^a-z0-9.]+", "-", text.lower()).strip("-.")[:100].strip("-.") or "run"
