"""The command line: `lockstep list`, `lockstep run`, `lockstep report`."""

import importlib
import pathlib
from typing import Annotated

import typer

from lockstep.cli.commands.causes import list_causes
from lockstep.cli.commands.check import check_target
from lockstep.cli.commands.compare import compare_recordings
from lockstep.cli.commands.explain import explain_subject
from lockstep.cli.commands.ledger import show_ledger
from lockstep.cli.commands.matrix import explain_matrix
from lockstep.cli.commands.record import record_subject
from lockstep.cli.commands.score import score_tests
from lockstep.cli.ending import ending
from lockstep.cli.terminal import SPOKEN, Scheduler, assignment, console, progress, voice, written
from lockstep.cli.usage import call, speaking
from lockstep.engine.run import run
from lockstep.engine.wording import headline
from lockstep.errors import BadValue
from lockstep.numerics import compiler
from lockstep.numerics.formats import FORMATS
from lockstep.records.record import place
from lockstep.subjects.registry import choose, find, subjects
from lockstep.text import LANGUAGES, Voice, message
from lockstep.text.rows import row

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("explain")(explain_subject)
app.command("check")(check_target)
app.command("causes")(list_causes)
app.command("record")(record_subject)
app.command("compare")(compare_recordings)
app.command("matrix")(explain_matrix)
app.command("score")(score_tests)
app.command("ledger")(show_ledger)


@app.callback()
def speak(
    lang: Annotated[
        str, typer.Option(envvar="LOCKSTEP_LANG", help="What it answers in: en or ko. Names and JSON stay as they are.")
    ] = "en",
):
    """Steps from-scratch NumPy code beside PyTorch, and measures, judges and explains every difference."""
    SPOKEN.set(Voice(known_language(lang)))


def known_language(lang: str) -> str:
    """A language there is.

    Raises:
        BadValue: for another.
    """
    if lang not in LANGUAGES:
        raise BadValue(message("error.language", known=", ".join(LANGUAGES), given=lang))
    return lang


@app.command("list")
def list_subjects(subject: Annotated[str | None, typer.Argument(help="Only this one, with its cases in full.")] = None):
    """Subjects and their cases."""
    for known in [find(subject)] if subject else subjects():
        table = known.cases.CASES
        console.print(f"[bold]{known.path}[/]   {voice().written(len(table), 'case')}")
        for case in table:
            console.print(f"    {case.desc}", markup=False)


@app.command("run")
def run_subject(
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
    all_: Annotated[bool, typer.Option("--all", help="Every case of its table.")] = False,
    json: Annotated[pathlib.Path | None, typer.Option(help="Write the record here, its arrays beside it.")] = None,
):
    """Run a subject on both sides and judge every difference.

    Exit status 0 when nothing is different or broken, 1 when something is, 2 for a call that makes no sense.
    """
    known = find(subject)
    chosen = known.cases.CASES if all_ else [choose(known, case)]
    if all_ and (case or json):
        raise BadValue(message("error.all-alone"))
    if json is not None:
        place(json)  # before a step is taken
    hyperparameters = dict(assignment(text) for text in set_ or [])
    passes = True
    for each in chosen:
        with progress() as bar:
            task = bar.add_task(each.desc, total=steps or each.steps)
            result = run(
                subject,
                case=each,
                problem=problem,
                steps=steps,
                dtype=dtype,
                seed=seed,
                path=path,
                hyperparameters=hyperparameters,
                on_step=lambda step, task=task, bar=bar: bar.update(task, completed=step),
            )
        found_of = (result.label, result.verdict, result.evidence, result.outcome.broken)
        console.print(headline(*found_of, voice()) if all_ else result.told(voice()), markup=False)
        console.print(row(voice(), "headroom", message("cli.headroom", used=result.used)), markup=False)
        passes = passes and result.verdict.passes
        if json is not None:
            result.save(json)
            written(json, "record")
    raise typer.Exit(0 if passes else 1)


@app.command("report")
def report(
    out: Annotated[
        pathlib.Path, typer.Option(help="Folder to write index.html, pictures and records to.")
    ] = pathlib.Path("build/report"),
    only: Annotated[
        list[str] | None, typer.Option(help='Only this subject, or "digits", or "notebook". Repeatable.')
    ] = None,
    mnist: Annotated[pathlib.Path | None, typer.Option(help="Train on MNIST, too: the folder with its files.")] = None,
    cifar10: Annotated[
        pathlib.Path | None, typer.Option(help="Train on CIFAR-10, too: the folder with its binary files.")
    ] = None,
    records: Annotated[
        pathlib.Path | None, typer.Option(help="Draw the records of this folder, and run nothing.")
    ] = None,
    lang: Annotated[str | None, typer.Option(help="Only in this language, en or ko; in both if left out.")] = None,
    workers: Annotated[int | None, typer.Option(help="So many processes; one a core if left out.", min=1)] = None,
    scheduler: Scheduler = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Make everything anew, whatever is kept from before.")] = False,
):
    """Run the experiments, or read records, and draw the report; the same as `python -m reports`."""
    data = {name: folder for name, folder in {"mnist": mnist, "cifar10": cifar10}.items() if folder}
    made = importlib.import_module("reports.making").report(
        out, only or [], [known_language(lang)] if lang else LANGUAGES, records, data, scheduler, workers, fresh
    )
    console.print(voice()("report.page", path=made), markup=False)


def main() -> None:
    """The console script: what is wrong with a call is one line, and exit status 2."""
    compiler.defer()
    with ending("lockstep"):
        call(speaking(app))


if __name__ == "__main__":
    main()
