"""Finds both sides, the cases and the glue of a subject by its path; there is no list."""

import difflib
import importlib
import inspect
import pkgutil
from types import ModuleType
from typing import NamedTuple

from lockstep.errors import NoSuchName

FAMILIES = ("optim", "penalty", "layers", "models")
SHARED = {"optimizer", "layer", "penalty"}  # what a family's files share is no subject


class NoSuchSubject(NoSuchName):
    """A path at which there is no subject; the message names the nearest."""


class Subject(NamedTuple):
    """A subject by its path: `optim.adam` is reference/optim/adam.py beside torch_impl/optim/adam.py."""

    path: str

    @property
    def family(self) -> str:
        return self.path.split(".")[0]

    @property
    def reference(self) -> ModuleType:
        return importlib.import_module(f"reference.{self.path}")

    @property
    def torch_impl(self) -> ModuleType:
        return importlib.import_module(f"torch_impl.{self.path}")

    @property
    def cases(self) -> ModuleType:
        return importlib.import_module(f"lockstep.cases.{self.path}")

    @property
    def sides(self) -> ModuleType:
        """The glue of the family: `lockstep/subjects/optim.py` for every optimizer."""
        return importlib.import_module(f"lockstep.subjects.{self.family}")


def subjects() -> list[Subject]:
    """Every subject there is: each file of a family that has a counterpart in both trees."""
    found = []
    for family in FAMILIES:
        package = importlib.import_module(f"reference.{family}")
        names = [module.name for module in pkgutil.iter_modules(package.__path__)]
        found += [Subject(f"{family}.{name}") for name in names if name not in SHARED]
    return found


def find(path: str) -> Subject:
    """The subject at `path`.

    Raises:
        NoSuchSubject: naming the nearest path, or all of them.
    """
    known = [subject.path for subject in subjects()]
    if path in known:
        return Subject(path)
    near = difflib.get_close_matches(path, known, n=1) or [name for name in known if name.endswith(f".{path}")]
    hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}"
    raise NoSuchSubject(f"no subject {path!r}; {hint}")


def own_class(module: ModuleType, name: str | None = None) -> type:
    """The class a module is about: the one of that name, or the only one with a formula or a counterpart."""
    classes = {
        key: value
        for key, value in vars(module).items()
        if inspect.isclass(value) and value.__module__ == module.__name__ and not issubclass(value, tuple)
    }
    if name is not None:
        if name not in classes:
            raise NoSuchSubject(f"{module.__name__} has no {name!r}; there are {', '.join(classes)}")
        return classes[name]
    if len(classes) != 1:
        raise NoSuchSubject(f"{module.__name__} has {', '.join(classes) or 'no class'}: say which")
    return next(iter(classes.values()))
