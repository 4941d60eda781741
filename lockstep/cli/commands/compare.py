"""`lockstep compare`: two recordings, of two machines, versions or devices; or two checkpoints."""

import collections
import dataclasses
import pathlib
from typing import Annotated, NoReturn, TypeVar

import typer
from rich.markup import escape

from lockstep.cli.terminal import console, progress, voice, written
from lockstep.comparison.checkpoints import Apart, TwoCheckpoints, compare_checkpoints
from lockstep.comparison.recordings import Compared, compared, first_apart
from lockstep.engine.wording import values
from lockstep.numerics.verdict import Finding, Verdict, worst
from lockstep.recordings.recording import MANIFEST, BadRecording, folders_of, load, read_manifest
from lockstep.recordings.stored import files_of, is_stored
from lockstep.records.files import write_json
from lockstep.records.schema import plain
from lockstep.text import Voice, message
from lockstep.text.rows import at, row

Of = TypeVar("Of")


def compare_recordings(
    one: Annotated[
        pathlib.Path,
        typer.Argument(help="A folder with recordings, a safetensors file, or a folder or an index of its shards."),
    ],
    other: Annotated[pathlib.Path, typer.Argument(help="Another of the same.")],
    first: Annotated[bool, typer.Option("--first", help="Stop after the first tensor that differs.")] = False,
    json: Annotated[pathlib.Path | None, typer.Option(help="Write what was found here.")] = None,
):
    """Say at which step, tensor and element two recordings part, and whether by rounding.

    Of two checkpoints, safetensors files: which tensors differ, by how much, whether one is the other rounded to a
    format, and which are missing or have another name. With --first, recordings of any size: where they part first, and
    no judgement.

    Exit status 0 when they are identical or differ by rounding, 1 when they do not, 2 when they cannot be compared.
    """
    if one.resolve() == other.resolve():
        raise BadRecording(message("recording.one-folder", one=one, other=other))
    if is_stored(one) and is_stored(other):
        compare_files(one, other, first, json)
    if first:
        compare_folders(one, other, json)
    left, right = ({recording.scenario: recording for recording in load(path)} for path in (one, other))
    pairs = [compared(*pair) for pair in paired(left, right).values()]
    for each in pairs:
        console.print(escape("\n".join(lines(each, voice()))))
    if json is not None:
        write_json(json, plain([each.to_json() for each in pairs]))
        written(json)
    raise typer.Exit(0 if worst(each.verdict for each in pairs) in (Verdict.IDENTICAL, Verdict.ROUNDING) else 1)


def compare_files(one: pathlib.Path, other: pathlib.Path, first: bool, json: pathlib.Path | None) -> NoReturn:
    """Two checkpoints, with a bar of how much of them has been read."""
    with progress() as bar:
        sizes = (file.stat().st_size for place in (one, other) for file in files_of(place) if file.exists())
        task = bar.add_task(f"{one.name} · {other.name}", total=sum(sizes))
        both = compare_checkpoints(one, other, first=first, on_bytes=lambda count: bar.advance(task, count))
    console.print(escape("\n".join(file_lines(both, voice()))))
    if json is not None:
        write_json(json, plain(dataclasses.asdict(both)))
        written(json)
    raise typer.Exit(0 if both.agrees else 1)


def compare_folders(one: pathlib.Path, other: pathlib.Path, json: pathlib.Path | None) -> NoReturn:
    """Two recordings, or two folders of them, to the first tensor that differs."""
    pairs = paired(*({read_name(folder): folder for folder in folders_of(path)} for path in (one, other)))
    files = [file for pair in pairs.values() for folder in pair for file in folder.glob("*.safetensors")]
    answers = []
    with progress() as bar:
        task = bar.add_task(f"{one.name} · {other.name}", total=sum(file.stat().st_size for file in files))
        for name, pair in pairs.items():
            apart = first_apart(*pair, lambda count: bar.advance(task, count))
            if apart is None:
                text = [voice()("cli.identical", label=name)]
            else:
                text = [voice()("cli.apart-first", label=name, step=apart[0]), *file_lines(apart[1], voice())]
            console.print(escape("\n".join(text)))
            step, told = (apart[0], dataclasses.asdict(apart[1])) if apart else (None, None)
            answers.append({"scenario": name, "step": step, "found": told})
    if json is not None:
        write_json(json, plain(answers))
        written(json)
    raise typer.Exit(0 if all(answer["found"] is None for answer in answers) else 1)


def paired(left: dict[str, Of], right: dict[str, Of]) -> dict[str, tuple[Of, Of]]:
    """The same scenarios of both; where there is but one of either, it is these two.

    Raises:
        BadRecording: for a scenario that one alone has.
    """
    if len(left) == len(right) == 1:
        right = dict(zip(left, right.values(), strict=True))
    if left.keys() != right.keys():
        lonely = ", ".join(repr(name) for name in sorted(left.keys() ^ right.keys()))
        raise BadRecording(message("recording.lonely", names=lonely))
    return {name: (one, right[name]) for name, one in left.items()}


def read_name(folder: pathlib.Path) -> str:
    """The scenario of a recording, as loading it calls it."""
    return str(read_manifest(folder / MANIFEST).get("scenario") or folder.name)


def file_lines(both: TwoCheckpoints, voice: Voice) -> list[str]:
    """What a person reads of two files: the tensors that differ, then what is in one alone."""
    text = [apart_line(part, voice) for part in both.apart]
    text += renamed_lines(both.renamed, voice)
    text += [voice("checkpoint.missing", tensor=name) for name in both.missing]
    text += [voice("checkpoint.added", tensor=name) for name in both.added]
    counts = {"same": both.same, "apart": len(both.apart)}
    return [*text, voice("checkpoint.all" if both.whole else "checkpoint.first", **counts)]


def renamed_lines(renamed: dict[str, str], voice: Voice) -> list[str]:
    """Each name with the other; of many with one prefix before it a line."""
    prefixes = {one: (other.removesuffix(one), one.removesuffix(other)) for one, other in renamed.items()}
    counts = collections.Counter(prefixes.values())
    shared = {ways: count for ways, count in counts.items() if "" in ways and count > 1}
    text = [
        voice("checkpoint.prefix-one" if longer else "checkpoint.prefix-other", prefix=longer or shorter, n=count)
        for (shorter, longer), count in shared.items()
    ]
    alone = [(one, other) for one, other in renamed.items() if prefixes[one] not in shared]
    return [*text, *(voice("checkpoint.renamed", one=one, other=other) for one, other in alone)]


def apart_line(part: Apart, voice: Voice) -> str:
    known = {"tensor": part.tensor, "one": part.dtypes[0], "other": part.dtypes[1]}
    if part.kind in ("shape", "turned"):
        one, other = (str(list(shape)) for shape in part.shapes)
        return voice(f"checkpoint.{part.kind}", tensor=part.tensor, one=one, other=other)
    if part.rounded:
        return voice(f"checkpoint.rounded-{part.which}", dtype=part.rounded, **known)
    if part.kind in ("bytes", "unlike"):
        return voice(f"checkpoint.{part.kind}", differing=part.differing, elements=part.elements, **known)
    if not part.differing:
        return voice("checkpoint.nans" if part.nans else "checkpoint.dtype", nans=part.nans, **known)
    figures = {name: getattr(part, name) for name in ("differing", "elements", "absolute", "relative", "ulp")}
    kind = "values" if part.ulp or part.relative or not part.absolute else "whole"
    return voice(f"checkpoint.{kind}", tensor=part.tensor, index=str(list(part.index)), **figures)


def lines(compared: Compared, voice: Voice) -> list[str]:
    """What a person reads of it."""
    if compared.first is None:
        return [voice("cli.identical", label=compared.label)]
    first = compared.first
    text = [voice("cli.parts", label=compared.label, verdict=compared.verdict, step=first.step), *beside(first, voice)]
    text.append(row(voice, "drift", message("cli.drift", last=compared.drift[-1], most=max(compared.drift))))
    if compared.evidence:
        beyond = {"step": compared.evidence.step, "line": compared.evidence.line, "used": compared.evidence.used}
        side = message(f"cli.side.{compared.side}")
        text.append(row(voice, "beyond", message("cli.beyond", side=side, **beyond)))
    return text


def beside(first: Finding, voice: Voice) -> list[str]:
    figures = {name: getattr(first, name) for name in ("ulp", "relative", "differing", "elements")}
    return [
        at(voice, first.quantity, first.tensor, first.index, first.shape),
        *values(first, voice, "one", "other"),
        row(voice, "apart", message("cli.apart-of", **figures)),
    ]
