"""Cases: what a subject is tried on, as data. One table a subject, read by tests, reports and command line.

`lockstep/cases/optim/adam.py` holds `CASES` and `BAD` of optim.adam. To add a case, add a line: its text
is its name and is used once in a table, unknown keywords are hyperparameters under PyTorch's names:

    Case("weight decay with a step without gradient", weight_decay=0.1, none_at=3)

The first case of a table is the plain one, which `lockstep run` takes where none is named.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import Any

import numpy as np

from lockstep.errors import BadValue
from lockstep.text import message

DTYPES = ("float32", "float64")
SHAPES = {"weight": (13, 7), "bias": (5,)}


@dataclass(frozen=True, init=False, eq=False, repr=False)
class Case:
    """One way to run a subject.

    Arguments:
        desc: in plain words; its name everywhere.
        problem: a name of reference.functions.PROBLEMS, a callable, or an array of gradients.
        steps: how many, unless the caller says otherwise.
        shapes: tensor name to shape, for problems that have no shapes of their own.
        none_at: the step at which the first tensor has no gradient.
        zero_from: the step from which on all gradients are zero.
        frozen: (first, last) step during which the first tensor has no gradient.
        lr_at: step to the learning rate from that step on.
        sparse: in which layout the gradients are handed over, a third of them at each step: "rows", "elements", or
            "repeated" (every row twice); whole arrays if empty.
        groups: parameter groups, each a dict of hyperparameters of its own and of "params", patterns of the names that
            it takes ("*bias"); a tensor is in the first that takes it. One group of all tensors if empty.
        resumed: the step before which both sides are saved and made anew, and go on from what was saved.
        crossed: each goes on from what the other has saved.
        still: no parameter moves (zero gradients, lr 0), and the guard against such runs stands back.
        dtypes, paths: where the case makes sense; every path if None.
        hyperparameters: of the subject, under PyTorch's names.
    """

    desc: str
    problem: Any
    steps: int
    shapes: dict[str, tuple[int, ...]]
    none_at: int | None
    zero_from: int | None
    frozen: tuple[int, int] | None
    lr_at: dict[int, float]
    sparse: str
    groups: tuple[Mapping[str, Any], ...]
    resumed: int | None
    crossed: bool
    still: bool
    dtypes: tuple[str, ...]
    paths: tuple[str, ...] | None
    hyperparameters: dict[str, Any]

    def __init__(
        self,
        desc: str,
        *,
        problem: Any = "normal",
        steps: int = 12,
        shapes: Mapping[str, tuple[int, ...]] = SHAPES,
        none_at: int | None = None,
        zero_from: int | None = None,
        frozen: tuple[int, int] | None = None,
        lr_at: Mapping[int, float] | None = None,
        sparse: str = "",
        groups: tuple[Mapping[str, Any], ...] = (),
        resumed: int | None = None,
        crossed: bool = False,
        still: bool = False,
        dtypes: tuple[str, ...] = DTYPES,
        paths: tuple[str, ...] | None = None,
        **hyperparameters: Any,
    ):
        vars(self).update(
            desc=desc,
            problem=problem,
            steps=steps,
            shapes=dict(shapes),
            none_at=none_at,
            zero_from=zero_from,
            frozen=frozen,
            lr_at=dict(lr_at or {}),
            sparse=sparse,
            groups=groups,
            resumed=resumed,
            crossed=crossed,
            still=still,
            dtypes=dtypes,
            paths=paths,
            hyperparameters=hyperparameters,
        )

    def __repr__(self) -> str:
        return f"Case({self.desc!r})"

    def replaced(self, **changes: Any) -> "Case":
        """The same case with some of it exchanged; hyperparameters are added to its own."""
        own = {key: value for key, value in vars(self).items() if key not in ("hyperparameters", "desc")}
        hyperparameters = self.hyperparameters | {k: v for k, v in changes.items() if k not in own and k != "desc"}
        settings = own | {key: value for key, value in changes.items() if key in own}
        return Case(changes.get("desc", self.desc), **settings, **hyperparameters)

    @property
    def title(self) -> str:
        """What a reader sees: the text, as it is true of this case."""
        return self.desc

    def described(self) -> dict[str, Any]:
        """The case as plain data, for the record."""
        own = {key: value for key, value in vars(self).items() if key not in ("dtypes", "paths", "steps")}
        return own | {
            "desc": self.title,
            "problem": self.problem if isinstance(self.problem, str) else "the caller's own",
        }

    def grouped(self, arrays: Mapping[str, Any]) -> Any:
        """Named tensors as an optimizer is given them: in the case's groups, where it has some.

        Raises:
            BadValue: for a tensor that no group takes, and for a group that takes none.
        """
        if not self.groups:
            return dict(arrays)
        left = dict(arrays)
        made: list[dict[str, Any]] = []
        for group in self.groups:
            taken = {name: left.pop(name) for name in [*left] if any(fnmatch(name, one) for one in group["params"])}
            if not taken:
                raise BadValue(message("error.empty-group", patterns=", ".join(group["params"])))
            made.append({**group, "params": taken})
        if left:
            raise BadValue(message("error.no-group", name=next(iter(left))))
        return made

    def shapes_for(self, problem) -> dict[str, tuple[int, ...]] | None:
        """The shapes to start from; None where the problem has its own."""
        return None if problem.shapes else self.shapes

    def scheduled(self, grads: Mapping[str, Any], step: int) -> dict[str, Any]:
        """The gradients of a step after the case's schedule: missing, frozen, zeroed, thinned out."""
        grads = dict(grads)
        first = next(iter(grads))
        if step == self.none_at or (self.frozen and self.frozen[0] <= step <= self.frozen[1]):
            grads[first] = None
        if self.zero_from is not None and step >= self.zero_from:
            grads = {name: None if grad is None else 0 * grad for name, grad in grads.items()}
        if self.sparse:
            grads = {name: None if g is None else thinned(g, self.sparse, step) for name, g in grads.items()}
        return grads

    def changes(self, step: int) -> dict[str, float]:
        """The hyperparameters that change right before `step`."""
        return {"lr": self.lr_at[step]} if step in self.lr_at else {}

    def hyperparameters_at(self, step: int) -> dict[str, float]:
        """The changed hyperparameters in force at `step`."""
        passed = [at for at in self.lr_at if at <= step]
        return {"lr": self.lr_at[max(passed)]} if passed else {}


def thinned(array: Any, layout: str, step: int) -> Any:
    """A third of an array's rows or elements, others at each step, and 0 for the rest."""
    count = 1 if not array.ndim else array.size if layout == "elements" else len(array)
    kept = (np.arange(count) + step) % min(count, 3) == 0 if count else np.ones(0, bool)
    shape = array.shape if layout == "elements" or not array.ndim else (count,) + (1,) * (array.ndim - 1)
    return np.where(kept.reshape(shape), array, np.zeros((), array.dtype))


class Bad:
    """Arguments that PyTorch refuses, with its error.

    Arguments:
        desc: in plain words.
        error: the type and the text PyTorch raises.
        hyperparameters: the arguments.
    """

    def __init__(self, desc: str, error: tuple[type[Exception], str], **hyperparameters: Any):
        self.desc, self.error, self.hyperparameters = desc, error, hyperparameters

    def __repr__(self) -> str:
        return f"Bad({self.desc!r})"
