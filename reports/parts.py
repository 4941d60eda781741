"""A report in parts that know nothing of each other: a subject's pages, an experiment's, and those about everything.

Of each part two tasks: its pictures, which go by records and the code that draws them, and its pages, which go by
records, pictures, messages and templates. Both are given the records as files, so that a part is new where one of its
own is, and no record is read whose pictures and pages were kept.
"""

import json
import pathlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from lockstep.records.record import BadRecord
from lockstep.tasks.recorded import record_of
from lockstep.tasks.task import Files, Task
from lockstep.tasks.workers import Tell, Workers, silent
from lockstep.text import LANGUAGES
from reports.contents import Contents, Head, Ways, contents, shown, ways
from reports.gallery import Gallery
from reports.pages.index import LEADING
from reports.site import ONE, View, encoded, of_chapters, of_everything, of_subjects, rendered

HERE = pathlib.Path(__file__).parent
# What pages are written with besides Python; which parts of it a page needs is not told apart.
WRITTEN = tuple(
    sorted(
        path
        for folder in (HERE / "templates", HERE / "static", HERE / "text", HERE.parent / "lockstep/text")
        for path in folder.rglob("*")
        if path.suffix in (".j2", ".css", ".js", ".toml")
    )
)
DRAWN, PAGED = 0.06, 0.02  # about what the pictures and the pages of a record take that nobody has made yet


class Part(NamedTuple):
    """Pages that go together.

    Attributes:
        views: what they show. records: all they are made of, the files of each. pictured: those of their pictures.
    """

    name: str
    views: Callable[[Contents, Gallery], Iterator[View]]
    records: tuple[Files, ...]
    pictured: tuple[Files, ...]


def report(
    paths: Sequence[pathlib.Path], workers: Workers, tell: Mapping[str, Tell], languages: Sequence[str] = LANGUAGES
) -> Files:
    """Every page and picture by its address, made of the records at these paths.

    Arguments:
        tell: of "pictures" and of "pages", called with how far they are.

    Raises:
        BadRecord: for a record that cannot be shown.
        TaskFailed: for the first part that cannot be made.
    """
    records = [(head(path), files_of(path)) for path in paths]
    linked, every = ways(one for one, _ in records), parts(records)
    drawn: dict[str, Files] = {part.name: {} for part in every}
    tasks = {
        Task(
            f"pictures of {part.name}",
            pictured,
            (part.views, part.pictured),
            seconds=DRAWN * len(part.pictured),
            kind="pictures",
        ): part
        for part in every
    }
    for task, files in workers.run(tasks, tell.get("pictures", silent)):
        drawn[tasks[task].name] = files
    pages = [
        Task(
            f"pages of {part.name}", paged, (part.views, part.records, drawn[part.name], linked, tuple(languages)),
            WRITTEN, seconds=PAGED * len(part.records), kind="pages",
        )
        for part in every
    ]  # fmt: skip
    made: Files = {}
    for files in (*drawn.values(), *(files for _, files in workers.run(pages, tell.get("pages", silent)))):
        twice = sorted(made.keys() & files.keys())
        if twice:
            raise BadRecord(ONE.format(twice[0]))
        made |= files
    return made


def head(path: pathlib.Path) -> Head:
    """What a record is about; its entries are checked where it is read."""
    data = json.loads(path.read_text("utf-8"))
    return Head(data["kind"], data["subject"], bool(data.get("findings")), bool(data.get("lead")))


def files_of(path: pathlib.Path) -> Files:
    """A record's JSON and its archive."""
    archive = path.with_name(json.loads(path.read_text("utf-8"))["arrays"]["file"])
    return {one.name: one.read_bytes() for one in (path, archive)}


def parts(records: Sequence[tuple[Head, Files]]) -> list[Part]:
    """The parts of a report, a subject or an experiment each, and the pages about everything."""
    subjects, experiments = shown(head for head, _ in records)
    of = {name: tuple(files for head, files in records if head.subject == name) for name in (*subjects, *experiments)}
    every = [
        Part(name, views, of[name], of[name])
        for views, names in ((of_subjects, subjects), (of_chapters, experiments))
        for name in names
    ]
    first = next((head.subject for head, _ in records if head.leads), None)
    leading = tuple(files for head, files in records if head.subject == first and head.kind in LEADING)
    return [*every, Part("everything", of_everything, tuple(files for _, files in records), leading)]


def pictured(views: Callable[[Contents, Gallery], Iterator[View]], records: Sequence[Files]) -> Files:
    """The pictures that a part's pages ask for."""
    gallery = Gallery()
    list(views(contents(list(map(record_of, records))), gallery))
    gallery.draw()
    return gallery.files


def paged(
    views: Callable[[Contents, Gallery], Iterator[View]],
    records: Sequence[Files],
    drawn: Files,
    linked: Ways,
    languages: Sequence[str],
) -> Files:
    """The pages of a part, in every language.

    Arguments:
        drawn: its pictures. linked: what a page may link to besides.
    """
    gallery = Gallery()
    every = list(views(contents(list(map(record_of, records))), gallery))
    gallery.hang(drawn)
    return encoded(rendered(every, linked, languages))
