"""`lockstep score`: what a parity test would let pass."""

import importlib
import importlib.util
import pathlib
from typing import Annotated

import typer
from rich.markup import escape

from lockstep.cli.terminal import console, voice, written
from lockstep.errors import BadValue
from lockstep.records.files import write_json
from lockstep.text import message


def score_tests(
    tests: Annotated[str, typer.Argument(help="A file of tests, or one test: FILE.py::NAME.")],
    subject: Annotated[str, typer.Option(help="What they test, for instance optim.adam.")],
    json: Annotated[pathlib.Path | None, typer.Option(help="Write the result here.")] = None,
):
    """Run a parity test with each wrong variant of the catalogue, and say which ones it lets pass.

    The tests ask for a fixture `implementation`; docs/testing.md says what it gives.
    Exit status 0 when all are caught, 1 when some pass, 2 for tests that cannot be scored.
    """
    if importlib.util.find_spec("pytest") is None:
        raise BadValue(message("error.no-pytest"))
    result = importlib.import_module("lockstep.testing.score").score(tests, subject)
    console.print(escape(result.told(voice())))
    if json is not None:
        write_json(json, result.to_json())
        written(json)
    raise typer.Exit(1 if result.missed else 0)
