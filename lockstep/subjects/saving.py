"""How somebody's own object is saved and gone on with: by the first pair of methods that it has."""

import copy
from typing import Any

from lockstep.text import message

PAIRS = (
    ("state_dict", "load_state_dict"),
    ("get_state", "set_state"),
    ("get_state_dict", "set_state_dict"),
    ("save_state", "load_state"),
)
NO_WAY = message("reason.no-saving", methods=", ".join(save for save, _ in PAIRS))


def goes_on(before: Any, after: Any) -> bool:
    """Let a new object go on from copies of what another has saved; whether there is a way to."""
    for save, load in PAIRS:
        if callable(getattr(before, save, None)) and callable(getattr(after, load, None)):
            getattr(after, load)(copy.deepcopy(getattr(before, save)()))
            return True
    return False
