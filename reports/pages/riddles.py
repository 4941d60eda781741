"""The laboratory's own page: every subject that has one, and ten mistakes to be found by what they do."""

import contextlib
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from reports.contents import Contents
from reports.pages import laboratory
from reports.pages.detection import TEXTS
from reports.pages.laboratory import Known, Laboratory, written
from reports.translation import Untranslatable, translated

RIDDLES, REAL = 10, 3  # how many there are, and how many of them, the last ones, were met in a library
DTYPE = "float32"


class Riddle(NamedTuple):
    """A formula with a mistake in it: whose, and which one.

    alike: how many of its subject's causes are told from rounding by the very same scenarios, itself among them.
    """

    lab: Laboratory
    known: Known
    alike: int

    @property
    def texts(self) -> dict[str, Any]:
        """What there is to say of the mistake, by what it is about."""
        return {name: text for name in TEXTS if (text := getattr(self.known.entry, name))}


def context(records: Contents) -> dict[str, Any]:
    """All that the page shows; the same in every language."""
    made = [laboratory.of(subject, records) for subject in records.subjects]
    labs = [lab.of_format(DTYPE) for lab in made if lab]
    riddles = chosen(labs)
    asked = [lab for lab in labs if any(riddle.lab is lab for riddle in riddles)]
    return {
        "labs": labs,
        "subjects": records.subjects,
        "riddles": riddles,
        "asked": asked,
        "layers": dict(layers(records)),
    }


def layers(records: Contents) -> Iterator[tuple[str, str]]:
    """The formulas that a panel is there for, in JavaScript: those of whose subject a walk states the paper's order."""
    for first, *_ in records.walks.values():
        with contextlib.suppress(Untranslatable, KeyError):
            if first.panel:
                yield first.panel, written(translated(first.source["paper"]))


def chosen(labs: Sequence[Laboratory]) -> list[Riddle]:
    """Ten of all that the runs tell from rounding, those with the fewest of their likes first.

    The last three were met in somebody's library: of those the hardest. No id is there twice.
    """
    every = [riddle for lab in labs for riddle in of_subject(lab)]
    every.sort(key=lambda riddle: (riddle.alike, riddle.known.name, riddle.lab.subject))
    real = distinct([riddle for riddle in reversed(every) if riddle.known.entry.threads], [])[:REAL]
    others = distinct(every, real)
    wanted = min(RIDDLES - len(real), len(others))
    spread = [others[place * (len(others) - 1) // max(wanted - 1, 1)] for place in range(wanted)]
    return [*spread, *reversed(real)]


def of_subject(lab: Laboratory) -> list[Riddle]:
    """Every mistake that some scenario tells from rounding."""
    shown = {known.name: lab.shows(known.name) for known in lab.causes}
    alike = Counter(shown.values())
    return [Riddle(lab, known, alike[shown[known.name]]) for known in lab.causes if shown[known.name]]


def distinct(riddles: Sequence[Riddle], taken: Sequence[Riddle]) -> list[Riddle]:
    """Those of an id that none before them has; of several subjects the one that was asked least so far."""
    ids = {riddle.known.entry.id for riddle in taken}
    asked = [riddle.lab.subject for riddle in taken]
    picked: list[Riddle] = []
    for riddle in riddles:
        same = [
            other for other in riddles if (other.known.entry.id, other.alike) == (riddle.known.entry.id, riddle.alike)
        ]
        best = min(same, key=lambda other: asked.count(other.lab.subject))
        if riddle.known.entry.id not in ids:
            ids.add(riddle.known.entry.id)
            asked.append(best.lab.subject)
            picked.append(best)
    return picked
