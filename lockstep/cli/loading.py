"""Gets what a user names: `my_optim.py:MyAdam`, or `package.module:Name`."""

import importlib
import importlib.util
import inspect
import pathlib
import sys
from typing import Any

from lockstep.adapters.adapter import CannotCheck
from lockstep.checking.driving import place


def load_target(text: str) -> Any:
    """What stands behind `FILE.py:NAME`.

    Raises:
        CannotCheck: for a file that is not there or does not import, and a name it has not, with what it has.
    """
    where, _, name = text.rpartition(":")
    if not where or not name:
        raise CannotCheck(f"say FILE.py:NAME, not {text!r}")
    module = from_file(pathlib.Path(where)) if where.endswith(".py") else from_name(where)
    target = module
    for part in name.split("."):
        if not hasattr(target, part):
            raise CannotCheck(f"{where} has no {name!r}; there are {', '.join(offered(module)) or 'none'}")
        target = getattr(target, part)
    return target


def from_file(path: pathlib.Path) -> Any:
    if not path.is_file():
        raise CannotCheck(f"{path}: no such file")
    name = path.stem
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    folder = str(path.resolve().parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)  # so that it finds the files beside it
    sys.modules.setdefault(name, module)
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise CannotCheck(f"{path} does not import: {type(error).__name__}: {error}{at(error, path)}") from error
    return module


def at(error: BaseException, path: pathlib.Path) -> str:
    if isinstance(error, SyntaxError):
        return ""
    where = place(error)
    return f" at {where}" if where and not where.startswith("<frozen") else f" in {path.name}"


def from_name(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except Exception as error:
        raise CannotCheck(f"{name} does not import: {type(error).__name__}: {error}") from error


def offered(module: Any) -> list[str]:
    """The classes and functions that a module defines itself."""
    return [
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and (inspect.isclass(value) or inspect.isfunction(value))
        and value.__module__ == module.__name__
    ]
