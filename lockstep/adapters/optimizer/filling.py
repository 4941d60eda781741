"""Parameters that come in pairs, a weight and a bias: a copy stands in where one is lacking, and is watched.

A copy of a parameter that gets the same gradients has to stay what it is a copy of. Where it does not, because nothing
updates it, the copy is what is read.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from lockstep.numerics.shapes import Array

MARK = "\N{PRIME}"


def filled(arrays: Mapping[str, Any], multiple: int) -> dict[str, Any]:
    """These arrays and copies of the first ones, so that there are a multiple of so many."""
    whole = dict(arrays)
    for round_ in range(1, multiple + 1):
        for name in arrays:
            if len(whole) % multiple == 0:
                return whole
            value = arrays[name]
            whole[name + MARK * round_] = None if value is None else np.array(value)
    return whole


def seen(whole: Mapping[str, Array]) -> dict[str, np.ndarray]:
    """What is read of each parameter: itself, or a copy of it that went another way."""
    parts = {name: array for name, array in whole.items() if not name.endswith(MARK)}
    for name, array in whole.items():
        original = name.rstrip(MARK)
        if name != original and array.tobytes() != whole[original].tobytes():
            parts[original] = array
    return parts


def without_copies(state: Mapping[str, Mapping[str, Array]]) -> dict[str, dict[str, np.ndarray]]:
    """A state without that of the copies."""
    own = {key: {name: a for name, a in named.items() if not name.endswith(MARK)} for key, named in state.items()}
    return {key: named for key, named in own.items() if named}
