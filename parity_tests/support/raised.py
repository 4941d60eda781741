"""What code raises, and what there is to raise."""

import ast
import importlib
import pkgutil
from collections.abc import Iterator

import lockstep
import reports


def descendants(kind: type) -> list[type]:
    """Every class of Lockstep's below one, in whatever module."""
    for package in (lockstep, reports):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)
    return sorted(set(below(kind)), key=lambda one: one.__name__)


def below(kind: type) -> Iterator[type]:
    for child in kind.__subclasses__():
        if child.__module__.split(".")[0] in ("lockstep", "reports"):
            yield child
        yield from below(child)


def raised(source: str) -> Iterator[str]:
    """The class of every `raise` that names one."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Raise) and node.exc is not None:
            what = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
            if isinstance(what, ast.Name) and what.id[0].islower():
                continue  # what was caught, raised again; or a class chosen among others
            yield what.attr if isinstance(what, ast.Attribute) else ast.unparse(what)
