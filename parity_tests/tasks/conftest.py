"""What the tests of shared work hold theirs against."""

import pathlib

import pytest

from parity_tests.support.work import report


@pytest.fixture(scope="session")
def near(tmp_path_factory) -> pathlib.Path:
    """A small report, made by two workers on this machine; beside it what was kept of it."""
    out = tmp_path_factory.mktemp("near") / "report"
    said = report(out, "--workers", "2").communicate()
    assert "0 kept" in said[1], said
    return out
