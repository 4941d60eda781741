"""What cases are called in another language, and that a report shows no other."""

import re

import pytest

from lockstep.causes import scenarios
from lockstep.experiments import selection
from lockstep.experiments.laboratories import laboratories
from lockstep.subjects.registry import subjects
from lockstep.text import LANGUAGES
from reports.html import Speaker, environment
from reports.text import PageVoice, cases

OTHERS = LANGUAGES[1:]
PROPER = re.compile(r"[A-Z]\S*|p = [\d.]+")  # what is called the same in every language: a class, a number


def shown() -> set[str]:
    """The cases that a report shows of all subjects: their runs, their walks, their scenarios, their laboratories."""
    found = set()
    for subject in subjects():
        found |= {scenario.name for scenario in scenarios(subject)}
        found |= {run["case"].desc for run in selection.plan(subject).values() if "case" in run}
        tables = ("WALKED", "CLIMBED", "GROWN")
        found |= {case.desc for table in tables for case, _ in selection.shown(subject, table)}
        found |= {name for name in subject.table("TRIED") or () if laboratories(subject)}
    return found


@pytest.mark.parametrize("language", OTHERS)
def test_every_case_that_a_report_shows_has_a_name_and_no_other(language):
    names = cases(language)
    parts = {name: [name] if name in names else name.split(", ") for name in shown()}
    lacking = {part for every in parts.values() for part in every if part not in names and not PROPER.fullmatch(part)}
    assert lacking == set()
    assert names.keys() == {part for every in parts.values() for part in every if part in names}
    assert all(name.strip() for name in names.values())


def test_a_label_is_said_part_by_part_and_what_has_no_name_as_it_is():
    voice = PageVoice("ko")
    assert voice.called("optim.adam · quadratic · float32") == "optim.adam · 이차 함수 · float32"
    assert voice.called("digits, Rprop, dropout and BatchNorm") == "숫자 그림, Rprop, 드롭아웃과 BatchNorm"
    assert voice.called("a case of somebody's own") == "a case of somebody's own"
    assert PageVoice("en").called("quadratic") == "quadratic"


def test_a_page_says_the_name_and_keeps_the_text_for_commands():
    page = environment(Speaker("ko")).from_string(
        "{{ name | called }} {{ t('subject.walk.case', case=name, dtype='float32') }}"
    )
    made = page.render(name="gradients near eps")
    assert made.count("<bdi>eps만큼 작은 기울기</bdi>") == 2
    assert "gradients" not in made
