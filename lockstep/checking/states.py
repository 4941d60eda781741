"""Checks whatever is neither an optimizer nor a layer: its state after every step, as its family drives it."""

import importlib.util
import inspect
import itertools
from collections.abc import Mapping
from typing import Any

from lockstep.adapters.adapter import NotTaken
from lockstep.checking.answer import Check, Remark, TrialOutcome
from lockstep.checking.driving.steps import Raised, seeded
from lockstep.checking.driving.trials import Trial, Wanted, trials
from lockstep.checking.naming import name_causes
from lockstep.diagnose.replay import replay
from lockstep.errors import Departs, LockstepError, TheirCode
from lockstep.numerics.snapshot import Snapshot
from lockstep.numerics.verdict import Breakage
from lockstep.recordings.recording import Recording, State
from lockstep.subjects.handed import handed_over
from lockstep.subjects.registry import asked
from lockstep.subjects.subject import Subject
from lockstep.text import message


def check_states(target: Any, subject: Subject, wanted: Wanted) -> Check:
    """As `lockstep.check`, of a subject whose recordings hold states."""
    result = Check(subject.path, getattr(target, "__name__", type(target).__name__))
    result.names = subject.family.names_of(target, subject)
    wanted = wanted.measured(subject.family.by_itself(target, subject, wanted.dtypes[0]))
    for dtype, trial in wanted.each(wanted.of(trials(subject))):
        try:
            with seeded(wanted.seed):
                recording = record(target, subject, trial, wanted.settings, dtype)
        except Departs as departs:
            if departs.cause not in [remark.id for remark in result.remarks]:
                result.remarks.append(Remark(departs.cause, departs.said, trial.name))
            continue
        except (NotTaken, TheirCode) as reason:
            if not result.outcomes and isinstance(reason, Raised):
                result.broken = Breakage(id="exception", message=reason.said)
                return result
            result.not_triggered.append({"scenario": trial.name, "reason": reason.said})
            continue
        outcome = TrialOutcome(recording, replay(recording))
        if getattr(trial.case, "resumed", None) and not outcome.residual.explains:
            check_unbroken(target, subject, trial, wanted.settings, outcome, result)
        if outcome.residual.explains and importlib.util.find_spec("torch"):
            outcome.identical = alike(recording, of_pytorch(subject, trial, wanted.settings, dtype, None, wanted.seed))
        result.outcomes.append(outcome)
    if not result.outcomes and not result.remarks:
        result.broken = Breakage(id="not-recognised", message=result.not_triggered[0]["reason"])
    elif result.outcomes and not any(moves(outcome.recording) for outcome in result.outcomes):
        result.broken = Breakage(id="nothing-moved", message=message("broken.nothing-moved"))
    name_causes(result)
    return result


def check_unbroken(
    target: Any, subject: Subject, trial: Trial, settings: Mapping[str, Any], outcome: TrialOutcome, result: Check
) -> None:
    """Where the same run agrees without being stopped, say that it does not go on; the rest is judged by that run."""
    at = trial.case.resumed
    whole = trial._replace(scenario=trial.scenario._replace(case=trial.case.replaced(resumed=None)))
    unbroken = record(target, subject, whole, settings, outcome.recording.dtype)
    left = replay(unbroken)
    if not left.explains:
        return
    restarted = subject.family.restarted(unbroken.steps, outcome.recording.steps[at - 1 :])
    what = message("remark.schedule-restarted" if restarted else "remark.not-resumed", step=at)
    remark = Remark("schedule-restarted" if restarted else "not-resumed", what, trial.name)
    if all(other.id != remark.id for other in result.remarks):
        result.remarks.append(remark)
    outcome.recording, outcome.residual = unbroken, left


def measured_by(subject: Subject, trial: Trial, settings: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a trial measures an implementation by, and what of it the implementation is told."""
    given = trial.case.hyperparameters | dict(settings)
    known = inspect.signature(subject.ours(trial.case)).parameters
    standard = {name: one.default for name, one in known.items() if one.default is not one.empty}
    whole = {name: value for name, value in (standard | given).items() if name not in vars(trial.case)}
    told = {name: value for name, value in whole.items() if name not in standard or name in settings}
    measure = whole | {name: value for name, value in standard.items() if name in whole} | told
    return (measure, told) if trial.defaults else (whole, whole)


def record(target: Any, subject: Subject, trial: Trial, settings: Mapping[str, Any], dtype: str) -> Recording:
    """What an implementation does in a trial.

    Raises:
        TheirCode: where it cannot be driven through it, and for whatever it raises itself.
    """
    hyperparameters, told = measured_by(subject, trial, settings)
    known, names = inspect.signature(subject.ours(trial.case)).parameters, subject.family.names_of(target, subject)
    free = [name for name in told if name not in names and name not in settings]  # what is said is so by itself
    lacks = [name for name in free if known[name].default != told[name]]
    if lacks:
        raise NotTaken(message("reason.no-names", names=", ".join(lacks)))
    with handed_over():
        asked(subject, trial.case, dtype, hyperparameters=settings).pair()
    states: list[Snapshot] = []
    try:
        states.extend(state.copy() for state in subject.family.recorded_by(target, subject, trial.case, told, dtype))
    except (LockstepError, KeyboardInterrupt):
        raise
    except (Exception, SystemExit) as error:
        raise Raised(error, trial.name, len(states)) from error
    return Recording(
        subject=subject.path,
        scenario=trial.name,
        why=trial.scenario.why,
        dtype=dtype,
        hyperparameters=hyperparameters,
        given=tuple(told),
        defaults=defaults_of(target, subject, told),
        steps=[State(before, after) for before, after in itertools.pairwise(states)],
        source=getattr(target, "__name__", type(target).__name__),
    )


def defaults_of(target: Any, subject: Subject, told: Mapping[str, Any]) -> dict[str, Any]:
    """Its own values of what it was not told, under PyTorch's names, where they show."""
    known, family = inspect.signature(target).parameters, subject.family
    names = {name: own for name, own in family.names_of(target, subject).items() if name not in told}
    own = {name: known[one].default for name, one in names.items() if one in known}
    return {name: value for name, value in own.items() if value not in (inspect.Parameter.empty, *family.nothing)}


def of_pytorch(
    subject: Subject, trial: Trial, settings: Mapping[str, Any], dtype: str, path: str | None, seed: int
) -> Recording:
    """What PyTorch does in a trial."""
    hyperparameters, told = measured_by(subject, trial, settings)
    request = asked(subject, trial.case, dtype, path, seed, hyperparameters=hyperparameters)
    states = subject.family.of_pytorch(request)
    return Recording(
        subject=subject.path,
        scenario=trial.name,
        why=trial.scenario.why,
        dtype=dtype,
        hyperparameters=hyperparameters,
        given=tuple(told),
        steps=[State(before, after) for before, after in itertools.pairwise(states)],
        source=f"{subject.theirs(trial.case).__name__} of PyTorch",
    )


def alike(recording: Recording, theirs: Recording) -> bool:
    """Whether all that the formula makes, read from the end, has PyTorch's bits, in what both show."""
    lines = asked(recording.subject).pair().lines.keys()
    pairs = zip(reversed(recording.steps), reversed(theirs.steps), strict=False)
    return all(
        array.tobytes() == other.after[quantity][name].tobytes()
        for one, other in pairs
        for quantity in one.after.keys() & other.after.keys() & lines
        for name, array in one.after[quantity].items()
    )


def moves(recording: Recording) -> bool:
    """Whether any quantity that is a line of the formula changes."""
    moving = asked(recording.subject).pair().lines.keys()
    return any(
        array.tobytes() != step.before[quantity][name].tobytes()
        for step in recording.steps
        for quantity in moving & step.after.keys() & step.before.keys()
        for name, array in step.after[quantity].items()
    )
