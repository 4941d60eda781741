"""Pages: functions from records to text. What they say is in the templates, what they count is here."""

import base64
import itertools
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from importlib import resources
from types import ModuleType
from typing import Any, NamedTuple

import jinja2

from lockstep.messages import ENGLISH, from_json
from lockstep.record import Record
from reports import facts, figures, words
from reports.sparkline import Sparkline, sparkline

FOLDED = 4  # rows of a subject on the first screen; the rest is in its section
PICTURED = 8  # runs of a subject with a path or a loss that are drawn


class Picture(NamedTuple):
    """A picture on the page: where its file is, what it shows, how to read it."""

    file: str
    finding: str
    read: str
    source: str


class Row(NamedTuple):
    """A run in a table."""

    record: Record
    case: str
    variant: str
    verdict: str
    defect: facts.Worst | None
    used: float
    first: dict[str, Any] | None
    line: Sparkline | None


class Shown(NamedTuple):
    """A run whose pictures stand in the page."""

    row: Row
    pictures: list[Picture]


class Section(NamedTuple):
    """A subject, its runs from the worst down."""

    subject: str
    anchor: str
    rows: list[Row]
    shown: list[Shown]

    @property
    def counts(self) -> list[tuple[str, int]]:
        return counted([row.verdict for row in self.rows])

    @property
    def cases(self) -> list[tuple[Row, int]]:
        """The worst run of every case, and how many runs the case has, the worst first."""
        groups: dict[str, list[Row]] = {}
        for row in self.rows:
            groups.setdefault(row.case, []).append(row)
        return [(rows[0], len(rows)) for rows in groups.values()]

    @property
    def folded(self) -> int:
        """How many cases stand on the first screen: a few, and all that fail."""
        return max(FOLDED, sum(words.fails(row.verdict) for row, _ in self.cases))


class Ladder(NamedTuple):
    """An explanation: its picture, and the largest difference on each rung."""

    record: Record
    pictures: list[Picture]
    worst: list[str]


class Chapter(NamedTuple):
    """An experiment: its pictures, the numbers it printed, its claims."""

    record: Record
    anchor: str
    pictures: list[Picture]


Draw = Callable[[ModuleType, Record, str], bytes]


class Gallery:
    """Draws pictures once, under file names that are safe and each its own."""

    def __init__(self, draw: Draw):
        self.draw = draw
        self.files: dict[str, bytes] = {}

    def picture(self, module: ModuleType, record: Record, name: str) -> Picture:
        stem = f"{slug(name)}-{module.NAME}"
        file = next(f for f in map(numbered(stem), itertools.count()) if f not in self.files)
        self.files[file] = self.draw(module, record, file)
        source = "data:image/png;base64," + base64.b64encode(self.files[file]).decode("ascii")
        return Picture(f"figures/{file}", module.finding(record), module.READ, source)


def numbered(stem: str) -> Callable[[int], str]:
    return lambda n: f"{stem}-{n + 1}.png" if n else f"{stem}.png"


def slug(text: str) -> str:
    """Letters, digits, dots and dashes: safe in a file name and in an anchor."""
    return re.sub(r"[^a-z0-9.]+", "-", text.lower()).strip("-.")[:100].strip("-.") or "run"


def index(records: Sequence[Record], draw: Draw) -> tuple[str, Mapping[str, bytes]]:
    """The page of all records, in whatever order they come, and its pictures by file name."""
    gallery = Gallery(draw)
    runs = sorted((record for record in records if facts.kind(record) == "run"), key=facts.label)
    experiments = sorted((one for one in records if facts.kind(one) == "experiment"), key=lambda one: one["title"])
    explanations = sorted((one for one in records if facts.kind(one) == "explanation"), key=facts.label)
    growths = sorted((one for one in records if facts.kind(one) == "growth"), key=facts.label)
    sections = [section(subject, runs, gallery) for subject in sorted({run["subject"] for run in runs})]
    chapters = [chapter(record, place, gallery) for place, record in enumerate(experiments)]
    page = (
        environment()
        .get_template("index.html.j2")
        .render(
            sections=sections,
            ladders=[ladder(record, gallery) for record in explanations],
            machines=machines(explanations),
            growths=growths,
            chapters=chapters,
            summary=summary(runs),
            environments=environments([*runs, *explanations, *growths, *experiments]),
            style=resources.files("reports").joinpath("static/style.css").read_text("utf-8"),
        )
    )
    return page, gallery.files


def environment() -> jinja2.Environment:
    """The templates' own: everything is escaped, and a name they lack is an error."""
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("reports"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters |= {
        "number": words.number,
        "ulps": words.ulps,
        "share": words.share,
        "count": words.count,
        "percent": words.percent,
        "listed": words.listed,
        "said": said,
    }
    made.globals |= {
        "signs": words.SIGNS,
        "meaning": words.MEANING,
        "probed": words.PROBED,
        "facts": facts,
        "sparkline": {"width": 120, "height": 26},
    }
    return made


def said(value: Any) -> str:
    """A message of a record, in English; a text as it is."""
    return ENGLISH.plain(from_json(value))


def section(subject: str, runs: Sequence[Record], gallery: Gallery) -> Section:
    rows = sorted((row(run) for run in runs if run["subject"] == subject), key=lambda one: facts.rank(one.record))
    return Section(
        subject, slug(f"subject-{subject}"), rows, [pictured(one, every, gallery) for one, every in chosen(rows)]
    )


def row(record: Record) -> Row:
    seed, trusted = record.data.get("seed"), record["verdict"] != "broken"
    parts = [record["dtype"], record.data.get("path"), f"seed {seed}" if seed else None]
    return Row(
        record=record,
        case=facts.description(record),
        variant=" · ".join(str(part) for part in parts if part),
        verdict=str(record["verdict"]),
        defect=facts.worst(record, "defect", "scaled_ulp") if trusted else None,
        used=facts.used(record),
        first=facts.finding(record, "first_difference") if trusted else None,
        line=sparkline(record) if trusted else None,
    )


def chosen(rows: list[Row]) -> list[tuple[Row, bool]]:
    """The runs to draw: the worst one in full; of those with a path or a loss one a case, the first of them in full.

    The flag says whether a run is drawn in full or by its path and loss alone.
    """
    traced = [one for one in rows if any(module.applies(one.record) for module in (figures.path, figures.loss))]
    cases = {one.case: one for one in reversed(traced)}
    traced = [one for one in rows if cases.get(one.case) is one][:PICTURED]
    full = [one for one in [rows[0], *traced[:1]] if figures.of_run(one.record)]
    picked = [one for one in rows if any(one is other for other in [*full, *traced])]
    return [(one, any(one is other for other in full)) for one in picked]


def pictured(one: Row, every: bool, gallery: Gallery) -> Shown:
    modules = [module for module in figures.of_run(one.record) if every or module in (figures.path, figures.loss)]
    name = f"{one.record['subject']} {one.case} {one.variant}"
    return Shown(one, [gallery.picture(module, one.record, name) for module in modules])


def ladder(record: Record, gallery: Gallery) -> Ladder:
    name = f"{facts.label(record)} {record['steps']} steps"
    pictures = [gallery.picture(module, record, name) for module in figures.of_explanation(record)]
    return Ladder(record, pictures, figures.ladder.worst(record))


def machines(explanations: Sequence[Record]) -> list[dict[str, Any]]:
    """What was found out about every machine, once; how long it took makes no other machine."""
    found: list[dict[str, Any]] = []
    for record in explanations:
        findings = record.data.get("findings")
        one = {key: value for key, value in findings.items() if key != "seconds"} if findings else None
        if one and one not in found:
            found.append(one)
    return found


def chapter(record: Record, place: int, gallery: Gallery) -> Chapter:
    title = record["title"]
    pictures = [gallery.picture(module, record, title) for module in figures.of_experiment(record)]
    return Chapter(record, f"experiment-{place + 1}", pictures)


def counted(verdicts: Sequence[str]) -> list[tuple[str, int]]:
    """How often each verdict was given, from the best to the worst, none left out that was."""
    found = Counter(verdicts)
    return [(verdict, found[verdict]) for verdict in words.SIGNS if found[verdict]]


class Summary(NamedTuple):
    """The whole report in numbers."""

    subjects: int
    runs: int
    steps: int
    counts: dict[str, int]
    closest: Record | None
    worst: Record | None


def summary(runs: Sequence[Record]) -> Summary:
    ranked = sorted(runs, key=facts.rank)
    failing = [run for run in ranked if words.fails(run["verdict"])]
    within = [run for run in runs if facts.used(run) > 0 and run not in failing]
    return Summary(
        subjects=len({run["subject"] for run in runs}),
        runs=len(runs),
        steps=sum(run["steps"] for run in runs if run["verdict"] != "broken"),
        counts=dict.fromkeys(words.SIGNS, 0) | dict(counted([run["verdict"] for run in runs])),
        closest=max(within, key=facts.used, default=None),
        worst=failing[0] if failing else None,
    )


def environments(records: Sequence[Record]) -> list[dict[str, Any]]:
    """Every environment that records were made in, once."""
    found: list[dict[str, Any]] = []
    for record in records:
        one = record.data.get("environment")
        if one and one not in found:
            found.append(one)
    return found
