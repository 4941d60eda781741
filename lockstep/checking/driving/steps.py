"""Drives an implementation through a trial and records what it did."""

import importlib
import pathlib
import random
import sys
import traceback
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from lockstep.adapters.adapter import Adapter, NotTaken
from lockstep.adapters.optimizer.recognise import Recognised
from lockstep.checking.driving.misnamed import of_wrong_sign
from lockstep.checking.driving.promoted import rounded_back
from lockstep.checking.driving.trials import Trial
from lockstep.diagnose.holding import without
from lockstep.engine.guard import Broken
from lockstep.errors import TheirCode
from lockstep.numerics.shapes import Array
from lockstep.recordings.recording import Recording, Step
from lockstep.subjects.families.optim import defaults_of, entries_of, handed_as
from lockstep.subjects.subject import Subject
from lockstep.text import Message, message

HERE = pathlib.Path(__file__).parents[2]
OURS = tuple(HERE.parent / name for name in ("lockstep", "reference", "torch_impl"))


@contextmanager
def seeded(seed: int) -> Generator[None]:
    """The global generators at this seed, and afterwards as they were: what a layer draws of them is drawn again."""
    torch = sys.modules.get("torch")
    before = random.getstate(), np.random.get_state(), torch.get_rng_state() if torch else None  # noqa: NPY002
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002
    if torch:
        torch.manual_seed(seed)
    try:
        yield
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])  # noqa: NPY002
        if torch and before[2] is not None:
            torch.set_rng_state(before[2])


class Raised(TheirCode):
    """The implementation itself raised; the message says what, where in its code, and when in ours."""

    def __init__(self, error: BaseException, scenario: str, step: int) -> None:
        self.error, self.scenario, self.step, self.where = error, scenario, step, place(error)
        self.short = message("raised.short", **told_of(error))
        told = {**told_of(error), "scenario": scenario}
        super().__init__(message("raised.step", **told, step=step) if step else message("raised.start", **told))


class Narrowed(TheirCode):
    """It keeps less than the format that went in, as JAX does without 64 bits: that format says nothing of it."""


def is_ours(error: BaseException) -> bool:
    """Whether it is a fault of Lockstep's own: none of somebody else's code was at work, and no adapter of it."""
    files = [pathlib.Path(frame.filename) for frame in traceback.extract_tb(error.__traceback__)]
    inside = [any(folder in file.parents for folder in OURS) for file in files]
    return all(inside) and not any(HERE / "adapters" in file.parents for file in files)


def first_look(error: BaseException) -> Message:
    """What it raised before it was put through anything."""
    return message("raised.first-look", **told_of(error))


def told_of(error: BaseException) -> dict[str, Any]:
    """What was raised, in the words of whoever raised it, and where in their code."""
    where = place(error)
    return {"words": f"{type(error).__name__}: {error}", "at": message("raised.at", where=where) if where else ""}


def place(error: BaseException) -> str:
    """file:line of the deepest frame that is theirs: neither ours nor, if it can be helped, a library's."""
    frames = traceback.extract_tb(error.__traceback__)
    others = [frame for frame in frames if HERE not in pathlib.Path(frame.filename).parents]
    theirs = [frame for frame in others if "site-packages" not in frame.filename] or others
    return f"{pathlib.Path(theirs[-1].filename).name}:{theirs[-1].lineno}" if theirs else ""


def claims(
    shape: Recognised, subject: Subject, trial: Trial, settings: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the trial measures an implementation by, and what of it the implementation is told.

    Raises:
        NotTaken: where it cannot be told what the trial is about.
    """
    standard = defaults_of(subject)
    base = standard | (shape.defaults if shape.instance else {}) | dict(settings)
    wanted = base | trial.case.hyperparameters
    lacks = [name for name in trial.needs if name not in shape.names and not shape.everything]
    if lacks:
        raise NotTaken(message("reason.no-names", names=", ".join(lacks)))
    known = {name: value for name, value in wanted.items() if name in shape.names}
    if shape.everything:
        known |= {name: value for name, value in wanted.items() if value != standard[name]}
    if trial.defaults:
        known = {name: value for name, value in known.items() if name in {"lr", *settings, *shape.needed}}
        return base | known, known
    return base | known, known


def record(
    shape: Recognised, subject: Subject, trial: Trial, dtype: str, seed: int, settings: Mapping[str, Any]
) -> Recording:
    """What the implementation does in a trial.

    Raises:
        NotTaken: where it cannot be put through it.
        Broken: where what came out cannot be compared.
        Raised: for whatever the implementation raises.
    """
    hyperparameters, known = claims(shape, subject, trial, settings)
    adapter = shape.make()
    try:
        steps = drive(adapter, subject, trial, dtype, seed, hyperparameters, known)
    except Raised as error:
        if trial.mishap != "missing gradient" or not hasattr(adapter, "missing"):
            raise
        adapter = shape.make()
        adapter.missing = "left out"  # type: ignore[attr-defined]
        try:
            steps = drive(adapter, subject, trial, dtype, seed, hyperparameters, known)
        except Raised:
            raise NotTaken(message("reason.no-missing-gradient", said=error.said)) from None
    recording = Recording(
        subject=subject.path,
        scenario=trial.name,
        why=trial.scenario.why,
        dtype=dtype,
        hyperparameters=hyperparameters,
        given=tuple(known),
        defaults={name: value for name, value in shape.defaults.items() if name not in known},
        names={key: own for key, own in getattr(adapter, "names", {}).items() if own != key},
        steps=steps,
        source=str(shape.words),
        spoils=getattr(adapter, "spoils_gradients", False),
        formats=getattr(adapter, "formats", {}),
        resumed=trial.case.resumed,
    )
    return without(recording, of_wrong_sign(recording))


def drive(
    adapter: Adapter,
    subject: Subject,
    trial: Trial,
    dtype: str,
    seed: int,
    hyperparameters: dict[str, Any],
    known: dict[str, Any],
) -> list[Step]:
    case, declared = trial.case, entries_of(subject.path)
    functions = importlib.import_module("reference.functions")
    problem = functions.problem_from(case.problem)
    start = problem.start(case.shapes_for(problem), dtype, seed)
    steps: list[Step] = []
    number = 0
    try:
        with np.errstate(all="ignore"):  # what a wrong formula divides by is found in its numbers
            lay = strided if trial.mishap == "strided" else np.copy
            adapter.start({name: lay(array) for name, array in start.items()}, **known)
            before = read(adapter, start)
            check_start(before, start)
            now, again = dict(hyperparameters), {}
            formats: dict[str, str] = {}
            for number in range(1, case.steps + 1):
                if number == case.resumed:
                    adapter.resume()
                grads = case.scheduled(problem.gradient(before, step=number, seed=seed), number)
                for name, value in case.changes(number).items():
                    if now[name] != value:
                        adapter.set(name, value)
                        now[name] = value
                handed = {name: None if grad is None else lay(grad) for name, grad in grads.items()}
                if trial.mishap == "reused":
                    handed = again = in_the_same(again, handed)
                adapter.step(handed_as(case, handed))
                formats |= rounded_back(adapter, start)
                after = read(adapter, start)
                if any(g is not None and g.tobytes() != grads[name].tobytes() for name, g in handed.items()):
                    vars(adapter)["spoils_gradients"] = True
                steps.append(Step(dict(now), grads, before, after, seen(adapter, start, declared)))
                before = after
            vars(adapter)["formats"] = formats | held_otherwise(adapter, start, declared)
    except (NotTaken, Broken, Narrowed, KeyboardInterrupt):
        raise
    except (Exception, SystemExit) as error:
        if is_ours(error):
            raise
        raise Raised(error, trial.name, number) from error
    return steps


def in_the_same(arrays: dict[str, Array | None], grads: dict[str, Array | None]) -> dict[str, np.ndarray | None]:
    """The gradients in the arrays of the step before, as who zeroes them and adds up hands them over."""
    for name, grad in grads.items():
        array = arrays.get(name)
        if array is not None and grad is not None:
            array[...] = grad
    return {name: grad if arrays.get(name) is None else arrays[name] for name, grad in grads.items()}


def strided(array: Array) -> np.ndarray:
    """A copy whose numbers do not lie side by side: every other of an array that lies the other way round."""
    room = np.zeros((*array.shape[::-1][:-1], 2 * array.shape[0]), array.dtype)
    view = room[..., ::2].T
    view[...] = array
    return view


def read(adapter: Adapter, like: Mapping[str, Array]) -> dict[str, np.ndarray]:
    """Copies of the parameters, of the kind they were given in.

    Raises:
        Broken: for another shape or dtype, or one buffer for two tensors.
    """
    held = {name: np.asarray(array) for name, array in adapter.read().items()}
    own_formats = getattr(adapter, "foreign", False)
    if held.keys() != like.keys():
        raise Broken("names-differ", message("broken.parameter-names", given=list(like), made=list(held)))
    for name, array in held.items():
        given = like[name]
        if array.shape != given.shape:
            turned = array.ndim == 2 and array.shape == given.shape[::-1]
            cause = "layout-transposed" if turned else "shape-differs"
            raise Broken(cause, message("broken.shape-out", name=name, given=given.shape, made=array.shape))
        if own_formats and array.dtype.kind == "f" and array.dtype.itemsize < given.dtype.itemsize:
            raise Narrowed(message("note.narrowed", what=name, given=given.dtype.name, made=array.dtype.name))
        if array.dtype != given.dtype:
            raise Broken("dtype-promoted", message("broken.dtype-out", name=name, given=given.dtype, made=array.dtype))
    names = list(held)
    for place_, name in enumerate(names):
        for other in names[place_ + 1 :]:
            if held[name].size and np.shares_memory(held[name], held[other]):
                raise Broken("shared-memory", message("broken.one-buffer-out", name=name, other=other))
    return {name: np.array(array, order="C") for name, array in held.items()}


def check_start(before: Mapping[str, Array], start: Mapping[str, Array]) -> None:
    for name, array in start.items():
        if before[name].tobytes() != array.tobytes():
            raise Broken("start-differs", message("broken.start-out", name=name))


def held_otherwise(adapter: Adapter, like: Mapping[str, Array], declared: Mapping[str, Any]) -> dict[str, str]:
    """State entries that are held in another format than they are declared with, to that format."""
    return {
        key: held.dtype.name
        for key, named in adapter.state().items()
        for name, held in ((name, np.asarray(array)) for name, array in named.items())
        if key in declared
        and held.dtype.kind == "f"
        and declared[key].kind != "count"
        and held.shape == declared[key].shape(like[name].shape)
        and held.dtype != declared[key].dtype(like[name].dtype)
    }


def seen(adapter: Adapter, like: Mapping[str, Array], declared: Mapping[str, Any]) -> dict[str, dict[str, np.ndarray]]:
    """Copies of the state that has the shape and the dtype it is declared with, without counts of steps."""
    by_key = {
        key: {
            name: np.array(a, order="C")
            for name, a in named.items()
            if not declared[key].fault(like[name], np.asarray(a))
        }
        for key, named in adapter.state().items()
        if key in declared and declared[key].kind != "count"
    }
    return {key: named for key, named in by_key.items() if named}
