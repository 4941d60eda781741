"""The command line in Korean: the same facts, the same exit status, the same JSON; English byte for byte as it was."""

import json
import re
import sys

import pytest

import lockstep
from lockstep.checking.answer import answer
from lockstep.checking.export.page import page
from lockstep.cli.terminal import typed
from lockstep.engine.wording import wording
from lockstep.numerics.verdict import Finding, Verdict
from lockstep.text import ENGLISH, LANGUAGES, Voice
from lockstep.text.rows import columns, row
from reference.optim.adam import Adam

HANGUL = re.compile("[가-힣]")
SHAPED = re.compile(r"0x[0-9a-f]{8,16}|\d+(?:\.\d+)?(?:e[+-]\d+)?")  # what a number or its bits look like
RUN = ("run", "optim.adam", "--case", "gradients near eps", "--steps", "2")


@pytest.fixture(scope="module")
def wrong():
    """A check of an Adam that adds eps inside the root, in one scenario."""

    class Inside(Adam):
        def step_one(self, name, grad):
            self.eps, eps = 1e-5, self.eps
            super().step_one(name, grad)
            self.eps = eps

    return lockstep.check(Inside, like="optim.adam", dtypes=["float64"], only="gradients near eps")


# The grammar of a failure, which is the product: English to the byte

FINDING = Finding(
    step=1,
    quantity="param",
    tensor="weight",
    line="denom",
    index=(17,),
    shape=(64,),
    dtype="float32",
    ours=0.044710174202919006,
    theirs=0.044710177928209305,
    ours_bits="0x3d372204",
    theirs_bits="0x3d372205",
    differing=1,
    elements=64,
    exact=0.0447101744,
    allowed=1.86e-9,
    absolute=3.7e-9,
    relative=8.3e-8,
    ulp=1.0,
    used=2.0,
    nearer="ours",
    verdict=Verdict.DIFFERENT,
)
ENGLISH_TEXT = """\
optim.adam[float32, tiny gradients]: different from step 1, line denom
  at       param of weight[17], shape (64,)
  yours    0.0447101742   0x3d372204
  pytorch  0.0447101779   0x3d372205   nearer to exact: yours
  apart    1 ulp (8.3e-08 relative, 3.7e-09 absolute)   allowed 1.9e-09   used 200%
  cause    eps-inside-sqrt: add eps after the square root
  rerun    lockstep run optim.adam --steps 1"""
KOREAN_TEXT = """\
optim.adam[float32, tiny gradients]: 다른 수식, 처음 어긋나는 스텝 1, 줄 denom
  위치     param: weight[17], 모양 (64,)
  내 값    0.0447101742   0x3d372204
  pytorch  0.0447101779   0x3d372205   정확한 값에 더 가까운 쪽: 내 쪽
  차이     1 ulp (상대 8.3e-08, 절대 3.7e-09)   허용 1.9e-09   사용 200%
  원인     eps-inside-sqrt: add eps after the square root
  재실행   lockstep run optim.adam --steps 1"""


@pytest.mark.parametrize(("language", "expected"), [("en", ENGLISH_TEXT), ("ko", KOREAN_TEXT)])
def test_a_failure_message_is_this_to_the_byte(language, expected):
    text = wording(
        "optim.adam[float32, tiny gradients]",
        Verdict.DIFFERENT,
        FINDING,
        None,
        "lockstep run optim.adam --steps 1",
        "eps-inside-sqrt: add eps after the square root",
        Voice(language),
    )
    assert text == expected


def test_rows_stand_in_one_column_in_either_language():
    for language in LANGUAGES:
        voice = Voice(language)
        labels = [key.removeprefix("row.") for key in voice.texts if key.startswith("row.")]
        assert len(labels) > 30
        for label in labels:
            text = row(voice, label, "x")
            assert columns(text) == 12
            assert text.endswith(" x")


# The command line


@pytest.mark.parametrize("words", [RUN, ("explain", "optim.adam", "--steps", "2"), ("causes", "optim.sgd")])
def test_korean_says_the_same_numbers(call, words):
    status, english, _ = call(*words)
    again, korean, err = call("--lang", "ko", *words)
    assert (again, err) == (status, "")
    assert HANGUL.search(korean)
    assert not HANGUL.search(english)
    assert len(korean.splitlines()) == len(english.splitlines())
    found = [(set(SHAPED.findall(one)), set(SHAPED.findall(other))) for one, other in korean_beside(english, korean)]
    assert found
    assert all(one == other for one, other in found)


def korean_beside(english: str, korean: str):
    """The lines in which every number has to be the same: those of values, differences and reruns."""
    labels = [f"{ENGLISH(f'row.{name}')} " for name in ("yours", "pytorch", "apart", "rerun", "headroom", "theirs")]
    for one, other in zip(english.splitlines(), korean.splitlines(), strict=True):
        if one.strip().startswith(tuple(labels)):
            yield one, other


def test_the_environment_chooses_and_the_option_overrides_it(call, monkeypatch):
    monkeypatch.setenv("LOCKSTEP_LANG", "ko")
    assert HANGUL.search(call(*RUN)[1])
    assert not HANGUL.search(call("--lang", "en", *RUN)[1])
    monkeypatch.setenv("LOCKSTEP_LANG", "")
    assert not HANGUL.search(call(*RUN)[1])


@pytest.mark.parametrize("language", ["de", "EN", "en_US.UTF-8", "../ko"])
def test_an_unknown_language_is_refused_before_anything_is_run(call, monkeypatch, language):
    said = f"lockstep: --lang (or LOCKSTEP_LANG) is one of en, ko, not '{language}'\n"
    assert call("--lang", language, *RUN) == (2, "", said)
    monkeypatch.setenv("LOCKSTEP_LANG", language)
    assert call(*RUN) == (2, "", said)


def test_json_and_records_are_the_same_in_every_language(call, tmp_path):
    for language in LANGUAGES:
        assert call("--lang", language, *RUN, "--json", str(tmp_path / language / "run.json"))[0] == 0
    one, other = (json.loads((tmp_path / language / "run.json").read_text("utf-8")) for language in LANGUAGES)
    assert one == other


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("check", "a.py:A"), "lockstep check a.py:A"),
        (("--lang", "ko", "check", "a b.py:A"), "lockstep --lang ko check 'a b.py:A'"),
        (("--lang=ko", "check", "a.py:A"), "lockstep --lang=ko check a.py:A"),
        (("run", "check"), ""),
        (("--lang", "check"), ""),
        ((), ""),
    ],
)
def test_a_check_is_repeated_as_it_was_typed(monkeypatch, words, text):
    monkeypatch.setattr(sys, "argv", ["lockstep", *words])
    assert typed("check") == text


# A check


def test_a_check_answers_in_korean_and_its_json_does_not(wrong):
    english, korean = answer(wrong), answer(wrong, Voice("ko"))
    assert str(wrong) == english
    assert not HANGUL.search(english)
    assert "다른 수식" in korean.splitlines()[0]
    cause = next(line for line in korean.splitlines() if "eps-value" in line)
    assert HANGUL.search(cause)
    assert not HANGUL.search(json.dumps(wrong.to_json(), ensure_ascii=False))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_of_a_check_is_in_its_language(wrong, language):
    text = page(wrong, Voice(language))
    assert f'<html lang="{language}">' in text
    assert bool(HANGUL.search(text)) is (language == "ko")
    assert text.count("<th>") == 6
