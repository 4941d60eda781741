"""Checks of somebody's files as tasks, each in a process of its own: what one does to it, the others don't feel."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lockstep.tasks.sources import ROOT, everything
from lockstep.tasks.task import Files, Task
from lockstep.tasks.their_files import LEVELS, gathered
from lockstep.tasks.workers import Passing
from lockstep.text import LANGUAGES, Message, Voice, message

ANSWER = "answer.json"
SECONDS = 6.0  # of a check and of a process to begin; where nobody has measured it yet

# In the process, which ends with its worker: Lockstep is imported from the worker's, the rest from where the copy is.
SCRIPT = """
import os, sys
from lockstep.tasks.workers import bound
bound(int(sys.argv[1]))
from lockstep.cli.commands.check import answer_alone
answer_alone(*sys.argv[2:])
"""


def planned(target: str, options: Mapping[str, Any], seconds: float) -> Task:
    """The check of one FILE.py:NAME, or FILE.py: of its bytes and those of what it imports, wherever it is done.

    Arguments:
        options: what `lockstep check` is told besides. seconds: within which it has to answer.
    """
    where, name = split(target)
    arguments = (target, name, json.dumps(options), *gathered(where), seconds, everything())
    return Task(f"{target} like {options['like']}", answered, arguments, seconds=SECONDS)


def split(target: str) -> tuple[str, str]:
    """A file or a module, and the name in it; nothing for one that is not said."""
    if target.endswith(".py"):
        return target, ""
    where, _, name = target.rpartition(":")
    return where, name


def answered(
    target: str,
    name: str,
    options: str,
    files: dict[str, bytes],
    main: str,
    here: str,
    searched: tuple[str, ...],
    seconds: float,
    sources: str,
) -> Files:
    """What a check answers of a copy that has these files and no others; if it doesn't, why not, which nobody keeps."""
    with tempfile.TemporaryDirectory(prefix="lockstep-") as temporary:
        folder = Path(temporary).resolve().joinpath(*"_" * LEVELS)  # what lies around it is nobody's
        for place, content in files.items():
            (folder / place).parent.mkdir(parents=True, exist_ok=True)
            (folder / place).write_bytes(content)
        (folder / here).mkdir(parents=True, exist_ok=True)
        where = split(target)[0]
        inside = f"{folder / main if where.endswith('.py') else where}{name and ':'}{name}"
        out = Path(temporary, ANSWER)
        lost = in_process(
            [target, inside, options, str(out)], folder / here, [folder / one for one in searched], seconds
        )
        if lost is not None:
            told = {"target": target, "exit_status": 2, "error": {"kind": "unfinished", "message": str(lost)}}
            said = {language: f"{target}: {Voice(language).say(lost)}" for language in LANGUAGES}
            return Passing({ANSWER: json.dumps({"answer": told, "said": said}).encode()})
        text = out.read_text("utf-8").replace(str(folder / main), where).replace(f"{folder}{os.sep}", "")
        return {ANSWER: text.encode()}


def in_process(words: list[str], here: Path, searched: list[Path], seconds: float) -> Message | None:
    """Run the check in a process of its own; why it has not answered, if it has not."""
    paths = [str(ROOT), *map(str, searched), os.environ.get("PYTHONPATH", "")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths)), "PYTHONDONTWRITEBYTECODE": "1"}
    call = [sys.executable, "-P", "-c", SCRIPT, str(os.getpid()), *words]
    off = subprocess.DEVNULL
    try:
        done = subprocess.run(
            call, cwd=here, env=environment, timeout=seconds, check=False, stdin=off, stdout=off, stderr=off
        )
    except subprocess.TimeoutExpired:
        return message("many.late", seconds=seconds)
    return None if Path(words[-1]).exists() else message("many.lost", status=done.returncode)
