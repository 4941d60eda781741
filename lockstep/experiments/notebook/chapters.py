"""The notebook's chapters: which figures and printed numbers each has, and the code that makes its runs again."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from lockstep.records.kinds.experiment import Chapter

CHAPTERS = (
    Chapter(
        name="optimizers", figures=("paths", "convergence"), printed=("position.",), runs="optim/",
        subjects=("optim.sgd", "optim.rmsprop", "optim.adam", "optim.adagrad"),
    ),
    Chapter(
        name="regularisation", figures=("training", "weights"), printed=("loss.", "norm."), runs="regular/",
        subjects=("penalty.l2", "penalty.l1", "layers.dropout", "models.mlp"),
    ),
    Chapter(
        name="batchnorm", figures=("batchnorm",), printed=("batchnorm.",), runs="batchnorm",
        subjects=("layers.batchnorm",),
    ),
    Chapter(name="comparison", figures=("summary",), claims=True),
)  # fmt: skip


def chapters(plan: Mapping[str, Mapping[str, Any]]) -> tuple[Chapter, ...]:
    """Every chapter, with the code of its runs in `plan`."""
    return tuple(dataclasses.replace(chapter, code=code(chapter, plan)) for chapter in CHAPTERS)


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
