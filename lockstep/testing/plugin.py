"""The pytest plugin: the fixture `lockstep`, and a page of what failed.

Everything it needs is imported when it is needed, so that a suite that does not use it pays nothing.
"""

import pathlib
from typing import Any

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--lockstep-report`."""
    parser.getgroup("lockstep").addoption(
        "--lockstep-report",
        metavar="DIR",
        default=None,
        help="write a page on each implementation that failed its parity checks to this folder",
    )


@pytest.fixture
def lockstep() -> Any:
    """`lockstep.check(MyAdam, like="optim.adam")` fails the test with the whole answer."""
    from lockstep.testing.parity import Lockstep

    return Lockstep()


@pytest.hookimpl(trylast=True)
def pytest_exception_interact(node: Any, call: pytest.CallInfo[Any]) -> None:
    """Write the page of a check that failed, one a test function."""
    folder = node.config.getoption("--lockstep-report")
    result = getattr(call.excinfo.value if call.excinfo else None, "found", None)
    if folder is None or result is None:
        return
    from lockstep.checking.export.page import page
    from lockstep.records.files import whole
    from lockstep.testing.parity import slug

    name = slug(node.nodeid.partition("[")[0].removesuffix(".py"))
    with whole(pathlib.Path(folder) / f"{name}.html") as temporary:
        temporary.write_text(page(result), "utf-8")
