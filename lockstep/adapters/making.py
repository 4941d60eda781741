"""Fresh instances of what the user has, and their settings, wherever they keep them."""

import copy
import functools
import inspect
import typing
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from lockstep.adapters.adapter import CannotCheck, NotTaken
from lockstep.adapters.code import words_in
from lockstep.adapters.names import Names, keeps, match, named, required, takes_any, told
from lockstep.text import message

PARAMS = {
    "params",
    "parameters",
    "model_params",
    "weights",
    "variables",
    "param_list",
    "model_parameters",
    "named_parameters",
    "model",
    "network",
    "net",
    "layers",
    "module",
}
CONFIGS = {
    "config",
    "cfg",
    "conf",
    "args",
    "hparams",
    "hyperparams",
    "hyperparameters",
    "options",
    "opts",
    "settings",
    "hp",
}
DEPTH = 2


class Maker(NamedTuple):
    """Makes fresh instances of a class, or copies of an instance.

    names: PyTorch's hyperparameters to their names. holds: the argument that takes the parameters, or None.
    """

    target: Any
    names: Names
    holds: str | None
    everything: bool  # it takes any keyword, so that PyTorch's names are passed on

    @property
    def is_instance(self) -> bool:
        return not callable_maker(self.target)

    def defaults(self) -> dict[str, Any]:
        """Its own value of each hyperparameter, under PyTorch's name, where it shows."""
        by_name: dict[str, Any] = {}
        for name, own in self.names.items():
            values = [self.default(part) for part in (own if isinstance(own, tuple) else (own,))]
            if all(value is not inspect.Parameter.empty and value is not None for value in values):
                default = tuple(values) if isinstance(own, tuple) else values[0]
                default = (
                    1 - default
                    if isinstance(own, str) and keeps(name, own) and isinstance(default, float | int)
                    else default
                )
                by_name[name] = tuple(default) if isinstance(default, list) else default
        return by_name

    def default(self, name: str) -> Any:
        if self.is_instance:
            return vars(self.target).get(name, inspect.Parameter.empty)
        shown = named(self.target).get(name)
        behind = [named(kind.__init__).get(name) for kind in bases_of(self.target)]
        known = [one.default for one in (shown, *behind) if one is not None]
        return next((value for value in known if value is not inspect.Parameter.empty), inspect.Parameter.empty)

    def make(self, params: Any, hyperparameters: Mapping[str, Any]) -> Any:
        """An instance of its own, told these hyperparameters under its names."""
        arguments = told(self.names, hyperparameters)
        if self.is_instance:
            made = copy.deepcopy(self.target)
            for name, value in arguments.items():
                change(made, {name}, value, getattr(made, name))
            return made
        if self.everything:
            arguments |= {name: value for name, value in hyperparameters.items() if name not in self.names}
        if self.holds is not None:
            arguments[self.holds] = params
        return self.target(**arguments)


def callable_maker(target: Any) -> bool:
    """Whether calling it makes an instance: a class, or a function that takes settings alone."""
    return inspect.isclass(target) or inspect.isroutine(target) or isinstance(target, functools.partial)


def maker_of(target: Any, wanted: Iterable[str], filled: Iterable[str] = ()) -> Maker:
    """How instances of a class, copies of an instance, or what a function returns, are made.

    Arguments:
        target: it. wanted: PyTorch's hyperparameters. filled: arguments that the caller fills in.

    Raises:
        CannotCheck: for arguments that nobody here can fill in.
    """
    wanted = list(wanted)
    if not callable_maker(target):
        held = {name for name, value in vars(target).items() if isinstance(value, bool | int | float | tuple | list)}
        return Maker(target, match(held, wanted), None, everything=False)
    target = with_settings(target, wanted)
    arguments = [name for name in (*named(target), *behind_keywords(target)) if name not in filled]
    holds = next((name for name in arguments if name.lower() in PARAMS), None)
    names = match([name for name in arguments if name != holds], wanted)
    used = {part for own in names.values() for part in (own if isinstance(own, tuple) else (own,))}
    unknown = [name for name in required(target) if name not in {holds, *filled, *used}]
    if unknown:
        names = ", ".join(map(repr, unknown))
        raise CannotCheck(message("recognise.argument", target=target.__name__, names=names))
    return Maker(target, names, holds, takes_any(target))


def with_settings(target: Any, wanted: list[str]) -> Any:
    """What takes a configuration object, as a function of what is in that; anything else as it is."""
    holder = next((name for name in named(target) if name.lower() in CONFIGS), None)
    if holder is None or not inspect.isclass(target):
        return target
    kind = annotated(target, holder)
    if kind is not None:
        inside = list(named(kind).values())
    else:
        words = words_in([base.__init__ for base in bases_of(target)])
        known = [name for name in (*words.texts, *words.names) if name.isidentifier()]
        optional = None if "get" in words.names else inspect.Parameter.empty
        hits = [part for own in match(known, wanted).values() for part in (own if isinstance(own, tuple) else (own,))]
        inside = [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=optional) for name in hits]
    own = {parameter.name for parameter in inside}

    def made(**given: Any) -> Any:
        settings = {name: value for name, value in given.items() if name in own}
        others = {name: value for name, value in given.items() if name not in own}
        return target(**{holder: kind(**settings) if kind else Settings(settings)}, **others)

    shown = [
        parameter for parameter in named(target).values() if parameter.name != holder and parameter.name not in own
    ]
    parameters = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in (*shown, *inside)]
    made.__signature__ = inspect.Signature(parameters)
    made.__name__ = target.__name__
    return made


def annotated(target: Any, argument: str) -> Any:
    """The class that an argument is said to be of, where that is one with settings."""
    try:
        kind = typing.get_type_hints(target.__init__).get(argument)
    except (NameError, TypeError):
        return None
    return (
        kind if inspect.isclass(kind) and kind.__module__ not in ("builtins", "types", "argparse", "typing") else None
    )


class Settings(dict):
    """A configuration: its entries are attributes, too."""

    def __getattr__(self, name: str) -> Any:
        if name not in self:
            raise AttributeError(name)
        return self[name]


def bases_of(target: Any) -> tuple[type, ...]:
    """The classes whose constructors see what a class is made with."""
    return target.__mro__[:-1] if inspect.isclass(target) else ()


def behind_keywords(target: Any) -> list[str]:
    """What a class takes besides what it shows: words its constructors may read of **kwargs, and their arguments."""
    if not takes_any(target):
        return []
    words_taken: list[str] = []
    for kind in bases_of(target):
        code = getattr(kind.__init__, "__code__", None)
        words = [word for word in (code.co_consts if code else ()) if isinstance(word, str) and word.isidentifier()]
        words_taken += [*words, *(name for name in named(kind.__init__) if name != "self")]
    shown = named(target)
    return [name for name in dict.fromkeys(words_taken) if name not in shown]


def change(holder: Any, names: set[str], value: Any, before: Any) -> None:
    """Set every setting of one of these names that has the value `before`, wherever `holder` keeps it.

    Raises:
        NotTaken: where there is none.
    """
    places = list(settings(holder, names, before, DEPTH))
    if not places:
        raise NotTaken(message("reason.no-attribute", names=", ".join(sorted(names)), before=before))
    for put in places:
        put(value)


def settings(holder: Any, names: set[str], before: Any, depth: int) -> Iterable[Callable[[Any], None]]:
    """Functions that set it, one a place."""
    inside = holder if isinstance(holder, dict) else getattr(holder, "__dict__", {})
    for key, held in list(inside.items()):
        plain = key.strip("_") if isinstance(key, str) else ""
        own = key == plain or plain not in inside  # beside lr, _lr is something of theirs: the lr before, say
        named_so = own and plain.lower().removeprefix("current_") in names
        if named_so and type(held) in (int, float, bool) and held == before:
            put = holder.__setitem__ if isinstance(holder, dict) else functools.partial(setattr, holder)
            yield functools.partial(put, key)
        elif depth and (isinstance(held, dict) or hasattr(held, "__dict__")) and not inspect.isclass(held):
            yield from settings(held, names, before, depth - 1)


class Everything:
    """A maker of one of our own classes: it is told all hyperparameters as they are.

    Arguments:
        kind: the class. holds: whether it is given the parameters first.
    """

    def __init__(self, kind: Any, holds: bool = True):
        self.kind, self.holds = kind, holds

    def make(self, params: Any, hyperparameters: Mapping[str, Any]) -> Any:
        return self.kind(params, **hyperparameters) if self.holds else self.kind(**hyperparameters)
