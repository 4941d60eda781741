"""Names the causes of what a check found: its own defaults where they explain it, else what the diagnosis names."""

import ast
import dataclasses
import sys
import warnings
from collections.abc import Mapping
from typing import Any

from lockstep.causes.cause import Cause
from lockstep.causes.optim.optimizer import state_low_precision
from lockstep.causes.source import HELPERS, expression, reads
from lockstep.causes.tables import scenarios
from lockstep.checking.answer import ITS_DEFAULT, Check, TrialOutcome
from lockstep.checking.driving.misnamed import guessed
from lockstep.checking.driving.trials import OWN_DEFAULTS
from lockstep.diagnose.diagnosis import Diagnosis, diagnose
from lockstep.diagnose.holding import without
from lockstep.diagnose.replay import Residual, judge, replay
from lockstep.diagnose.solve import CANNOT, Hypothesis
from lockstep.diagnose.tensors import apart
from lockstep.numerics.verdict import Verdict
from lockstep.recordings.recording import Recording, Step
from lockstep.subjects.registry import find
from lockstep.text import Message, message


def name_causes(result: Check) -> None:
    """Fill in the causes; what a hypothesis that is none warns of is nobody's business."""
    with warnings.catch_warnings(action="ignore", category=RuntimeWarning):
        fill_in(result)


def fill_in(result: Check) -> None:
    """What its own defaults explain by themselves, and the diagnosis of the rest."""
    others: dict[str, Any] = {}
    standard: dict[str, Any] = {}
    if narrow := narrow_state(result):
        take_beside(result, (narrow,))
    for outcome in result.outcomes:
        others |= other_defaults(outcome.recording)
        standard |= outcome.recording.hyperparameters if outcome.recording.scenario == OWN_DEFAULTS else {}
    if result.verdict is not Verdict.DIFFERENT:
        for name, value in others.items():
            told = {"own": result.names.get(name, name), "value": repr(value), "standard": repr(standard[name])}
            result.notes.append(message("note.other-default", name=name, **told))
        return
    searched = [one for one in result.outcomes if not (one.saturates or one.near)]
    if not any(one.verdict is Verdict.DIFFERENT for one in searched):
        searched = result.outcomes
    told = [with_defaults(outcome, result.ineffective) for outcome in searched]
    left = {one.recording.label: one.residual for one in told}
    beside = [remark.as_cause() for remark in result.remarks]
    used = max(
        (told_outcome.residual.used for told_outcome in told if told_outcome.recording.scenario == OWN_DEFAULTS),
        default=0.0,
    )
    if all(told_outcome.residual.explains for told_outcome in told):
        result.causes = beside + own_defaults(others, standard, used, ())
    else:
        guessing = any(guessed(told_outcome.recording) for told_outcome in told)
        diagnosis = named_in(told, result.subject, left, together=not guessing)
        if guessing and not diagnosis.causes:
            diagnosis, of_its_own = with_state_or_without(told, result.subject, left)
            result.notes += [message("note.state-of-its-own")] if of_its_own else []
        if not diagnosis.causes and (of_some := in_some_tensors(told, result.subject)):
            diagnosis, which = of_some
            result.notes.append(which)
        data = diagnosis.to_json()
        because = diagnosis.partly.causes if diagnosis.partly else diagnosis.causes
        result.causes = [*beside, *data["causes"], *own_defaults(others, standard, used, because)]
        result.equivalent, result.diagnosis = data["equivalent"], diagnosis


def narrow_state(result: Check) -> Cause | None:
    """The state that can be seen to be held in float32 where the parameters are float64, as a cause."""
    seen = {
        key
        for one in result.outcomes
        for key, made in one.recording.formats.items()
        if (one.recording.dtype, made) == ("float64", "float32")
    }
    subject = find(result.subject)
    lines = [line for key, line in subject.family.state(subject).items() if key in seen] if seen else []
    return dataclasses.replace(state_low_precision(*lines), subject=result.subject) if lines else None


def take_beside(result: Check, causes: Hypothesis) -> None:
    """Judge the formula by itself, where all that differs is the format that state is held in."""
    differing = [one for one in result.outcomes if not one.residual.explains]
    try:
        under = [replay(one.recording, causes) for one in differing]
    except CANNOT:
        return
    if differing and all(one.explains for one in under):
        for outcome, residual in zip(differing, under, strict=True):
            outcome.residual = residual
        result.reserve(causes[0].fix)


def with_state_or_without(
    told: list[TrialOutcome], subject: str, left: Mapping[str, Residual]
) -> tuple[Diagnosis, bool]:
    """The diagnosis where no single cause explains state that was guessed; and whether that state is none.

    What explains the parameters by itself is tried first: with one cause more it may explain the state, too.
    """
    bare = [without(one.recording, guessed(one.recording)) for one in told]
    left_bare = {one.label: replay(one) for one in bare}
    alone = diagnose(bare, subject, left_bare, thorough=False, together=False)
    if alone.causes:
        more = diagnose([one.recording for one in told], subject, left, beside=alone.causes)
        return (more, False) if more.causes else (alone, True)
    found = named_in(told, subject, left)
    other = found if found.causes else diagnose(bare, subject, left_bare, thorough=False)
    return (other, True) if other.causes and other is not found else (found, False)


def in_some_tensors(told: list[TrialOutcome], subject: str) -> tuple[Diagnosis, Message] | None:
    """The diagnosis of the tensors that differ, where others agree; and which they are."""
    split = apart([one.recording for one in told if not one.extreme])
    if not split:
        return None
    recordings = [recording for recording, _ in split]
    first, names = recordings[0], recordings[0].steps[0].before.keys()
    diagnosis = diagnose([recording for recording in recordings if recording.steps[0].before.keys() == names], subject)
    if not diagnosis.causes or not all(explained(recording, diagnosis.causes) for recording in recordings):
        return None
    which = {"names": ", ".join(names), "others": ", ".join(split[0][1])}
    return diagnosis, message("note.some-tensors", name=first.scenario, **which)


def named_in(told: list[TrialOutcome], subject: str, left: Mapping[str, Residual], together: bool = True) -> Diagnosis:
    """The diagnosis: looked for on few of the scenarios where those tell, and held against all the others."""
    few = telling(told, subject)
    if all(outcome.residual.explains for outcome in few):
        layers = all(outcome.recording.is_layer for outcome in told)
        return diagnose([outcome.recording for outcome in told], subject, left, together=layers)
    diagnosis = diagnose([outcome.recording for outcome in few], subject, left, together=together)
    if not diagnosis.causes or not (others := beyond(diagnosis, told, few)):
        return diagnosis
    layers = any(outcome.recording.is_layer for outcome in others)
    more = told if layers else [*few, *(outcome for outcome in others if not outcome.extreme)]
    for known in (diagnosis.causes, ()):
        larger = diagnose([outcome.recording for outcome in more], subject, left, beside=known)
        if larger.causes:
            return beside(larger, rest) if (rest := beyond(larger, told, more)) else larger
    return beside(diagnosis, others)


def beyond(diagnosis: Diagnosis, told: list[TrialOutcome], few: list[TrialOutcome]) -> list[TrialOutcome]:
    """The scenarios beside those few that its causes do not explain."""
    rest = [outcome for outcome in told if outcome not in few]
    return [one for one in rest if not explained(without(one.recording, diagnosis.kept), diagnosis.causes)]


def beside(diagnosis: Diagnosis, others: list[TrialOutcome]) -> Diagnosis:
    return diagnosis.beside({outcome.recording.label: outcome.residual for outcome in others})


def telling(told: list[TrialOutcome], subject: str) -> list[TrialOutcome]:
    """What a search is made on: of a layer the scenarios of the catalogue, of anything else what is not extreme.

    What a missing gradient does is a matter of its own, for which one cause more is looked for.
    """
    known = {scenario.name for scenario in scenarios(subject)} | {OWN_DEFAULTS}
    few = [one for one in told if (one.recording.scenario in known if one.recording.is_layer else not one.extreme)]
    whole = [one for one in few if not misses_a_gradient(one.recording)]
    return few if all(outcome.residual.explains for outcome in whole) else whole


def misses_a_gradient(recording: Recording) -> bool:
    return any(grad is None for step in recording.steps if isinstance(step, Step) for grad in step.grads.values())


def explained(recording: Recording, causes: Hypothesis) -> bool:
    """Whether these causes leave no more than rounding of a recording, too."""
    try:
        return replay(recording, causes).explains
    except CANNOT:
        return False


def other_defaults(recording: Recording) -> dict[str, Any]:
    """Its own values of what it was not told, where they are not what it is measured by."""
    claimed = recording.hyperparameters
    if recording.scenario != OWN_DEFAULTS:
        return {}
    return {name: value for name, value in recording.defaults.items() if name != "lr" and claimed.get(name) != value}


def with_defaults(outcome: TrialOutcome, ineffective: Mapping[str, Any]) -> TrialOutcome:
    """The scenario measured by the defaults that the implementation says it has, and without what has no effect."""
    recording = outcome.recording
    others = other_defaults(recording) | {key: one for key, one in ineffective.items() if key in recording.given}
    if not others:
        return outcome
    measured = dataclasses.replace(recording, hyperparameters=recording.hyperparameters | others)
    if recording.holds == "steps":
        steps = [dataclasses.replace(step, hyperparameters=step.hyperparameters | others) for step in recording.steps]
        measured = dataclasses.replace(measured, steps=steps)
    try:
        return TrialOutcome(measured, judge(measured))
    except (TypeError, ValueError):  # a default that PyTorch refuses
        return outcome


def own_defaults(
    others: dict[str, Any], standard: dict[str, Any], used: float, causes: Hypothesis
) -> list[dict[str, Any]]:
    """Its own defaults that are not PyTorch's, as the diagnosis describes a cause.

    Where a cause is another meaning of a hyperparameter, momentum for the share that is kept, they count in that one.
    """
    remarks: list[dict[str, Any]] = []
    for name, value in others.items():
        theirs = meant(name, standard[name], causes)
        if meant(name, value, causes) == decimal(standard[name]):
            continue
        told = {"name": name, "standard": repr(theirs), "value": repr(value)}
        same = theirs == decimal(standard[name])
        remarks.append(
            {
                "id": {"betas": "beta-value"}.get(name, f"{name.replace('_', '-')}-value"),
                "variant": ITS_DEFAULT,
                "hyperparameters": {name: value},
                "residual": used,
                "scenario": OWN_DEFAULTS,
                "fix": message("cli.own-default", **told)
                if same
                else message("cli.own-default-meant", **told, meant=repr(standard[name])),
            }
        )
    return remarks


def meant(name: str, value: Any, causes: Hypothesis) -> Any:
    """What a value of a hyperparameter is in PyTorch's formula, where the causes give the name another meaning."""
    for cause in causes:
        tree = expression(cause.arguments.get(name, name), cause.free)
        if reads(ast.unparse(tree)) == {name}:
            value = eval(compile(ast.Expression(tree), "<meant>", "eval"), HELPERS | {name: value})
    return decimal(value)


def decimal(value: Any) -> Any:
    """The number that a person wrote: 1 - 0.9 is 0.1 to all the digits that a float64 keeps of any decimal."""
    if isinstance(value, tuple):
        return tuple(decimal(part) for part in value)  # pyright: ignore[reportUnknownVariableType]
    return float(f"{value:.{sys.float_info.dig}g}") if isinstance(value, float) else value
