"""Finds families and subjects by what is there; there is no list of either. What is asked for is settled here."""

import difflib
import functools
import importlib
import inspect
import pkgutil
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

import numpy as np

from lockstep.cases import Case
from lockstep.errors import BadArgument, BadValue, NoSuchName
from lockstep.numerics import formats
from lockstep.subjects.subject import Backend, Family, NoSuchSubject, Request, Subject
from lockstep.text import Message, message


@functools.cache
def families() -> dict[str, Family]:
    """Name to family: each of their modules that has a `FAMILY`, in the order in which they are shown."""
    package = importlib.import_module("lockstep.subjects.families")
    names = [module.name for module in pkgutil.iter_modules(package.__path__)]
    modules = [importlib.import_module(f"lockstep.subjects.families.{name}") for name in names]
    known = [module.FAMILY for module in modules if hasattr(module, "FAMILY")]
    return {family.name: family for family in sorted(known, key=lambda family: (family.place, family.name))}


@functools.cache
def subjects() -> tuple[Subject, ...]:
    """Every subject there is: each file of a family that states a formula."""
    packages = {name: importlib.import_module(f"reference.{name}") for name in families()}
    paths = [
        f"{name}.{module.name}"
        for name, package in packages.items()
        for module in pkgutil.iter_modules(package.__path__)
    ]
    return tuple(Subject(path) for path in paths if states_formula(path))


def states_formula(path: str) -> bool:
    """Whether there is such a file of the reference, and it is more than what others share."""
    return hasattr(importlib.import_module(f"reference.{path}"), "EQUATIONS")


def find_class(path: str) -> tuple[Subject, str]:
    """The subject at a path and, where the path says it, which of its classes: `layers.loss.BCELoss`.

    The class may stand alone, or as PyTorch has it: `BCELoss`, `torch.nn.BCELoss`.

    Raises:
        NoSuchSubject: as `find`.
    """
    head, _, last = path.rpartition(".")
    known = subjects()
    if any(subject.path == path for subject in known):
        return Subject(path), ""
    within = [subject for subject in known if subject.path == head or head in ("", "nn", "torch.nn", "torch.optim")]
    for subject in within:
        for name, value in vars(subject.reference).items():
            own = inspect.isclass(value) and value.__module__ == subject.reference.__name__
            if own and name.lower() == last.lower() and hasattr(value, "ORDERS"):
                several = subject.family.class_name(subject.cases.CASES[0]) is not None
                return subject, name if several else ""
    return find(path), ""


@functools.cache  # a search asks hundreds of thousands of times
def find(path: str) -> Subject:
    """The subject at `path`, which may be the name of a family that has only one: `loop`.

    Raises:
        NoSuchSubject: naming the nearest path, or all of them.
    """
    known = [subject.path for subject in subjects()]
    if path in known:
        return Subject(path)
    of_family = [name for name in known if name.startswith(f"{path}.")]
    if path in families() and len(of_family) == 1:
        return Subject(of_family[0])
    near = difflib.get_close_matches(path, known, n=1) or [name for name in known if name.endswith(f".{path}")]
    raise NoSuchSubject(message("error.no-subject", path=path, hint=hint(near, known)))


def hint(near: Sequence[str], known: Iterable[str]) -> Message:
    """The nearest of the names there are, or all of them."""
    there = message("error.there-are", known=", ".join(known))
    return message("error.did-you-mean", near=near[0]) if near else there


def asked(
    subject: str | Subject,
    case: str | Case | None = None,
    dtype: str | None = None,
    path: str | None = None,
    seed: int = 0,
    steps: int | None = None,
    *,
    problem: Any = None,
    hyperparameters: Mapping[str, Any] | None = None,
) -> Request:
    """The request that a call makes, with everything it left out filled in.

    Arguments:
        subject, case, problem, dtype, path, seed, steps, hyperparameters: as for `lockstep.run`.

    Raises:
        ValueError: for a subject, a case, a dtype or a number of steps that there is not.
        TypeError: for a hyperparameter that is none, and a seed that is no whole number.
    """
    subject = find(subject) if isinstance(subject, str) else subject
    chosen: Case = subject.family.settled(subject, choose(subject, case))
    changes = dict(hyperparameters or {})
    for name in changes:
        if name in vars(chosen):
            raise BadArgument(message("error.of-the-case", name=name))
    if problem is not None:
        changes["problem"] = problem
    if changes:
        chosen = chosen.replaced(**changes)
    dtype = chosen.dtypes[0] if dtype is None else dtype
    formats.named(dtype)
    check_range(chosen.hyperparameters, dtype)
    recorded = given_steps(chosen.problem)
    count = (recorded or chosen.steps) if steps is None else steps
    check_count("steps", count)
    if recorded is not None and count > recorded:
        raise BadValue(message("error.gradients", there=recorded, asked=count))
    check_seed(seed)
    return Request(subject, chosen, dtype, Backend(path), seed, count)


def check_seed(seed: Any) -> None:
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise BadArgument(message("error.seed", given=seed))


def given_steps(problem: Any) -> int | None:
    """For how many steps the caller's own arrays have gradients; None where the problem is no arrays."""
    held: Iterable[Any] = cast("Mapping[str, Any]", problem).values() if isinstance(problem, Mapping) else [problem]
    shapes = [np.shape(cast("Any", array)) for array in held if isinstance(array, np.ndarray)]
    return min((shape[0] for shape in shapes if shape), default=None)


def check_count(name: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise BadValue(message("error.count", name=name, given=value))


def check_range(hyperparameters: Mapping[str, Any], dtype: str) -> None:
    """Refuse a number that PyTorch does not take beside tensors of this dtype, in its words.

    Raises:
        BadValue: which it does in the middle of a step.
    """
    held = formats.named(dtype)
    for name, value in hyperparameters.items():
        parts = cast("tuple[Any, ...]", value if isinstance(value, tuple) else (value,))
        for part in parts:
            if isinstance(part, float) and np.isfinite(part) and abs(part) > held.largest:
                raise BadValue(message("error.overflow", name=name, value=repr(cast("Any", value)), kind=held.cpp))


def choose(subject: Subject, case: str | Case | None) -> Case:
    """The case of that text, or the first of the table."""
    table = subject.cases.CASES
    if case is None:
        return table[0]
    if isinstance(case, Case):
        return case
    for known in table:
        if known.desc == case:
            return known
    there = "; ".join(known.desc for known in table)
    raise NoSuchName(message("error.no-case", subject=subject.path, case=case, known=there))
