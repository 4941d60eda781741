"""Optimizers and layers of other frameworks as objects; one file a framework, imported for what is made of it alone."""

import importlib
import importlib.util
import inspect
import sys
from collections.abc import Iterator
from typing import Any


def frameworks_of(target: Any) -> Iterator[Any]:
    """The modules of this package for the frameworks that a class stands on, or that a function's module knows."""
    routine = inspect.isroutine(target)
    kinds = (target,) if routine else (target if inspect.isclass(target) else type(target)).__mro__
    homes = [kind.__module__ for kind in kinds]
    around = getattr(target, "__globals__", {}).values() if routine else ()
    homes += [value.__name__ if inspect.ismodule(value) else getattr(value, "__module__", "") for value in around]
    for name in dict.fromkeys(home.partition(".")[0] for home in homes if isinstance(home, str)):
        path = f"{__name__}.{name}"
        if name and name in sys.modules and importlib.util.find_spec(path) is not None:
            yield importlib.import_module(path)
