"""What somebody's optimizer offers, and so how it is to be driven."""

import functools
import inspect
import itertools
import math
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from lockstep.adapters.adapter import Adapter, CannotCheck, NotTaken
from lockstep.adapters.code import words_of
from lockstep.adapters.making import Maker, callable_maker, maker_of
from lockstep.adapters.names import Names, match, named, required, takes_any, told
from lockstep.adapters.optimizer.holders import ArgumentHolder, kind_of, layers_of, slope_of, tensors_of
from lockstep.adapters.optimizer.roles import STEPS, Roles, is_grads, roles_of
from lockstep.adapters.optimizer.shapes.held_step import HeldStep
from lockstep.adapters.optimizer.shapes.numbered import Numbered, keys_of
from lockstep.adapters.optimizer.shapes.object_step import FORMS, PAIRED, ObjectStep, methods_of
from lockstep.adapters.optimizer.shapes.pair import FunctionPair, functions_of
from lockstep.adapters.optimizer.shapes.plain_function import PlainFunction
from lockstep.adapters.optimizer.shapes.tensor_step import Ours, TorchOptimizer
from lockstep.adapters.optimizer.shapes.torch_tensors import OnTensors, torch_tensors, uses_torch
from lockstep.adapters.optimizer.shapes.whole_loop import WholeLoop, inner, lacking, loop_of, names_of
from lockstep.adapters.wrapper import indented, optimizer_wrapper
from lockstep.subjects.families.optim import defaults_of, handed_in, layout_of, shapes_of
from lockstep.subjects.registry import find
from lockstep.subjects.subject import Subject
from lockstep.text import Message, message


class Recognised(NamedTuple):
    """How a target is driven.

    words: the shape. names: PyTorch's hyperparameters to its own names. defaults: its own values of them, where
    they show. make: an adapter that has not been started. everything: it swallows any keyword. needed: PyTorch's
    hyperparameters that it cannot do without.
    """

    words: Message | str
    names: Names
    defaults: dict[str, Any]
    make: Callable[[], Adapter]
    everything: bool = False
    instance: bool = False
    needed: frozenset[str] = frozenset()


def recognise(target: Any, subject: str, wanted: tuple[str, ...], dtype: str = "float64") -> Recognised:
    """How to drive `target`, found by trying what it seems to offer on four small tensors.

    Arguments:
        target: a class, an instance, a function or a tuple of functions.
        subject: the path of what it claims to be.
        wanted: PyTorch's hyperparameters of that.
        dtype: of the tensors.

    Raises:
        CannotCheck: where no shape fits, with the list of those that do.
    """
    if inspect.isgeneratorfunction(target):
        target = sent_to(target)
    try:
        shapes = candidates(target, subject, wanted)
        if uses_torch(target):
            shapes = itertools.chain(shapes, on_tensors(candidates(target, subject, wanted)))
        return first_that_works(target, shapes, dtype, find(subject))
    except CannotCheck as error:
        wrapper = message("recognise.wrapper", code=indented(optimizer_wrapper(target, wanted)))
        lines = [message("recognise.shapes"), wrapper]
        raise CannotCheck(message("recognise.lines", first=error.said, lines=lines)) from None


def sent_to(function: Any) -> type:
    """A class whose steps send gradients to what a generator function makes of the parameters."""

    class Sent:
        def __init__(self, params, **hyperparameters):
            self.generator = function(params, **hyperparameters)
            next(self.generator)

        def step(self, grads):
            return self.generator.send(grads)

    Sent.__name__, Sent.__module__ = function.__name__, function.__module__
    Sent.__init__.__signature__ = inspect.Signature(
        [inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY), *inspect.signature(function).parameters.values()]
    )
    return Sent


def first_that_works(target: Any, shapes: Iterator[Recognised], dtype: str, about: Subject) -> Recognised:
    """The first of these shapes in which every number moves; else one in which some do, or none."""
    failures: list[Message] = []
    lesser: dict[str, Recognised] = {}
    for shape in shapes:
        problem = tried(shape, dtype, about)
        if problem is None:
            return shape
        if problem in (PARTLY, STILL):
            lesser.setdefault(problem, shape)
        else:
            failures.append(message("recognise.tried", shape=shape.words, said=problem))
    if lesser:
        return lesser.get(PARTLY) or lesser[STILL]
    what = message("recognise.none-works", target=getattr(target, "__name__", type(target).__name__))
    once = list({str(failure): failure for failure in failures}.values())
    raise CannotCheck(message("recognise.lines", first=what, lines=once))


PARTLY, STILL = "partly", "still"  # what a first try may come to


def tried(shape: Recognised, dtype: str, about: Subject) -> Any:
    """What goes wrong in two steps with four tensors, or None."""
    all_others = {"weight": (2, 3), "bias": (4,), "second weight": (3, 2, 2), "second bias": (3,)}
    sizes = shapes_of(about) or all_others
    params = {name: np.linspace(1, 2, math.prod(size), dtype=dtype).reshape(size) for name, size in sizes.items()}
    try:
        adapter = shape.make()
        adapter.start({name: array.copy() for name, array in params.items()}, **told_first(shape, defaults_of(about)))
        after = params
        for _ in range(2):
            grads = {name: np.full_like(array, 0.5) for name, array in params.items()}
            adapter.step(handed_in(layout_of(about), grads))
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


def told_first(shape: Recognised, standard: Mapping[str, Any]) -> dict[str, Any]:
    """What it is told where nothing but whether it moves is of interest: lr, and what it cannot do without."""
    needed = {name: standard[name] for name in shape.needed}
    return needed | ({"lr": 0.01} if "lr" in shape.names else {})


def candidates(target: Any, subject: str, wanted: tuple[str, ...]) -> Iterator[Recognised]:
    """The shapes that it may have, the likeliest first."""
    if isinstance(target, type) and issubclass(target, Adapter):
        names = match([name for name in named(target.start) if name not in ("self", "params")], wanted)
        yield Recognised(target.words, names, {}, target)
    elif is_torch(target):
        yield of_torch(target, subject, wanted)
    elif not inspect.isclass(target) and (functions := functions_of(target)):
        for form in ("dicts", "single arrays"):
            yield shape(functools.partial(FunctionPair, lambda _, made=functions: made, form, subject), {}, {})
    elif inspect.isroutine(target) or isinstance(target, functools.partial):
        yield from of_function(target, subject, wanted)
    else:
        yield from of_object(target, target, subject, wanted)


def on_tensors(shapes: Iterator[Recognised]) -> Iterator[Recognised]:
    """The same shapes on torch tensors, where they are handed arrays."""
    for plain in shapes:
        make = functools.partial(OnTensors, plain.make)
        if isinstance(plain.make(), ObjectStep | PlainFunction | Ours):
            yield plain._replace(make=make, words=make().words)


def shape(
    make: Callable[[], Adapter],
    names: Names,
    defaults: dict[str, Any],
    maker: Maker | None = None,
    function: Callable[..., Any] | None = None,
) -> Recognised:
    asked = [
        *(required(maker.target) if maker and not maker.is_instance else ()),
        *(required(function) if function else ()),
    ]
    needed = {name for name, own in names.items() if any(part in asked for part in parts(own))}
    kind = bool(maker and maker.everything), bool(maker and maker.is_instance)
    return Recognised(make().words, names, defaults, make, *kind, frozenset(needed))


def parts(own: str | tuple[str, str]) -> tuple[str, ...]:
    """The names that one hyperparameter goes by."""
    return own if isinstance(own, tuple) else (own,)


def is_torch(target: Any) -> bool:
    torch = sys.modules.get("torch")
    kind = target if isinstance(target, type) else type(target)
    return torch is not None and issubclass(kind, torch.optim.Optimizer)


def of_torch(target: Any, subject: str, wanted: tuple[str, ...]) -> Recognised:
    kind = target if isinstance(target, type) else type(target)
    maker = first_argument(kind, wanted)
    defaults = maker.defaults() if isinstance(target, type) else dict(target.defaults)
    defaults = {name: value for name, value in defaults.items() if name in maker.names}
    taken = shape(functools.partial(TorchOptimizer, maker, subject), maker.names, defaults, maker)
    return taken._replace(instance=not isinstance(target, type))


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
        yield shape(functools.partial(WholeLoop, target, roles, names), names, defaults)
        return
    yield from of_holders(target, target, None, "", subject, wanted)
    steps = roles_of(target, subject, wanted)
    if isinstance(steps, Roles):
        defaults = Maker(target, steps.hyperparameters, None, everything=False).defaults()
        forms = (*FORMS[:2], FORMS[2]) if plural(steps.params, steps.grads) else (FORMS[2], *FORMS[:2])
        for form, fresh in itertools.product(forms, (*makers_of_state(target), {}, None) if steps.state else ({},)):
            make = functools.partial(PlainFunction, target, steps, subject, wanted, form, fresh)
            yield shape(make, {**make().in_state, **steps.hyperparameters}, defaults, function=target)
        for keys in keys_of(words_of(target)):
            for begin, slope in itertools.product((*beginnings(target, len(steps.arrays)), None), (keys.slope, "{0}")):
                plain = functools.partial(PlainFunction, target, steps, subject, wanted, "dicts", {}, begin, slope)
                make = functools.partial(Numbered, plain, keys)
                yield shape(make, {**plain().in_state, **steps.hyperparameters}, defaults, function=target)
        return
    maker = maker_of(target, wanted)
    made = maker.make([], {"lr": 0.01} if "lr" in maker.names else {})
    if functions_of(made):
        yield from pairs(maker, subject)
    else:
        yield from of_object(target, made, subject, wanted)


def beginnings(function: Any, count: int) -> list[Callable[[Any], Any]]:
    """The functions beside one that make so many arrays of state of the parameters, initialize_adam and its like."""
    calls = []
    for name, beside in getattr(function, "__globals__", {}).items() if count else ():
        if name.startswith("init") and inspect.isfunction(beside) and len(required(beside)) == 1:
            try:
                made = beside({"W1": np.ones((2, 3)), "b1": np.ones(3)})
            except Exception:  # it makes something else
                continue
            made = made if isinstance(made, tuple) else (made,)
            if len(made) == count and all(isinstance(part, dict) and {"dW1", "W1"} & part.keys() for part in made):
                calls.append(beside)
    return calls


def makers_of_state(function: Any) -> list[Callable[[Any], Any]]:
    """The functions beside one that may make its state of the parameters, adam_init and its like."""
    beside = getattr(function, "__globals__", {}).items()
    return [made for name, made in beside if "init" in name and inspect.isfunction(made) and len(required(made)) == 1]


def pairs(maker: Maker, subject: str) -> Iterator[Recognised]:
    def functions(hyperparameters: dict[str, Any]):
        pair = functions_of(maker.make([], hyperparameters))
        assert pair
        return pair

    for form in ("dicts", "single arrays"):
        yield shape(functools.partial(FunctionPair, functions, form, subject), maker.names, maker.defaults(), maker)


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
    yield from of_holders(target, without_self(kind, function), maker, method, subject, wanted)
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
    for keys in keys_of(words_of(target)):
        plain = functools.partial(ObjectStep, maker, method, roles, "dicts", subject)
        yield finish(functools.partial(Numbered, plain, keys))


def of_holders(
    target: Any, function: Any, maker: Maker | None, method: str, subject: str, wanted: tuple[str, ...]
) -> Iterator[Recognised]:
    """Shapes of what gets whole layers, or tensors: a method as its callers see it, or a function."""
    words = words_of(target)
    first, *others = named(function) or [""]
    if is_grads(first):
        return
    name = method or function.__name__
    call = (lambda owner: getattr(owner, method)) if method else lambda owner: function
    holders = [*layers_of(words), *torch_tensors(target), *tensors_of(words)]
    if not first:
        maker = first_argument(target, wanted) if maker and maker.holds is None and inspect.isclass(target) else maker
        if maker and maker.holds:
            for holder in (attribute for attribute in holders if attribute.slopes):
                make = functools.partial(HeldStep, call, name, holder, maker, "start", subject)
                yield shape(make, maker.names, maker.defaults(), maker)
        return
    if maker and maker.holds:
        return
    known: Names = maker.names if maker else {}
    told_here = match(others, [attribute for attribute in wanted if attribute not in known])
    beside = {kind_of(slope_of(attribute) or "") or "": attribute for attribute in others}
    beside.pop("", None)
    own = {
        kind_of(attribute) or "": attribute
        for attribute in (first, *others)
        if kind_of(attribute) and not slope_of(attribute)
    }
    if len(own) == len(beside) == 2:
        holders = [ArgumentHolder((own["weight"], own["bias"]), (beside["weight"], beside["bias"]))]
    apart = len(own) == len(beside) == 2
    count = next((attribute for attribute in (first, *others) if attribute.lower() in STEPS), None)
    arguments = ({} if apart else {"holder": first} | beside) | ({"step": count} if count else {})
    used = {
        *arguments.values(),
        *own.values(),
        *beside.values(),
        *(part for own in told_here.values() for part in parts(own)),
    }
    if any(attribute not in used for attribute in required(function)):
        return
    defaults = (maker or Maker(function, told_here, None, everything=False)).defaults()
    finish = functools.partial(shape, names=known | told_here, defaults=defaults, maker=maker, function=function)
    ways = [("one", False), ("one", True)] if beside else [("all", False), ("one", False), ("one", True)]
    for holder in (attribute for attribute in holders if apart or bool(attribute.slopes) != bool(beside)):
        for way, each in ways if maker else [attribute for attribute in ways if not attribute[1]]:
            make = functools.partial(HeldStep, call, name, holder, maker, way, subject, arguments, told_here, each)
            yield finish(make)


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
