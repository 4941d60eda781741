"""Somebody's own transformation of gradients, driven: a function or a class, of whatever holds gradients."""

import functools
import importlib
import inspect
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, cast

import numpy as np

from lockstep.errors import TheirCode
from lockstep.numerics.shapes import Arrays
from lockstep.text import message

Made = tuple[dict[str, Any], tuple[Any, ...]]  # the gradients, and the numbers that it tells
Way = Callable[[Callable[..., Any], Arrays, Arrays, bool], Made]

PARAMETERS = ("parameters", "params", "model", "module", "net", "optimizer")
METHODS = ("__call__", "clip", "clip_", "apply", "step", "transform", "process", "update")


def driven(
    target: Any, told: Mapping[str, Any], shapes: Callable[[Arrays], Arrays], together: bool
) -> Callable[[Arrays], Made]:
    """What it makes of gradients, by the first of the ways to hold them that it takes.

    Arguments:
        target: a function of gradients or of parameters that have some, or a class with a method of them.
        told: what it is told besides, by its own names.
        shapes: what comes in to arrays of the shapes of what comes out.
        together: whether the formula looks at all tensors at once, which an array alone does not show.

    Raises:
        TheirCode: where it takes none of them; it says what the first was answered.
    """
    chosen: list[Way] = []
    calling = called(target, told)

    def made(given: Arrays) -> Made:
        if chosen:
            return chosen[0](calling, given, shapes(given), together)
        problems: list[Exception] = []
        for way in ways(target):
            try:
                answer = way(called(target, told), given, shapes(given), together)
            except Exception as problem:
                problems.append(problem)
            else:
                chosen.append(way)
                return way(calling, given, shapes(given), together) if inspect.isclass(target) else answer
        raise next((one for one in problems if isinstance(one, TheirCode)), problems[0])

    return made


def called(target: Any, told: Mapping[str, Any]) -> Callable[..., Any]:
    """What is given the gradients: a function that is told the rest each time, or a method of what was told it once."""
    if not inspect.isclass(target):
        return functools.partial(target, **told)
    held = target(**told)
    method = next((getattr(held, name) for name in METHODS if callable(getattr(held, name, None))), None)
    if method is None:
        raise TheirCode(message("recognise.no-clipping", methods=", ".join(METHODS)))
    return method


def ways(target: Any) -> Sequence[Way]:
    """How it may want to be given gradients, the likeliest first."""
    first = "" if inspect.isclass(target) else next(iter(inspect.signature(target).parameters), "")
    gradients, owners = (named, listed, alone), (tensors, holders)
    return (*owners, *gradients) if first in PARAMETERS else (*gradients, *owners)


def named(call: Callable[..., Any], given: Arrays, wanted: Arrays, together: bool) -> Made:
    """By name, as a dictionary."""
    copies = {name: array.copy() for name, array in given.items()}
    return answered(call(copies), copies, wanted)


def listed(call: Callable[..., Any], given: Arrays, wanted: Arrays, together: bool) -> Made:
    """One after the other, in a list."""
    copies = [array.copy() for array in given.values()]
    return answered(call(copies), copies, wanted)


def alone(call: Callable[..., Any], given: Arrays, wanted: Arrays, together: bool) -> Made:
    """Each by itself, as an array."""
    if together and len(given) > 1:
        raise TheirCode(message("recognise.gradient-alone"))
    made: dict[str, Any] = {}
    numbers: tuple[Any, ...] = ()
    for name, array in given.items():
        copy = array.copy()
        grads, numbers = answered(call(copy), [copy], {name: wanted[name]})
        made |= grads
    return made, numbers


def tensors(call: Callable[..., Any], given: Arrays, wanted: Arrays, together: bool) -> Made:
    """As parameters of PyTorch that have gradients."""
    torch_tensors = importlib.import_module("torch_impl.tensors")
    parameters = [torch_tensors.tensor(np.zeros_like(array), requires_grad=True) for array in given.values()]
    for parameter, array in zip(parameters, given.values(), strict=True):
        parameter.grad = torch_tensors.tensor(array.copy())
    answer = call(parameters)
    grads = [np.array(torch_tensors.array(parameter.grad)) for parameter in parameters]
    return answered(answer, grads, wanted)


def holders(call: Callable[..., Any], given: Arrays, wanted: Arrays, together: bool) -> Made:
    """As objects of NumPy's arrays: `data` and `grad`."""
    kept = [
        types.SimpleNamespace(data=np.zeros_like(array), grad=array.copy(), shape=array.shape)
        for array in given.values()
    ]
    answer = call(kept)
    return answered(answer, [holder.grad for holder in kept], wanted)


def answered(answer: Any, changed: Any, given: Arrays) -> Made:
    """The gradients it returned, else those it changed in place; and the numbers that it tells, such as the norm.

    Raises:
        TheirCode: where it returned something else.
    """
    grads: dict[str, Any] = {}
    numbers: tuple[Any, ...] = ()
    several = isinstance(answer, tuple) and not as_grads(answer, given)
    parts = cast("tuple[Any, ...]", answer if several else (answer,))
    for part in parts:
        if part is None or part is changed:
            continue
        if getattr(part, "ndim", 0 if isinstance(part, int | float) else None) == 0 and given:
            numbers += (np.asarray(float(part), next(iter(given.values())).dtype),)
        elif arrays := as_grads(part, given):
            grads = arrays
        else:
            raise TheirCode(message("recognise.gradients-returned", kind=type(part).__name__))
    return grads or as_grads(changed, given), numbers


def as_grads(part: Any, given: Arrays) -> dict[str, Any]:
    """An answer as named gradients; nothing where it is none.

    Raises:
        TheirCode: for one of another shape.
    """
    if isinstance(part, np.ndarray) and len(given) == 1:
        part = [part]
    if isinstance(part, Iterator):
        part = list(cast("Iterator[Any]", part))
    if isinstance(part, list | tuple) and len(cast("list[Any]", part)) == len(given):
        part = dict(zip(given, cast("list[Any]", part), strict=True))
    if not isinstance(part, Mapping):
        return {}
    by_name = cast("Mapping[str, Any]", part)
    if by_name.keys() != given.keys() or not all(hasattr(array, "shape") for array in by_name.values()):
        return {}
    arrays: dict[str, np.ndarray] = {str(name): np.asarray(array) for name, array in by_name.items()}
    if any(array.dtype.kind != "f" for array in arrays.values()):
        return {}
    for name, array in arrays.items():
        if array.shape != given[name].shape:
            what = {"name": name, "shape": list(array.shape), "wanted": list(given[name].shape)}
            raise TheirCode(message("recognise.gradient-shape", **what))
    return arrays
