"""Drives a layer through a trial, pass by pass, and records what it did."""

import dataclasses
import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from lockstep.adapters.adapter import CannotCheck, NotTaken
from lockstep.adapters.layer.adapter import LayerAdapter, arrays
from lockstep.adapters.names import Names, one_axis
from lockstep.checking.driving.steps import Raised, is_ours
from lockstep.checking.driving.trials import Trial
from lockstep.engine.guard import Broken
from lockstep.numerics.shapes import Array, Arrays, Inputs
from lockstep.recordings.recording import Pass, Recording
from lockstep.subjects.families.layers import drawing
from lockstep.subjects.handed import handed_over
from lockstep.subjects.subject import Subject, own_class
from lockstep.text import Message, message


@dataclasses.dataclass
class Found:
    """How a layer is driven.

    make: an adapter that has not been started. names: PyTorch's hyperparameters to its own names. defaults: its own
    values of them, where they show. everything: it swallows any keyword. fixed: what it is by itself and cannot be told
    otherwise. layer: the class of the subject that it is like.
    """

    make: Callable[[], LayerAdapter]
    names: Names
    defaults: dict[str, Any]
    everything: bool = False
    fixed: dict[str, Any] = dataclasses.field(default_factory=dict[str, Any])
    layer: str = ""

    def takes(self, name: str) -> bool:
        """Whether it can be told this hyperparameter."""
        return self.everything or name in self.names


@dataclasses.dataclass
class Driven:
    """What a layer did, and what of it could not be seen.

    recording: all that could be seen. adapter: after the last pass. widened, narrowed: quantity to the format it came
    in, where that holds more, or less, than the format that went in. unseen: what PyTorch has and it does not show.
    """

    recording: Recording
    adapter: LayerAdapter
    widened: dict[str, str]
    narrowed: dict[str, str]
    unseen: list[Message | str]


def standard_of(subject: Subject, trial: Trial) -> dict[str, Any]:
    """PyTorch's hyperparameters of the class of a trial, with its defaults; `empty` where there is none."""
    signature = inspect.signature(subject.ours(trial.case)).parameters
    return {name: one.default for name, one in signature.items() if name not in ("dtype", "generator")}


def determined(subject: Subject, layer: str, hyperparameters: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """What parameters and buffers start as in PyTorch, where that is not drawn: what two fresh layers agree in."""
    kind = own_class(subject.reference, layer)
    one, other = (getattr(kind(**hyperparameters), "state", {}) for _ in range(2))
    return {name: np.asarray(a) for name, a in one.items() if np.array_equal(a, other[name])}


def drive(
    way: Found,
    subject: Subject,
    trial: Trial,
    settings: Mapping[str, Any],
    dtype: str,
    seed: int,
    state: Arrays | None = None,
) -> Driven:
    """What the layer does in a trial; `state` is loaded in place of what the trial begins with.

    Raises:
        NotTaken, Broken, Raised: as of an optimizer. CannotCheck: where it has a parameter that is not to be found.
    """
    case, standard = trial.case, standard_of(subject, trial)
    hyperparameters, known = claims(way, trial, standard, settings)
    with handed_over():
        reference = subject.ours(case)(**hyperparameters)
    start = case.start(drawing(seed, 0), getattr(reference, "state", {}), dtype) if state is None else state
    params = {name: start[name] for name in getattr(reference, "params", {}) if name in start}
    buffers = {name: start[name] for name in getattr(reference, "buffers", {}) if name in start}
    own = {name: np.asarray(array, dtype) for name, array in getattr(reference, "params", {}).items()}
    shape = functools.partial(output_shape, reference, own | params)
    sizes = {name: array.shape for name, array in start.items()}
    adapter = way.make()
    formats: dict[str, str] = {}
    passes: list[Pass] = []
    step = 0
    try:
        adapter.start(copied(params), copied(buffers), **known)
        for step in range(1, case.steps + 1):
            before = buffers if step == 1 else {}
            passes.append(one_pass(adapter, case, step, params, before, shape, sizes, dtype, seed, formats))
    except (NotTaken, Broken, CannotCheck, KeyboardInterrupt):
        raise
    except (Exception, SystemExit) as error:
        if is_ours(error):
            raise
        raise Raised(error, trial.name, step) from error
    left = without_unset(passes, adapter, subject, case.layer, hyperparameters)
    recording = Recording(
        subject=subject.path,
        layer=case.layer,
        scenario=trial.name,
        why=trial.scenario.why,
        dtype=dtype,
        hyperparameters=hyperparameters,
        given=tuple(known),
        defaults={name: value for name, value in way.defaults.items() if name not in known} | way.fixed,
        steps=left,
        source=str(adapter.words),
        spoils=getattr(adapter, "spoils", False),
    )
    size = np.dtype(dtype).itemsize
    widened = {what: kind for what, kind in formats.items() if np.dtype(kind).itemsize > size}
    narrowed = {what: kind for what, kind in formats.items() if what not in widened}
    return Driven(recording, adapter, widened, narrowed, unseen_of(left, adapter, reference))


def claims(
    way: Found, trial: Trial, standard: Mapping[str, Any], settings: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the trial measures a layer by, and what of it the layer is told.

    Raises:
        NotTaken: where it cannot be told what the trial is about.
    """
    needed = {name for name, value in standard.items() if value is inspect.Parameter.empty}
    wanted = dict(trial.case.hyperparameters)
    base = dict(standard) | way.fixed
    lacks = [
        name
        for name, value in wanted.items()
        if name not in needed and value != base[name] and not way.takes(name) and name not in settings
    ]
    if lacks:
        raise NotTaken(message("reason.no-names", names=", ".join(lacks)))
    shape: Any = wanted.get("normalized_shape", ())
    called = way.names.get("normalized_shape")
    if np.size(shape) > 1 and (one_axis("normalized_shape", called) or not way.takes("normalized_shape")):
        raise NotTaken(
            message("reason.one-number", name=called)
            if called
            else message("reason.no-names", names="normalized_shape")
        )
    own = {name: value for name, value in wanted.items() if not trial.defaults or name in needed}
    hyperparameters = base | own | dict(settings)
    known = {name: value for name, value in hyperparameters.items() if name in way.names}
    if trial.defaults:
        known = {name: value for name, value in known.items() if name in needed | set(settings)}
    elif way.everything:
        known |= {name: value for name, value in hyperparameters.items() if value != standard.get(name)}
    return hyperparameters, known


def copied(named_arrays: Any):
    return {name: np.array(array) for name, array in named_arrays.items()}


def output_shape(reference: Any, params: Mapping[str, Array], inputs: tuple[Inputs, ...], training: bool):
    """The shape of PyTorch's output."""
    with np.errstate(all="ignore"):
        reference.train(training) if hasattr(reference, "train") else None
        if params:
            reference.load_state(params)
        return np.shape(reference.forward(*inputs))


def one_pass(
    adapter: Any,
    case: Any,
    step: int,
    params: Any,
    buffers: Any,
    shape: Any,
    sizes: Any,
    dtype: str,
    seed: int,
    formats: dict[str, str],
) -> Pass:
    rng, training = drawing(seed, step), case.training(step)
    inputs = case.inputs(rng, step, dtype)
    x = inputs[0]
    handed = inputs if not case.masked or adapter.takes_mask else (x,)
    wanted = x.shape if case.masked else shape(inputs, training)
    upstream = case.upstream(rng, wanted, dtype)
    given, above = tuple(np.array(part) for part in handed), np.array(upstream)
    with np.errstate(all="ignore"):
        made = adapter.run(training, given, above)
    if any(part.tobytes() != was.tobytes() for part, was in zip((*given, above), (*handed, upstream), strict=True)):
        vars(adapter)["spoils"] = True
    its_own = None if made.upstream is above else made.upstream
    output = fitted(message("made.output"), made.output, wanted, dtype, formats)
    grad = (
        None
        if made.grad_input is None
        else fitted(message("made.grad-input"), made.grad_input, x.shape, dtype, formats)
    )
    if case.masked and not adapter.takes_mask:
        inputs = with_mask(x, output, grad, training)
    grads = {
        name: fitted(message("made.grad", name=name), array, params[name].shape, dtype, formats)
        for name, array in arrays(made.grads).items()
    }
    kept = {name: a for name, a in arrays(made.buffers).items() if name in sizes and name != "num_batches_tracked"}
    return Pass(
        training=training,
        inputs=inputs,
        upstream=None if grad is None else np.asarray(upstream if its_own is None else its_own, dtype),
        output=output,
        grad_input=grad,
        params=params,
        grads=grads,
        buffers_before=buffers,
        buffers={name: fitted(name, array, sizes[name], dtype, formats) for name, array in kept.items()},
    )


def with_mask(x: Array, output: Array, grad: Array | None, training: bool) -> tuple[np.ndarray, ...]:
    """The input with the mask that shows in the output: what a layer drew by itself; where x is 0, in the gradient."""
    passes = np.ones(x.shape, bool) if grad is None else grad != 0
    kept = np.where(x == 0, passes, output != 0).astype(x.dtype)
    return (x, kept) if training or not kept.all() else (x,)


def fitted(what: Message | str, array: Any, shape: tuple[int, ...], dtype: str, formats: dict[str, str]) -> np.ndarray:
    """A copy in PyTorch's shape, where it differs in axes of one, and in the format that went in; another is noted.

    Raises:
        Broken: for another shape, or for what holds no numbers.
    """
    array = np.asarray(array)
    if array.dtype.kind not in "fiu":
        raise Broken("dtype-promoted", message("broken.made-dtype", dtype=dtype, what=what, made=str(array.dtype)))
    plain = tuple(size for size in array.shape if size != 1)
    if array.shape != tuple(shape) and plain == tuple(size for size in shape if size != 1):
        array = array.reshape(shape)
    if array.shape != tuple(shape):
        said = message("broken.made-shape", what=what, made=str(array.shape), wanted=str(tuple(shape)))
        if array.ndim == 2 and array.shape == tuple(shape)[::-1]:
            raise Broken("layout-transposed", message("broken.made-turned", said=said))
        raise Broken("shape-differs", said)
    if array.dtype != np.dtype(dtype):
        formats.setdefault(str(what), array.dtype.name)
    return np.array(array, dtype)


def without_unset(
    passes: list[Pass], adapter: Any, subject: Subject, layer: str, hyperparameters: Mapping[str, Any]
) -> list[Pass]:
    """The passes without what could not be set: there the layer has what it began with, and PyTorch what it does.

    Raises:
        CannotCheck: where PyTorch draws that, so that nobody knows what the layer has.
    """
    if not adapter.unset:
        return passes
    known = determined(subject, layer, hyperparameters)
    drawn = [name for name in adapter.unset if name not in known]
    if drawn:
        held = ", ".join(f"{'.'.join(path)} {array.shape}" for path, array in adapter.arrays().items())
        told = {"asked": ",".join(f"{name}=…" for name in drawn), "known": held or message("recognise.no-arrays")}
        raise CannotCheck(message("recognise.not-found", keys=", ".join(drawn), **told))
    return [
        dataclasses.replace(
            passed,
            params={name: array for name, array in passed.params.items() if name not in adapter.unset},
            buffers_before={name: array for name, array in passed.buffers_before.items() if name not in adapter.unset},
        )
        for passed in passes
    ]


def unseen_of(passes: list[Pass], adapter: Any, reference: Any) -> list[Message | str]:
    """What PyTorch's layer shows and this one does not."""
    params, buffers = getattr(reference, "params", {}), getattr(reference, "buffers", {})
    missing: list[Message | str] = list(adapter.unset)
    if any(passed.grad_input is None for passed in passes):
        missing.append("grad_input")
    missing += [
        message("made.grad", name=name) for name in params if any(name not in passed.grads for passed in passes)
    ]
    shown = [name for name in buffers if name != "num_batches_tracked" and name not in missing]
    return [*missing, *(name for name in shown if any(name not in passed.buffers for passed in passes))]
