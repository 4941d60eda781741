"""Somebody's own average of weights, driven: a class that is told of parameters, or a function of two arrays."""

import importlib
import inspect
from collections.abc import Callable, Mapping
from typing import Any, cast

import numpy as np

from lockstep.errors import TheirCode
from lockstep.numerics.shapes import Arrays
from lockstep.text import message

Average = Callable[[Arrays], dict[str, Any]]  # brought up to date with parameters; what it is then

UPDATES = ("update", "update_parameters", "step", "__call__", "update_average", "accumulate")
BEGUN = ("register", "init", "initialize", "start", "reset")
KEPT = (
    *("averaged", "shadow", "ema", "average", "avg", "averages", "shadow_params", "ema_params", "params", "ema_model"),
    *("module", "model"),
)


def driven(target: Any, told: Mapping[str, Any], start: Arrays, buffered: bool) -> Average:
    """By the first of the ways to hold parameters that it takes: by name, in a list, in a module, each by itself.

    Arguments:
        target: a class, made of parameters or of none, or a function of the average and of the parameters.
        told: what it is told besides, by its own names.
        start: parameters to begin with.
        buffered: whether some of them are buffers, which a module alone tells apart.

    Raises:
        TheirCode: where it takes none of them; it says what the first was answered.
    """
    problems: list[Exception] = [TheirCode(message("recognise.buffers-untold"))] if buffered else []
    by_itself = (by_name, in_list, in_module, of_parameters, one_by_one) if inspect.isclass(target) else (of_arrays,)
    for way in (in_module,) if buffered else by_itself:
        try:
            way(target, told, start)(start)
        except Exception as problem:
            problems.append(problem)
        else:
            return way(target, told, start)
    raise next((one for one in problems if isinstance(one, TheirCode)), problems[0])


def by_name(target: Any, told: Mapping[str, Any], start: Arrays) -> Average:
    params = copies(start)
    average = made(target, told, params)
    return lambda given: shown(average, updated(average)(copies(given)), given, params)


def in_list(target: Any, told: Mapping[str, Any], start: Arrays) -> Average:
    params = list(copies(start).values())
    average = made(target, told, params)
    return lambda given: shown(average, updated(average)(list(copies(given).values())), given, params)


def in_module(target: Any, told: Mapping[str, Any], start: Arrays) -> Average:
    """In a module of PyTorch, which hands out its parameters."""
    module_of = importlib.import_module("torch_impl.average.averaged").module_of
    module = module_of(start)
    average = made(target, told, module)

    def brought(given: Arrays) -> dict[str, Any]:
        module.load_state_dict(module_of(given).state_dict())
        return shown(average, updated(average)(module), given, module)

    return brought


def of_parameters(target: Any, told: Mapping[str, Any], start: Arrays) -> Average:
    """In a list of PyTorch's parameters."""
    module_of = importlib.import_module("torch_impl.average.averaged").module_of
    params = list(module_of(start).parameters())
    average = made(target, told, params)
    return lambda given: shown(average, updated(average)(list(module_of(given).parameters())), given, params)


def one_by_one(target: Any, told: Mapping[str, Any], start: Arrays) -> Average:
    """Each by its name and itself, as a class of few lines often has it."""
    average = target(**told)
    begin = next((getattr(average, name) for name in BEGUN if hasattr(average, name)), None)
    if begin:
        for name, array in copies(start).items():
            begin(name, array)
    update = updated(average)

    def brought(given: Arrays) -> dict[str, Any]:
        answers = {name: update(name, array) for name, array in copies(given).items()}
        return shown(average, answers, given)

    return brought


def of_arrays(target: Any, told: Mapping[str, Any], start: Arrays) -> Average:
    """A function of an average and a parameter, told of the first that is copied."""
    averages: dict[str, Any] = {}

    def brought(given: Arrays) -> dict[str, Any]:
        for name, array in copies(given).items():
            answer = target(averages[name], array, **told) if name in averages else array
            averages[name] = averages[name] if answer is None else answer
        return shown(None, dict(averages), given)

    target(next(iter(copies(start).values())), next(iter(copies(start).values())), **told)
    return brought


def made(target: Any, told: Mapping[str, Any], params: Any) -> Any:
    """The average, of parameters where it is made of some."""
    needed = [
        name
        for name, given in inspect.signature(target).parameters.items()
        if name not in told and given.default is inspect.Parameter.empty and given.kind is given.POSITIONAL_OR_KEYWORD
    ]
    average = target(params, **told) if needed else target(**told)
    begin = None if needed else next((getattr(average, name) for name in BEGUN if hasattr(average, name)), None)
    if begin:
        begin(*([params] if inspect.signature(begin).parameters else []))
    return average


def updated(average: Any) -> Callable[..., Any]:
    """The method that brings it up to date; without an argument where it holds on to the parameters themselves.

    Raises:
        TheirCode: where it has none.
    """
    name = next((name for name in UPDATES if callable(getattr(average, name, None))), None)
    if name is None:
        raise TheirCode(message("recognise.no-average", updates=", ".join(UPDATES), kept=", ".join(KEPT)))
    update = getattr(average, name)

    def without(_: Any) -> Any:
        return update()

    return update if inspect.signature(update).parameters else without


def shown(average: Any, answer: Any, given: Arrays, handed: Any = None) -> dict[str, Any]:
    """The average as it stands: what is held under one of the usual names, or was answered; never what it was handed.

    Raises:
        TheirCode: where there is no such thing.
    """
    for part in (*(getattr(average, name, None) for name in KEPT), answer):
        if part is None or part is handed:
            continue
        held: Any = part.state_dict() if hasattr(part, "state_dict") else part
        if isinstance(held, list) and len(cast("list[Any]", held)) == len(given):
            held = dict(zip(given, cast("list[Any]", held), strict=True))
        if not isinstance(held, Mapping):
            continue
        named = cast("Mapping[str, Any]", held)
        plain = {name.replace(".", "_"): value for name, value in named.items()}  # as a module has to call them
        arrays = [as_array(plain.get(name.replace(".", "_"), np.nan)) for name in given]
        if all(array.shape == like.shape for array, like in zip(arrays, given.values(), strict=True)):
            return dict(zip(given, arrays, strict=True))
    raise TheirCode(message("recognise.no-average", updates=", ".join(UPDATES), kept=", ".join(KEPT)))


def as_array(value: Any) -> np.ndarray:
    return np.array(value.detach().numpy() if hasattr(value, "detach") else value)


def copies(given: Arrays) -> dict[str, np.ndarray]:
    return {name: array.copy() for name, array in given.items()}
