"""Help, and what is wrong with the form of a call, in the language asked for.

The English of a command and of its options stands beside them, where typer takes it from; the other languages have it
in `lockstep/text/help.LANGUAGE.toml`, by the English.
"""

import functools
import os
import re
import sys
import tomllib
from importlib import resources
from typing import Any

import typer
from typer import rich_utils

from lockstep.cli.terminal import SPOKEN, errors, voice
from lockstep.numerics.formats import FORMATS
from lockstep.text import LANGUAGES, Message, Voice, message

UsageError: Any = typer.BadParameter.__mro__[1]  # which typer has, and does not export
FRAME = ("ARGUMENTS_PANEL_TITLE", "OPTIONS_PANEL_TITLE", "COMMANDS_PANEL_TITLE", "DEFAULT_STRING", "ENVVAR_STRING")
FRAME = (*FRAME, "REQUIRED_LONG_STRING")
MAKE_TEXT: Any = rich_utils._make_rich_text
# What was typed, which two kinds of error have in their sentence alone: `No such command 'x'.`, `… arguments (x y)`.
TYPED = re.compile(r"['(]([^'()]*)[')]\.?$")
METAVARS = ("options_metavar", "subcommand_metavar")


def early_language() -> str:
    """The language asked for, before the call is read; what is none is refused when it is."""
    words = sys.argv[1:]
    given = words[1] if words[:1] == ["--lang"] and len(words) > 1 else ""
    given = words[0].partition("=")[2] if words and words[0].startswith("--lang=") else given
    given = given or os.environ.get("LOCKSTEP_LANG", "")
    return given if given in LANGUAGES else LANGUAGES[0]


def speaking(app: typer.Typer) -> Any:
    """The command that `app` is, its help in the language asked for."""
    SPOKEN.set(Voice(early_language()))
    command: Any = typer.main.get_command(app)
    rich_utils._make_rich_text = folding
    for frame in FRAME:
        setattr(rich_utils, frame, said(original(frame)))
    for each in (command, *command.commands.values()):
        each.help = said(each.help)
        each.get_usage = functools.partial(usage, each)
        for metavar in METAVARS:
            if hasattr(each, metavar):
                setattr(each, metavar, said(getattr(each, metavar)))
        for parameter in each.params:
            parameter.help = said(parameter.help)
        option = each.get_help_option(each.make_context("", [], resilient_parsing=True))
        option.help = said(option.help)
    return command


def folding(**text: Any) -> Any:
    """A text of the help that folds: where the blank at the end of a line of Hangul is too much, Rich cuts a word."""
    made: Any = MAKE_TEXT(**text)
    made.overflow = "fold"
    return made


def usage(command: Any, context: Any) -> str:
    """How a command is called, in a line."""
    return type(command).get_usage(command, context).replace("Usage:", voice()("usage.title"))


@functools.cache
def original(frame: str) -> str:
    return getattr(rich_utils, frame)


def said(text: str) -> str:
    """A text of the help in the language asked for."""
    formats = ", ".join(FORMATS)
    return known(voice().language).get(text.replace(formats, "{formats}"), text).replace("{formats}", formats)


@functools.cache
def known(language: str) -> dict[str, str]:
    """English to that language; nothing for English."""
    if language == LANGUAGES[0]:
        return {}
    with resources.files("lockstep.text").joinpath(f"help.{language}.toml").open("rb") as file:
        return tomllib.load(file)


def call(command: Any) -> None:
    """Run it as it was typed.

    Raises:
        SystemExit: with its status; 2, after a line that says why, for a call of the wrong form.
    """
    try:
        sys.exit(command.main(standalone_mode=False) or 0)
    except UsageError as error:
        if type(error).__name__ == "NoArgsIsHelpError":  # the help has been printed
            error.show()
        else:
            if error.ctx is not None:
                errors.print(error.ctx.get_usage(), markup=False)
            errors.print(f"lockstep: {voice().say(wrong(error, command))}", markup=False)
        sys.exit(error.exit_code)


def wrong(error: Any, root: Any) -> Message:
    """What is wrong with the form of the call of a command of `root`."""
    kind, known = type(error).__name__, ", ".join(root.commands)
    if kind == "NoSuchOption":
        near = ", ".join(sorted(error.possibilities or []))
        return message("usage.no-option-near" if near else "usage.no-option", name=error.option_name, near=near)
    if kind == "MissingParameter":
        return message("usage.missing", name=shown(error.param))
    if kind == "BadParameter" and error.param is not None and error.__cause__ is not None:
        least, (fault, *_) = error.param.min, error.__cause__.errors()
        wanted = message("usage.whole") if least is None else message("usage.whole-from", least=least)
        return message("usage.value", name=shown(error.param), wanted=wanted, given=repr(fault["input"]))
    if kind == "BadOptionUsage":
        options = [
            option
            for command in root.commands.values()
            for option in command.params
            if getattr(option, "is_flag", False)
        ]
        flag = any(error.option_name in option.opts for option in options)
        return message("usage.flag" if flag else "usage.no-value", name=error.option_name)
    command, typed = error.ctx.command if error.ctx else None, TYPED.search(error.message)
    if typed is None:
        return message("usage.other", why=error.format_message())
    if command is root:
        return message("usage.no-command", given=typed[1], known=known)
    return message("usage.extra", name=command.name if command else "", given=typed[1])


def shown(parameter: Any) -> str:
    """An option as it is typed, an argument by its name."""
    return max(parameter.opts, key=len)
