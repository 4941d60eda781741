"""`lockstep check`: somebody's implementation, or a recording of one, against PyTorch's formula."""

import contextlib
import importlib
import io
import pathlib
import shlex
import traceback
from json import loads as json_of
from typing import Annotated, Any

import typer
from rich.markup import escape

from lockstep.checking.answer import Check, answer, headline, named
from lockstep.checking.check import DTYPES, check, check_recordings
from lockstep.cli.ending import FAULT
from lockstep.cli.loading import load_target
from lockstep.cli.several import check_several, expanded, several
from lockstep.cli.terminal import Scheduler, assignment, console, progress, typed, typed_option, voice, written
from lockstep.errors import BadValue, LockstepError
from lockstep.numerics.environment import environment
from lockstep.numerics.verdict import Verdict
from lockstep.recordings.recording import load
from lockstep.records.files import whole, write_json
from lockstep.subjects.registry import find_class
from lockstep.tasks.cluster import workers_of
from lockstep.tasks.kept import Kept
from lockstep.text import LANGUAGES, Voice, message

UNFINISHED = {"error": {"kind": "unfinished", "message": "the check did not come to its end", "exit_status": None}}


def check_target(
    context: typer.Context,
    targets: Annotated[
        list[str] | None,
        typer.Argument(
            help="FILE.py:NAME, a class, an instance or a function; FILE.py, what is called so in it. A folder for "
            "all files in it; several for a line each."
        ),
    ] = None,
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
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes at a time; one a core if left out.")] = None,
    scheduler: Scheduler = None,
    kept: Annotated[
        pathlib.Path | None, typer.Option(help="Keep what is finished in this folder, and go on from what is there.")
    ] = None,
    limit: Annotated[float, typer.Option(min=1, help="Of several, seconds within which each has to answer.")] = 600,
):
    """Check an optimizer or a layer against PyTorch's, and name what it does instead.

    Exit status 0 when it is identical, rounding or partial, 1 when it is different or ill-conditioned, 2 when it could
    not be checked; with --strict, 3 for agreement with parts unseen, or by formats or conventions of its own. Of
    several, the worst: 70, 2, 1, 3, 0.
    """
    if bool(targets) == (recording is not None):
        raise BadValue(message("error.check-what"))
    if targets and like is None:
        raise BadValue(message("error.check-like"))
    if targets and (several(targets) or kept or jobs or (scheduler and typed_option(context, "scheduler"))):
        if junit or html:
            raise BadValue(message("error.check-alone"))
        told = {"like": like, "set_": set_, "only": only, "dtype": dtype, "seed": seed, "names": names}
        refuse_nonsense(like, set_, dtype, names)
        with workers_of(scheduler, jobs, Kept(kept)) as workers:
            raise typer.Exit(check_several(expanded(targets), told | {"strict": strict}, limit, workers, json))
    target = targets[0] if targets else None
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


def refuse_nonsense(like: str | None, set_: list[str] | None, dtype: str | None, names: str | None) -> None:
    """Refuse once what would be refused of each of several.

    Raises:
        UserError: for it.
    """
    find_class(str(like))
    paths(names)
    for text in set_ or []:
        assignment(text)
    if dtype not in (None, *DTYPES):
        raise BadValue(message("error.dtype", known=", ".join(map(repr, DTYPES)), given=dtype))


def of_recording(folder: pathlib.Path | None, like: str | None) -> Check:
    assert folder
    return check_recordings(load(folder), like)


def of_target(target, like, set_, only, dtype, seed, names) -> Check:
    loaded = load_target(target, like)
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


def answer_alone(target: str, inside: str, options: str, out: str) -> None:
    """In a process of its own (lockstep/tasks/checks.py): one of several, its answer as plain data and as a line.

    Arguments:
        target: what was asked for. inside: what is loaded instead, a copy. options: as JSON, those of `lockstep check`.
    """
    told = json_of(options)
    strict = told.pop("strict")
    try:
        result = of_target(inside, **told)
        result.target, result.rerun = target, again(target, told, strict)
        status = result.strict_status if strict else result.exit_status
        answered: dict[str, Any] = {"exit_status": status, **result.to_json()}
        said = {language: one_line(result, Voice(language)) for language in LANGUAGES}
    except LockstepError as error:
        answered = failed(type(error).__name__, str(error), error.exit_status)
        said = {language: f"{target}: {Voice(language).plain(error.said)}" for language in LANGUAGES}
    except (Exception, SystemExit) as fault:
        words = f"{type(fault).__name__}: {fault}"
        answered = failed("fault", words, FAULT) | {"traceback": traceback.format_exc()}
        said = {language: f"{target}: {Voice(language)('fault.whose')} {words}" for language in LANGUAGES}
    about = {"target": target, "machine": environment().cpu}
    write_json(pathlib.Path(out), {"answer": about | answered, "said": said})


def failed(kind: str, words: str, status: int) -> dict[str, Any]:
    return {"exit_status": status, "error": {"kind": kind, "message": words, "exit_status": status}}


def one_line(result: Check, voice: Voice) -> str:
    """The head of an answer, and what is named for it."""
    why = "; ".join(named(cause) for cause in result.causes)
    if result.broken and result.verdict is Verdict.BROKEN:
        why = voice.plain(result.broken.message).partition("\n")[0]
    return " · ".join(filter(None, (headline(result, voice), why)))


def again(target: str, told: dict[str, Any], strict: bool) -> str:
    """The call that shows one of several by itself, in full."""
    words = ["lockstep", "check", target, *(["--strict"] if strict else [])]
    for name, value in told.items():
        for each in value if isinstance(value, list) else [value]:
            words += [f"--{name.rstrip('_')}", str(each)] if each not in (None, 0) else []
    return shlex.join(words)


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
