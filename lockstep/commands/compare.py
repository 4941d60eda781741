"""`lockstep compare`: two recordings, of two machines, versions or devices."""

import pathlib
from typing import Annotated, Any

import typer
from rich.markup import escape

from lockstep.comparing import Compared, compared
from lockstep.files import write_json
from lockstep.record import plain
from lockstep.recording import BadRecording, load
from lockstep.terminal import console
from lockstep.verdict import Verdict, worst


def compare_recordings(
    one: Annotated[pathlib.Path, typer.Argument(help="A folder with a recording, or with several.")],
    other: Annotated[pathlib.Path, typer.Argument(help="Another of the same.")],
    json: Annotated[pathlib.Path | None, typer.Option(help="Write what was found here.")] = None,
):
    """Say at which step, tensor and element two recordings part, and whether by rounding.

    Exit status 0 when they are identical or differ by rounding, 1 when they do not, 2 when they cannot be compared.
    """
    if one.resolve() == other.resolve():
        raise BadRecording(f"{one} and {other} are one folder: they would agree whatever is in it")
    left, right = ({recording.scenario: recording for recording in load(path)} for path in (one, other))
    if len(left) == len(right) == 1:
        right = dict(zip(left, right.values(), strict=True))
    if left.keys() != right.keys():
        lonely = ", ".join(repr(name) for name in sorted(left.keys() ^ right.keys()))
        raise BadRecording(f"only one of the two has {lonely}")
    found = [compared(recording, right[name]) for name, recording in left.items()]
    for each in found:
        console.print(escape("\n".join(lines(each))))
    if json is not None:
        write_json(json, plain([each.to_json() for each in found]))
        console.print(f"  written  {escape(str(json))}")
    raise typer.Exit(0 if worst(each.verdict for each in found) in (Verdict.IDENTICAL, Verdict.ROUNDING) else 1)


def lines(found: Compared) -> list[str]:
    """What a person reads of one scenario."""
    if found.first is None:
        return [f"{found.label}: identical in every bit"]
    first = found.first
    text = [f"{found.label}: {found.verdict}, parts at step {first['step']}", *beside(first)]
    text.append(f"  drift    {found.drift[-1]:.2g} after the last step, {max(found.drift):.2g} at most")
    if found.evidence:
        each = found.evidence
        text.append(
            f"  beyond   the {each['side']} leaves PyTorch's formula at step {each['step']}, line {each['line']}: "
            f"used {each['used']:.2g} allowances"
        )
    return text


def beside(first: dict[str, Any]) -> list[str]:
    index = ", ".join(map(str, first["index"]))
    one, other = (f"{value:.17g}" for value in first["values"])
    count = f"{first['differing']} of {first['elements']} numbers"
    return [
        f"  at       {first['quantity']} of {first['tensor']}[{index}], shape {tuple(first['shape'])}",
        f"  one      {one}   {first['bits'][0]}",
        f"  other    {other}   {first['bits'][1]}",
        f"  apart    {first['ulp']:.0f} ulp ({first['relative']:.2g} relative), {count}",
    ]
