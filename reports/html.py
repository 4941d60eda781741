"""Text as HTML: messages, formulas and code, each escaped by what makes it, and the templates' environment."""

import functools
import re
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any

import jinja2
from jinja2.bccache import Bucket
from markupsafe import Markup, escape
from pygments.lexers.python import PythonLexer
from pygments.token import STANDARD_TYPES, Name, Token

from lockstep.numerics import formats
from lockstep.text import Message
from reports import facts
from reports.bundle import bundle
from reports.formula import mathml
from reports.pages.laboratory import Laboratory, quoted, table
from reports.symbols import Symbols
from reports.text import PageVoice
from reports.words import SIGNS

SAID = "lab.say."  # what the script says: its placeholders are filled in there
ASSIGNMENT = re.compile(r" +(\w+) = ")


class Speaker(PageVoice):
    """A voice whose messages are HTML: what is put into them is escaped, code and names are marked as such."""

    def __call__(self, key: str, /, **values: Any) -> Markup:
        """The message of that key, filled in, as HTML."""
        return Markup("").join(map(escape, self.pieces(key, values)))

    def say(self, message: Message) -> Markup:
        """The message, filled in, as HTML."""
        return self(message.key, **message.values)

    def plain(self, value: Any, spec: str) -> str:
        return value if isinstance(value, Markup) else super().plain(value, spec)

    def as_number(self, value: float) -> Markup:
        return Markup('<span class="whole">{}</span>').format(super().as_number(value))

    def as_ulp(self, value: float) -> Markup:
        return Markup('<span class="whole">{}</span>').format(super().as_ulp(value))

    def as_code(self, value: Any) -> Markup:
        return Markup("<code>{}</code>").format(value)

    def as_user(self, value: Any) -> Markup:
        return self.say(value) if isinstance(value, Message) else Markup("<bdi>{}</bdi>").format(value)

    def as_called(self, value: Message | str) -> Markup:
        return self.as_user(value if isinstance(value, Message) else self.called(value))

    def as_message(self, value: Any) -> Markup:
        return self.as_user(value) if isinstance(value, Message | str) else Markup(" ").join(map(self.say, value))

    def as_list(self, values: Any) -> Markup:
        said = [escape(self.plain(value, "")) for value in values]
        if len(said) < 2:
            return Markup("").join(said)
        return self("list.last", before=self("list.comma").join(said[:-1]), last=said[-1])

    def as_verdict(self, value: Any) -> Markup:
        sign, name = SIGNS[value], self(f"verdict.{value}.name")
        return Markup('<span class="verdict {}"><span class="sign" aria-hidden="true">{}</span> {}</span>').format(
            value, sign, name
        )


class Compiled(jinja2.BytecodeCache):
    """What this process compiled of templates; each is held against its source."""

    def __init__(self):
        self.kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self.kept:
            bucket.bytecode_from_string(self.kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self.kept[bucket.key] = bucket.bytecode_to_string()


COMPILED = Compiled()


def environment(voice: Speaker) -> jinja2.Environment:
    """The templates' own: everything is escaped, and a name they lack is an error."""
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("reports"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        bytecode_cache=COMPILED,
    )
    # {{ used | as("share") }} writes a value as a placeholder of a message would
    made.filters |= {
        "as": voice.written,
        "say": voice.say,
        "said": voice.as_user,
        "called": voice.as_called,
        "digits": digits,
    }
    made.globals |= {
        "t": voice,
        "lang": voice.language,
        "signs": SIGNS,
        "facts": facts,
        "code": code,
        "formula": formula,
        "listing": listing,
        "style": static("style.css"),
        "script": static("script.js"),
        "laboratory_style": static("lab.css"),
        "laboratories": functools.partial(laboratories, voice),
    }
    return made


@functools.lru_cache(maxsize=4096)  # each stands in every language, and most on several pages
def formula(latex: str, symbols: Symbols | None = None) -> Markup:
    """A formula as MathML, its symbols marked."""
    return mathml(latex, symbols.of_formula if symbols else {})


def laboratories(voice: Speaker, shown: Sequence[Laboratory], layers: Mapping[str, str] | None = None) -> Markup:
    """The words and the script that bring a page's laboratories to life; of `layers` the formulas, in JavaScript."""
    said = {key.removeprefix(SAID): text for key, text in voice.texts.items() if key.startswith(SAID)}
    formulas = table({one.subject: one.script for one in shown})
    script = joined('import {begin} from "./main.js";\n') + f"begin({formulas}, {table(layers or {})});\n"
    return Markup(
        f'<script type="application/json" id="lab-words">{quoted(said)}</script>\n'
        f'<script type="module">\n{script}</script>'
    )


@functools.cache
def joined(entry: str) -> str:
    return bundle(entry)


@functools.cache
def static(name: str) -> str:
    return resources.files("reports").joinpath("static", name).read_text("utf-8")


def digits(value: float, dtype: str) -> str:
    """A value in as many digits as tell it from its neighbours."""
    return formats.named(dtype).text(float(value))


@functools.lru_cache(maxsize=4096)
def code(text: str, symbols: Symbols | None = None) -> Markup:
    """Python as HTML: a span a token in Pygments' classes, and the names that are symbols marked with them."""
    tokens = PythonLexer(stripnl=False, ensurenl=False).get_tokens(text)
    return Markup("").join(token(kind, value, symbols) for kind, value in tokens)


def listing(text: str, symbols: Symbols) -> Markup:
    """A function as HTML, each line that assigns to a line of the formula marked with its name."""
    made = []
    written = str(code(text, symbols)).split("\n")  # no span goes over the end of a line
    for line, plain in zip(written, text.split("\n"), strict=True):
        name = ASSIGNMENT.match(plain)
        known = name.group(1) if name and name.group(1) in symbols.names else None
        attributes = Markup(' data-line="{}"').format(known) if known else Markup("")
        made.append(Markup('<span class="row"{}>{}</span>').format(attributes, Markup(line)))
    return Markup("\n").join(made)


def token(kind: Any, value: str, symbols: Symbols | None) -> Markup:
    """One token; a name that is a symbol carries it."""
    name = symbols.of_name(value) if symbols and kind in Name else None
    if name:
        return Markup('<span class="symbol" data-symbol="{}">{}</span>').format(name, value)
    if kind in Token.Text or kind in Name:
        return escape(value)
    return Markup("\n").join(
        Markup('<span class="{}">{}</span>').format(short(kind), part) if part else "" for part in value.split("\n")
    )


def short(kind: Any) -> str:
    """Pygments' class of a token."""
    while kind not in STANDARD_TYPES:
        kind = kind.parent
    return STANDARD_TYPES[kind]
