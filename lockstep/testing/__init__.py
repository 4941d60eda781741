"""Parity checks in somebody's own test suite."""

from lockstep.testing.parity import Lockstep, NotLike, ScenarioCheck, Target, parametrize_with_checks

__all__ = ["Lockstep", "NotLike", "ScenarioCheck", "Target", "parametrize_with_checks"]
