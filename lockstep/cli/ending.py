"""How a call ends that does not end well: whose doing it was, in a line or in a report, and in `--json` as well."""

import contextlib
import dataclasses
import itertools
import pathlib
import shlex
import sys
import traceback
from collections.abc import Iterator
from typing import Any

from lockstep.cli.terminal import ANSWERED, errors, voice
from lockstep.errors import LockstepError
from lockstep.numerics.environment import environment
from lockstep.records.files import write_json
from lockstep.text.rows import row

NONSENSE = 2  # exit status of a call that makes no sense
FAULT = 70  # of a fault of Lockstep's own: EX_SOFTWARE of sysexits.h
STOPPED = 130  # as a shell reports an interrupt


@contextlib.contextmanager
def ending(program: str) -> Iterator[None]:
    """Around a whole call: a LockstepError is a line and its exit status, anything else a report and 70.

    Raises:
        SystemExit: in either case.
    """
    ANSWERED.set(False)
    try:
        yield
    except LockstepError as error:
        errors.print(f"{program}: {voice().plain(error.said)}", markup=False)
        answer_json(type(error).__name__, str(error), error.exit_status)
        sys.exit(error.exit_status)
    except KeyboardInterrupt:
        stop(program, STOPPED)
    except SystemExit as left:  # what the parser of the command line says by itself
        stop(program, left.code)
    except Exception as fault:
        report(program, fault)
        answer_json("fault", f"{type(fault).__name__}: {fault}", FAULT, traceback=traceback.format_exc())
        sys.exit(FAULT)


def stop(program: str, status: Any) -> None:
    if status == STOPPED:
        errors.print(f"{program}: {voice()('error.stopped')}", markup=False)
        answer_json("stopped", "stopped", STOPPED)
    elif status == NONSENSE:
        answer_json("usage", "the call is of the wrong form", NONSENSE)
    sys.exit(status)


def report(program: str, fault: Exception) -> None:
    """Say that it is a fault of Lockstep's own, and what to report."""
    known = {name: value for name, value in dataclasses.asdict(environment()).items() if value is not None}
    lines = [
        f"{program}: {voice()('fault.whose')}",
        row(voice(), "call", shlex.join([program, *sys.argv[1:]])),
        row(voice(), "versions", ", ".join(f"{name} {value}" for name, value in known.items())),
        "".join(traceback.format_exception(fault)).rstrip(),
    ]
    errors.print("\n".join(lines), markup=False)


def asked_json() -> pathlib.Path | None:
    """Where `--json` asks for the answer, whether or not the call is understood otherwise."""
    for word, following in itertools.pairwise([*sys.argv[1:], ""]):
        option, equals, value = word.partition("=")
        if option == "--json" and (value if equals else following):
            return pathlib.Path(value if equals else following)
    return None


def answer_json(kind: str, text: str, status: int, **more: Any) -> None:
    """Write what ended the call where the answer was asked for, unless an answer is there."""
    path = asked_json()
    if path is None or ANSWERED.get():
        return
    with contextlib.suppress(LockstepError, OSError):  # a place that cannot be written to has been named
        write_json(path, {"error": {"kind": kind, "message": text, "exit_status": status, **more}})
