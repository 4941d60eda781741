"""What the commands print to, and how they read what they are given."""

import ast
import pathlib
import shlex
import sys
from contextvars import ContextVar
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from lockstep.errors import BadValue
from lockstep.text import ENGLISH, Voice, message
from lockstep.text.rows import row

Scheduler = Annotated[
    str | None,
    typer.Option(
        envvar="LOCKSTEP_SCHEDULER",
        help="The address of a Dask scheduler, whose workers do it instead of this machine's.",
    ),
]

console = Console(highlight=False, soft_wrap=True, emoji=False)
errors = Console(stderr=True, highlight=False, soft_wrap=True, emoji=False)

SPOKEN: ContextVar[Voice] = ContextVar("voice", default=ENGLISH)
ANSWERED: ContextVar[bool] = ContextVar("answered", default=False)  # whether --json has its answer


def voice() -> Voice:
    """That of the call: --lang, or LOCKSTEP_LANG."""
    return SPOKEN.get()


def typed(command: str) -> str:
    """The call of `lockstep COMMAND` as it was typed; nothing where it was not typed so."""
    words = sys.argv[1:]
    options = 2 if words[:1] == ["--lang"] else int(words[:1] != [] and words[0].startswith("--lang="))
    return shlex.join(["lockstep", *words]) if words[options : options + 1] == [command] else ""


def typed_option(context: typer.Context, name: str) -> bool:
    """Whether an option was typed, and doesn't stand in the environment alone."""
    return getattr(context.get_parameter_source(name), "name", "") == "COMMANDLINE"


def written(path: pathlib.Path, label: str = "written") -> None:
    """Say that the answer has been written there."""
    ANSWERED.set(True)
    console.print(escape(row(voice(), label, path)))


def assignment(text: str) -> tuple[str, Any]:
    """`betas=(0.9,0.99)` as a name and a value; a value that is no Python literal is refused."""
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise BadValue(message("error.set-form", given=text))
    try:
        return name, ast.literal_eval({"true": "True", "false": "False"}.get(value, value))
    except (ValueError, SyntaxError):
        raise BadValue(message("error.set-value", name=name, given=value)) from None


def progress() -> Progress:
    """A bar on the terminal's error stream, gone when it is done; nothing where there is no terminal."""
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal)
