"""Scores a parity test: which wrong variants of the catalogue would it let pass?

Somebody's own tests are run with each wrong variant put in the place of their implementation, through the fixture
`implementation` that the tests ask for. What the fixture must give is a class or a function

    implementation(params, **hyperparameters)   # an object with step(grads), which changes the arrays of params

with `params` and `grads` from name to NumPy array and PyTorch's names for hyperparameters; for a layer, the
reference's interface. See docs/testing.md.
"""

import dataclasses
import pathlib
from collections.abc import Mapping
from typing import Any

import pytest

from lockstep.causes import Cause, causes, plant, scenarios
from lockstep.errors import BadValue, TheirCode
from lockstep.numerics.verdict import Verdict
from lockstep.subjects.registry import find
from lockstep.text import ENGLISH, Message, Voice, message

FIXTURE = "implementation"
RIGHT = "right"


class CannotScore(TheirCode, ValueError):
    """Tests that say nothing: none asks for the fixture, or they fail for a right implementation."""


@dataclasses.dataclass(frozen=True)
class Missed:
    """A wrong variant that passes. scenario, why: what would have caught it. step, line: where it shows there."""

    cause: Cause
    scenario: str
    why: Message

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return {
            "id": self.cause.id,
            "variant": self.cause.variant,
            "formula": self.cause.formula,
            "scenario": self.scenario,
            "why": ENGLISH.say(self.why),
            "step": self.cause.first.step,
            "line": self.cause.first.line,
            "dtypes": list(self.cause.dtypes),
        }


@dataclasses.dataclass(frozen=True)
class Score:
    """What a parity test is worth: the variants it catches, and those it lets pass."""

    tests: str
    subject: str
    caught: list[Cause]
    missed: list[Missed]

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return {
            "tests": self.tests,
            "subject": self.subject,
            "caught": [{"id": cause.id, "variant": cause.variant} for cause in self.caught],
            "missed": [one.to_json() for one in self.missed],
        }

    def __str__(self) -> str:
        return self.told()

    def told(self, voice: Voice = ENGLISH) -> str:
        """What a person reads of it, in a language."""
        counts = {"caught": len(self.caught), "total": len(self.caught) + len(self.missed)}
        lines = [voice("score.title", tests=self.tests, subject=self.subject, **counts)]
        for scenario in dict.fromkeys(miss.scenario for miss in self.missed):
            those = [miss for miss in self.missed if miss.scenario == scenario]
            lines.append("  " + voice("score.scenario", name=scenario, why=those[0].why))
            for miss in those:
                first, dtypes = miss.cause.first, ", ".join(miss.cause.dtypes)
                said = message("score.missed", name=miss.cause.name, line=first.line, step=first.step, dtypes=dtypes)
                lines.append("    " + voice.say(said))
        return "\n".join(lines)


class Stand:
    """A pytest plugin that gives every variant to every test, in place of whatever the fixture would give.

    Arguments:
        variants: name to what stands in for the implementation.
    """

    def __init__(self, variants: Mapping[str, Any]):
        self.variants = variants
        self.tests = 0
        self.failed: dict[str, str] = {}
        self.broken: list[str] = []
        self.names: dict[str, str] = {}

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        if FIXTURE in metafunc.fixturenames:
            self.tests += 1
            metafunc.parametrize(FIXTURE, list(self.variants), indirect=True)

    @pytest.fixture
    def implementation(self) -> Any:
        """For tests that define none of their own."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_fixture_setup(self, fixturedef: Any, request: Any) -> Any:
        if fixturedef.argname != FIXTURE:
            return None
        given = self.variants[request.param]
        fixturedef.cached_result = (given, fixturedef.cache_key(request), None)
        return given

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        items[:] = [item for item in items if FIXTURE in getattr(item, "fixturenames", ())]
        self.names = {item.nodeid: item.callspec.params[FIXTURE] for item in items}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.failed.setdefault(self.names[report.nodeid], report.longreprtext)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.broken.append(report.longreprtext)


def score(tests: str, subject: str) -> Score:
    """Run somebody's parity tests with each wrong variant of a subject in place of their implementation.

    Arguments:
        tests: a file of tests, or one of them (`tests/test_adam.py::test_parity`).
        subject: the path of what they test, "optim.adam".

    Raises:
        CannotScore: where there are no such tests, none asks for the fixture `implementation`, or a right
            implementation fails them.
        ValueError: for a subject without known causes.
    """
    known_subject = find(subject)
    known = [cause for cause in causes(known_subject) if cause.verdict is Verdict.DIFFERENT]
    if not known:
        raise BadValue(message("error.no-causes", subject=subject))
    file = pathlib.Path(tests.partition("::")[0])
    if not file.exists():
        raise CannotScore(message("error.no-test-file", file=str(file)))
    base = known_subject.ours(known_subject.cases.CASES[0])
    stand = Stand({RIGHT: base} | {cause.name: plant(known_subject, [cause], base) for cause in known})
    # their settings may ask for workers, coverage or warnings as errors: none of that is the test
    arguments = [tests, "-o", "addopts=", "-p", "no:terminal", "-p", "no:cacheprovider", "-W", "ignore"]
    pytest.main(arguments, plugins=[stand])
    if stand.broken:
        raise CannotScore(message("error.not-collected", tests=tests, words=stand.broken[0]))
    if not stand.tests:
        raise CannotScore(message("error.no-fixture", tests=tests, fixture=FIXTURE))
    if RIGHT in stand.failed:
        raise CannotScore(message("error.right-fails", tests=tests, words=stand.failed[RIGHT]))
    reasons = {scenario.name: scenario.why for scenario in scenarios(known_subject)}
    return Score(
        tests,
        subject,
        [cause for cause in known if cause.name in stand.failed],
        [Missed(cause, cause.shows, reasons[cause.shows]) for cause in known if cause.name not in stand.failed],
    )
