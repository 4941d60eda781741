"""What is wrong with some tensors alone: a line that was copied for the bias, and not changed in all its places."""

import dataclasses
from collections.abc import Collection, Sequence

from lockstep.diagnose.holding import near, until
from lockstep.numerics.shapes import Arrays
from lockstep.recordings.recording import Recording, Step


def apart(recordings: Sequence[Recording]) -> list[tuple[Recording, list[str]]]:
    """Each recording that differs from PyTorch's formula, of its tensors that do; and the others in it, that agree.

    Nothing where the first that differs does so in all its tensors, or where they are not stepped each by itself.
    """
    if any(recording.holds != "steps" for recording in recordings):
        return []
    split: list[tuple[Recording, list[str]]] = []
    for recording in recordings:
        differing = {seen.tensor for seen in until(recording, ()) if not near(seen)}
        others = [name for name in recording.steps[0].before if name not in differing]
        if not split and differing and not others:
            return []
        split += [(of_tensors(recording, differing), others)] if differing else []
    return split


def of_tensors(recording: Recording, names: Collection[str]) -> Recording:
    """The recording of these tensors alone."""

    def some(arrays: Arrays) -> Arrays:
        return {name: array for name, array in arrays.items() if name in names}

    steps = [
        dataclasses.replace(
            step,
            grads={name: grad for name, grad in step.grads.items() if name in names},
            before=some(step.before),
            after=some(step.after),
            state={key: some(named) for key, named in step.state.items()},
        )
        for step in recording.steps
        if isinstance(step, Step)
    ]
    start = {key: some(named) for key, named in recording.start.items()}
    return dataclasses.replace(recording, steps=steps, start=start)
