"""State that is PyTorch's up to a factor: another way to keep the same, and no formula that is wrong.

A momentum buffer may hold lr times PyTorch's, a first moment be stored corrected. Where the parameters of the first
step agree and a state entry is a multiple of PyTorch's, it is taken out of the comparison before anything is searched
for, and said.
"""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from lockstep.diagnose.replay import Observed, observe
from lockstep.diagnose.solve import LIMIT, Hypothesis, strain
from lockstep.recordings.recording import Recording, Step
from lockstep.text import Message, message


def kept_otherwise(recordings: Sequence[Recording]) -> set[str]:
    """The state entries that are a multiple of PyTorch's after first steps whose parameters are PyTorch's."""
    multiples: dict[str, bool] = {}
    for recording in recordings:
        if recording.holds != "steps":
            return set()
        first = list(until(recording, (), 1))
        agrees = all(near(seen) for seen in first if seen.quantity == "param")
        for seen in first:
            if seen.quantity != "param":
                other = factor(seen) is not None and not near(seen) and agrees
                multiples[seen.quantity] = multiples.get(seen.quantity, True) and (other or not np.any(seen.found))
    shown = {seen.quantity for recording in recordings for seen in until(recording, (), 1) if np.any(seen.found)}
    return {key for key, multiple in multiples.items() if multiple and key in shown}


def until(recording: Recording, causes: Hypothesis, steps: int | None = None) -> Iterator[Observed]:
    with np.errstate(all="ignore"):
        yield from observe(dataclasses.replace(recording, steps=recording.steps[:steps]), causes, {}, bounded=False)


def near(one: Observed) -> bool:
    return bool(np.all(strain(one.found, np.asarray(one.predicted[""]), one.size) <= LIMIT))


def factor(seen: Observed) -> float | None:
    """By what the prediction has to be multiplied to be what was found, if that is one number."""
    predicted = np.asarray(seen.predicted[""], np.float64)
    place = np.unravel_index(int(np.argmax(np.abs(predicted))), predicted.shape) if predicted.size else ()
    if not predicted.size or not predicted[place]:
        return None
    ratio = float(seen.found[place] / predicted[place])
    return ratio if np.all(strain(seen.found, ratio * predicted, seen.size) <= LIMIT) else None


def without(recording: Recording, keys: Iterable[str]) -> Recording:
    """The recording without these state entries."""
    left_out = set(keys)
    steps = [
        dataclasses.replace(step, state={key: named for key, named in step.state.items() if key not in left_out})
        if isinstance(step, Step)
        else step
        for step in recording.steps
    ]
    names = {key: own for key, own in recording.names.items() if key not in left_out}
    return dataclasses.replace(recording, steps=steps, names=names)


def words_of(recordings: Sequence[Recording], keys: Iterable[str], causes: Hypothesis) -> dict[str, Message]:
    """What each entry holds, beside what the formula with these causes keeps; nothing where that is no multiple."""
    words: dict[str, Message] = {}
    for key in keys:
        factors = [
            (seen.step, step.hyperparameters, factor(seen))
            for recording in recordings
            for seen in until(recording, causes)
            for step in (recording.steps[seen.step - 1],)
            if seen.quantity == key and np.any(np.asarray(seen.predicted[""]))
        ]
        if all(alike(number, 1.0) for _, _, number in factors):
            continue  # it holds what the formula with these causes keeps
        if all(number is not None for _, _, number in factors):
            for name, of in MULTIPLES.items():
                if all(alike(number, of(told, step)) for step, told, number in factors):
                    words[key] = message("cli.kept-times", key=key, factor=name)
                    break
            else:
                if all(alike(number, factors[0][2]) for _, _, number in factors):
                    words[key] = message("cli.kept-times", key=key, factor=f"{factors[0][2]:.6g}")
    return words


def alike(one: float | None, other: float | None) -> bool:
    return one is not None and other is not None and abs(one - other) <= 1e-6 * abs(other)


def correction(told: Mapping, step: int) -> float | None:
    betas = told.get("betas")
    return 1 / (1 - betas[0] ** step) if betas else None


MULTIPLES = {
    "lr": lambda told, step: told.get("lr"),
    "-lr": lambda told, step: -told["lr"] if "lr" in told else None,
    "-1": lambda told, step: -1.0,
    "1 / (1 - beta1**step)": correction,
}
