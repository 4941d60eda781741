"""The door at which a user's values reach the sides: what they refuse there is the user's mistake, in their words."""

import contextlib
import traceback
from collections.abc import Generator

from lockstep.errors import BadArgument, BadFile, BadValue, LockstepError, NoSuchName
from lockstep.text import message


@contextlib.contextmanager
def handed_over() -> Generator[None]:
    """Around a call of the reference or its counterpart with what the user gave, and around nothing else.

    What Lockstep's own code raises on the way there is a fault of its own, and stays what it is.

    Raises:
        UserError: for a name, a value or an argument that they refuse. BadFile: for a file they cannot read.
    """
    try:
        yield
    except LockstepError:
        raise
    except OSError as refusal:
        raise BadFile(message("error.refused", words=refusal)) from refusal
    except (KeyError, TypeError, ValueError, ImportError, RuntimeError) as refusal:  # RuntimeError is PyTorch's
        if is_fault(refusal):
            raise
        kind = (
            NoSuchName if isinstance(refusal, KeyError) else BadArgument if isinstance(refusal, TypeError) else BadValue
        )
        raise kind(message("error.refused", words=refusal.args[0])) from refusal


def is_fault(error: BaseException) -> bool:
    """Whether code of Lockstep's raised it that is not where the call is written."""
    frames = [frame.f_globals.get("__name__", "") for frame, _ in traceback.walk_tb(error.__traceback__)]
    caller, last = frames[1], frames[-1]  # first stands the door itself
    return last.split(".")[0] == "lockstep" and last != caller
