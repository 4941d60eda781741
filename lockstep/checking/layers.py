"""Checks somebody's layer, loss or penalty against PyTorch's."""

import dataclasses
import functools
import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from lockstep.adapters.adapter import CannotCheck, NotTaken
from lockstep.adapters.layer.adapter import LayerAdapter, Made, arrays
from lockstep.adapters.layer.function import LayerFunction
from lockstep.adapters.layer.module import Module
from lockstep.adapters.layer.object import BACKWARD, FORWARD, LayerObject, arrays_of
from lockstep.adapters.layer.ours import OurLayer
from lockstep.adapters.making import Maker, maker_of
from lockstep.adapters.names import Names, in_words, match, named
from lockstep.causes import Scenario, scenarios
from lockstep.checking.answer import Check, Outcome
from lockstep.checking.driving import Raised
from lockstep.checking.naming import OWN_DEFAULTS, name_causes
from lockstep.checking.scenarios import Trial, trials
from lockstep.diagnose.replay import replay, screen
from lockstep.engine.guard import Broken
from lockstep.errors import NoSuchName
from lockstep.numerics.verdict import worst
from lockstep.recordings.recording import Pass, Recording
from lockstep.subjects.handed import handed_over
from lockstep.subjects.layers import drawing
from lockstep.subjects.subject import Subject
from lockstep.text import message

NEAR = 1e3  # times as far off: one layout, where the numbers are drawn anew
MOST = 12  # cases of a subject that has no scenarios of its own

SHAPES = """the shapes that are recognised:
  a torch.nn.Module
  an object with forward(x) and backward(grad), or one that is called with x
  a function forward(x, …), with its backward(grad, cache) beside it under the name to match
  a subclass of lockstep.LayerAdapter, for anything else (docs/checking.md)"""


@dataclasses.dataclass
class Found:
    """How a layer is driven."""

    make: Callable[[], LayerAdapter]
    names: Names
    defaults: dict[str, Any]
    everything: bool = False


def check_layer(target, subject: Subject, settings, dtypes, only, seed, on_scenario) -> Check:
    """As `lockstep.check`, of a layer; its class is the one of the target's name, where the subject has several."""
    name = getattr(target, "__name__", type(target).__name__)
    result = Check(subject.path, name)
    wanted = [trial for trial in of_class(subject, name) if only is None or trial.name == only]
    if not wanted:
        known = "; ".join(trial.name for trial in of_class(subject, name))
        raise NoSuchName(f"no scenario {only!r}; there are: {known}")
    try:
        found = chosen(target, subject, wanted, settings, seed)
    except (CannotCheck, Broken) as error:
        result.broken = {"id": "not-recognised", "message": f"{error}\n{SHAPES}"}
        return result
    result.words, result.names = found.make().words, in_words(found.names)
    total = len(wanted) * len(dtypes)
    for place, (dtype, trial) in enumerate((dtype, trial) for dtype in dtypes for trial in wanted):
        if on_scenario:
            on_scenario(f"{trial.name}, {dtype}", place, total)
        if trial.defaults and not set(found.defaults) - set(settings):
            continue
        if not one(result, found, subject, trial, settings, dtype, seed, first=not result.outcomes):
            break
    name_causes(result)
    return result


def of_class(subject: Subject, name: str) -> list[Trial]:
    """The trials of the class that is meant, those of its own input first; and its own defaults.

    Raises:
        ValueError: where the subject has several classes, and the name is like none of them.
    """
    layers = list(dict.fromkeys(case.layer for case in subject.cases.CASES))
    plain = name.lower().replace("_", "")
    meant = next((layer for layer in layers if layer.lower() in plain), None)
    if scenarios(subject):
        known = sorted(trials(subject), key=lambda trial: trial.case.layer != (meant or trial.case.layer))
    elif meant or len(layers) == 1:
        cases = [case for case in subject.cases.CASES if case.layer == (meant or layers[0]) and not case.still]
        known = [Trial(Scenario(case)) for case in cases[:MOST]]
    else:
        raise NoSuchName(f"{subject.path} has {', '.join(layers)}: give it the name of the one it is, not {name!r}")
    return [*known, Trial(Scenario(known[0].case.replaced(desc=OWN_DEFAULTS)), defaults=True)]


def candidates(target: Any, wanted: tuple[str, ...]) -> Iterator[Found]:
    """The shapes it may have, each in PyTorch's layout and features first."""
    torch = sys.modules.get("torch")
    kind = target if inspect.isclass(target) else type(target)
    if inspect.isclass(target) and issubclass(target, LayerAdapter):
        names = match([n for n in named(target.start) if n not in ("self", "params", "buffers")], wanted)
        yield Found(target, names, {})
    elif torch is not None and issubclass(kind, torch.nn.Module):
        maker = maker_of(target, wanted)
        yield Found(functools.partial(Module, maker), maker.names, maker.defaults(), maker.everything)
    elif all(callable(getattr(kind, name, None)) for name in ("load_state", "train", "forward", "backward")):
        maker = maker_of(target, wanted)
        yield Found(functools.partial(OurLayer, maker), maker.names, maker.defaults(), maker.everything)
    elif inspect.isroutine(target):
        for turned in (False, True):
            adapter = LayerFunction(target, wanted, turned)
            if adapter.lacks:
                raise CannotCheck(f"{target.__name__} needs {', '.join(adapter.lacks)}, which is no name known here")
            defaults = Maker(target, adapter.names, None, everything=False).defaults()
            names = {**adapter.in_dict, **adapter.names}
            yield Found(functools.partial(LayerFunction, target, wanted, turned), names, defaults)
    elif any(callable(getattr(kind, name, None)) for name in (*FORWARD[:1], *BACKWARD)) or callable(target):
        maker = maker_of(target, wanted, arrays_of(target) if inspect.isclass(target) else ())
        for turned in (False, True):
            yield Found(functools.partial(LayerObject, maker, turned), maker.names, maker.defaults(), maker.everything)


def chosen(target: Any, subject: Subject, tried: list[Trial], settings, seed: int) -> Found:
    """The candidate that comes nearest to the formula, in the first trial that any can run: layouts show by numbers.

    Raises:
        CannotCheck: where none runs.
    """
    failures = []
    for trial in tried:
        rated: list[tuple[float, Found]] = []
        for found in candidates(target, tuple(standard_of(subject, trial))):
            try:
                recording = record(found, subject, trial, settings, "float64", seed)
                rated.append((screen(recording), found))
            except (Raised, Broken, NotTaken) as error:
                failures.append(f"  tried as {found.make().words}: {error}")
        if rated:
            best = min(np.nan_to_num(one[0], nan=np.inf) for one in rated)
            return next(found for score, found in rated if not score > NEAR * best)  # the first that is as near
    name = getattr(target, "__name__", type(target).__name__)
    raise CannotCheck("\n".join([f"{name} is no layer that can be driven", *failures[:4]]))


def standard_of(subject: Subject, trial: Trial) -> dict[str, Any]:
    """PyTorch's hyperparameters of the class of a trial, with its defaults; `empty` where there is none."""
    signature = inspect.signature(subject.ours(trial.case)).parameters
    return {name: one.default for name, one in signature.items() if name not in ("dtype", "generator")}


def one(
    result: Check, found: Found, subject: Subject, trial: Trial, settings, dtype: str, seed: int, first: bool
) -> bool:
    """One scenario; False where there is no point in going on."""
    try:
        recording = record(found, subject, trial, settings, dtype, seed)
    except NotTaken as reason:
        skip(result, trial, str(reason))
        return True
    except Raised as error:
        if first:
            result.broken = {"id": "exception", "message": str(error)}
            return False
        skip(result, trial, str(error))
        return True
    except Broken as fault:
        passed = worst(outcome.verdict for outcome in result.outcomes)
        seen = f"; before that: {passed}" if result.outcomes else ""
        result.broken = {"id": fault.cause, "message": f"{fault} (scenario {trial.name!r}, {dtype}){seen}"}
        return False
    outcome = Outcome(recording, replay(recording))
    if outcome.residual.explains and importlib.util.find_spec("torch"):
        outcome.identical = identical(recording, subject, trial)
    result.outcomes.append(outcome)
    missing = [name for name in ("grad_input",) if getattr(recording.steps[0], name) is None]
    for name in missing:
        note = message("note.unseen", name=name)
        if note not in result.notes:
            result.notes.append(note)
    return True


def skip(result: Check, trial: Trial, reason: str) -> None:
    entry = {"scenario": trial.name, "reason": reason}
    if entry not in result.not_triggered:
        result.not_triggered.append(entry)


def record(found: Found, subject: Subject, trial: Trial, settings, dtype: str, seed: int) -> Recording:
    """What the layer does in a trial.

    Raises:
        NotTaken, Broken, Raised: as of an optimizer.
    """
    case, standard = trial.case, standard_of(subject, trial)
    needed = {name for name, value in standard.items() if value is inspect.Parameter.empty}
    own = {name: value for name, value in case.hyperparameters.items() if not trial.defaults or name in needed}
    if not found.everything:  # what it cannot be told is PyTorch's default
        own = {name: value for name, value in own.items() if name in found.names or name in needed}
    hyperparameters = standard | own | dict(settings)
    with handed_over():
        layer = subject.ours(case)(**hyperparameters)
    start = case.start(drawing(seed, 0), getattr(layer, "state", {}), dtype)
    params = {name: start[name] for name in layer.params}
    buffers = {name: start[name] for name in layer.buffers}
    known = {name: value for name, value in hyperparameters.items() if name in found.names}
    if trial.defaults:
        known = {name: value for name, value in known.items() if name in needed | set(settings)}
    elif found.everything:
        known |= {name: value for name, value in hyperparameters.items() if value != standard.get(name)}
    adapter = found.make()
    passes: list[Pass] = []
    step = 0
    try:
        adapter.start(copied(params), copied(buffers), **known)
        for step in range(1, case.steps + 1):
            passes.append(one_pass(adapter, case, step, params, buffers if step == 1 else {}, dtype, seed))
            before = passes[-1].buffers
            if step < case.steps and before:
                buffers = before
    except (NotTaken, Broken, KeyboardInterrupt):
        raise
    except (Exception, SystemExit) as error:
        raise Raised(error, trial.name, step) from error
    return Recording(
        subject=subject.path,
        layer=case.layer,
        scenario=trial.name,
        why=trial.scenario.why,
        dtype=dtype,
        hyperparameters=hyperparameters,
        given=tuple(known),
        defaults={name: value for name, value in found.defaults.items() if name not in known},
        steps=passes,
        source=adapter.words,
    )


def copied(named_arrays):
    return {name: np.array(array) for name, array in named_arrays.items()}


def one_pass(adapter: LayerAdapter, case, step: int, params, buffers, dtype: str, seed: int) -> Pass:
    rng, training = drawing(seed, step), case.training(step)
    inputs = case.inputs(rng, step, dtype)
    x = inputs[0]
    handed = inputs if not case.masked or adapter.takes_mask else (x,)
    shape = () if case.target or case.layer in ("L1", "L2") else x.shape
    upstream = case.upstream(rng, shape, dtype) if case.layer != "Linear" else drawn_for(params, x, rng, dtype)
    with np.errstate(all="ignore"):
        made = adapter.run(training, tuple(np.array(one) for one in handed), np.array(upstream))
    output = np.asarray(made.output)
    fits("output", output, upstream.shape, dtype)
    if case.masked and not adapter.takes_mask:
        inputs = with_mask(x, output, training)
    grad = None if made.grad_input is None else np.array(made.grad_input)
    if grad is not None:
        fits("gradient by the input", grad, x.shape, dtype)
    grads = arrays(made.grads)
    for name, array in grads.items():
        fits(f"gradient by {name}", array, params[name].shape, dtype)
    return Pass(
        training=training,
        inputs=inputs,
        upstream=(upstream if made.upstream is None else np.asarray(made.upstream, dtype))
        if grad is not None
        else None,
        output=np.array(output),
        grad_input=grad,
        params=params,
        grads=grads,
        buffers_before=buffers,
        buffers={name: np.array(a) for name, a in arrays(made.buffers).items() if name != "num_batches_tracked"},
    )


def drawn_for(params, x, rng, dtype):
    """A gradient from above in the shape that a linear layer makes."""
    return np.asarray(rng.standard_normal((*x.shape[:-1], params["weight"].shape[0])), dtype)


def with_mask(x: np.ndarray, output: np.ndarray, training: bool) -> tuple[np.ndarray, ...]:
    """The input with the mask that shows in the output: what a layer drew by itself."""
    kept = ((output != 0) | (x == 0)).astype(x.dtype)
    return (x, kept) if training or not kept.all() else (x,)


def fits(what: str, array: np.ndarray, shape: tuple[int, ...], dtype: str) -> None:
    """Refuse what cannot be compared.

    Raises:
        Broken: for another shape or dtype.
    """
    if array.shape != tuple(shape):
        turned = array.ndim == 2 and array.shape == tuple(shape)[::-1]
        raise Broken(
            "layout-transposed" if turned else "shape-differs",
            f"the {what} has shape {array.shape}, not {tuple(shape)}" + (": transposed" if turned else ""),
        )
    if array.dtype != np.dtype(dtype):
        raise Broken("dtype-promoted", f"{dtype} went in, and the {what} is {array.dtype}")


def identical(recording: Recording, subject: Subject, trial: Trial) -> bool:
    """Whether PyTorch's layer, fed the same, makes the same bits throughout."""
    if any(step.upstream is None for step in recording.steps):
        return False  # what cannot be seen cannot be called identical
    theirs = subject.theirs(trial.case)(**recording.hyperparameters)
    for place, step in enumerate(recording.steps):
        state = step.params | (step.buffers_before if place == 0 else recording.steps[place - 1].buffers)
        if hasattr(theirs, "load_state"):
            theirs.load_state({name: array for name, array in state.items() if name in theirs.state})
            theirs.train(step.training)
        made = Made(theirs.forward(*step.inputs))
        pairs = [(step.output, made.output)]
        if step.upstream is not None:
            pairs.append((step.grad_input, theirs.backward(step.upstream)))
            pairs += [(step.grads[name], theirs.grads[name]) for name in step.grads]
        pairs += [(array, theirs.buffers[name]) for name, array in step.buffers.items()]
        if any(np.asarray(one).tobytes() != np.asarray(other).tobytes() for one, other in pairs):
            return False
    return True
