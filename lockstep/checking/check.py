"""Checks somebody's implementation against PyTorch's: `lockstep.check`, and the same of recordings."""

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from lockstep import cases
from lockstep.checking.answer import Check, TrialOutcome
from lockstep.checking.driving.trials import Wanted
from lockstep.checking.layers import check_layer
from lockstep.checking.naming import name_causes
from lockstep.checking.optimizers import check_optimizer, moved
from lockstep.checking.states import check_states, moves
from lockstep.diagnose.replay import replay
from lockstep.errors import BadValue, LockstepError
from lockstep.numerics.formats import FORMATS
from lockstep.numerics.verdict import Breakage
from lockstep.recordings.recording import BadRecording, Pass, Recording, State, Step
from lockstep.subjects.handed import handed_over
from lockstep.subjects.registry import find, find_class
from lockstep.subjects.subject import Subject, own_class
from lockstep.text import message

DTYPES = tuple(name for name in FORMATS if name in cases.DTYPES)  # formula and rounding are plainest in the first


def check(
    target: Any,
    *,
    like: str,
    hyperparameters: Mapping[str, Any] | None = None,
    dtypes: Iterable[str] = DTYPES,
    only: str | None = None,
    seed: int = 0,
    names: Mapping[str, str] | None = None,
    on_scenario: Callable[[str, int, int], Any] | None = None,
) -> Check:
    """Put an implementation through every scenario of a subject, and hold each number against the formula.

    Arguments:
        target: a class, an instance or a function of one of the shapes in docs/checking.md, or an adapter.
        like: the path of what it should be, "optim.adam", "layers.loss.BCELoss".
        hyperparameters: under PyTorch's names, in all scenarios; the others are PyTorch's defaults.
        dtypes: float64 first, where a formula and rounding cannot be confused.
        only: the name of one scenario; all of them if None.
        seed: of the random numbers.
        names: PyTorch's name of a parameter, buffer or gradient ("weight", "weight.grad") to where the object keeps it,
            where that is not found by itself.
        on_scenario: called before each scenario with its name, its number and how many there are.

    An implementation that cannot be checked has the verdict `broken`, and says why in `broken`.

    Raises:
        ValueError, TypeError: for a subject, a scenario, a dtype or hyperparameters that there are not.
    """
    subject, layer = find_class(like)
    kinds = tuple(dtypes)
    for kind in kinds:
        if kind not in DTYPES:
            raise BadValue(message("error.dtype", known=", ".join(map(repr, DTYPES)), given=kind))
    wanted = Wanted(dict(hyperparameters or {}), kinds, only, seed, on_scenario)
    if subject.family.recorded == "steps":
        result = check_optimizer(target, subject, wanted)
    elif subject.family.recorded == "states":
        result = check_states(target, subject, wanted)
    else:
        result = check_layer(target, subject, layer, wanted, names)
    if not (result.outcomes or result.remarks or result.broken):
        result.broken = Breakage(id="nothing-compared", message=message("broken.nothing-tried"))
    elif result.outcomes and all(outcome.overflows for outcome in result.outcomes):
        result.broken = Breakage(id="nothing-compared", message=message("broken.only-overflows"))
    return result


def check_recordings(recordings: list[Recording], like: str | None = None) -> Check:
    """Hold recordings, read from disk, against PyTorch's formula.

    Arguments:
        recordings: as `lockstep.recording.load` reads them.
        like: the path of what they should be of; what they say themselves if None.

    Raises:
        ValueError: for a subject that there is not.
    """
    subject = find(like or recordings[0].subject)
    path = subject.path
    result = Check(
        path, "; ".join(dict.fromkeys(recording.source for recording in recordings)), message("shape.recording")
    )
    for recording in recordings:
        given = dataclasses.replace(recording, subject=path)
        try:
            check_claim(given, subject)
            with handed_over():
                result.outcomes.append(TrialOutcome(given, replay(given)))
        except LockstepError as error:
            said = message("broken.recording", source=recording.source, said=error.said)
            result.broken = Breakage(id="recording", message=said)
            return result
    changed = {"states": moves, "steps": stepped}
    told = [outcome.recording for outcome in result.outcomes]
    if not any(given.holds == "passes" or changed[given.holds](given) for given in told):
        result.broken = Breakage(id="nothing-moved", message=message("broken.nothing-moved"))
    name_causes(result)
    return result


def stepped(recording: Recording) -> bool:
    return any(moved(step.before, step.after) for step in recording.steps)


def check_claim(recording: Recording, subject: Subject) -> None:
    """Refuse what a recording says of itself where the subject is another, or has no such hyperparameters.

    Raises:
        BadRecording: for a layer's that is to be like an optimizer, and the other way round.
        UserError: for what PyTorch refuses.
    """
    holds = {"passes": Pass, "steps": Step, "states": State}[subject.family.recorded]
    if not isinstance(recording.steps[0], holds):
        whose = {Pass: "of-a-layer", Step: "of-an-optimizer"}.get(recording.steps[0].__class__, "of-something-else")
        raise BadRecording(message(f"recording.{whose}", subject=subject.path))
    kind = own_class(subject.reference, recording.layer or None)
    with handed_over():
        subject.family.accepts(kind, recording)
