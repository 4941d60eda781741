"""Checks somebody's layer, loss or penalty against PyTorch's."""

import dataclasses
import functools
import importlib
import importlib.util
import inspect
import sys
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from lockstep.adapters.adapter import CannotCheck, NotTaken
from lockstep.adapters.frameworks import frameworks_of
from lockstep.adapters.layer.adapter import LayerAdapter
from lockstep.adapters.layer.function import LayerFunction
from lockstep.adapters.layer.layout import Layout, layouts
from lockstep.adapters.layer.module import Module
from lockstep.adapters.layer.object import BACKWARD, FORWARD, LayerObject, arrays_of
from lockstep.adapters.layer.ours import OurLayer
from lockstep.adapters.making import Maker, maker_of
from lockstep.adapters.names import in_words, match, named
from lockstep.adapters.wrapper import indented, layer_wrapper
from lockstep.causes.cause import Scenario
from lockstep.checking import chance
from lockstep.checking.answer import Check, Remark, TrialOutcome
from lockstep.checking.driving.passes import Driven, Found, claims, determined, drive, standard_of
from lockstep.checking.driving.roles import roles_of
from lockstep.checking.driving.steps import Raised, seeded
from lockstep.checking.driving.trials import Trial, Wanted, layer_trials
from lockstep.checking.naming import name_causes
from lockstep.diagnose.replay import judge, observe, overflows_alone, screen
from lockstep.engine.guard import Broken
from lockstep.errors import NoSuchName
from lockstep.numerics import formats
from lockstep.numerics.bounded import ROUNDINGS
from lockstep.numerics.shapes import Array
from lockstep.numerics.verdict import Breakage, distance, worst
from lockstep.recordings.recording import Pass, Recording
from lockstep.subjects.subject import Subject, own_class
from lockstep.text import Message, message

NEAR = 1e3  # times as far off: one layout, where the numbers are drawn anew


def check_layer(target: Any, subject: Subject, layer: str, wanted: Wanted, names: Mapping[str, str] | None) -> Check:
    """As `lockstep.check`, of a layer; its class is `layer`, or the one of the target's name."""
    name = getattr(target, "__name__", type(target).__name__)
    result = Check(subject.path, name)
    with seeded(wanted.seed):
        LayerCheck(target, subject, layer or meant(target, subject), wanted, names, result).all()
    name_causes(result)
    return result


def meant(target: Any, subject: Subject) -> str:
    """The class that is meant by the name of the target or of what it stands on.

    Raises:
        ValueError: where the subject has several classes, and the names are like none of them.
    """
    known = list(dict.fromkeys(case.layer for case in subject.cases.CASES))
    kind: Any = target if inspect.isclass(target) or inspect.isroutine(target) else target.__class__
    bases: tuple[Any, ...] = getattr(kind, "__mro__", (kind,))
    names: list[str] = [base.__name__ for base in bases]
    for name in names:
        plain = name.lower().replace("_", "")
        hit = next((layer for layer in known if layer.lower() in plain), None)
        if hit:
            return hit
    general = [layer for layer in known if all(layer in other for other in known)]
    if general or len(known) == 1:
        return (general or known)[0]
    asked = ", ".join(f"{subject.path}.{layer}" for layer in known)
    raise NoSuchName(message("error.several-classes", subject=subject.path, name=names[0], known=asked))


def candidates(
    target: Any, wanted: tuple[str, ...], possible: list[Layout], roles: Mapping[str, Any], paths: Mapping[str, Any]
) -> Iterator[tuple[Layout, Found]]:
    """The shapes it may have, in each of these layouts."""
    torch = sys.modules.get("torch")
    kind: Any = target if inspect.isclass(target) else target.__class__
    if inspect.isclass(target) and issubclass(target, LayerAdapter):
        names = match([n for n in named(target.start) if n not in ("self", "params", "buffers")], wanted)
        yield Layout(), Found(target, names, {})
    elif (framework := of_framework(target, wanted)) is not None:
        adapter, maker = framework
        for layout in possible:
            make = functools.partial(adapter, maker, layout)
            yield layout, Found(make, maker.names, maker.defaults(), maker.everything)
    elif torch is not None and issubclass(kind, torch.nn.Module):
        maker = maker_of(target, wanted)
        for layout in possible:
            make = functools.partial(Module, maker, layout, roles, paths)
            yield layout, Found(make, maker.names, maker.defaults(), maker.everything)
    elif all(callable(getattr(kind, name, None)) for name in ("load_state", "train", "forward", "backward")):
        maker = maker_of(target, wanted)
        yield Layout(), Found(functools.partial(OurLayer, maker), maker.names, maker.defaults(), maker.everything)
    elif inspect.isroutine(target):
        adapter = LayerFunction(target, wanted)
        if adapter.lacks:
            raise CannotCheck(message("recognise.unknown", target=target.__name__, names=", ".join(adapter.lacks)))
        defaults = Maker(target, adapter.names, None, everything=False).defaults()
        names = {**adapter.in_dict, **adapter.names}
        for layout in possible:
            yield layout, Found(functools.partial(LayerFunction, target, wanted, layout), names, defaults)
    elif any(callable(getattr(kind, name, None)) for name in (*FORWARD[:1], *BACKWARD)) or callable(target):
        maker = maker_of(target, wanted, arrays_of(target) if inspect.isclass(target) else ())
        for layout in possible:
            make = functools.partial(LayerObject, maker, layout, roles, paths)
            yield layout, Found(make, maker.names, maker.defaults(), maker.everything)


def of_framework(target: Any, wanted: tuple[str, ...]) -> Any:
    """What drives a layer of another framework, and what makes it; None where it is of none that is known."""
    made = (framework.layer(target, wanted) for framework in frameworks_of(target))
    return next((one for one in made if one is not None), None)


class LayerCheck:
    """Runs the scenarios and fills in the result."""

    def __init__(
        self, target: Any, subject: Subject, layer: str, wanted: Wanted, names: Mapping[str, str] | None, result: Check
    ) -> None:
        self.target, self.subject, self.layer, self.wanted, self.result = target, subject, layer, wanted, result
        self.settings, self.dtypes, self.seed = wanted.settings, wanted.dtypes, wanted.seed
        self.paths = {key: tuple(own.split(".")) for key, own in (names or {}).items()}
        self.ways: dict[Any, tuple[Layout, Found]] = {}  # by the rank of the input
        self.refused: dict[int, Message] = {}
        self.passes = False  # whether it has come through a scenario, if only in a format that it does not keep
        self.tried: dict[tuple[str, str], tuple[Trial, Driven]] = {}
        self.known = layer_trials(subject, layer)
        # axes of one hide how they are laid out, and so does what overflows
        self.telling = sorted(self.known, key=lambda trial: (1 in trial.case.shape, trial.case.saturated))

    def all(self) -> None:
        tried = self.wanted.of(self.known)
        try:
            self.first_way()
        except (CannotCheck, Broken) as error:
            told = tuple(standard_of(self.subject, tried[0]))
            wrapper = message("recognise.wrapper", code=indented(layer_wrapper(self.target, told)))
            lines = [message("recognise.layer-shapes"), wrapper]
            said = message("recognise.lines", first=error.said, lines=lines)
            self.result.broken = Breakage(id="not-recognised", message=said)
            return
        for dtype, trial in self.wanted.each(tried):
            if not self.one(trial, dtype):
                break
        if self.result.outcomes and self.wanted.only is None:
            self.masks()
            self.options()

    # how it is driven

    def first_way(self) -> None:
        """Choose how it is driven by the first trial that it can be put through, of all: one alone may not tell.

        Raises:
            CannotCheck: where there is none.
        """
        failures: list[Message] = []
        if any(self.choose(trial, failures) for trial in self.telling):
            return
        first = message("recognise.no-layer", target=self.result.target)
        raise CannotCheck(message("recognise.lines", first=first, lines=failures[:4]))

    def way(self, trial: Trial) -> Found:
        """How it is driven with an input of that rank.

        Raises:
            NotTaken: where it cannot be.
        """
        rank = len(trial.case.shape)
        if rank not in self.ways and rank not in self.refused:
            of_rank = [one for one in self.telling if len(one.case.shape) == rank]
            if rank > 1 and 1 in of_rank[0].case.shape:
                raise NotTaken(message("reason.axes-of-one"))
            failures: list[Message] = []
            told = next((one for one in of_rank if self.takes(one)), of_rank[0])
            if not self.choose(told, failures):
                self.refused[rank] = failures[0] if failures else message("layout.none-fits")
        if rank in self.refused:
            raise NotTaken(message("reason.rank", rank=rank, said=self.refused[rank]))
        return self.ways[rank][1]

    def takes(self, trial: Trial) -> bool:
        """Whether it can be told what a trial is about, as it is driven with inputs of another rank."""
        try:
            claims(next(iter(self.ways.values()))[1], trial, standard_of(self.subject, trial), self.settings)
        except NotTaken:
            return False
        return True

    def choose(self, trial: Trial, failures: list[Message]) -> bool:
        """Of the layouts, PyTorch's where the formula explains it, else the one that comes nearest to the formula."""
        case, standard = trial.case, tuple(standard_of(self.subject, trial))
        roles, shapes = roles_of(self.subject, trial, self.seed)
        matrix = any(len(shape) == 2 for shape in shapes.values())
        like = next((layout for layout, _ in self.ways.values()), None)
        possible = list(layouts(len(case.shape), matrix, case.target == "classes", like))
        rated: list[tuple[float, Layout, Found, Driven]] = []
        for layout, taken in candidates(self.target, standard, possible, roles, self.paths):
            for way in self.fixed(taken):
                as_it_is = trial._replace(scenario=trial.scenario._replace(case=case.replaced(**way.fixed)))
                try:
                    driven = drive(way, self.subject, as_it_is, self.settings, self.dtypes[0], self.seed)
                except (Raised, Broken, NotTaken) as error:
                    said = getattr(error, "short", error.said)
                    failures.append(message("recognise.tried", shape=way.make().words, said=said))
                    continue
                rated.append((screen(driven.recording), layout, way, driven))
                told = [(name, standard_of(self.subject, trial)[name]) for name in way.fixed]
                if explains(driven.recording) and all(matters(driven.recording, *value) for value in told):
                    return self.settle(trial, *rated[-1][1:])
        if like is not None:  # another rank: PyTorch's layout there, or one that the formula explains
            rated = [way for way in rated if way[1] == like._replace(features="")]
        for _, layout, way, driven in rated:
            averaging = None if way.fixed else self.averaging(trial, layout, way, driven)
            if averaging:
                return self.settle(trial, *averaging)
        if not self.ways:  # what it may have decided by itself is said of it only where the formula explains that
            rated = [way for way in rated if not way[2].fixed]
        if not rated:
            return False
        floor = max(formats.named(self.dtypes[0]).unit, min(float(np.nan_to_num(way[0], nan=np.inf)) for way in rated))
        nearest = next(way for way in rated if not way[0] > NEAR * floor)  # the first that is as near
        return self.settle(trial, *nearest[1:])

    def averaging(self, trial: Trial, layout: Layout, way: Found, driven: Driven):
        """The same with gradients that somebody else averages than in PyTorch, where the formula explains that."""
        params = driven.recording.steps[0].params
        told = any(way.takes(name) for name in self.choices)  # then it is the loss's to average
        if layout.averages or told or not (params or trial.case.target):
            return None
        other = layout._replace(averages="layer" if params else "nobody")
        make = driven.adapter.again(other, gradients_in(driven, self.subject))
        if make is None:
            return None
        averaging = dataclasses.replace(way, make=make)
        made = drive(averaging, self.subject, trial, self.settings, self.dtypes[0], self.seed)
        return (other, averaging, made) if explains(made.recording) else None

    def fixed(self, way: Found) -> Iterator[Found]:
        """As it is; and where it cannot be told a choice of PyTorch's, as each of the others it may be by itself."""
        known = next((one.fixed for _, one in self.ways.values()), None)
        yield dataclasses.replace(way, fixed=known or {})
        if known is not None:
            return
        for name, values in self.choices.items():
            for value in values:
                if not way.takes(name) and name not in self.settings:
                    yield Found(way.make, way.names, way.defaults, way.everything, {name: value})

    def settle(self, trial: Trial, layout: Layout, way: Found, driven: Driven) -> bool:
        """Drive it so from now on."""
        trial = trial._replace(scenario=trial.scenario._replace(case=trial.case.replaced(**way.fixed)))
        paths = gradients_in(driven, self.subject)
        make = driven.adapter.again(layout, paths)
        if make:
            way.make = make
        self.ways[len(trial.case.shape)] = layout, way
        made = drive(way, self.subject, trial, self.settings, self.dtypes[0], self.seed).adapter
        own = {key: name for key, name in made.called.items() if name != key}
        self.paths = {key: tuple(name.split(".")) for key, name in made.called.items()} | self.paths
        self.result.words, self.result.names = made.words, in_words(way.names) | self.result.names | own
        if layout.averages:
            self.result.reserve(message(f"note.averages.{layout.averages}"))
        for name, value in way.fixed.items() if len(self.ways) == 1 else ():
            standard = repr(standard_of(self.subject, trial)[name])
            what = message("cli.own-default", name=name, standard=standard, value=repr(value))
            self.result.remarks.append(Remark(f"{name}-value", what))
        return True

    @property
    def choices(self) -> Mapping[str, tuple[Any, ...]]:
        """Hyperparameters that a layer of this subject may have decided by itself, otherwise than PyTorch."""
        return getattr(self.subject.cases, "CHOICES", {})

    # one scenario

    def one(self, trial: Trial, dtype: str) -> bool:
        """One scenario; False where there is no point in going on."""
        result = self.result
        try:
            way = self.way(trial)
            if trial.defaults and not set(way.defaults) - set(self.settings):
                return True
            if self.ways[len(trial.case.shape)][0].averages and 0 in trial.case.shape:
                raise NotTaken(message("reason.mean-of-nothing"))
            driven = drive(way, self.subject, trial, self.settings, dtype, self.seed)
        except (NotTaken, CannotCheck) as reason:
            self.skip(trial, reason.said)
            return True
        except Raised as error:
            if not (result.outcomes or self.passes):
                result.broken = Breakage(id="exception", message=error.said)
                return False
            self.skip(trial, error.short)
            return True
        except Broken as fault:
            return self.fault(fault, trial, dtype)
        self.passes = True
        if driven.narrowed:
            note = message(
                "note.narrowed",
                what=next(iter(driven.narrowed)),
                given=dtype,
                made=next(iter(driven.narrowed.values())),
            )
            if note not in result.notes:
                result.notes.append(note)
            return True
        self.tried[trial.name, dtype] = trial, driven
        outcome = TrialOutcome(driven.recording, judge(driven.recording), drawn=drawn(trial, driven.adapter))
        self.overflow(trial, outcome)
        if not outcome.drawn and importlib.util.find_spec("torch"):
            self.beside_pytorch(trial, outcome)
        if not result.outcomes:
            self.start(trial, driven)
        self.kept(trial, driven)
        result.outcomes.append(outcome)
        result.see_not(driven.unseen)
        if driven.recording.spoils:
            result.reserve(message("note.spoils-inputs"))
        result.formats |= {what: (dtype, kind) for what, kind in driven.widened.items()}
        return True

    def beside_pytorch(self, trial: Trial, outcome: TrialOutcome) -> None:
        """Whether it has PyTorch's bits, or is as near to exact where no allowance says that it is right."""
        if not outcome.residual.explains:
            outcome.near = as_near(outcome.recording, self.subject, trial, allowed=True)
            return
        outcome.identical = identical(outcome.recording, self.subject, trial)
        if outcome.residual.uncertain and as_near(outcome.recording, self.subject, trial):
            outcome.residual = outcome.residual._replace(uncertain=None)

    def overflow(self, trial: Trial, outcome: TrialOutcome) -> None:
        """Say where it makes no finite number and PyTorch's formula does, and what PyTorch does where it is another."""
        first, result = outcome.residual.first, self.result
        if first is None:
            return
        if trial.case.differs:
            result.note(message(f"note.pytorch.{trial.case.differs}", scenario=trial.name))
        if np.isfinite(first.ours) or not np.isfinite(first.exact):
            return
        outcome.saturates = trial.case.saturated
        outcome.overflows = trial.case.saturated and overflows_alone(outcome.recording)
        values = {"scenario": trial.name, "made": repr(first.ours), "exact": float(f"{first.exact:.6g}")}
        if outcome.overflows:
            result.reserve(message("note.saturates", **values))
        else:
            result.note(message("note.overflows", **values))

    def fault(self, fault: Broken, trial: Trial, dtype: str) -> bool:
        """What came out cannot be compared: in the first scenario nothing can, in others it is what is different."""
        result = self.result
        if fault.cause in ("shape-differs", "layout-transposed") and result.outcomes:
            options = [name for name in self.changed(trial) if self.changes_nothing(name, trial, dtype, None)]
            if options:
                self.no_effect(options[0], trial)
            elif not any(one.id == fault.cause for one in result.remarks):
                result.remarks.append(Remark(fault.cause, message("remark.shape", what=fault.said), trial.name))
            return True
        said = message("broken.in-scenario", said=fault.said, name=trial.name, dtype=dtype)
        if result.outcomes:
            passed = worst(outcome.verdict for outcome in result.outcomes)
            said = message("broken.before-that", said=said, verdict=passed)
        result.broken = Breakage(id=fault.cause, message=said)
        return False

    def skip(self, trial: Trial, reason: Any) -> None:
        entry = {"scenario": trial.name, "reason": reason}
        if entry not in self.result.not_triggered:
            self.result.not_triggered.append(entry)

    # what is different beside the numbers

    def start(self, trial: Trial, driven: Driven) -> None:
        """Compare what the layer begins with, before anything was set, with what PyTorch's does."""
        wanted = determined(self.subject, trial.case.layer, driven.recording.hyperparameters)
        for key, own in driven.adapter.fresh.items():
            if key not in wanted or own is None:
                continue
            theirs, pytorchs = np.asarray(own, np.float64).reshape(-1), wanted[key].astype(np.float64).reshape(-1)
            if theirs.size != pytorchs.size:
                continue
            apart = np.flatnonzero(theirs != pytorchs)
            if apart.size:
                values = {"own": repr(float(theirs[apart[0]])), "standard": repr(float(pytorchs[apart[0]]))}
                called = driven.adapter.called.get(key, key)
                self.result.remarks.append(
                    Remark("start-differs", message("remark.start", key=key, called=called, **values))
                )

    def kept(self, trial: Trial, driven: Driven) -> None:
        """Name the option that takes a parameter away in PyTorch and leaves it here, to be used and learned."""
        for name in self.changed(trial):
            gone = self.takes_away(name, trial, driven.recording)
            if gone and driven.adapter.keeps(gone, driven.recording.steps[-1]):
                self.no_effect(name, trial)

    def takes_away(self, name: str, trial: Trial, recording: Recording) -> list[str]:
        """The parameters that PyTorch has at its default of a hyperparameter, and not at the trial's value."""
        kind, told = own_class(self.subject.reference, trial.case.layer), recording.hyperparameters
        standard = kind(**(told | {name: standard_of(self.subject, trial)[name]})).params
        return [key for key in standard if key not in kind(**told).params]

    def masks(self) -> None:
        """Count what the layer draws by itself."""
        stacks: dict[float, list[np.ndarray]] = {}
        for case in getattr(self.subject.cases, "DRAWS", ()):
            trial = Trial(Scenario(case))
            try:
                driven = drive(self.way(trial), self.subject, trial, self.settings, self.dtypes[0], self.seed)
            except (NotTaken, Raised, CannotCheck, Broken) as reason:
                self.skip(trial, getattr(reason, "short", reason.said))
                continue
            if driven.adapter.takes_mask:
                self.result.notes.append(message("note.masks-handed-over"))
                return
            p = float(driven.recording.hyperparameters["p"])
            stacks.setdefault(p, []).append(np.stack([one.inputs[1] for one in driven.recording.steps]))
        if not stacks:
            return
        judged = chance.judge(stacks)
        refuted = chance.different(judged)
        if refuted:
            self.result.remarks.append(Remark(*refuted))
        else:
            self.result.notes.append(chance.agrees(judged))

    def changed(self, trial: Trial) -> list[str]:
        """The hyperparameters that a trial sets to other than PyTorch's defaults, and the layer is told."""
        standard, way = standard_of(self.subject, trial), self.way(trial)
        return [
            name
            for name, value in trial.case.hyperparameters.items()
            if way.takes(name) and standard[name] is not inspect.Parameter.empty and value != standard[name]
        ]

    def options(self) -> None:
        """Name every option that was told and had no effect, where it should have had one."""
        for outcome in self.result.outcomes:
            key = outcome.recording.scenario, outcome.recording.dtype
            if outcome.residual.explains or key not in self.tried:
                continue
            trial, driven = self.tried[key]
            for name in self.changed(trial):
                standard = standard_of(self.subject, trial)[name]
                if drawn(trial, driven.adapter) or not matters(driven.recording, name, standard):
                    continue
                if self.takes_away(name, trial, driven.recording):
                    continue  # whether it is still there was asked already
                if self.changes_nothing(name, trial, key[1], driven.recording):
                    self.no_effect(name, trial)

    def no_effect(self, name: str, trial: Trial) -> None:
        self.result.ineffective[name] = standard_of(self.subject, trial)[name]
        if not any(one.id == "no-effect" and one.what.values["name"] == name for one in self.result.remarks):
            value = repr(trial.case.hyperparameters[name])
            self.result.remarks.append(
                Remark("no-effect", message("remark.no-effect", name=name, value=value), trial.name)
            )

    def changes_nothing(self, name: str, trial: Trial, dtype: str, recording: Recording | None) -> bool:
        """Whether the layer makes the same, bit for bit, at PyTorch's default of this hyperparameter.

        From the same parameters and buffers. Without a recording, because what came out has another shape than
        PyTorch's: whether it makes the same output as at that default.
        """
        state = recording and recording.steps[0].params | recording.steps[0].buffers_before
        case = trial.case.replaced(**{name: standard_of(self.subject, trial)[name]})
        without = trial._replace(scenario=trial.scenario._replace(case=case))
        try:
            other = drive(self.way(trial), self.subject, without, self.settings, dtype, self.seed, state).recording
        except (NotTaken, Raised, Broken, CannotCheck):
            return False
        if recording is None:
            return True  # PyTorch's shape at the default, not at the other value: it did not change
        return all(bits_of(one) == bits_of(two) for one, two in zip(recording.steps, other.steps, strict=True))


def drawn(trial: Trial, adapter: LayerAdapter) -> bool:
    """Whether the layer draws masks of its own."""
    return trial.case.masked and not adapter.takes_mask


def matters(recording: Recording, name: str, standard: Any) -> bool:
    """Whether PyTorch's formula makes something else there at its default of this hyperparameter."""
    with np.errstate(all="ignore"):
        pairs = zip(observe(recording, (), {}, False), observe(recording, (), {name: standard}, False), strict=True)
        return any(not np.array_equal(one.predicted[""], two.predicted[""], equal_nan=True) for one, two in pairs)


def bits_of(passed: Pass) -> list[bytes]:
    """Everything a pass made."""
    alone = [passed.output] if passed.grad_input is None else [passed.output, passed.grad_input]
    return [array.tobytes() for array in (*alone, *passed.grads.values(), *passed.buffers.values())]


def explains(recording: Recording) -> bool:
    with np.errstate(all="ignore"):
        return judge(recording).explains


def gradients_in(driven: Driven, subject: Subject) -> dict[str, tuple[str, ...]]:
    """Where the gradients lie that no name gave away: the one array that the formula explains, for each."""
    names: dict[str, tuple[str, ...]] = {}
    last = driven.recording.steps[-1]
    kind = own_class(subject.reference, driven.recording.layer)
    missing = (
        [key for key in kind.GRADS if key in last.params and key not in last.grads] if last.upstream is not None else []
    )
    for key in missing:
        shape = last.params[key].shape
        hits: list[tuple[str, ...]] = []
        for path, array in driven.adapter.arrays().items():
            fitting = driven.adapter.fitted(key, array) if array.size == last.params[key].size else array
            if fitting.shape == shape and explains(with_gradient(driven.recording, key, fitting)):
                hits.append(path)
        if len(hits) == 1:
            names[f"{key}.grad"] = hits[0]
    return names


def with_gradient(recording: Recording, key: str, array: Array) -> Recording:
    """The last pass of a recording alone, with that gradient and nothing else that is not needed."""
    last = recording.steps[-1]
    before = recording.steps[-2].buffers if len(recording.steps) > 1 else last.buffers_before
    seen = dataclasses.replace(
        last, grads={key: np.asarray(array, last.output.dtype)}, buffers={}, buffers_before=before
    )
    return dataclasses.replace(recording, steps=[seen])


class BesidePytorch(NamedTuple):
    """One array that a layer made beside the one that PyTorch's made of the same."""

    step: int
    quantity: str
    tensor: str
    yours: np.ndarray
    theirs: np.ndarray


def beside(recording: Recording, subject: Subject, trial: Trial) -> Iterator[BesidePytorch]:
    """What a layer made beside what PyTorch's makes, pass by pass from where the layer was."""
    theirs = subject.theirs(trial.case)(**recording.hyperparameters)
    if hasattr(theirs, "load_state"):  # PyTorch begins in float32, also with what the layer does not show
        theirs.load_state(
            {key: array.astype(recording.dtype) for key, array in theirs.state.items() if array.dtype.kind == "f"}
        )
    for place, step in enumerate(recording.steps):
        state = step.params | (step.buffers_before if place == 0 else recording.steps[place - 1].buffers)
        if hasattr(theirs, "load_state"):
            theirs.load_state({name: array for name, array in state.items() if name in theirs.state})
            theirs.train(step.training)
        yield BesidePytorch(place + 1, "output", "output", step.output, np.asarray(theirs.forward(*step.inputs)))
        if step.upstream is not None:
            grad = np.asarray(theirs.backward(step.upstream))
            if step.grad_input is not None:
                yield BesidePytorch(place + 1, "grad_input", "input", step.grad_input, grad)
            for name, array in step.grads.items():
                yield BesidePytorch(place + 1, "grad", name, array, theirs.grads[name])
        for name, array in step.buffers.items():
            yield BesidePytorch(place + 1, name, name, array, theirs.buffers[name])


def identical(recording: Recording, subject: Subject, trial: Trial) -> bool:
    """Whether PyTorch's layer, fed the same, makes the same bits throughout."""
    if any(step.upstream is None for step in recording.steps):
        return False  # what cannot be seen cannot be called identical
    return all(one.yours.tobytes() == one.theirs.tobytes() for one in beside(recording, subject, trial))


def as_near(recording: Recording, subject: Subject, trial: Trial, allowed: bool = False) -> bool:
    """Whether nothing is further from exact than PyTorch's is, but for what the lines of the formula round.

    That decides where no digit can be bounded: an allowance for any honest order is none for a number that both find.
    Elsewhere what is within its allowance is near enough, too (`allowed`).
    """
    lines = subject.reference.EQUATIONS
    roundings = ROUNDINGS * len(lines.get(recording.layer, lines)) * formats.named(recording.dtype).unit
    with np.errstate(all="ignore"):
        exact = {(one.step, one.quantity, one.tensor): one.predicted[""] for one in observe(recording, (), {}, True)}
        for one in beside(recording, subject, trial):
            number = exact[one.step, one.quantity, one.tensor]
            value = number.value
            room = distance(one.theirs, value) + roundings * np.abs(value)
            room = np.maximum(room, number.error) if allowed else room
            if not np.all((distance(one.yours, value) <= room) | (np.isnan(one.yours) & np.isnan(one.theirs))):
                return False
    return True
