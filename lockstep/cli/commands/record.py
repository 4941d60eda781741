"""`lockstep record`: what PyTorch does, as folders of arrays to be replayed elsewhere."""

import pathlib
from typing import Annotated

import typer
from rich.markup import escape

from lockstep.checking.torch_recordings import of_pytorch
from lockstep.cli.terminal import assignment, console, progress, voice
from lockstep.errors import BadPlace
from lockstep.numerics.formats import FORMATS
from lockstep.text import message


def record_subject(
    subject: Annotated[str, typer.Argument(help="For instance optim.adam.")],
    out: Annotated[pathlib.Path, typer.Option(help="A folder that is not there yet; one folder a scenario in it.")],
    set_: Annotated[list[str] | None, typer.Option("--set", help="A hyperparameter: lr=0.01. Repeatable.")] = None,
    only: Annotated[str | None, typer.Option(help="This scenario alone, in the folder itself.")] = None,
    dtype: Annotated[str, typer.Option(help=", ".join(FORMATS) + ".")] = "float64",
    path: Annotated[str | None, typer.Option(help="PyTorch's implementation: single, foreach or fused.")] = None,
    seed: Annotated[int, typer.Option(help="Of the scenarios' random numbers.")] = 0,
):
    """Record PyTorch in every scenario: parameters, gradients and state, a step at a time (docs/recordings.md)."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise BadPlace(message("error.recording-there", path=out))
    hyperparameters = dict(assignment(text) for text in set_ or [])
    with progress() as bar:
        task = bar.add_task(subject, total=None)
        recordings = of_pytorch(subject, hyperparameters, dtype=dtype, implementation=path, seed=seed, only=only)
        for place, recording in enumerate(recordings, 1):
            bar.update(task, description=recording.scenario, completed=place, total=len(recordings))
            name = "".join(sign if sign.isalnum() else "-" for sign in recording.scenario)
            recording.save(out if only else out / f"{place:02d}-{name}")
    console.print(escape(voice()("cli.recorded", recordings=len(recordings), subject=subject, place=out)))
