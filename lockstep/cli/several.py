"""Checks of many files, a line each: shared out among workers, each kept as soon as it is done."""

import collections
import json as plain_json
import pathlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.markup import escape

from lockstep.cli.terminal import console, progress, voice, written
from lockstep.errors import BadValue
from lockstep.records.files import check_place, write_json
from lockstep.tasks.checks import ANSWER, planned, split
from lockstep.tasks.workers import Workers
from lockstep.text import message
from lockstep.text.rows import row

WORST = (0, 3, 1, 2, 70)  # of exit statuses, the last


def several(targets: Sequence[str]) -> bool:
    """Whether more than one may be meant: then there is a line for each, and JSON is a list."""
    return len(targets) > 1 or any(folder_of(target) for target in targets)


def folder_of(target: str) -> pathlib.Path | None:
    """The folder that a target is, or of whose files each has the name asked for."""
    places = (target, split(target)[0])
    return next((pathlib.Path(place) for place in places if place and pathlib.Path(place).is_dir()), None)


def expanded(targets: Sequence[str]) -> list[str]:
    """Every target, the files of a folder in its place.

    Raises:
        BadValue: for a folder without one.
    """
    return list(dict.fromkeys(each for target in targets for each in within(target)))


def within(target: str) -> Iterator[str]:
    folder = folder_of(target)
    if folder is None:
        yield target
        return
    name = "" if pathlib.Path(target).is_dir() else split(target)[1]
    files = [file for file in sorted(folder.rglob("*.py")) if not hidden(file.relative_to(folder))]
    if not files:
        raise BadValue(message("many.empty", folder=folder))
    for file in files:
        yield f"{file}:{name}" if name else str(file)


def hidden(file: pathlib.Path) -> bool:
    """Whether it is nobody's to check: in a hidden folder, or what Python keeps for itself."""
    return any(part.startswith((".", "__")) for part in file.parts)


def check_several(
    targets: Sequence[str], options: Mapping[str, Any], seconds: float, workers: Workers, json: pathlib.Path | None
) -> int:
    """Check each, print what became of it, in their order, and return the worst exit status."""
    if json is not None:
        check_place(json)
    tasks = [planned(target, options, seconds) for target in targets]
    done: dict[str, dict[str, Any]] = {}
    with progress() as bar:
        line = bar.add_task("check", total=len(tasks))
        for task, files in workers.run(tasks):
            done[task.name] = plain_json.loads(files[ANSWER])
            bar.update(line, advance=1, description=task.name)
    answers = [done[task.name] for task in tasks]
    for each in answers:
        console.print(escape(each["said"][voice().language]))
    answered = [each["answer"] for each in answers]
    ends = collections.Counter(
        f"verdict.{each['verdict']}.name" if "verdict" in each else "many.none" for each in answered
    )
    counts = ", ".join(f"{voice()(end)} {count}" for end, count in ends.most_common())
    console.print(escape(row(voice(), "total", message("many.total", files=len(answered), counts=counts))))
    for machine, count in collections.Counter(each.get("machine") for each in answered).items():
        if machine:
            console.print(escape(row(voice(), "machine", message("many.machine", machine=machine, files=count))))
    if json is not None:
        write_json(json, answered)
        written(json)
    return max((each["exit_status"] for each in answered), key=WORST.index)
