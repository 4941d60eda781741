"""`lockstep matrix`: the ladder of everything there is."""

import collections
import pathlib
from typing import Annotated

import typer
from rich.markup import escape

from lockstep.cli.terminal import Scheduler, console, progress, voice, written
from lockstep.experiments.sweep import matrix
from lockstep.explanation.matrix import Matrix, tally
from lockstep.records.files import check_place, write_json
from lockstep.subjects.registry import find
from lockstep.tasks.cluster import workers_of
from lockstep.tasks.kept import Kept
from lockstep.text import message
from lockstep.text.rows import columns as width
from lockstep.text.rows import padded, row

SHOWN = 20  # cells that are not explained


def explain_matrix(
    only: Annotated[list[str] | None, typer.Option(help="Only this subject. Repeatable.")] = None,
    steps: Annotated[
        int | None, typer.Option(min=1, help="Of every cell; more or less of its own if left out.")
    ] = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes at a time; one a core if left out.")] = None,
    scheduler: Scheduler = None,
    kept: Annotated[
        pathlib.Path | None, typer.Option(help="Keep what is finished in this folder, and go on from what is there.")
    ] = None,
    json: Annotated[pathlib.Path | None, typer.Option(help="Write every cell here.")] = None,
):
    """Climb the ladder of every subject, case, dtype and path, at every CPU capability, on one thread and on two.

    Exit status 0 when every cell is explained to the last bit, 1 when one is not.
    """
    for name in only or ():
        find(name)
    if json is not None:
        check_place(json)  # the work takes minutes
    with workers_of(scheduler, jobs, Kept(kept)) as workers, progress() as bar:
        task = bar.add_task("matrix", total=None)
        explained = matrix(
            only or (),
            steps=steps,
            workers=workers,
            on_start=lambda total: bar.update(task, total=total),
            on_cells=lambda cells: bar.update(task, advance=len(cells), description=cells[-1].subject if cells else ""),
        )
    show(explained)
    if json is not None:
        write_json(json, explained.to_json())
        written(json)
    raise typer.Exit(0 if explained.passes else 1)


def show(explained: Matrix) -> None:
    rows = tally(explained, voice()("matrix.corner"))
    widths = [max(map(width, column)) for column in zip(*rows, strict=True)]
    for name, *counts in rows:
        console.print(escape("  ".join([padded(name, widths[0]), *map(str.rjust, counts, widths[1:])])))
    share = explained.explained / len(explained.cells) if explained.cells else 0.0
    said = message("matrix.explained", explained=explained.explained, total=len(explained.cells), share=share)
    console.print(escape(row(voice(), "total", said)))
    ends = collections.Counter(
        ", ".join(cell.kernels) or voice().plain(cell.rung) for cell in explained.cells if cell.explained
    )
    for end, count in ends.most_common():
        console.print(f"  {count:6}  {escape(end)}")
    for name, reason in explained.absent.items():
        console.print(escape(row(voice(), "absent", f"{name}: {voice().plain(reason)}")))
    missed = [cell for cell in explained.cells if not cell.explained]
    for cell in missed[:SHOWN]:
        console.print(escape(row(voice(), "left", f"{cell.label}: {voice().plain(cell.left or '')}")))
    if len(missed) > SHOWN:
        console.print(escape(row(voice(), "more", message("matrix.more", n=len(missed) - SHOWN))))
