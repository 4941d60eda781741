"""What is said in English is said in Korean, with the same values in it."""

import json
import re
import string
from typing import Any

import numpy as np
import pytest

from lockstep.records.schema import Words, plain, read
from lockstep.subjects.registry import subjects
from lockstep.text import LANGUAGES, Message, NoSuchMessage, Voice, from_json, message, texts
from reports.text import PageVoice

# Hangul that would have to change with the last sound of the word before it.
PARTICLE = re.compile(r"\}(?:은|는|이|가|을|를|과|와|으로|로|이다|이고|이며|이나|나|이라|라)(?![가-힣])")


def placeholders(text: str) -> set[tuple[str, str]]:
    return {(name, spec or "") for _, name, spec, _ in string.Formatter().parse(text) if name is not None}


def faults(english: dict[str, str], korean: dict[str, str]) -> list[str]:
    """What the two files say differently, or what Korean cannot say."""
    found = [f"{key}: only in one language" for key in english.keys() ^ korean.keys()]
    for key in english.keys() & korean.keys():
        if placeholders(english[key]) != placeholders(korean[key]):
            found.append(f"{key}: other placeholders")
        if "발산" in korean[key] and "blow" not in english[key]:
            found.append(f"{key}: 발산 is for what blows up")
        if PARTICLE.search(korean[key]):
            found.append(f"{key}: a particle after a placeholder")
        found += [
            f"{key}: {language} is empty" for language, text in (("en", english[key]), ("ko", korean[key])) if not text
        ]
    return found


@pytest.mark.parametrize("package", PageVoice.packages)
def test_both_languages_say_the_same(package):
    english, korean = (texts(language, (package,)) for language in LANGUAGES)
    assert english
    assert not faults(english, korean)


def test_a_message_stands_with_one_owner():
    ours, pages = (texts("en", (package,)).keys() for package in PageVoice.packages)
    assert ours & pages == set()


@pytest.mark.parametrize(
    ("korean", "fault"),
    [
        ({}, "k: only in one language"),
        ({"k": "{m:step} 뒤"}, "k: other placeholders"),
        ({"k": "{n} 뒤"}, "k: other placeholders"),
        ({"k": "{n:step}를 지나"}, "k: a particle after a placeholder"),
        ({"k": "{n:step}으로"}, "k: a particle after a placeholder"),
        ({"k": ""}, "k: ko is empty"),
        ({"k": "{n:step} 뒤 발산"}, "k: 발산 is for what blows up"),
    ],
)
def test_what_differs_is_found(korean, fault):
    assert fault in faults({"k": "after {n:step}"}, korean)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_message_can_be_parsed(language):
    for key, text in texts(language, PageVoice.packages).items():
        assert all(name is None or name.isidentifier() for _, name, _, _ in string.Formatter().parse(text)), key


def test_a_count_knows_one_from_many():
    assert Voice("en").written(1, "step") == "1 step"
    assert Voice("en").written(12000, "step") == "12\u202f000 steps"
    assert Voice("en").written(2405, "count") == "2\u202f405"
    assert Voice("ko").written(2, "step") == "2스텝"


def test_forms_of_values():
    voice = Voice("en")
    forms = {"number": "2.4e-7", "ulp": "2.4e-7 ulp", "share": "< 1 %", ".1e": "2.4e-07"}
    assert {spec: voice.written(2.4e-7, spec) for spec in forms} == forms
    assert voice.written("rounding", "verdict") == "rounding"
    assert voice.written("a", "repr") == "'a'"
    assert Voice("ko").written("rounding", "verdict") == "반올림"
    assert voice.written(["a", "b", "c"], "list") == "a, b and c"
    assert voice.written([message("verdict.broken.name"), "x"], "list") == "broken and x"


def test_a_message_is_english_wherever_it_is_a_text():
    assert f"{message('verdict.broken.name')}" == str(message("verdict.broken.name")) == "broken"


def test_a_message_survives_a_record():
    kept = {"key": "count.step.other", "values": {"n": {"key": "verdict.broken.name", "values": {}}}}
    assert from_json(kept) == Message("count.step.other", {"n": Message("verdict.broken.name", {})})


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_subject_is_told_in_three_sentences(language):
    said_of = {key.removeprefix("about."): text for key, text in texts(language).items() if key.startswith("about.")}
    assert said_of.keys() == {subject.path for subject in subjects()}
    assert {len(re.findall(r"\.(?: |$)", text)) for text in said_of.values()} == {3}


def test_what_is_no_number_survives_a_record():
    lost = [message("claim.loss", name="x", value=value) for value in (np.inf, np.nan)]
    kept = json.loads(json.dumps(plain(lost), allow_nan=False))
    assert [Voice("en").say(one) for one in from_json(kept)] == ["x inf", "x nan"]


@pytest.mark.parametrize(
    ("value", "holds"),
    [
        ("a text", False),
        ({"key": "claim.loss", "values": {"name": "x", "value": 1.0}}, True),
        ({"key": "claim.loss", "values": {"name": "x", "value": "1.0"}}, False),
        ({"key": "claim.loss", "values": {"name": "x"}}, False),
        ({"key": "claim.loss", "values": [1.0]}, False),
        ({"key": "claim.lost", "values": {}}, False),
        ({"key": 3, "values": {}}, False),
        ({"key": ["claim.loss"], "values": {}}, False),
        ({"key": "claim.figure"}, False),
        (["a text"], False),
        (None, False),
    ],
)
def test_what_somebody_else_wrote_can_be_said_or_is_refused(value, holds):
    assert readable(Message, value) is holds
    assert readable(Words, value) is (holds or value == "a text")


def readable(kind: Any, value: Any) -> bool:
    try:
        read(kind, value, "it")
    except ValueError:
        return False
    return True


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"key": "cause.of-tomorrow.fix", "values": {}}, "it says 'cause.of-tomorrow.fix', which this Lockstep has no"),
        ({"key": "rung.kernel", "values": {}}, "it says 'rung.kernel' with other values than it takes"),
        ({"key": "rung.sums", "values": {"threads": []}}, "with other values than it takes"),
        ("swap", "it is 'swap', not a message"),
    ],
)
def test_what_cannot_be_said_is_named(value, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        read(Message, value, "it")


def test_a_message_that_holds_itself_ever_again_is_refused():
    deep: Any = "x"
    for _ in range(100_000):
        deep = {"key": "claim.otherwise", "values": {"found": deep, "theirs": "x"}}
    assert not readable(Message, deep)


def test_an_unknown_key_and_language():
    with pytest.raises(NoSuchMessage, match=r"no message 'nowhere'"):
        Voice("en")("nowhere")
    with pytest.raises(ValueError, match="language must be one of en, ko, not 'de'"):
        Voice("de")
