"""`lockstep compare`: two recordings, of two machines, versions or devices."""

import pathlib
from typing import Annotated

import typer
from rich.markup import escape

from lockstep.cli.terminal import console, voice, written
from lockstep.diagnose.two_recordings import Compared, compared
from lockstep.engine.wording import values
from lockstep.numerics.verdict import Finding, Verdict, worst
from lockstep.recordings.recording import BadRecording, load
from lockstep.records.files import write_json
from lockstep.records.schema import plain
from lockstep.text import Voice, message
from lockstep.text.rows import at, row


def compare_recordings(
    one: Annotated[pathlib.Path, typer.Argument(help="A folder with a recording, or with several.")],
    other: Annotated[pathlib.Path, typer.Argument(help="Another of the same.")],
    json: Annotated[pathlib.Path | None, typer.Option(help="Write what was found here.")] = None,
):
    """Say at which step, tensor and element two recordings part, and whether by rounding.

    Exit status 0 when they are identical or differ by rounding, 1 when they do not, 2 when they cannot be compared.
    """
    if one.resolve() == other.resolve():
        raise BadRecording(message("recording.one-folder", one=one, other=other))
    left, right = ({recording.scenario: recording for recording in load(path)} for path in (one, other))
    if len(left) == len(right) == 1:
        right = dict(zip(left, right.values(), strict=True))
    if left.keys() != right.keys():
        lonely = ", ".join(repr(name) for name in sorted(left.keys() ^ right.keys()))
        raise BadRecording(message("recording.lonely", names=lonely))
    found = [compared(recording, right[name]) for name, recording in left.items()]
    for each in found:
        console.print(escape("\n".join(lines(each, voice()))))
    if json is not None:
        write_json(json, plain([each.to_json() for each in found]))
        written(json)
    raise typer.Exit(0 if worst(each.verdict for each in found) in (Verdict.IDENTICAL, Verdict.ROUNDING) else 1)


def lines(found: Compared, voice: Voice) -> list[str]:
    """What a person reads of it."""
    if found.first is None:
        return [voice("cli.identical", label=found.label)]
    first = found.first
    text = [voice("cli.parts", label=found.label, verdict=found.verdict, step=first.step), *beside(first, voice)]
    text.append(row(voice, "drift", message("cli.drift", last=found.drift[-1], most=max(found.drift))))
    if found.evidence:
        beyond = {"step": found.evidence.step, "line": found.evidence.line, "used": found.evidence.used}
        side = message(f"cli.side.{found.side}")
        text.append(row(voice, "beyond", message("cli.beyond", side=side, **beyond)))
    return text


def beside(first: Finding, voice: Voice) -> list[str]:
    figures = {name: getattr(first, name) for name in ("ulp", "relative", "differing", "elements")}
    return [
        at(voice, first.quantity, first.tensor, first.index, first.shape),
        *values(first, voice, "one", "other"),
        row(voice, "apart", message("cli.apart-of", **figures)),
    ]
