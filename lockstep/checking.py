"""Checks somebody's implementation against PyTorch's: `lockstep.check` and what it answers."""

import dataclasses
import functools
import importlib
import importlib.util
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from lockstep.compare import bits
from lockstep.defaults import hidden_defaults
from lockstep.driving import SPOILS, Theirs, defaults_of, drive, record
from lockstep.foreign.adapter import CannotCheck, NotTaken
from lockstep.foreign.names import in_words
from lockstep.foreign.recognise import Recognised, recognise
from lockstep.foreign.tensor_step import Ours
from lockstep.guard import Broken
from lockstep.messages import ENGLISH, Message, Voice, message
from lockstep.misnamed import guessed, idle, without
from lockstep.record import plain
from lockstep.recording import Recording
from lockstep.replay import Element, Residual, replay
from lockstep.rows import row
from lockstep.scenarios import Trial, trials
from lockstep.subject import Subject, find, own_class
from lockstep.verdict import Verdict, worst

OWN_DEFAULTS = "its own defaults"
DTYPES = ("float64", "float32")  # a formula and rounding cannot be confused in the first


@dataclasses.dataclass
class Outcome:
    """One scenario in one dtype.

    used: the largest share of an allowance. first: the first number beyond it. identical: whether every bit
    is PyTorch's. nearer: of the numbers of the first step that differ from PyTorch's, how many are nearer to
    the exact result on their side ("yours") and how many on PyTorch's ("torch").
    """

    recording: Recording
    residual: Residual
    identical: bool = False
    nearer: dict[str, int] = dataclasses.field(default_factory=dict)

    @property
    def verdict(self) -> Verdict:
        """identical, rounding, ill-conditioned or different."""
        if not self.residual.explains:
            return Verdict.DIFFERENT
        if self.identical:
            return Verdict.IDENTICAL
        return Verdict.ILL_CONDITIONED if self.residual.uncertain else Verdict.ROUNDING

    def to_json(self) -> dict[str, Any]:
        """The scenario as plain data."""
        return {
            "name": self.recording.scenario,
            "why": ENGLISH.plain(self.recording.why),
            "dtype": self.recording.dtype,
            "steps": len(self.recording.steps),
            "hyperparameters": plain(self.recording.hyperparameters),
            "verdict": str(self.verdict),
            "used": plain(self.residual.used),
            "first_difference": described(self.recording, self.residual.first),
            "nearer": self.nearer,
        }


@dataclasses.dataclass
class Check:
    """What a check found.

    Attributes:
        subject: the path of what it was held against. target: what was checked, in words.
        words: the shape it was driven in. names: PyTorch's hyperparameters to its own names.
        verdict: identical, rounding, ill-conditioned, different or broken.
        broken: None, or `{id, message}`: why it could not be checked.
        outcomes: one a scenario and dtype. not_triggered: what could not be tried or had no effect, each
            with its reason. notes: what is true besides.
        causes, equivalent: what the diagnosis named; diagnosis: itself, if there was need of one. rerun: the command
            that shows it again.
    """

    subject: str
    target: str
    words: str = ""
    names: dict[str, str] = dataclasses.field(default_factory=dict)
    broken: dict[str, str] | None = None
    outcomes: list[Outcome] = dataclasses.field(default_factory=list)
    not_triggered: list[dict[str, str]] = dataclasses.field(default_factory=list)
    notes: list[Message] = dataclasses.field(default_factory=list)
    causes: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    equivalent: list[Any] = dataclasses.field(default_factory=list)
    diagnosis: Any = None
    rerun: str = ""

    @property
    def verdict(self) -> Verdict:
        """The worst of all scenarios; broken only where nothing is different."""
        found = worst(outcome.verdict for outcome in self.outcomes)
        return Verdict.BROKEN if self.broken and found is not Verdict.DIFFERENT else found

    @property
    def exit_status(self) -> int:
        """0 identical or rounding, 1 different or ill-conditioned, 2 could not be checked."""
        return {Verdict.IDENTICAL: 0, Verdict.ROUNDING: 0, Verdict.BROKEN: 2}.get(self.verdict, 1)

    @property
    def evidence(self) -> Outcome | None:
        """The first scenario with the verdict, the plainest in float64 before others."""
        return next((outcome for outcome in self.outcomes if outcome.verdict is self.verdict), None)

    @property
    def first_difference(self) -> dict[str, Any] | None:
        """Where the verdict falls first: scenario, step, tensor, both values; None where nothing is wrong."""
        outcome = self.evidence
        if outcome is None or self.verdict not in (Verdict.DIFFERENT, Verdict.ILL_CONDITIONED):
            return None
        return described(outcome.recording, outcome.residual.first or outcome.residual.uncertain)

    @property
    def used(self) -> float:
        """The largest share of an allowance that anything used."""
        return max((outcome.residual.used for outcome in self.outcomes), default=0.0)

    @property
    def nearer(self) -> dict[str, int]:
        """Of the numbers that differ from PyTorch's after one step, how many are nearer to exact on which side."""
        total = {"yours": 0, "torch": 0}
        for outcome in self.outcomes:
            for side, count in outcome.nearer.items():
                total[side] += count
        return total

    def to_json(self) -> dict[str, Any]:
        """The answer as plain data, for `--json`."""
        return {
            "verdict": str(self.verdict),
            "first_difference": self.first_difference,
            "causes": plain([cause | {"fix": ENGLISH.plain(cause["fix"])} for cause in self.causes]),
            "equivalent": plain(self.equivalent),
            "not_triggered": self.not_triggered,
            "scenarios": [outcome.to_json() for outcome in self.outcomes],
            "subject": self.subject,
            "target": self.target,
            "shape": self.words,
            "names": self.names,
            "broken": self.broken,
            "used": plain(self.used),
            "nearer": self.nearer,
            "notes": [ENGLISH.say(note) for note in self.notes],
            "rerun": self.rerun,
        }

    def explained(self, voice: Voice = ENGLISH) -> list[str]:
        """What the diagnosis says, or the defaults that explain it."""
        if self.diagnosis:
            return list(self.diagnosis.lines(voice))
        return [
            row(voice, "cause", f"{cause['id']} ({cause['variant']}): {voice.plain(cause['fix'])}")
            for cause in self.causes
        ]

    def __str__(self) -> str:
        return importlib.import_module("lockstep.answer").answer(self)


def described(recording: Recording, found: Element | None) -> dict[str, Any] | None:
    """An element as plain data: where, yours, PyTorch's formula's from the same place, allowed, used."""
    if found is None:
        return None
    kind = np.dtype(found.dtype).type
    with np.errstate(over="ignore"):
        exact = kind(found.exact)
    return plain(
        {
            "scenario": recording.scenario,
            "dtype": found.dtype,
            "step": found.step,
            "line": found.line,
            "quantity": found.quantity,
            "tensor": found.tensor,
            "index": list(found.index),
            "shape": list(found.shape),
            "yours": found.found,
            "yours_bits": bits(kind(found.found)),
            "exact": found.exact,
            "exact_bits": bits(exact),
            "absolute": abs(found.found - found.exact),
            "relative": abs(found.found - found.exact) / abs(found.exact) if found.exact else math.inf,
            "allowed": found.allowed,
            "used": found.used,
        }
    )


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
    if subject.family != "optim":
        module = importlib.import_module("lockstep.checking_layers")
        return module.check_layer(target, subject, settings, kinds, only, seed, on_scenario)
    wanted = defaults_of(subject)
    check_settings(subject, settings, wanted)
    tried = [trial for trial in trials(subject) if only is None or trial.name == only]
    if not tried:
        raise ValueError(f"no scenario {only!r}; there are: {'; '.join(trial.name for trial in trials(subject))}")
    result = Check(like, getattr(target, "__name__", type(target).__name__))
    try:
        found = recognise(target, like, tuple(wanted))
    except CannotCheck as error:
        result.broken = {"id": "not-recognised", "message": str(error)}
        return result
    except (Exception, SystemExit) as error:
        result.broken = {"id": "exception", "message": str(Theirs(error, "the first look at it", 0))}
        return result
    result.words, result.names = found.words, in_words(found.names)
    for name, value in settings.items():
        if name not in found.names and not found.everything:
            result.notes.append(message("note.taken-as-said", name=name, value=repr(value)))
    Driver(subject, found, settings, seed, result).all(tried, kinds, on_scenario)
    diagnose(result)
    return result


def check_settings(subject: Subject, settings: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    """Refuse hyperparameters that the subject has not, or that PyTorch refuses.

    Raises:
        TypeError: for a name. ValueError: for a value, with PyTorch's wording.
    """
    unknown = [name for name in settings if name not in wanted]
    if unknown:
        raise TypeError(f"{subject.path} has no hyperparameter {unknown[0]!r}; there are {', '.join(wanted)}")
    own_class(subject.reference)({"weight": np.zeros(1)}, **settings)


class Driver:
    """Runs the scenarios and fills in the result."""

    def __init__(self, subject: Subject, found: Recognised, settings: dict[str, Any], seed: int, result: Check):
        self.subject, self.found, self.settings, self.seed, self.result = subject, found, settings, seed, result

    def all(self, tried: list[Trial], dtypes: list[str], on_scenario) -> None:
        total = len(tried) * len(dtypes)
        for place, (dtype, trial) in enumerate((dtype, trial) for dtype in dtypes for trial in tried):
            if on_scenario:
                on_scenario(f"{trial.name}, {dtype}", place, total)
            if not self.one(trial, dtype, first=place == 0):
                return
        self.drop_idle_state()
        self.effects(tried)

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
            self.skip(trial.name, dtype, str(reason))
            return True
        except Theirs as error:
            if trial.mishap or trial.flag:
                self.skip(trial.name, dtype, str(error))
                return True
            self.fault("exception", str(error))
            return not first
        except Broken as fault:
            self.fault(fault.cause, f"{fault} (scenario {trial.name!r}, {dtype})")
            return False
        note = message("note.spoils-gradients")
        if recording.source.endswith(SPOILS) and note not in self.result.notes:
            self.result.notes.append(note)
        self.result.outcomes.append(judged(recording, functools.partial(self.torch, trial, dtype, recording)))
        return True

    def check_first(self, recording: Recording, trial: Trial, dtype: str) -> None:
        """What makes a comparison worthless shows in the plainest scenario.

        Raises:
            Broken: where nothing moves, or a second run goes another way.
        """
        if not any(moved(step.before, step.after) for step in recording.steps):
            raise Broken("nothing-moved", "no parameter changed: agreement would mean nothing")
        again = record(self.found, self.subject, trial, dtype, self.seed, self.settings)
        for number, (one, other) in enumerate(zip(recording.steps, again.steps, strict=True), 1):
            if moved(one.after, other.after):
                raise Broken("non-deterministic", f"two runs on the same numbers differ from step {number} on")

    def with_hidden_defaults(self, recording: Recording, trial: Trial, dtype: str) -> Recording:
        """The recording with the defaults that do not show in the implementation's signature."""

        def run(told: dict[str, Any]) -> Recording:
            return record(self.found, self.subject, trial, dtype, self.seed, self.settings | told)

        def same(other: Recording) -> bool:
            return not any(moved(a.after, b.after) for a, b in zip(recording.steps, other.steps, strict=True))

        known = {"lr", *recording.defaults, *self.settings}
        names = [name for name in self.found.names if name not in known]
        found = hidden_defaults(names, defaults_of(self.subject), run, same)
        return dataclasses.replace(recording, defaults=recording.defaults | found)

    def fault(self, cause: str, message: str) -> None:
        if self.result.broken is None:
            passed = worst(outcome.verdict for outcome in self.result.outcomes)
            seen = f"; before that: {passed}" if self.result.outcomes else ""
            self.result.broken = {"id": cause, "message": message + seen}

    def skip(self, name: str, dtype: str, reason: str) -> None:
        entry = {"scenario": name, "reason": reason}
        if entry not in self.result.not_triggered:
            self.result.not_triggered.append(entry)

    def torch(self, trial: Trial, dtype: str, recording: Recording) -> Recording | None:
        """What PyTorch itself does in the scenario; None where it is not installed."""
        if importlib.util.find_spec("torch") is None:
            return None
        kind = own_class(self.subject.torch_impl)
        hyperparameters = dict(recording.hyperparameters)
        adapter = Ours(Everything(kind), self.subject.path)  # type: ignore[arg-type]
        steps = drive(adapter, trial, dtype, self.seed, hyperparameters, hyperparameters)
        return dataclasses.replace(recording, steps=steps)

    def drop_idle_state(self) -> None:
        """Leave out what was taken for state by its name, where the parameters show that it is none."""
        outcomes = self.result.outcomes
        keys = idle([one.recording for one in outcomes], [one.residual for one in outcomes])
        names = {key: one.recording.names[key] for one in outcomes for key in keys if key in one.recording.names}
        for one in outcomes:
            if keys & set(one.recording.names):
                one.recording = without(one.recording, keys)
                one.residual = replay(one.recording)
        self.result.notes += [message("note.idle-state", own=own, key=key) for key, own in names.items()]

    def effects(self, tried: list[Trial]) -> None:
        """What was asked for and changed nothing is said; where any keyword is swallowed, it was never taken."""
        for outcome in list(self.result.outcomes):
            trial = next(trial for trial in tried if trial.name == outcome.recording.scenario)
            if outcome.residual.explains:
                continue
            for name in trial.needs:
                if self.changes_nothing(name, trial, outcome.recording):
                    value = outcome.recording.hyperparameters[name]
                    self.skip(trial.name, outcome.recording.dtype, f"{name}={value!r} changed nothing")
                    if name not in self.found.names and outcome in self.result.outcomes:
                        self.result.outcomes.remove(outcome)

    def changes_nothing(self, name: str, trial: Trial, recording: Recording) -> bool:
        """Whether the implementation does the same, bit for bit, without this hyperparameter."""
        case = trial.case.replaced(**{name: defaults_of(self.subject)[name]})
        without = trial._replace(scenario=trial.scenario._replace(case=case), needs=(), flag="")
        settings = {key: value for key, value in self.settings.items() if key != name}
        try:
            other = record(self.found, self.subject, without, recording.dtype, self.seed, settings)
        except (NotTaken, Theirs, Broken):
            return False
        return not any(moved(a.after, b.after) for a, b in zip(recording.steps, other.steps, strict=True))

    def tied(self, trial: Trial, dtype: str) -> None:
        """Whether one array under two names is stepped twice; said, not judged: torch.optim does it, too."""
        if dtype != "float64":
            return
        try:
            twice = stepped_twice(self.found, self.subject, self.settings)
        except Exception:
            self.skip(trial.name, dtype, "it cannot be given one array under two names")
            return
        if twice:
            self.result.notes.append(message("note.tied"))


class Everything:
    """A maker of one of our own classes: it is told all hyperparameters as they are.

    Arguments:
        kind: the class. holds: whether it is given the parameters first.
    """

    def __init__(self, kind: Any, holds: bool = True):
        self.kind, self.holds = kind, holds

    def make(self, params: Any, hyperparameters: Mapping[str, Any]) -> Any:
        return self.kind(params, **hyperparameters) if self.holds else self.kind(**hyperparameters)


def stepped_twice(found: Recognised, subject: Subject, settings: Mapping[str, Any]) -> bool:
    """Whether a step with one array under two names goes elsewhere than a step with it under one."""
    start = np.linspace(-1, 1, 6).reshape(2, 3)
    grad = np.linspace(1, 2, 6).reshape(2, 3)
    told = {name: value for name, value in (defaults_of(subject) | dict(settings)).items() if name in found.names}
    ends = []
    for names in (("weight",), ("weight", "tied")):
        array = start.copy()
        adapter = found.make()
        adapter.start(dict.fromkeys(names, array), **told)
        adapter.step(dict.fromkeys(names, grad))
        held = adapter.read()
        if len(names) == 2 and not np.shares_memory(np.asarray(held["weight"]), np.asarray(held["tied"])):
            raise NotTaken("it keeps arrays of its own")
        ends.append(np.array(held["weight"]))
    return ends[0].tobytes() != ends[1].tobytes()


def moved(one: Mapping[str, np.ndarray], other: Mapping[str, np.ndarray]) -> bool:
    return any(one[name].tobytes() != other[name].tobytes() for name in one)


def judged(recording: Recording, torch: Callable[[], Recording | None]) -> Outcome:
    """The recording beside the formula, and beside what PyTorch did."""
    outcome = Outcome(recording, replay(recording))
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


def nearer(recording: Recording, torch: Recording) -> dict[str, int]:
    """Of the first step, which both took from one place: which side is nearer to the exact result, and how often."""
    first, other = recording.steps[0], torch.steps[0]
    exact = importlib.import_module("lockstep.replay").exact_step(recording)
    count = {"yours": 0, "torch": 0}
    for name, array in first.after.items():
        yours = np.abs(array.astype(np.longdouble) - exact[name])
        theirs = np.abs(other.after[name].astype(np.longdouble) - exact[name])
        count["yours"] += int(np.count_nonzero(yours < theirs))
        count["torch"] += int(np.count_nonzero(theirs < yours))
    return count


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
    if all(
        not any(moved(step.before, step.after) for step in o.recording.steps)
        for o in result.outcomes
        if not o.recording.is_layer
    ) and not any(o.recording.is_layer for o in result.outcomes):
        result.broken = {"id": "nothing-moved", "message": "no parameter changed: agreement would mean nothing"}
    diagnose(result)
    return result


def diagnose(result: Check) -> None:
    """Name the causes: what its own defaults explain by themselves, and the diagnosis of the rest."""
    others: dict[str, Any] = {}
    standard: dict[str, Any] = {}
    for outcome in result.outcomes:
        others |= other_defaults(outcome.recording)
        standard |= outcome.recording.hyperparameters if outcome.recording.scenario == OWN_DEFAULTS else {}
    for name, value in others.items():
        own = result.names.get(name, name)
        values = {"value": repr(value), "standard": repr(standard[name])}
        result.notes.append(message("note.other-default", own=own, name=name, **values))
    if result.verdict is not Verdict.DIFFERENT:
        return
    told = [with_defaults(outcome) for outcome in result.outcomes]
    left = {one.recording.label: one.residual for one in told}
    if all(one.residual.explains for one in told):
        used = max(one.residual.used for one in told)
        result.causes = [default_cause(name, value, standard[name], used) for name, value in others.items()]
    elif importlib.util.find_spec("lockstep.diagnosis"):
        module = importlib.import_module("lockstep.diagnosis")
        found = module.diagnose([one.recording for one in told], result.subject, left)
        if not found.causes and any(guessed(one.recording) for one in told):
            bare = [without(one.recording, guessed(one.recording)) for one in told]
            other = module.diagnose(bare, result.subject, thorough=False)
            if other.causes:
                found = other
                result.notes.append(message("note.state-of-its-own"))
        data = found.to_json()
        result.causes, result.equivalent, result.diagnosis = data["causes"], data["equivalent"], found


def other_defaults(recording: Recording) -> dict[str, Any]:
    """Its own values of what it was not told, where they are not what it is measured by."""
    claimed = recording.hyperparameters
    if recording.scenario != OWN_DEFAULTS:
        return {}
    return {name: value for name, value in recording.defaults.items() if name != "lr" and claimed.get(name) != value}


def with_defaults(outcome: Outcome) -> Outcome:
    """The scenario measured by the defaults that the implementation says it has."""
    others = other_defaults(outcome.recording)
    if not others:
        return outcome
    recording = outcome.recording
    measured = dataclasses.replace(recording, hyperparameters=recording.hyperparameters | others)
    if not recording.is_layer:
        steps = [dataclasses.replace(step, hyperparameters=step.hyperparameters | others) for step in recording.steps]
        measured = dataclasses.replace(measured, steps=steps)
    try:
        return Outcome(measured, replay(measured))
    except (TypeError, ValueError):  # a default that PyTorch refuses
        return outcome


def default_cause(name: str, value: Any, standard: Any, used: float) -> dict[str, Any]:
    """A default that is not PyTorch's, as the diagnosis describes a cause."""
    row = {"betas": "beta-value"}.get(name, f"{name.replace('_', '-')}-value")
    return {
        "id": row,
        "variant": "its default",
        "hyperparameters": {name: value},
        "residual": used,
        "scenario": OWN_DEFAULTS,
        "fix": message("cli.own-default", name=name, standard=repr(standard), value=repr(value)),
    }
