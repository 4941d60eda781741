"""What cases are called in another language, and that a report shows no other."""

import pytest

from lockstep.causes import scenarios
from lockstep.experiments import selection
from lockstep.experiments.laboratories import laboratories
from lockstep.subjects.registry import subjects
from lockstep.text import LANGUAGES
from reports.html import Speaker, environment
from reports.text import PageVoice, cases

OTHERS = LANGUAGES[1:]


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
    assert {*cases(language)} == shown()
    assert all(name.strip() for name in cases(language).values())


def test_a_label_is_said_part_by_part_and_what_has_no_name_as_it_is():
    voice = PageVoice("ko")
    assert voice.called("optim.adam · quadratic · float32") == "optim.adam · 이차 함수 · float32"
    assert voice.called("a case of somebody's own") == "a case of somebody's own"
    assert PageVoice("en").called("quadratic") == "quadratic"


def test_a_page_says_the_name_and_keeps_the_text_for_commands():
    page = environment(Speaker("ko")).from_string(
        "{{ name | called }} {{ t('subject.walk.case', case=name, dtype='float32') }}"
    )
    made = page.render(name="gradients near eps")
    assert made.count("<bdi>eps만큼 작은 기울기</bdi>") == 2
    assert "gradients" not in made
