"""`lockstep explain`: which roundings make the difference."""

import pathlib
from typing import Annotated

import typer
from rich.markup import escape

from lockstep.cli.terminal import assignment, console, progress, voice, written
from lockstep.explanation.explain import explain
from lockstep.numerics.formats import FORMATS
from lockstep.records.files import check_place, write_json
from lockstep.records.record import place
from lockstep.subjects.registry import choose, find


def explain_subject(
    subject: Annotated[str, typer.Argument(help="For instance optim.adam; `lockstep list` names them all.")],
    case: Annotated[str | None, typer.Option(help="The text of one of its cases.")] = None,
    problem: Annotated[str | None, typer.Option(help="What an optimizer steps on, for instance rosenbrock.")] = None,
    steps: Annotated[int | None, typer.Option(help="How many; the case's own number if left out.")] = None,
    dtype: Annotated[
        str | None, typer.Option(help=", ".join(FORMATS) + "; what the case makes sense in if left out.")
    ] = None,
    path: Annotated[str | None, typer.Option(help="PyTorch's implementation: single, foreach or fused.")] = None,
    seed: Annotated[int, typer.Option(help="Of the problem's random numbers.")] = 0,
    set_: Annotated[list[str] | None, typer.Option("--set", help="A hyperparameter: lr=0.01. Repeatable.")] = None,
    json: Annotated[pathlib.Path | None, typer.Option(help="Write the ladder here.")] = None,
    record: Annotated[pathlib.Path | None, typer.Option(help="Write the record for a report here.")] = None,
):
    """Rewrite the reference one rounding at a time until not one bit differs from PyTorch's.

    Exit status 0 when that is so after every step, 1 when something is left, 2 for a call that makes no sense.
    """
    hyperparameters = dict(assignment(text) for text in set_ or [])
    total = steps or choose(find(subject), case).steps
    if json is not None:
        check_place(json)
    if record is not None:
        place(record)
    with progress() as bar:
        task = bar.add_task("", total=total)
        result = explain(
            subject,
            case=case,
            problem=problem,
            steps=steps,
            dtype=dtype,
            seed=seed,
            path=path,
            hyperparameters=hyperparameters,
            on_rung=lambda rung, step: bar.update(task, description=voice().say(rung), completed=step),
        )
    console.print(escape(result.told(voice())))
    if json is not None:
        write_json(json, result.to_json())
        written(json)
    if record is not None:
        result.save(record)
        written(record, "record")
    raise typer.Exit(0 if result.explained else 1)
