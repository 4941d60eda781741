"""Checks somebody's implementation against PyTorch's: `lockstep.check`, and the same of recordings."""

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from lockstep.checking.answer import Check, Outcome
from lockstep.checking.layers import check_layer
from lockstep.checking.naming import name_causes
from lockstep.checking.optimizers import check_optimizer, moved
from lockstep.diagnose.replay import replay
from lockstep.recordings.recording import Recording
from lockstep.subjects.registry import find

DTYPES = ("float64", "float32")  # a formula and rounding cannot be confused in the first


def check(
    target: Any,
    *,
    like: str,
    hyperparameters: Mapping[str, Any] | None = None,
    dtypes: Iterable[str] = DTYPES,
    only: str | None = None,
    seed: int = 0,
    on_scenario: Callable[[str, int, int], Any] | None = None,
) -> Check:
    """Put an implementation through every scenario of a subject, and hold each number against the formula.

    Arguments:
        target: a class, an instance or a function of one of the shapes in docs/checking.md, or an adapter.
        like: the path of what it should be, "optim.adam".
        hyperparameters: under PyTorch's names, in all scenarios; the others are PyTorch's defaults.
        dtypes: float64 first, where a formula and rounding cannot be confused.
        only: the name of one scenario; all of them if None.
        seed: of the random numbers.
        on_scenario: called before each scenario with its name, its number and how many there are.

    An implementation that cannot be checked has the verdict `broken`, and says why in `broken`.

    Raises:
        ValueError, TypeError: for a subject, a scenario, a dtype or hyperparameters that there are not.
    """
    subject = find(like)
    settings = dict(hyperparameters or {})
    kinds = list(dtypes)
    for kind in kinds:
        if kind not in DTYPES:
            raise ValueError(f"dtype must be 'float32' or 'float64', not {kind!r}")
    checked = check_optimizer if subject.family == "optim" else check_layer
    return checked(target, subject, settings, kinds, only, seed, on_scenario)


def check_recordings(recordings: list[Recording], like: str | None = None) -> Check:
    """Hold recordings, read from disk, against PyTorch's formula.

    Arguments:
        recordings: as `lockstep.recording.load` reads them.
        like: the path of what they should be of; what they say themselves if None.

    Raises:
        ValueError: for a subject that there is not.
    """
    path = find(like or recordings[0].subject).path
    result = Check(path, "; ".join(dict.fromkeys(recording.source for recording in recordings)), "a recording")
    for recording in recordings:
        one = dataclasses.replace(recording, subject=path)
        try:
            result.outcomes.append(Outcome(one, replay(one)))
        except (TypeError, ValueError, KeyError) as error:
            result.broken = {"id": "recording", "message": f"{recording.source}: {error}"}
            return result
    if not any(
        one.recording.is_layer or any(moved(step.before, step.after) for step in one.recording.steps)
        for one in result.outcomes
    ):
        result.broken = {"id": "nothing-moved", "message": "no parameter changed: agreement would mean nothing"}
    name_causes(result)
    return result
