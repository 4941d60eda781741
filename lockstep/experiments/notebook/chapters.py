"""The notebook's chapters: which figures and printed numbers each has, and the code that makes its runs again."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from lockstep.cases.notebook import Shown
from lockstep.records.kinds.experiment import Chapter
from lockstep.subjects.registry import subjects

CHAPTERS = (
    Chapter(name="optimizers", figures=("paths", "convergence"), printed=("position.",), runs="optim/"),
    Chapter(name="regularisation", figures=("training", "weights"), printed=("loss.", "norm."), runs="regular/"),
    Chapter(name="batchnorm", figures=("batchnorm",), printed=("batchnorm.",), runs="batchnorm"),
    Chapter(name="comparison", figures=("summary",), claims=True),
)


def named() -> list[str]:
    return [chapter.name for chapter in CHAPTERS]


def taking_part() -> list[tuple[str, Shown]]:
    """The path of every subject that is in the notebook, in its order, and what its cases declare of that."""
    shown = [(subject.path, own) for subject in subjects() if (own := subject.table("NOTEBOOK"))]
    return sorted(shown, key=lambda part: (named().index(part[1].chapter), part[1].place))


def chapters(plan: Mapping[str, Mapping[str, Any]]) -> tuple[Chapter, ...]:
    """Every chapter, with its subjects and the code of its runs in `plan`."""
    taking = {name: tuple(path for path, shown in taking_part() if shown.chapter == name) for name in named()}
    return tuple(
        dataclasses.replace(chapter, code=code(chapter, plan), subjects=taking[chapter.name]) for chapter in CHAPTERS
    )


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
