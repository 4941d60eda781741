"""Checks an optimizer: through every scenario of its subject, each number held against the formula."""

import dataclasses
import functools
import importlib
import importlib.util
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from lockstep.adapters.adapter import CannotCheck, NotTaken
from lockstep.adapters.frameworks import frameworks_of
from lockstep.adapters.making import Everything
from lockstep.adapters.names import in_words
from lockstep.adapters.optimizer.recognise import Recognised, recognise, shape, told_first
from lockstep.adapters.optimizer.shapes.tensor_step import Ours
from lockstep.causes.saved import FORGOTTEN, LR
from lockstep.checking.answer import Check, Remark, TrialOutcome
from lockstep.checking.driving.defaults import hidden_defaults
from lockstep.checking.driving.misnamed import idle
from lockstep.checking.driving.promoted import line_of
from lockstep.checking.driving.steps import Narrowed, Raised, drive, first_look, record
from lockstep.checking.driving.trials import Trial, Wanted, trials
from lockstep.checking.naming import explained, name_causes
from lockstep.diagnose.holding import without
from lockstep.diagnose.replay import Residual, exact_step, replay
from lockstep.engine.guard import Broken
from lockstep.errors import BadArgument
from lockstep.numerics.shapes import Array
from lockstep.numerics.verdict import Breakage, worst
from lockstep.recordings.recording import Recording
from lockstep.subjects.families.optim import defaults_of, handed_in, layout_of, shapes_of
from lockstep.subjects.handed import handed_over
from lockstep.subjects.subject import Subject
from lockstep.text import message


def check_optimizer(target: Any, subject: Subject, wanted: Wanted) -> Check:
    """As `lockstep.check`, of an optimizer."""
    standard = defaults_of(subject)
    check_settings(subject, wanted.settings, standard)
    tried = wanted.of(trials(subject))
    result = Check(subject.path, getattr(target, "__name__", type(target).__name__))
    try:
        shape = of_framework(target, subject, tuple(standard))
        shape = shape or recognise(target, subject.path, tuple(standard), wanted.dtypes[0])
    except CannotCheck as error:
        result.broken = Breakage(id="not-recognised", message=error.said)
        return result
    except (Exception, SystemExit) as error:
        result.broken = Breakage(id="exception", message=first_look(error))
        return result
    flags = {
        name for name, own in shape.defaults.items() if isinstance(own, bool) and not isinstance(standard[name], bool)
    }
    if flags:  # what it calls so is a switch: PyTorch's number would be told to something else
        names = {name: own for name, own in shape.names.items() if name not in flags}
        defaults = {name: own for name, own in shape.defaults.items() if name not in flags}
        shape = shape._replace(names=names, defaults=defaults)
    result.words, result.names = shape.words, in_words(shape.names)
    own_lr = shape.defaults.get("lr", standard.get("lr"))
    if own_lr != standard.get("lr"):  # told in every scenario, so that it is known and decides nothing
        values = {"value": repr(own_lr), "standard": repr(standard["lr"])}
        result.notes.append(message("note.other-default", own=result.names["lr"], name="lr", **values))
    for name, value in wanted.settings.items():
        if name not in shape.names and not shape.everything:
            result.notes.append(message("note.taken-as-said", name=name, value=repr(value)))
    Driver(subject, shape, wanted, result).all(tried)
    name_causes(result)
    return result


def of_framework(target: Any, subject: Subject, wanted: tuple[str, ...]) -> Recognised | None:
    """How an optimizer of another framework is driven; None where it is of none that is known."""
    for framework in frameworks_of(target):
        made = framework.optimizer(target, subject.path, wanted)
        if made is not None:
            kind, maker = made
            return shape(functools.partial(kind, maker, subject.path), maker.names, maker.defaults(), maker)
    return None


def check_settings(subject: Subject, settings: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    """Refuse hyperparameters that the subject has not, or that PyTorch refuses.

    Raises:
        BadArgument: for a name. BadValue: for a value, with PyTorch's wording.
    """
    unknown = [name for name in settings if name not in wanted]
    if unknown:
        known = ", ".join(wanted)
        raise BadArgument(message("error.no-hyperparameter", subject=subject.path, name=unknown[0], known=known))
    with handed_over():
        some = shapes_of(subject) or {"weight": (1,)}
        subject.ours()({name: np.zeros(shape) for name, shape in some.items()}, **settings)


class Driver:
    """Runs the scenarios and fills in the result."""

    def __init__(self, subject: Subject, found: Recognised, wanted: Wanted, result: Check) -> None:
        self.subject, self.found, self.wanted, self.result = subject, found, wanted, result
        self.settings, self.seed = dict(wanted.settings), wanted.seed
        self.narrowed: set[str] = set()  # the formats that it does not keep

    def all(self, tried: list[Trial]) -> None:
        for dtype, trial in self.wanted.each(tried):
            if dtype not in self.narrowed and not self.one(trial, dtype, first=not self.result.outcomes):
                return
        self.drop_idle_state()
        self.forgotten(tried)
        self.effects(tried)
        self.held()

    def held(self) -> None:
        """Say what was not seen of the state, and what is held or comes out in another format."""
        recordings = [one.recording for one in self.result.outcomes]
        formats = {(key, made): one.dtype for one in reversed(recordings) for key, made in one.formats.items()}
        hidden = [key for one in recordings for key in hidden_state(one, self.subject) if key not in one.formats]
        self.result.see_not(list(dict.fromkeys(hidden)))
        for (key, made), given in formats.items():
            self.result.formats[key] = given, made
            if key == "param":
                where = line_of(self.found, told_first(self.found, defaults_of(self.subject)))
                if where:
                    self.result.reserve(message("note.widens", where=where))

    def one(self, trial: Trial, dtype: str, first: bool) -> bool:
        """One scenario; False where there is no point in going on."""
        if trial.mishap == "tied":
            self.tied(trial, dtype)
            return True
        if trial.defaults and not set(self.found.names) - {"lr"} - set(self.settings):
            return True
        try:
            recording = record(self.found, self.subject, trial, dtype, self.seed, self.settings)
            if first:
                self.check_first(recording, trial, dtype)
            if trial.defaults:
                recording = self.with_hidden_defaults(recording, trial, dtype)
        except NotTaken as reason:
            self.skip(trial.name, reason.said)
            return True
        except Raised as error:
            if trial.mishap or trial.needs or trial.extreme:
                self.skip(trial.name, error.said)
                return True
            self.fault("exception", error.said)
            return not first
        except Narrowed as reason:
            self.narrowed.add(dtype)
            self.result.reserve(reason.said)
            return True
        except Broken as fault:
            where = {"name": trial.name, "dtype": dtype}
            self.fault(fault.cause, message("broken.in-scenario", said=fault.said, **where))
            return False
        note = message("note.spoils-gradients")
        if recording.spoils and note not in self.result.notes:
            self.result.notes.append(note)
        torch = functools.partial(self.torch, trial, dtype, recording)
        outcome = judged(recording, torch)
        outcome.extreme = trial.extreme
        if trial.extreme and not outcome.residual.explains and (theirs := torch()) and not replay(theirs).explains:
            self.skip(trial.name, message("reason.pytorch-differs"))
            return True
        self.result.outcomes.append(outcome)
        return True

    def check_first(self, recording: Recording, trial: Trial, dtype: str) -> None:
        """What makes a comparison worthless shows in the plainest scenario.

        Raises:
            Broken: where nothing moves, or a second run goes another way.
        """
        if not any(moved(step.before, step.after) for step in recording.steps):
            raise Broken("nothing-moved", message("broken.nothing-moved"))
        again = record(self.found, self.subject, trial, dtype, self.seed, self.settings)
        for number, (one, other) in enumerate(zip(recording.steps, again.steps, strict=True), 1):
            if moved(one.after, other.after):
                raise Broken("non-deterministic", message("broken.non-deterministic", step=number))

    def with_hidden_defaults(self, recording: Recording, trial: Trial, dtype: str) -> Recording:
        """The recording with the defaults that do not show in the implementation's signature."""

        def run(told: dict[str, Any]) -> Recording:
            return record(self.found, self.subject, trial, dtype, self.seed, self.settings | told)

        def same(other: Recording) -> bool:
            return not any(moved(a.after, b.after) for a, b in zip(recording.steps, other.steps, strict=True))

        known = {"lr", *recording.defaults, *self.settings}
        names = [name for name in self.found.names if name not in known]
        hidden = hidden_defaults(names, defaults_of(self.subject), run, same)
        return dataclasses.replace(recording, defaults=recording.defaults | hidden)

    def fault(self, cause: str, said: Any) -> None:
        if self.result.broken is None:
            if self.result.outcomes:
                passed = worst(outcome.verdict for outcome in self.result.outcomes)
                said = message("broken.before-that", said=said, verdict=passed)
            self.result.broken = Breakage(id=cause, message=said)

    def skip(self, name: str, reason: Any) -> None:
        entry = {"scenario": name, "reason": reason}
        if entry not in self.result.not_triggered:
            self.result.not_triggered.append(entry)

    def torch(self, trial: Trial, dtype: str, recording: Recording) -> Recording | None:
        """What PyTorch itself does in the scenario; None where it is not installed, or raises."""
        if importlib.util.find_spec("torch") is None:
            return None
        kind = self.subject.theirs()
        hyperparameters = dict(recording.hyperparameters)
        adapter = Ours(Everything(kind), self.subject.path)  # type: ignore[arg-type]
        try:
            steps = drive(adapter, self.subject, trial, dtype, self.seed, hyperparameters, hyperparameters)
        except Raised:
            return None
        return dataclasses.replace(recording, steps=steps)

    def drop_idle_state(self) -> None:
        """Leave out what was taken for state by its name, where the parameters show that it is none."""
        outcomes = self.result.outcomes
        keys = idle([outcome.recording for outcome in outcomes], [outcome.residual for outcome in outcomes])
        names = {
            key: outcome.recording.names[key] for outcome in outcomes for key in keys if key in outcome.recording.names
        }
        for outcome in outcomes:
            if keys & set(outcome.recording.names):
                outcome.recording = without(outcome.recording, keys)
                outcome.residual = replay(outcome.recording)
        self.result.notes += [message("note.idle-state", own=own, key=key) for key, own in names.items()]

    def forgotten(self, tried: list[Trial]) -> None:
        """What was forgotten where a run was gone on with, each thing once; the rest is judged by that.

        That lr is not among it is no difference by itself: a schedule may set it again.
        """
        for outcome in self.result.outcomes:
            at, first = outcome.recording.resumed, outcome.residual.first
            if at is None or first is None or first.step < at:
                continue
            causes = next((causes for causes in FORGOTTEN if explained(outcome.recording, causes)), None)
            if causes is not None:
                outcome.residual = replay(outcome.recording, causes)
                for cause in causes:
                    if cause is LR:
                        self.result.reserve(cause.fix)
                    else:
                        self.remark(Remark(cause.id, cause.fix, outcome.recording.scenario))
            elif left := self.unbroken(outcome, tried):
                outcome.residual = left
                what = message("remark.not-resumed", step=at)
                self.remark(Remark("not-resumed", what, outcome.recording.scenario))

    def remark(self, remark: Remark) -> None:
        """Keep what is different beside the numbers of a scenario, each thing once."""
        if all(other.id != remark.id for other in self.result.remarks):
            self.result.remarks.append(remark)

    def unbroken(self, outcome: TrialOutcome, tried: list[Trial]) -> Residual | None:
        """What is left of the same run where it is not stopped; None where that is another formula as well."""
        trial = next(trial for trial in tried if trial.name == outcome.recording.scenario)
        whole = trial._replace(scenario=trial.scenario._replace(case=trial.case.replaced(resumed=None)))
        left = replay(record(self.found, self.subject, whole, outcome.recording.dtype, self.seed, self.settings))
        return left if left.explains else None

    def effects(self, tried: list[Trial]) -> None:
        """What was asked for and changed nothing is named; where any keyword is swallowed, it was never taken.

        What the implementation does is then measured by the value that it goes by.
        """
        without: set[str] = set()
        for outcome in list(self.result.outcomes):
            trial = next(trial for trial in tried if trial.name == outcome.recording.scenario)
            if outcome.residual.explains:
                continue
            for name in trial.needs:
                if not self.changes_nothing(name, trial, outcome.recording):
                    continue
                value = outcome.recording.hyperparameters[name]
                if name not in self.found.names:
                    self.skip(trial.name, message("reason.no-effect", name=name, value=value))
                    if outcome in self.result.outcomes:
                        self.result.outcomes.remove(outcome)
                elif name == trial.flag and name not in without and self.matters(name, outcome):
                    without.add(name)
                    what = message("remark.no-effect", name=name, value=repr(value))
                    self.result.remarks.append(Remark("no-effect", what, trial.name))
        for outcome in self.result.outcomes if without else ():
            if without & set(outcome.recording.hyperparameters):
                outcome.recording = measured_by(outcome.recording, without, defaults_of(self.subject))
                outcome.residual = replay(outcome.recording)

    def matters(self, name: str, outcome: TrialOutcome) -> bool:
        """Whether PyTorch's formula does something else in a scenario without this hyperparameter."""
        other = replay(measured_by(outcome.recording, {name}, defaults_of(self.subject)))
        return other.used != outcome.residual.used

    def changes_nothing(self, name: str, trial: Trial, recording: Recording) -> bool:
        """Whether the implementation does the same, bit for bit, without this hyperparameter."""
        case = trial.case.replaced(**{name: defaults_of(self.subject)[name]})
        without = trial._replace(scenario=trial.scenario._replace(case=case), needs=(), flag="")
        settings = {key: value for key, value in self.settings.items() if key != name}
        try:
            other = record(self.found, self.subject, without, recording.dtype, self.seed, settings)
        except (NotTaken, Raised, Broken):
            return False
        return not any(moved(a.after, b.after) for a, b in zip(recording.steps, other.steps, strict=True))

    def tied(self, trial: Trial, dtype: str) -> None:
        """Whether one array under two names is stepped twice; said, not judged: torch.optim does it, too."""
        if dtype != "float64":
            return
        try:
            twice = stepped_twice(self.found, self.subject, self.settings)
        except Exception as error:
            words = f"{type(error).__name__}: {error}"
            self.skip(trial.name, message("reason.no-tied", words=words))
            return
        if twice:
            self.result.notes.append(message("note.tied"))


def stepped_twice(shape: Recognised, subject: Subject, settings: Mapping[str, Any]) -> bool:
    """Whether a step with one array under two names goes elsewhere than a step with it under one."""
    start = np.linspace(-1, 1, 6).reshape(2, 3)
    grad = np.linspace(1, 2, 6).reshape(2, 3)
    told = {name: value for name, value in (defaults_of(subject) | dict(settings)).items() if name in shape.names}
    ends: list[np.ndarray] = []
    for names in (("weight",), ("weight", "tied")):
        array = start.copy()
        adapter = shape.make()
        adapter.start(dict.fromkeys(names, array), **told)
        adapter.step(handed_in(layout_of(subject), dict.fromkeys(names, grad)))
        held = adapter.read()
        if len(names) == 2 and not np.shares_memory(np.asarray(held["weight"]), np.asarray(held["tied"])):
            raise NotTaken(message("reason.own-arrays"))
        ends.append(np.array(held["weight"]))
    return ends[0].tobytes() != ends[1].tobytes()


def hidden_state(recording: Recording, subject: Subject) -> list[str]:
    """The entries that PyTorch keeps of a stepping tensor and that were not seen."""
    first, last = recording.steps[0], recording.steps[-1]
    with handed_over():
        optimizer = subject.ours()(dict(first.before), **recording.hyperparameters)
    stepping = [name for name in first.before if any(step.grads[name] is not None for step in recording.steps)]
    return [
        key
        for name in stepping
        for key, entry in optimizer.entries(first.before[name]).items()
        if entry.kind != "count" and name not in last.state.get(key, {})
    ]


def measured_by(recording: Recording, names: set[str], standard: Mapping[str, Any]) -> Recording:
    """The recording measured by PyTorch's defaults of these hyperparameters."""
    values = {name: standard[name] for name in names}
    steps = [dataclasses.replace(step, hyperparameters=step.hyperparameters | values) for step in recording.steps]
    return dataclasses.replace(recording, hyperparameters=recording.hyperparameters | values, steps=steps)


def moved(one: Mapping[str, Array], other: Mapping[str, Array]) -> bool:
    return any(one[name].tobytes() != other[name].tobytes() for name in one)


def judged(recording: Recording, torch: Callable[[], Recording | None]) -> TrialOutcome:
    """The recording beside the formula, and beside what PyTorch did."""
    outcome = TrialOutcome(recording, replay(recording))
    if outcome.residual.explains:
        theirs = torch()
        if theirs is not None:
            outcome.identical = same(recording, theirs)
            outcome.nearer = nearer(recording, theirs)
    return outcome


def same(recording: Recording, torch: Recording) -> bool:
    """Whether every parameter and every visible state entry has PyTorch's bits at every step."""
    for one, other in zip(recording.steps, torch.steps, strict=True):
        if moved(one.after, other.after):
            return False
        for key, named in one.state.items():
            if recording.names.get(key, key) != key and key == "momentum_buffer":
                continue  # kept in a convention of its own
            for name, array in named.items():
                theirs = other.state.get(key, {}).get(name)
                if theirs is not None and array.tobytes() != theirs.tobytes():
                    return False
    return True


def nearer(recording: Recording, pytorch: Recording) -> dict[str, int]:
    """Of the first step, which both took from one place: which side is nearer to the exact result, and how often."""
    first, other = recording.steps[0], pytorch.steps[0]
    exact = exact_step(recording)
    count = {"yours": 0, "pytorch": 0}
    for name, array in first.after.items():
        yours = np.abs(array.astype(np.longdouble) - exact[name])
        theirs = np.abs(other.after[name].astype(np.longdouble) - exact[name])
        count["yours"] += int(np.count_nonzero(yours < theirs))
        count["pytorch"] += int(np.count_nonzero(theirs < yours))
    return count
