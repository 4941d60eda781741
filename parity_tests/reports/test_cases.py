"""What cases and causes are called in another language, and that a report shows no other."""

import inspect
import re

import pytest

from lockstep.causes import causes, scenarios
from lockstep.experiments import selection
from lockstep.experiments.laboratories import laboratories
from lockstep.numerics.formats import FORMATS
from lockstep.subjects.registry import subjects
from lockstep.text import LANGUAGES, texts
from parity_tests.reports.made import (
    detection_record,
    explanation_record,
    laboratory_record,
    rows,
    scenario,
    walk_record,
)
from parity_tests.reports.page import Undrawn
from reports.html import Speaker, environment
from reports.site import site
from reports.text import PageVoice, named, names

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
    names = named("cases", language)
    every = shown() | {case.desc for subject in subjects() for case in subject.cases.CASES}
    parts = {name: [name] if name in names else name.split(", ") for name in every}
    lacking = {part for name in shown() for part in parts[name] if part not in names and not PROPER.fullmatch(part)}
    assert lacking == set()
    assert names.keys() == {part for one in parts.values() for part in one if part in names}
    assert all(name.strip() for name in names.values())


CAUSES = [cause for subject in subjects() for cause in causes(subject)]


def worded(cause) -> bool:
    """Whether its variant is words, and no number, sign or name of the code."""
    code = {
        *cause.arguments,
        *cause.free,
        *inspect.signature(cause.base).parameters,
        *vars(cause.base),
        "sign",
        "t",
        *FORMATS,
    }
    code |= {name for name, value in vars(inspect.getmodule(cause.base)).items() if inspect.isclass(value)}
    return bool(set(re.findall(r"(?<![\w.])[A-Za-z_]\w*", cause.variant)) - code)


@pytest.mark.parametrize("language", OTHERS)
def test_every_cause_has_a_name_of_its_own_and_no_name_is_left_over(language):
    names = named("causes", language)
    wanted = {cause.id for cause in CAUSES} | {cause.variant for cause in CAUSES if worded(cause)}
    assert wanted - names.keys() == set()
    assert names.keys() - wanted - {cause.variant for cause in CAUSES} == set()
    assert not names.keys() & named("cases", language).keys()
    assert all(re.search("[가-힣]", name) for name in names.values())
    voice = PageVoice(language)
    for subject in subjects():
        called = [voice.called(cause.name) for cause in causes(subject)]
        assert len(set(called)) == len(called), subject


def english(page: str) -> set[str]:
    """What a page shows in English that has a Korean: names, and the messages that nothing is filled in to."""
    known, said = (texts(language, PageVoice.packages) for language in LANGUAGES)
    words = {text for key, text in known.items() if "{" not in text and text != said[key]}
    shown = re.findall(r'(?:aria-label|alt|title)="([^"]*)"', page)
    shown += re.sub(r"<(code|script|style|pre)\b.*?</\1>|<[^>]*>", "\n", page, flags=re.DOTALL).splitlines()
    return {text.strip() for text in shown} & (words | names(OTHERS[0]).keys())


def pages_about_causes(voice: str) -> dict[str, str]:
    """Pages that name causes and cases: a subject's, the causes' own, the laboratory's, the index."""
    columns = [scenario(name) for name in ("tiny", "gradients near eps")]
    wrong = detection_record(rows=rows(("eps-inside-sqrt", "no-bias-correction (only of v)")), scenarios=columns)
    return site([walk_record(), wrong, laboratory_record(), explanation_record()], Undrawn(), (voice,))


def test_no_page_in_korean_shows_an_english_name_that_has_a_korean_one(monkeypatch):
    pages = pages_about_causes("ko")
    assert len(pages) > 4
    assert {name: found for name, text in pages.items() if (found := english(text))} == {}
    assert "제곱근 안의 eps" in pages["optim/adam.html"]
    assert "빠진 편향 보정 (v만 보정함)" in pages["optim/adam/no-bias-correction.html"]
    monkeypatch.setattr(Speaker, "called", lambda self, name: name)
    shown = english("".join(pages_about_causes("ko").values()))
    assert {"eps-inside-sqrt", "gradients near eps"} <= shown
    known = texts("en", PageVoice.packages)["lab.steps"]
    assert english(f'<p aria-label="{known}">') == {known}


def test_a_label_is_said_part_by_part_and_what_has_no_name_as_it_is():
    voice = PageVoice("ko")
    assert voice.called("optim.adam · quadratic · float32") == "optim.adam · 이차 함수 · float32"
    assert voice.called("digits, Rprop, dropout and BatchNorm") == "숫자 그림, Rprop, 드롭아웃과 BatchNorm"
    assert voice.called("a case of somebody's own") == "a case of somebody's own"
    assert PageVoice("en").called("quadratic") == "quadratic"
    assert voice.called("no-bias-correction (only of v)") == "빠진 편향 보정 (v만 보정함)"
    assert voice.called("eps-value (1e-06)") == "다른 eps 값 (1e-06)"
    assert PageVoice("en").called("eps-value (1e-06)") == "eps-value (1e-06)"


def test_a_page_says_the_name_and_keeps_the_text_for_commands():
    page = environment(Speaker("ko")).from_string(
        "{{ name | called }} {{ t('subject.walk.case', case=name, dtype='float32') }}"
    )
    made = page.render(name="gradients near eps")
    assert made.count("<bdi>eps만큼 작은 그래디언트</bdi>") == 2
    assert "gradients" not in made
