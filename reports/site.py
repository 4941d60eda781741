"""The report: every page in every language, from records alone."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lockstep.records.record import BadRecord, Record
from lockstep.tasks.task import Files
from lockstep.text import LANGUAGES
from reports import address
from reports.contents import Contents, Head, Ways, contents, ways
from reports.gallery import Gallery
from reports.html import Speaker, environment
from reports.pages import cause, chapter, index, machine, riddles, subject

ONE = "two subjects or causes would be one page, {}"

View = tuple[str, str, dict[str, Any]]  # the page's address, its template, what it shows


def site(records: Sequence[Record], gallery: Gallery, languages: Sequence[str] = LANGUAGES) -> dict[str, str]:
    """The pages of all records, in whatever order they come, by their addresses; pictures go into the gallery.

    Arguments:
        records: of any kind that checks.check lets pass.
        gallery: draws what the pages ask for, once for all languages.
        languages: in which the pages are; the first has the report's root.
    """
    sorted_records = contents(records)
    every = [view for views in (of_subjects, of_chapters, of_everything) for view in views(sorted_records, gallery)]
    gallery.draw()
    return rendered(every, ways(map(Head.of, records)), languages)


def rendered(views: Sequence[View], linked: Ways, languages: Sequence[str]) -> dict[str, str]:
    """Pages as they are written.

    Arguments:
        linked: what any page may link to.

    Raises:
        BadRecord: where two would have one address.
    """
    made: dict[str, str] = {}
    for language in languages:
        templates = environment(Speaker(language))
        for page, template, values in views:
            place = address.Place(page, language, tuple(languages))
            globally = {"place": place, "address": address, "linked": linked}
            if place.file in made:
                raise BadRecord(ONE.format(place.file))
            made[place.file] = templates.get_template(template).render(values | globally)
    return made


def encoded(pages: Mapping[str, str]) -> Files:
    """Pages as files."""
    return {name: text.encode("utf-8") for name, text in pages.items()}


def of_subjects(records: Contents, gallery: Gallery) -> Iterator[View]:
    """Of every subject its page, and one a cause."""
    for name in records.subjects:
        values = subject.context(name, records, gallery)
        yield subject.page(name), "subject.html.j2", values
        walks = values["walks"]
        for detection in values["detections"][:1]:
            for known in detection.causes:
                shown = cause.context(known, detection, walks[0] if walks else None)
                yield address.of_cause(name, known), "cause.html.j2", shown


def of_chapters(records: Contents, gallery: Gallery) -> Iterator[View]:
    """Of what experiments are about that is no subject."""
    for name in records.chapters:
        yield address.of_chapter(name), "chapter.html.j2", chapter.context(name, records, gallery)


def of_everything(records: Contents, gallery: Gallery) -> Iterator[View]:
    """The pages that quote others; the index has the pictures of what it leads with."""
    if records.laboratories:
        yield address.LABORATORY, "laboratory.html.j2", riddles.context(records)
    if records.machines:
        yield address.MACHINE, "machine.html.j2", machine.context(records)
    yield address.INDEX, "index.html.j2", index.context(records, gallery)
