"""The report: every page in every language, from records alone."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lockstep.records.record import BadRecord, Record
from lockstep.text import LANGUAGES
from reports import address
from reports.contents import Contents, contents
from reports.gallery import Gallery
from reports.html import Speaker, environment
from reports.pages import cause, chapter, index, machine, riddles, subject

View = tuple[str, str, dict[str, Any]]  # the page's address, its template, what it shows


def site(records: Sequence[Record], gallery: Gallery, languages: Sequence[str] = LANGUAGES) -> Mapping[str, str]:
    """The pages of all records, in whatever order they come, by their addresses; pictures go into the gallery.

    Arguments:
        records: of any kind that checks.check lets pass.
        gallery: draws what the pages ask for, once for all languages.
        languages: in which the pages are; the first has the report's root.
    """
    found = contents(records)
    shown = list(views(found, gallery))
    gallery.draw()
    made = {}
    for language in languages:
        templates = environment(Speaker(language))
        for page, template, values in shown:
            place = address.Place(page, language, tuple(languages))
            globally = {"place": place, "address": address, "contents": found}
            if place.file in made:
                raise BadRecord(f"two subjects or causes would be one page, {place.file}")
            made[place.file] = templates.get_template(template).render(values | globally)
    return made


def views(found: Contents, gallery: Gallery) -> Iterator[View]:
    """Every page there is something for; the index last, which quotes the others."""
    answers = {}
    for name in found.subjects:
        values = subject.context(name, found, gallery)
        answers[name] = values["short"]
        yield subject.page(name), "subject.html.j2", values
        walks = values["walks"]
        for detection in values["detections"][:1]:
            for known in detection.causes:
                shown = cause.context(known, detection, walks[0] if walks else None)
                yield address.of_cause(name, known), "cause.html.j2", shown
    for name in found.chapters:
        yield address.of_chapter(name), "chapter.html.j2", chapter.context(name, found, gallery)
    if found.laboratories:
        yield address.LABORATORY, "laboratory.html.j2", riddles.context(found)
    if found.machines:
        yield address.MACHINE, "machine.html.j2", machine.context(found)
    yield address.INDEX, "index.html.j2", index.context(found, answers)
