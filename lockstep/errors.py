"""What can go wrong, by whose doing.

    LockstepError               what whoever called can put right; the command line says it in a line
    ├── UserError               what the user did: a call that makes no sense
    │   ├── NoSuchName          a name that there is not: of a case, a path, a tensor      (a ValueError)
    │   │   └── NoSuchSubject   of a subject
    │   ├── BadValue            a value that is not allowed, in PyTorch's words where it has some  (a ValueError)
    │   │   └── NoCluster       a scheduler that cannot be worked with
    │   ├── BadArgument         an argument that there is not, or of a wrong type      (a TypeError)
    │   └── BadPlace            a file or a folder that cannot be written to      (an OSError)
    ├── TheirCode               what the user's own code did
    │   ├── CannotCheck         it cannot be driven at all
    │   ├── NotTaken            it has no way to be told what a scenario is about, which is not tried then
    │   ├── Departs             it does something else, which no number shows
    │   ├── Raised              it raised something itself
    │   ├── Narrowed            it keeps less than the format that went in, which then says nothing of it
    │   ├── Broken              what came out cannot be compared
    │   ├── NotLike             it is not what it is said to be like      (an AssertionError)
    │   └── CannotScore         its tests say nothing      (a ValueError)
    ├── BadFile                 what a file holds      (a ValueError)
    │   ├── BadCheckpoint       no checkpoint, or one of a later version
    │   ├── BadRecord           no record, or none that this Lockstep reads
    │   ├── BadRecording        no recording, or none that can be compared
    │   └── NotAReport          a folder with something else in it
    └── BadSubject              what the files of a subject say of it, for whoever writes them      (a ValueError)
        ├── BadEdit             a cause that edits nothing, or what is not there
        ├── OrdersDisagree      two orders of a formula that are not one formula
        ├── BadScript           scripts of a page that cannot be joined
        └── Untranslatable      a formula on something that a page cannot compute

Whatever else is raised is a fault of Lockstep's own. The children stand where they are raised, the general ones here.
"""

from typing import Any


class LockstepError(Exception):
    """What whoever called can put right; `said` is a message, or somebody's own text."""

    exit_status = 2

    @property
    def said(self) -> Any:
        """What there is to say: a `lockstep.text.Message`, which has every language, or a text."""
        return self.args[0] if self.args else ""


class UserError(LockstepError):
    """A call that makes no sense."""


class NoSuchName(UserError, ValueError):
    """A name that there is not; the message says which there are, or the nearest."""


class BadValue(UserError, ValueError):
    """A value that is not allowed."""


class BadArgument(UserError, TypeError):
    """An argument that there is not, or one of a wrong type."""


class BadPlace(UserError, OSError):
    """A file or a folder that cannot be written to."""


class TheirCode(LockstepError):
    """What the user's own code did, or has no way to do."""


class Departs(TheirCode):
    """It does something else than PyTorch, which no number shows; `cause` is what that is called."""

    def __init__(self, cause: str, said: Any):
        super().__init__(said)
        self.cause = cause


class BadFile(LockstepError, ValueError):
    """A file that holds something else than it should, or nothing that can be read."""


class BadSubject(LockstepError, ValueError):
    """What the files of a subject say of it does not hold together: for whoever writes them, not for the user."""

    exit_status = 70
