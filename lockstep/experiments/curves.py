"""Curves over something else than steps: what a subject's cases draw of both its sides, as a record."""

import importlib
from collections.abc import Mapping
from typing import Any

from lockstep.numerics.environment import environment
from lockstep.records.kinds.experiment import ExperimentRecord
from lockstep.records.schema import plain
from lockstep.subjects.registry import find
from lockstep.subjects.subject import Subject

TREES = {"ours": "reference", "theirs": "torch_impl"}


def curves(subject: Subject) -> dict[str, dict[str, Any]]:
    """The curves of a subject: the name of each here, and the arguments of `drawn`."""
    known = subject.table("CURVES") or {}
    return {f"{subject.path} {name}": {"subject": subject.path, "curve": name} for name in known}


def drawn(arguments: Mapping[str, Any], seed: int = 0) -> ExperimentRecord:
    """The record of a curve."""
    subject, curve = find(arguments["subject"]), arguments["curve"]
    sides = {"ours": subject.reference, "theirs": subject.counterpart}
    generators = {side: importlib.import_module(f"{tree}.random").Generator for side, tree in TREES.items()}
    settings, arrays = subject.table("CURVES")[curve](sides, generators, seed)
    return ExperimentRecord(
        subject=subject.path,
        environment=environment(),
        title=f"{subject.path} {curve}",
        settings=plain(settings | {"dtype": "float32", "seed": seed}),
        arrays=arrays,
    )
