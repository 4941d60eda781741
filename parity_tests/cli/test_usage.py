"""Help and usage errors in the language asked for: every English text has its Korean, and none is left over."""

import re
import tomllib
from importlib import resources
from typing import Any

import pytest
import typer

from lockstep.cli import usage
from lockstep.cli.main import app
from lockstep.cli.terminal import SPOKEN
from lockstep.numerics.formats import FORMATS
from lockstep.text import Voice

HANGUL = re.compile("[가-힣]")
COMMAND: Any = typer.main.get_command(app)
COMMANDS = sorted(COMMAND.commands)


@pytest.fixture
def korean(call, monkeypatch):
    monkeypatch.setenv("LOCKSTEP_LANG", "ko")
    return call


def english() -> list[str]:
    """Every text of the help."""
    each = [COMMAND, *COMMAND.commands.values()]
    texts = [text.help for one in each for text in (one, *one.params)]
    options = [one.get_help_option(one.make_context("", [], resilient_parsing=True)).help for one in each]
    formats = ", ".join(FORMATS)
    texts += [getattr(one, metavar) for one in each for metavar in usage.METAVARS if hasattr(one, metavar)]
    return [text.replace(formats, "{formats}") for text in [*texts, *options, *map(usage.original, usage.FRAME)]]


def missing(known: set[str]) -> set[str]:
    return set(english()) ^ known


def korean_texts() -> dict[str, str]:
    with resources.files("lockstep.text").joinpath("help.ko.toml").open("rb") as file:
        return tomllib.load(file)


def test_every_text_of_the_help_has_its_korean_and_no_other_has():
    known = korean_texts()
    assert missing(set(known)) == set()
    assert [text for text, said in known.items() if not HANGUL.search(said) and text != "{formats}."] == []
    assert all(text.count("{") == said.count("{") for text, said in known.items())


def test_a_text_that_is_missing_or_left_over_would_be_noticed():
    known = set(korean_texts())
    assert missing(known - {"Every case of its table."}) == {"Every case of its table."}
    assert missing(known | {"of an option that is gone"}) == {"of an option that is gone"}


@pytest.mark.parametrize("command", COMMANDS)
def test_help_is_in_korean_and_english_is_itself_again(command, korean, monkeypatch):
    status, out, err = korean(command, "--help")
    assert (status, err) == (0, "")
    assert "이 도움말을 보이고 끝냅니다." in out
    assert "Show this message" not in out
    assert not re.search(r"Usage|OPTIONS|…", out)
    monkeypatch.delenv("LOCKSTEP_LANG")
    assert not HANGUL.search(korean(command, "--help")[1])


def test_the_language_is_read_before_the_call(call):
    assert "옵션" in call("--lang", "ko", "--help")[1]
    assert "옵션" in call("--lang=ko", "run", "--help")[1]
    assert "옵션" not in call("--lang", "en", "run", "--help")[1]


WRONG = [
    ((), "subject is missing", "subject: 빠졌습니다"),
    (("optim.adam", "--stepps", "3"), "no such option --stepps; did you mean --set, --steps?", "옵션 --stepps: 없는"),
    (("optim.adam", "--frobnicate"), "no such option --frobnicate", "옵션 --frobnicate: 없는 옵션입니다"),
    (
        ("optim.adam", "--steps", "x"),
        "--steps must be a whole number, not 'x'",
        "--steps: 정수여야 합니다. 받은 값: 'x'",
    ),
    (("optim.adam", "--all=yes"), "--all takes no value", "--all: 값을 받지 않습니다"),
    (("optim.adam", "--case"), "--case needs a value", "--case: 값이 빠졌습니다"),
    (("optim.adam", "more"), "run takes no more arguments: more", "run: 받지 않는 인자입니다: more"),
]


@pytest.mark.parametrize(("words", "english", "korean"), WRONG)
def test_a_call_of_the_wrong_form_is_told_in_both_languages(words, english, korean, call):
    for language, text in (("en", english), ("ko", korean)):
        status, out, err = call("--lang", language, "run", *words)
        assert (status, out) == (2, "")
        line = err.splitlines()[-1]
        assert line.startswith("lockstep: ")
        assert text in line
        assert bool(HANGUL.search(err)) is (language == "ko")


def test_no_command_of_that_name(call):
    status, _, err = call("walk")
    assert status == 2
    assert "no command walk; there are " in err
    assert all(command in err for command in COMMANDS)
    assert "없는 명령입니다: walk" in call("--lang", "ko", "walk")[2]


def test_a_text_that_nobody_translated_stays_english():
    token = SPOKEN.set(Voice("ko"))
    assert usage.said("Never seen.") == "Never seen."
    SPOKEN.reset(token)
