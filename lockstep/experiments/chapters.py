"""The notebook's chapters: which figures and printed numbers each has, and the code that makes its runs again."""

from collections.abc import Mapping
from typing import Any, NamedTuple


class Chapter(NamedTuple):
    """A chapter of the notebook.

    figures: its pictures. printed: how the names of its printed numbers begin. runs: how the names of its runs begin.
    subjects: what it is about. claims: whether the notebook draws its conclusions there.
    """

    name: str
    figures: tuple[str, ...]
    printed: tuple[str, ...] = ()
    runs: str | None = None
    subjects: tuple[str, ...] = ()
    claims: bool = False


CHAPTERS = (
    Chapter(
        "optimizers", ("paths", "convergence"), ("position.",), "optim/",
        ("optim.sgd", "optim.rmsprop", "optim.adam", "optim.adagrad"),
    ),
    Chapter(
        "regularisation", ("training", "weights"), ("loss.", "norm."), "regular/",
        ("penalty.l2", "penalty.l1", "layers.dropout", "models.mlp"),
    ),
    Chapter("batchnorm", ("batchnorm",), ("batchnorm.",), "batchnorm", ("layers.batchnorm",)),
    Chapter("comparison", ("summary",), claims=True),
)  # fmt: skip


def chapters(plan: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Every chapter as a record keeps it, with the code of its runs in `plan`."""
    return [one._asdict() | {"code": code(one, plan)} for one in CHAPTERS]


def code(chapter: Chapter, plan: Mapping[str, Mapping[str, Any]]) -> str:
    """Python that makes the chapter's runs again; nothing for one that has none of its own."""
    own = {
        name.rpartition("/")[2]: arguments
        for name, arguments in plan.items()
        if chapter.runs and name.startswith(chapter.runs) and isinstance(arguments["case"], str)
    }
    if not own:
        return ""
    lines = [f"{name} = lockstep.run({called(arguments)})" for name, arguments in own.items()]
    shown = f"for run in ({', '.join(own)},):\n    print(run)"
    return "\n".join(["import lockstep", "", *lines, "", shown])


def called(arguments: Mapping[str, Any]) -> str:
    """The arguments of `lockstep.run` as they are written in a call."""
    given = {name: value for name, value in arguments.items() if name != "subject"}
    return ", ".join([repr(arguments["subject"]), *(f"{name}={value!r}" for name, value in given.items())])


def chapter_of(printed: str) -> str:
    """The chapter in which a number is printed."""
    return next(one.name for one in CHAPTERS if printed.startswith(one.printed))
