"""A subject's laboratory: its formula line by line, each with alternatives, and what the page is handed to run it."""

import ast
import base64
import functools
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from markupsafe import Markup

from lockstep.records.kinds.detection import CauseEntry, DetectionRecord
from lockstep.records.kinds.laboratory import LaboratoryRecord, Setting
from lockstep.records.schema import plain
from lockstep.text import Message
from reports.contents import Contents, family
from reports.symbols import Symbols, symbols
from reports.translation import Formula, Line, Untranslatable, expression, function, translated

KINDS = ("line", "argument", "kept")  # of rows, in the order in which they stand
ORDER = "pytorch"


class Alternative(NamedTuple):
    """What a row may be instead: a known cause's, or PyTorch's order. code: its right-hand side."""

    name: str
    code: str


class Row(NamedTuple):
    """A row: a line of the formula, what is kept of one, or a number that it is given."""

    kind: str
    name: str
    code: str
    alternatives: tuple[Alternative, ...]

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.name}"


class Known(NamedTuple):
    """A cause that is an exchange of lines: the rows that it exchanges, each with what stands there instead."""

    name: str
    entry: CauseEntry
    lines: Mapping[str, Line]


class Laboratory:
    """What a record of kind "laboratory" shows, with the causes of a record of kind "detection".

    Arguments:
        record: of a subject. detection: of the same, where there is one.
    """

    def __init__(self, record: LaboratoryRecord, detection: DetectionRecord | None = None):
        self.record, self.detection = record, detection
        self.chosen: Sequence[int] = range(len(record.settings))
        self.paper, self.pytorch = (translated(record.source.get(order, "")) for order in ("paper", ORDER))
        self.functions = {
            name: table({order: written(translated(text), text) for order, text in orders.items()})
            for name, orders in record.functions.items()
        }

    @property
    def subject(self) -> str:
        return self.record.subject

    @functools.cached_property
    def symbols(self) -> Symbols:
        state = {key: entry.line for key, entry in self.record.state.items()}
        return symbols(family(self.subject), self.record.equations, state)

    @functools.cached_property
    def causes(self) -> list[Known]:
        """Those that are an exchange of lines; what is wrong around a formula is on its own page alone."""
        rows = self.detection.rows if self.detection else ()
        exchanges = [known for row in rows if row.cause and (known := exchanged(row.name, row.cause))]
        own = {*self.paper.arguments, *(line.name for line in self.paper.lines)}
        return [known for known in exchanges if own.issuperset(line.name for line in known.lines.values())]

    @functools.cached_property
    def rows(self) -> list[Row]:
        """Every line of the paper's order, and what else some cause exchanges."""
        own = {line.name: line for line in self.paper.lines}
        keys = dict.fromkeys(f"line:{name}" for name in own)
        keys |= dict.fromkeys(key for known in self.causes for key in known.lines)
        return [self.row(key, own) for key in sorted(keys, key=lambda key: KINDS.index(key.partition(":")[0]))]

    def row(self, key: str, own: Mapping[str, Line]) -> Row:
        kind, _, name = key.partition(":")
        theirs = {line.name: line.code for line in self.pytorch.lines}
        alternatives = [Alternative(known.name, known.lines[key].code) for known in self.causes if key in known.lines]
        if kind == "line" and name in theirs:
            alternatives.insert(0, Alternative(ORDER, theirs[name]))
        return Row(kind, name, own[name].code if kind == "line" else name, tuple(alternatives))

    def leading(self, dtype: str, cause: str) -> "Laboratory | None":
        """The same with its first setting of a dtype and one cause alone; None where it lacks them."""
        made = Laboratory(self.record, self.detection)
        made.chosen = [number for number, one in enumerate(self.record.settings) if one.dtype == dtype][:1]
        made.causes = [known for known in self.causes if known.name == cause]
        return made if made.chosen and made.causes else None

    def of_format(self, dtype: str) -> "Laboratory":
        """The same with its settings of a dtype alone."""
        made = Laboratory(self.record, self.detection)
        made.chosen = [number for number, one in enumerate(self.record.settings) if one.dtype == dtype]
        return made

    def shows(self, cause: str) -> tuple[str, ...]:
        """The scenarios that tell a cause from rounding, as the table of causes has it."""
        detection = self.detection
        row = next((row for row in detection.rows if row.name == cause), None) if detection else None
        if not detection or not row:
            return ()
        pairs = zip(detection.scenarios, row.cells, strict=True)
        return tuple(scenario.name for scenario, cell in pairs if cell.used > 1)

    @property
    def settings(self) -> list[Setting]:
        return [self.record.settings[number] for number in self.chosen]

    @property
    def names(self) -> list[tuple[str, Message | None]]:
        """The recorded settings, each once, whatever its dtype."""
        return list({one.name: (one.name, one.why) for one in self.settings}.values())

    @property
    def numbers(self) -> dict[str, Any]:
        """The hyperparameters of the first setting: numbers, pairs of numbers, and flags."""
        return {name: value for name, value in self.settings[0].hyperparameters.items() if value is not None}

    @property
    def data(self) -> Markup:
        """What the page is handed beside the formulas, as JSON."""
        return Markup(quoted(plain(self.handed)))

    @property
    def handed(self) -> dict[str, Any]:
        return {
            "subject": self.subject,
            "sparse": self.record.sparse,
            "state": {key: vars(entry) for key, entry in self.record.state.items()},
            "settings": [self.setting(number) for number in self.chosen],
            "powers": self.record.powers,
            "rows": [row.key for row in self.rows],
            "causes": {
                known.name: {"rows": list(known.lines), "shows": known.entry.shows, "formats": known.entry.dtypes}
                for known in self.causes
            },
            "scenarios": [scenario.name for scenario in self.detection.scenarios] if self.detection else [],
        }

    def setting(self, number: int) -> dict[str, Any]:
        """A recorded setting as the page is handed it."""
        setting = self.record.settings[number]
        case, problem = setting.case, str(setting.case.get("problem"))
        return {
            "name": setting.name,
            "problem": problem,
            "streamed": problem not in self.functions,
            "format": setting.dtype,
            "steps": setting.steps,
            "shape": setting.shape,
            "hyperparameters": setting.hyperparameters,
            "path": setting.path,
            "own": list(case.get("hyperparameters") or ()),
            "rates": case.get("lr_at") or {},
            "missing": case.get("none_at"),
            "arrays": dict(self.arrays(number)),
        }

    def arrays(self, number: int) -> Iterator[tuple[str, str]]:
        """The recorded arrays of a setting, little-endian in base64."""
        for name, array in self.record.arrays.items():
            place, _, rest = name.partition("/")
            if place == str(number):
                yield rest, base64.b64encode(array.astype(array.dtype.newbyteorder("<")).tobytes()).decode()

    @property
    def script(self) -> str:
        """The formulas as an object of JavaScript: both orders, the functions gone down, and every cause's rows."""
        parts = {
            "paper": written(self.paper),
            ORDER: written(self.pytorch),
            "functions": table(self.functions),
            "causes": table({known.name: rewritten(known) for known in self.causes}),
        }
        return table(parts)


def exchanged(name: str, entry: CauseEntry) -> Known | None:
    """A cause as the rows that it exchanges; None where it is none of lines, or of one that has no translation."""
    try:
        lines = {
            f"{change.of}:{change.line}": Line(change.line, change.theirs, expression(change.theirs))
            for change in entry.changes
        }
        return Known(name, entry, lines) if lines else None
    except Untranslatable:
        return None


def rewritten(known: Known) -> str:
    """The rows of a cause as an object."""
    return table({key: function(line) for key, line in known.lines.items()})


def written(formula: Formula, text: str = "") -> str:
    """A formula as an object: its lines in order, what it returns, its arguments, and what its text gives them."""
    lines, result = (
        f"[{', '.join(f'[{quoted(line.name)}, {function(line)}]' for line in part)}]"
        for part in (formula.lines, formula.result)
    )
    return table(
        {"lines": lines, "result": result, "given": quoted(formula.arguments), "defaults": quoted(defaults(text))}
    )


def defaults(text: str) -> dict[str, float]:
    """The arguments of a function that its text gives a number, whatever else it may say."""
    functions = [node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)]
    given = [
        pair for node in functions for pair in zip(reversed(node.args.args), reversed(node.args.defaults), strict=False)
    ]
    return {
        name.arg: node.value
        for name, node in given
        if isinstance(node, ast.Constant) and isinstance(node.value, float | int)
    }


def table(parts: Mapping[str, str]) -> str:
    return f"{{{', '.join(f'{quoted(name)}: {text}' for name, text in parts.items())}}}"


def quoted(value: Any) -> str:
    """Plain data as JavaScript that no page ends at."""
    return json.dumps(value, ensure_ascii=True).replace("<", "\\u003c")


def of(subject: str, every: Contents) -> Laboratory | None:
    """The laboratory of a subject, where there is a record of it whose formulas a page can work out."""
    records = every.laboratories.get(subject, [])
    detections = every.detections.get(subject, [])
    try:
        return Laboratory(records[0], detections[0] if detections else None) if records else None
    except Untranslatable:
        return None
