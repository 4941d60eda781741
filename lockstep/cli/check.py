"""`lockstep check`: somebody's implementation, or a recording of one, against PyTorch's formula."""

import contextlib
import importlib
import io
import pathlib
from typing import Annotated

import typer
from rich.markup import escape

from lockstep.checking.answer import Check, answer
from lockstep.checking.check import DTYPES, check, check_recordings
from lockstep.cli.loading import load_target
from lockstep.cli.terminal import assignment, console, progress, typed, voice, written
from lockstep.errors import BadValue
from lockstep.recordings.recording import load
from lockstep.records.files import whole, write_json
from lockstep.text import message

UNFINISHED = {"error": {"kind": "unfinished", "message": "the check did not come to its end", "exit_status": None}}


def check_target(
    target: Annotated[str | None, typer.Argument(help="FILE.py:NAME, a class, an instance or a function.")] = None,
    like: Annotated[str | None, typer.Option(help="What it should be, for instance optim.adam.")] = None,
    recording: Annotated[pathlib.Path | None, typer.Option(help="A folder with a recording, or with several.")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="A hyperparameter: lr=0.01. Repeatable.")] = None,
    names: Annotated[
        str | None, typer.Option(help="What your object calls a parameter: weight=BW,bias=Bb,weight.grad=dBW.")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit status 3 for agreement with a reservation.")] = False,
    only: Annotated[str | None, typer.Option(help="This scenario alone.")] = None,
    dtype: Annotated[str | None, typer.Option(help="float64 or float32; both if left out.")] = None,
    seed: Annotated[int, typer.Option(help="Of the scenarios' random numbers.")] = 0,
    json: Annotated[pathlib.Path | None, typer.Option(help="Write the answer here.")] = None,
    junit: Annotated[
        pathlib.Path | None, typer.Option(help="Write a test case a scenario here, as JUnit's XML.")
    ] = None,
    html: Annotated[pathlib.Path | None, typer.Option(help="Write a page here.")] = None,
):
    """Check an optimizer or a layer against PyTorch's, and name what it does instead.

    Exit status 0 when it is identical, rounding or partial, 1 when it is different or ill-conditioned, 2 when it could
    not be checked; with --strict, 3 for agreement with parts unseen, or by formats or conventions of its own.
    """
    if (target is None) == (recording is None):
        raise BadValue(message("error.check-what"))
    if target is not None and like is None:
        raise BadValue(message("error.check-like"))
    if json is not None:  # what their code may do to this process leaves no time to write an answer
        write_json(json, UNFINISHED)
    result = of_recording(recording, like) if recording else of_target(target, like, set_, only, dtype, seed, names)
    result.rerun = typed("check")
    console.print(escape(answer(result, voice())))
    for path, write in ((json, as_json), (junit, as_junit), (html, as_page)):
        if path is not None:
            write(path, result)
            written(path)
    raise typer.Exit(result.strict_status if strict else result.exit_status)


def of_recording(folder: pathlib.Path | None, like: str | None) -> Check:
    assert folder
    return check_recordings(load(folder), like)


def of_target(target, like, set_, only, dtype, seed, names) -> Check:
    loaded = load_target(target)
    hyperparameters = dict(assignment(text) for text in set_ or [])
    said = io.StringIO()  # by their code, at every step: it would hide the answer
    with progress() as bar, contextlib.redirect_stdout(said):
        task = bar.add_task("", total=None)
        result = check(
            loaded,
            like=like,
            hyperparameters=hyperparameters,
            dtypes=(dtype,) if dtype else DTYPES,
            only=only,
            seed=seed,
            names=paths(names),
            on_scenario=lambda name, place, total: bar.update(task, description=name, completed=place, total=total),
        )
    if lines := said.getvalue().count("\n"):
        result.notes.append(message("note.prints", lines=lines))
    return result


def paths(text: str | None) -> dict[str, str]:
    """`weight=BW,bias=Bb` as names.

    Raises:
        BadValue: for anything else.
    """
    pairs = [part.partition("=") for part in text.split(",")] if text else []
    for key, _, own in pairs:
        if not key.strip() or not own.strip():
            raise BadValue(message("error.names", given=text))
    return {key.strip(): own.strip() for key, _, own in pairs}


def as_json(path: pathlib.Path, result: Check) -> None:
    write_json(path, result.to_json())


def as_junit(path: pathlib.Path, result: Check) -> None:
    text = importlib.import_module("lockstep.checking.export.junit").junit(result)
    with whole(path) as temporary:
        temporary.write_text(text, "utf-8")


def as_page(path: pathlib.Path, result: Check) -> None:
    text = importlib.import_module("lockstep.checking.export.page").page(result, voice())
    with whole(path) as temporary:
        temporary.write_text(text, "utf-8")
