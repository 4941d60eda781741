"""`lockstep ledger`: one step, line by line."""

import pathlib
from typing import Annotated

import typer
from rich.markup import escape

from lockstep.cli.terminal import assignment, console, voice, written
from lockstep.explanation.ledger import ledger
from lockstep.numerics.formats import FORMATS
from lockstep.records.files import check_place, write_json
from lockstep.records.schema import plain
from lockstep.subjects.registry import choose, find


def show_ledger(
    subject: Annotated[str, typer.Argument(help="For instance optim.adam; `lockstep list` names them all.")],
    step: Annotated[int, typer.Option(help="Which, from 1.")] = 1,
    case: Annotated[str | None, typer.Option(help="The text of one of its cases.")] = None,
    problem: Annotated[str | None, typer.Option(help="What an optimizer steps on, for instance rosenbrock.")] = None,
    dtype: Annotated[
        str | None, typer.Option(help=", ".join(FORMATS) + "; what the case makes sense in if left out.")
    ] = None,
    path: Annotated[str | None, typer.Option(help="PyTorch's implementation: single, foreach or fused.")] = None,
    tensor: Annotated[str | None, typer.Option(help="Of an update, which parameter; the first if left out.")] = None,
    rounding: Annotated[str, typer.Option(help="Of the NumPy side: plain, fused, kernels or paper.")] = "fused",
    seed: Annotated[int, typer.Option(help="Of the problem's random numbers.")] = 0,
    set_: Annotated[list[str] | None, typer.Option("--set", help="A hyperparameter: lr=0.01. Repeatable.")] = None,
    json: Annotated[pathlib.Path | None, typer.Option(help="Write the ledgers here.")] = None,
):
    """The lines of the formula beside the operations that PyTorch ran, from PyTorch's own state before the step.

    Exit status 0, whatever differs; 2 for a call that makes no sense.
    """
    choose(find(subject), case)
    if json is not None:
        check_place(json)
    ledgers = ledger(
        subject,
        step=step,
        case=case,
        problem=problem,
        dtype=dtype,
        seed=seed,
        path=path,
        tensor=tensor,
        rounding=rounding,
        hyperparameters=dict(assignment(text) for text in set_ or []),
    )
    for told in ledgers:
        console.print(escape(told.told(voice())))
    if json is not None:
        write_json(json, plain([told.to_json() for told in ledgers]))
        written(json)
