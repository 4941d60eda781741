"""State that has a usual name and is something else: nobody is accused of what an attribute is called."""

from collections.abc import Sequence

import numpy as np

from lockstep.diagnose.replay import Residual
from lockstep.recordings.recording import Recording, Step
from lockstep.subjects.families.optim import entries_of


def guessed(recording: Recording) -> set[str]:
    """State entries that were found by a name other than PyTorch's."""
    return {key for key, own in recording.names.items() if own != key}


def of_wrong_sign(recording: Recording) -> set[str]:
    """Guessed entries that cannot be what they were taken for: a mean of gradients that is never negative where they
    begin with both signs, or the mean of squares that is.
    """
    steps = [step for step in recording.steps if isinstance(step, Step)]
    first = [grad for step in steps[:1] for grad in step.grads.values() if isinstance(grad, np.ndarray)]
    negative = any(np.any(grad < 0) for grad in first) and any(np.any(grad > 0) for grad in first)
    keys: set[str] = set()
    declared = entries_of(recording.subject)
    for key in guessed(recording):
        arrays = [array for step in steps for array in step.state.get(key, {}).values()]
        below = any(np.any(array < 0) for array in arrays)
        above = any(np.any(array > 0) for array in arrays)
        if below if declared[key].positive else negative and above and not below:
            keys.add(key)
    return keys


def idle(recordings: Sequence[Recording], residuals: Sequence[Residual]) -> set[str]:
    """Guessed entries that are not PyTorch's, where every parameter is: nothing that is done depends on them."""
    if any(one.param > 1 for one in residuals):
        return set()
    return {
        key
        for recording, residual in zip(recordings, residuals, strict=True)
        for key, used in residual.state.items()
        if key in guessed(recording) and used > 1
    }
