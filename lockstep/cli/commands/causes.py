"""`lockstep causes`: the catalogue, with formulas."""

from typing import Annotated

import typer
from rich.markup import escape

from lockstep.causes import causes
from lockstep.cli.terminal import console, voice
from lockstep.subjects.registry import find, subjects


def list_causes(subject: Annotated[str | None, typer.Argument(help="Only of this one.")] = None):
    """What can be wrong with a subject: each cause, its formula beside PyTorch's, and what to change."""
    for known_subject in [find(subject)] if subject else subjects():
        known = causes(known_subject)
        if not known:
            if subject:
                console.print(f"[bold]{known_subject.path}[/]   {voice()('cli.no-causes')}")
            continue
        console.print(f"[bold]{known_subject.path}[/]   {voice()('cli.causes', n=len(known))}")
        for cause in known:
            first, *others = cause.describe(voice()).splitlines()
            console.print("\n".join([f"  [bold]{escape(first)}[/]", f"    {escape(cause.formula)}"]))
            console.print("\n".join(f"  {escape(line)}" for line in others))
