"""Gets what a user names: `my_optim.py:MyAdam`, or `package.module:Name`."""

import contextlib
import importlib
import importlib.util
import inspect
import itertools
import pathlib
import sys
from collections.abc import Iterator
from typing import Any

from lockstep.adapters.adapter import CannotCheck
from lockstep.checking.driving.steps import place
from lockstep.text import Message, message


def load_target(text: str, like: str = "") -> Any:
    """What stands behind `FILE.py:NAME`; behind `FILE.py`, what is called as that is which it should be like.

    Raises:
        CannotCheck: for a file that is not there or does not import, and a name it has not, with what it has.
    """
    where, _, name = (text, "", "") if like and text.endswith(".py") else text.rpartition(":")
    if not where or not (name or where == text):
        raise CannotCheck(message("error.target-form", given=text))
    module = from_file(pathlib.Path(where)) if where.endswith(".py") else from_name(where)
    name = name or called_so(module, where, like)
    target = module
    for part in name.split("."):
        if not hasattr(target, part):
            known = ", ".join(offered(module)) or message("error.none")
            raise CannotCheck(message("error.target-name", where=where, name=name, known=known))
        target = getattr(target, part)
    return target


def called_so(module: Any, where: str, like: str) -> str:
    """The name in a module of what should be like a subject: of that name, or with it in its own, or all there is.

    Raises:
        CannotCheck: where none is, or several are.
    """
    names, wanted = offered(module), plain_name(like.rpartition(".")[2])
    classes = [name for name in names if inspect.isclass(getattr(module, name))]
    exact = [name for name in names if plain_name(name) == wanted]
    near = [name for name in names if wanted in plain_name(name)]
    chosen = next((some for some in (exact, near, classes, names) if some), [])
    if len(chosen) != 1:
        known = ", ".join(names) or message("error.none")
        raise CannotCheck(message("error.target-which", where=where, like=like, known=known))
    return chosen[0]


def plain_name(name: str) -> str:
    return name.replace("_", "").lower()


def from_file(path: pathlib.Path) -> Any:
    """The module of a file, as whoever wrote it would run it: as a script, else as a part of the packages around it.

    Its folder and the working directory are searched for what it imports; relative imports, and the name of its
    package where that is its own, need the package.
    """
    if not path.is_file():
        raise CannotCheck(message("error.no-file", path=path))
    raised: list[BaseException] = []
    for root, name in ways_to(path.resolve()):
        known = set(sys.modules)
        try:
            with searched(root, pathlib.Path.cwd(), hidden=name.partition(".")[0] if "." in name else ""):
                return loaded(path.resolve(), name)
        except ImportError as error:
            raised.append(error)
        except (Exception, SystemExit) as error:
            raised.append(error)
            break
        half = [other for other in set(sys.modules) - known if of_folder(sys.modules[other], path.resolve().parent)]
        for other in half:
            del sys.modules[other]
    error = next((one for one in raised if not about_packages(one)), raised[0])
    words = f"{type(error).__name__}: {error}"
    raise CannotCheck(message("error.no-import", path=path, words=words, at=at(error, path))) from error


LEVELS = 4  # of packages around a file


def ways_to(path: pathlib.Path) -> Iterator[tuple[pathlib.Path, str]]:
    """Folders to search, and the name that the file has from there: as part of its package, where it says it is one."""
    ways = [(path.parent, path.stem)]
    for folder in itertools.islice(path.parents, LEVELS):
        root, name = ways[-1]
        ways.append((folder.parent, f"{folder.name}.{name}") if root == folder else ways[-1])
    packaged = [(root, name) for root, name in ways if (root / name.partition(".")[0] / "__init__.py").is_file()]
    outermost = packaged[-1:] if "." in (packaged[-1][1] if packaged else "") else []
    yield from dict.fromkeys([*outermost, *ways])


@contextlib.contextmanager
def searched(*folders: pathlib.Path, hidden: str) -> Iterator[None]:
    """These folders first while a file is imported, and last from then on, so that they hide nothing of Lockstep's.

    Not those in which a module has the name of the package that is looked for: it would be found in its place.
    """
    texts = list(dict.fromkeys(map(str, folders)))
    before = list(sys.path)
    order = [*texts, *(text for text in before if text not in texts)]
    sys.path[:] = [text for text in order if not (hidden and (pathlib.Path(text) / f"{hidden}.py").is_file())]
    importlib.invalidate_caches()
    try:
        yield
    except BaseException:
        sys.path[:] = before
        raise
    sys.path[:] = [*before, *(text for text in texts if text not in before)]


def loaded(path: pathlib.Path, name: str) -> Any:
    """The module of a file under a name; with dots, from the packages that it is a part of."""
    if "." in name:
        return importlib.import_module(name)
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    before = sys.modules.get(name)
    sys.modules[name] = before or module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        if before is None:
            sys.modules.pop(name, None)
        raise
    return module


def of_folder(module: Any, folder: pathlib.Path) -> bool:
    """Whether a module lies in a folder or is a package around it."""
    spec = getattr(module, "__spec__", None)
    around = getattr(spec, "submodule_search_locations", None)
    places = [getattr(module, "__file__", None), *getattr(around, "_path", around or [])]  # as it was found
    paths = [pathlib.Path(place) for place in places if place]
    return any(folder in one.parents or one == folder or one in folder.parents for one in paths)


def about_packages(error: BaseException) -> bool:
    """Whether it says no more than that a file was run outside of its package, or that there is no such package."""
    return isinstance(error, ImportError) and any(
        words in str(error) for words in ("relative import", "is not a package", "attempted relative")
    )


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
