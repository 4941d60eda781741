"""What tests of checks share."""

import pytest


@pytest.fixture
def unnamed(monkeypatch):
    """The verdict alone is asked for: no cause is searched for."""
    monkeypatch.setattr("lockstep.checking.optimizers.name_causes", lambda result: None)
