"""Gets what a user names: `my_optim.py:MyAdam`, or `package.module:Name`."""

import importlib
import importlib.util
import inspect
import pathlib
import sys
from typing import Any

from lockstep.adapters.adapter import CannotCheck
from lockstep.checking.driving import place
from lockstep.text import Message, message


def load_target(text: str) -> Any:
    """What stands behind `FILE.py:NAME`.

    Raises:
        CannotCheck: for a file that is not there or does not import, and a name it has not, with what it has.
    """
    where, _, name = text.rpartition(":")
    if not where or not name:
        raise CannotCheck(message("error.target-form", given=text))
    module = from_file(pathlib.Path(where)) if where.endswith(".py") else from_name(where)
    target = module
    for part in name.split("."):
        if not hasattr(target, part):
            known = ", ".join(offered(module)) or message("error.none")
            raise CannotCheck(message("error.target-name", where=where, name=name, known=known))
        target = getattr(target, part)
    return target


def from_file(path: pathlib.Path) -> Any:
    if not path.is_file():
        raise CannotCheck(message("error.no-file", path=path))
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
        words = f"{type(error).__name__}: {error}"
        raise CannotCheck(message("error.no-import", path=path, words=words, at=at(error, path))) from error
    return module


def at(error: BaseException, path: pathlib.Path) -> Message | str:
    if isinstance(error, SyntaxError):
        return ""
    where = place(error)
    known = where and not where.startswith("<frozen")
    return message("raised.at", where=where) if known else message("raised.in", where=path.name)


def from_name(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except Exception as error:
        words = f"{type(error).__name__}: {error}"
        raise CannotCheck(message("error.no-import", path=name, words=words, at="")) from error


def offered(module: Any) -> list[str]:
    """The classes and functions that a module defines itself."""
    return [
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and (inspect.isclass(value) or inspect.isfunction(value))
        and value.__module__ == module.__name__
    ]
