"""A call of the command line in this process, errors and all."""

import contextlib
import io
import sys
from typing import Any, NamedTuple
from unittest import mock

from lockstep.cli import main as cli


class Done(NamedTuple):
    """What a call came to."""

    exit_code: Any
    output: str
    stderr: str


def run(*arguments: Any) -> Done:
    """`lockstep ARGUMENTS`."""
    output, errors, status = io.StringIO(), io.StringIO(), 0
    argv = mock.patch.object(sys, "argv", ["lockstep", *map(str, arguments)])
    with argv, contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
        try:
            cli.main()
        except SystemExit as stopped:
            status = stopped.code or 0
    return Done(status, output.getvalue(), errors.getvalue())
