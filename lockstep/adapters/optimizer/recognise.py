"""What somebody's optimizer offers, and so how it is to be driven."""

import functools
import inspect
import itertools
import sys
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from lockstep.adapters.adapter import Adapter, CannotCheck, NotTaken
from lockstep.adapters.making import Maker, callable_maker, maker_of
from lockstep.adapters.names import Names, match, named, takes_any, told
from lockstep.adapters.optimizer.object_step import FORMS, PAIRED, ObjectStep, methods_of
from lockstep.adapters.optimizer.pair import Pair, functions_of
from lockstep.adapters.optimizer.plain_function import PlainFunction
from lockstep.adapters.optimizer.roles import Roles, roles_of
from lockstep.adapters.optimizer.tensor_step import Ours, TensorStep, TorchOptimizer
from lockstep.adapters.optimizer.whole_loop import Loop, inner, lacking, loop_of, names_of
from lockstep.text import Message, message


class Recognised(NamedTuple):
    """How a target is driven.

    words: the shape. names: PyTorch's hyperparameters to its own names. defaults: its own values of them, where
    they show. make: an adapter that has not been started. everything: it swallows any keyword.
    """

    words: Message | str
    names: Names
    defaults: dict[str, Any]
    make: Callable[[], Adapter]
    everything: bool = False
    instance: bool = False


def recognise(target: Any, subject: str, wanted: tuple[str, ...], dtype: str = "float64") -> Recognised:
    """How to drive `target`, found by trying what it seems to offer on two small tensors.

    Arguments:
        target: a class, an instance, a function or a tuple of functions.
        subject: the path of what it claims to be.
        wanted: PyTorch's hyperparameters of that.
        dtype: of the two tensors.

    Raises:
        CannotCheck: where no shape fits, with the list of those that do.
    """
    try:
        return first_that_works(target, candidates(target, subject, wanted), dtype)
    except CannotCheck as error:
        shapes = message("recognise.shapes")
        raise CannotCheck(message("recognise.lines", first=error.said, lines=[shapes])) from None


def first_that_works(target: Any, shapes: Iterator[Recognised], dtype: str) -> Recognised:
    """The first of these shapes in which every number moves; else one in which some do, or none."""
    failures: list[Message] = []
    lesser: dict[str, Recognised] = {}
    for found in shapes:
        problem = tried(found, dtype)
        if problem is None:
            return found
        if problem in (PARTLY, STILL):
            lesser.setdefault(problem, found)
        else:
            failures.append(message("recognise.tried", shape=found.words, said=problem))
    if lesser:
        return lesser.get(PARTLY) or lesser[STILL]
    what = message("recognise.none-works", target=getattr(target, "__name__", type(target).__name__))
    once = list({str(failure): failure for failure in failures}.values())
    raise CannotCheck(message("recognise.lines", first=what, lines=once))


PARTLY, STILL = "partly", "still"  # what a first try may come to


def tried(found: Recognised, dtype: str) -> Any:
    """What goes wrong in two steps with two tensors, or None."""
    params = {"weight": np.linspace(1, 2, 6, dtype=dtype).reshape(2, 3), "bias": np.linspace(-1, 1, 4, dtype=dtype)}
    try:
        adapter = found.make()
        adapter.start({name: array.copy() for name, array in params.items()}, **told_lr(found))
        after = params
        for _ in range(2):
            adapter.step({name: np.full_like(array, 0.5) for name, array in params.items()})
            after = {name: np.asarray(array) for name, array in adapter.read().items()}
            if after.keys() == params.keys() and any(after[name].shape != params[name].shape for name in params):
                break  # driving it says what shape comes out
    except NotTaken as error:
        return error.said
    except (Exception, SystemExit) as error:
        return f"{type(error).__name__}: {error}"
    if after.keys() != params.keys() or any(after[name].size != params[name].size for name in params):
        return message("recognise.other-parameters")
    stays = [after[name].reshape(-1) == params[name].reshape(-1) for name in params]
    return (STILL if all(map(np.all, stays)) else PARTLY) if any(map(np.any, stays)) else None


def told_lr(found: Recognised) -> dict[str, Any]:
    return {"lr": 0.01} if "lr" in found.names else {}


def candidates(target: Any, subject: str, wanted: tuple[str, ...]) -> Iterator[Recognised]:
    """The shapes that it may have, the likeliest first."""
    if isinstance(target, type) and issubclass(target, Adapter):
        names = match([name for name in named(target.start) if name not in ("self", "params")], wanted)
        yield Recognised(target.words, names, {}, target)
    elif is_torch(target):
        yield of_torch(target, subject, wanted)
    elif not inspect.isclass(target) and (functions := functions_of(target)):
        for form in ("dicts", "single arrays"):
            yield shape(functools.partial(Pair, lambda _, made=functions: made, form, subject), {}, {})
    elif inspect.isroutine(target) or isinstance(target, functools.partial):
        yield from of_function(target, subject, wanted)
    else:
        yield from of_object(target, target, subject, wanted)


def shape(
    make: Callable[[], Adapter], names: Names, defaults: dict[str, Any], maker: Maker | None = None
) -> Recognised:
    return Recognised(
        make().words, names, defaults, make, bool(maker and maker.everything), bool(maker and maker.is_instance)
    )


def is_torch(target: Any) -> bool:
    torch = sys.modules.get("torch")
    kind = target if isinstance(target, type) else type(target)
    return torch is not None and issubclass(kind, torch.optim.Optimizer)


def of_torch(target: Any, subject: str, wanted: tuple[str, ...]) -> Recognised:
    kind = target if isinstance(target, type) else type(target)
    maker = first_argument(kind, wanted)
    defaults = maker.defaults() if isinstance(target, type) else dict(target.defaults)
    defaults = {name: value for name, value in defaults.items() if name in maker.names}
    found = shape(functools.partial(TorchOptimizer, maker, subject), maker.names, defaults, maker)
    return found._replace(instance=not isinstance(target, type))


def first_argument(kind: type, wanted: tuple[str, ...]) -> Maker:
    """A maker of a class whose first argument, whatever it is called, takes the parameters."""
    holds, *others = named(kind) or [""]
    return Maker(kind, match(others, wanted), holds, everything=takes_any(kind))


def of_function(target: Any, subject: str, wanted: tuple[str, ...]) -> Iterator[Recognised]:
    roles = loop_of(target)
    if roles:
        names = names_of(target, wanted)
        if lacking(target, names):
            needed = ", ".join(lacking(target, names))
            raise CannotCheck(message("recognise.needs", target=target.__name__, names=needed))
        defaults = Maker(inner(target), names, None, everything=False).defaults()
        yield shape(functools.partial(Loop, target, roles, names), names, defaults)
        return
    steps = roles_of(target, subject, wanted)
    if isinstance(steps, Roles):
        defaults = Maker(target, steps.hyperparameters, None, everything=False).defaults()
        forms = (*FORMS[:2], FORMS[2]) if plural(steps.params, steps.grads) else (FORMS[2], *FORMS[:2])
        for form, fresh in itertools.product(forms, ({}, None) if steps.state else ({},)):
            make = functools.partial(PlainFunction, target, steps, subject, wanted, form, fresh)
            yield shape(make, {**make().in_state, **steps.hyperparameters}, defaults)
        return
    maker = maker_of(target, wanted)
    made = maker.make([], {"lr": 0.01} if "lr" in maker.names else {})
    if functions_of(made):
        yield from pairs(maker, subject)
    else:
        yield from of_object(target, made, subject, wanted)


def pairs(maker: Maker, subject: str) -> Iterator[Recognised]:
    def functions(hyperparameters: dict[str, Any]):
        found = functions_of(maker.make([], hyperparameters))
        assert found
        return found

    for form in ("dicts", "single arrays"):
        yield shape(functools.partial(Pair, functions, form, subject), maker.names, maker.defaults(), maker)


def of_object(target: Any, kind: Any, subject: str, wanted: tuple[str, ...]) -> Iterator[Recognised]:
    """Shapes of a class or an instance; `kind` is what shows its methods."""
    if not callable_maker(target) and not hasattr(target, "__dict__"):
        return
    maker = maker_of(target, wanted)
    if callable(getattr(kind, "init", None)) and callable(getattr(kind, "update", None)):
        yield from pairs(maker, subject)
    for method in methods_of(kind):
        yield from of_method(target, kind, method, maker, subject, wanted)


def of_method(
    target: Any, kind: Any, method: str, maker: Maker, subject: str, wanted: tuple[str, ...]
) -> Iterator[Recognised]:
    """Shapes that a method may have, by how many arguments it takes and what they are called."""
    function = getattr(kind, method)
    arguments = [name for name in named(function) if not (name == "self" and inspect.isclass(kind))]
    if len(arguments) == 1 and arguments[0].lower() in PAIRED:
        roles = Roles(arguments[0], arguments[0], None, None, None, None, {}, {}, tuple(arguments))
        yield shape(
            functools.partial(ObjectStep, maker, method, roles, "pairs", subject), maker.names, maker.defaults(), maker
        )
        return
    if maker.holds is None and inspect.isclass(target) and len(arguments) < 2:
        maker = first_argument(target, wanted)  # whatever it is called, there is nowhere else for the parameters
    finish = functools.partial(shape, names=maker.names, defaults=maker.defaults(), maker=maker)
    if not arguments:
        yield finish(functools.partial(TensorStep, maker, subject, method))
        return
    if len(arguments) == 1:
        for form in ("dicts", "lists"):
            yield finish(functools.partial(Ours, maker, subject, form, method))
        return
    roles = roles_of(without_self(kind, function), subject, [name for name in wanted if name not in maker.names])
    if not isinstance(roles, Roles):
        roles = Roles(arguments[0], arguments[1], None, None, None, None, {}, {}, tuple(arguments))
    finish = functools.partial(finish, names=maker.names | roles.hyperparameters)
    forms = ("single arrays",) if roles.label else FORMS
    for form in forms if maker.holds is None else ("lists", "dicts"):
        yield finish(functools.partial(ObjectStep, maker, method, roles, form, subject))


def plural(*names: str) -> bool:
    """Whether all of these are names of several things."""
    return all(name.lower().rstrip("_").endswith("s") for name in names)


def without_self(kind: Any, function: Callable[..., Any]) -> Callable[..., Any]:
    """A method of a class with its signature as its callers see it."""
    if not inspect.isclass(kind):
        return function
    signature = inspect.signature(function)

    def seen(*arguments: Any, **others: Any) -> None: ...

    seen.__signature__ = signature.replace(parameters=list(signature.parameters.values())[1:])
    return seen


__all__ = ["Recognised", "recognise", "told"]
