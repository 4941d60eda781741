"""The notebook's chapters: every figure and number is in one, and their code makes the runs it says it makes."""

import contextlib
import io

import pytest

from lockstep.experiments.notebook.chapters import CHAPTERS, chapter_of, chapters, code
from lockstep.experiments.notebook.record import PRINTED, plan
from reports.figures import EXPERIMENT

pytestmark = pytest.mark.slow

NOTEBOOK = [module.NAME for module in EXPERIMENT if module.__name__.startswith("reports.figures.notebook.")]


def test_every_figure_and_every_printed_number_is_in_one_chapter():
    assert sorted(name for one in CHAPTERS for name in one.figures) == sorted(NOTEBOOK)
    for name in PRINTED:
        assert sum(name.startswith(one.printed) for one in CHAPTERS) == 1
    assert chapter_of("norm.l2") == "regularisation"


@pytest.mark.parametrize(
    "chapter", [one for one in CHAPTERS if one.runs in ("optim/", "batchnorm")], ids=lambda c: c.name
)
def test_the_code_of_a_chapter_makes_its_runs(chapter):
    scope: dict = {}
    with contextlib.redirect_stdout(io.StringIO()) as said:
        exec(code(chapter, plan()), scope)
    names = [name for name in plan() if name.startswith(chapter.runs)]
    assert names
    for name in names:
        run, arguments = scope[name.rpartition("/")[2]], plan()[name]
        assert (run.request.subject.path, run.request.case.desc, run.outcome.steps) == (
            arguments["subject"], arguments["case"], arguments["steps"],
        )  # fmt: skip
        assert str(run) in said.getvalue()


def test_a_chapter_without_runs_has_no_code():
    assert [chapter.name for chapter in chapters(plan()) if not chapter.code] == ["comparison"]
