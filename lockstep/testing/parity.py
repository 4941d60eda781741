"""Parity checks in somebody's own test suite.

    from lockstep.testing import parametrize_with_checks

    @parametrize_with_checks(MyAdam(lr=1e-3), like="optim.adam")
    def test_parity(check):
        check()

One test a scenario; each fails with the message of `lockstep check`. See docs/testing.md.
"""

import os
import shlex
from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from lockstep.checking.answer import Check, TrialOutcome, answer, details
from lockstep.checking.check import DTYPES, check
from lockstep.checking.driving.trials import trials
from lockstep.errors import TheirCode
from lockstep.numerics.verdict import Verdict
from lockstep.subjects.registry import find_class
from lockstep.text import message

FAILS = (Verdict.DIFFERENT, Verdict.ILL_CONDITIONED)


class NotLike(TheirCode, AssertionError):
    """An implementation is not what it is said to be like; `found` is the whole check."""

    def __init__(self, text: str, found: Check):
        super().__init__(text)
        self.found = found


class Target:
    """An implementation under test. It is checked once, whatever number of tests look at the result.

    Arguments:
        target, like, hyperparameters, dtypes, seed: as of `lockstep.check`.
    """

    def __init__(
        self, target: Any, like: str, hyperparameters: Mapping[str, Any] | None, dtypes: Iterable[str], seed: int
    ):
        self.target, self.like, self.hyperparameters = target, like, dict(hyperparameters or {})
        self.dtypes, self.seed = tuple(dtypes), seed
        self.known: Check | None = None

    @property
    def found(self) -> Check:
        """The check of everything, made when it is first asked for."""
        if self.known is None:
            self.known = check(
                self.target,
                like=self.like,
                hyperparameters=self.hyperparameters,
                dtypes=self.dtypes,
                seed=self.seed,
            )
        return self.known


class ScenarioCheck:
    """What a test calls: one scenario of a target, in every dtype."""

    def __init__(self, target: Target, scenario: str):
        self.target, self.scenario = target, scenario

    def __repr__(self) -> str:
        return f"<{self.scenario}>"

    def __call__(self) -> None:
        """Pass, skip what the implementation cannot be told, or fail.

        Raises:
            NotLike: with the whole message.
        """
        __tracebackhide__ = True
        result = self.target.found
        if result.broken:
            raise NotLike(answer(result), result)
        if result.remarks:  # what is different beside the numbers is so in every scenario
            raise NotLike(answer(result), result)
        outcomes = [outcome for outcome in result.outcomes if outcome.recording.scenario == self.scenario]
        wrong = [outcome for outcome in outcomes if outcome.verdict in FAILS]
        if wrong:
            raise NotLike(told(result, wrong[0]), result)
        if not outcomes:
            reasons = [one["reason"] for one in result.not_triggered if one.get("scenario") == self.scenario]
            pytest.skip(str(reasons[0] if reasons else message("reason.not-tried")))


def parametrize_with_checks(
    target: Any,
    *,
    like: str,
    hyperparameters: Mapping[str, Any] | None = None,
    dtypes: Iterable[str] = DTYPES,
    seed: int = 0,
) -> pytest.MarkDecorator:
    """Make a test with an argument `check` one test a scenario.

    Arguments:
        target: a class, an instance or a function of one of the shapes in docs/checking.md, or an adapter.
        like: the path of what it should be, "optim.adam".
        hyperparameters: under PyTorch's names, in all scenarios.
        dtypes: float64 first, where a formula and rounding cannot be confused.
        seed: of the random numbers.

    Raises:
        ValueError: for a path without a subject, while tests are collected.
    """
    names = list(dict.fromkeys(trial.name for trial in trials(*find_class(like))))
    checked = Target(target, like, hyperparameters, dtypes, seed)
    return pytest.mark.parametrize("check", [ScenarioCheck(checked, name) for name in names], ids=map(slug, names))


def slug(text: str) -> str:
    """Words joined by hyphens, which `pytest -k` takes."""
    return "-".join("".join(sign if sign.isalnum() else " " for sign in text).split())


def told(found: Check, outcome: TrialOutcome) -> str:
    """The message of one scenario that fails: where, both values with their bits, why, and how to repeat it."""
    recording = outcome.recording
    finding = outcome.finding
    lines = [f"{found.target} like {found.subject}[{recording.dtype}, {recording.scenario}]: {outcome.verdict}"]
    if finding:
        lines[0] += f" from step {finding.step}, line {finding.line}"
        lines += details(finding)
    lines += found.explained()
    test = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" ")[0]
    return "\n".join([*lines, *([f"  rerun    pytest {shlex.quote(test)}"] if test else [])])


class Lockstep:
    """What the fixture `lockstep` is."""

    def check(self, target: Any, *, like: str, **options: Any) -> Check:
        """The whole check of an implementation, as `lockstep.check`; it is returned where it passes.

        Raises:
            NotLike: where it is different, ill-conditioned, or could not be checked.
        """
        __tracebackhide__ = True
        result = check(target, like=like, **options)
        if result.exit_status:
            raise NotLike(answer(result), result)
        return result
