"""Curves over something else than steps: what a subject's cases draw of both its sides, as a record."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from lockstep.numerics.environment import environment
from lockstep.records.record import SCHEMA, VERSION, Record
from lockstep.subjects.registry import find
from lockstep.subjects.subject import Subject

TREES = {"numpy": "reference", "torch": "torch_impl"}


def curves(subject: Subject) -> dict[str, dict[str, Any]]:
    """The curves of a subject: the name of each here, and the arguments of `drawn`."""
    known = subject.table("CURVES") or {}
    return {f"{subject.path} {name}": {"subject": subject.path, "curve": name} for name in known}


def drawn(arguments: Mapping[str, Any], seed: int = 0) -> Record:
    """The record of a curve; lockstep/records/record.py documents it."""
    subject, curve = find(arguments["subject"]), arguments["curve"]
    sides = {"numpy": subject.reference, "torch": subject.counterpart}
    generators = {side: import_module(f"{tree}.random").Generator for side, tree in TREES.items()}
    settings, arrays = subject.table("CURVES")[curve](sides, generators, seed)
    data = {
        "schema": SCHEMA,
        "version": VERSION,
        "kind": "experiment",
        "subject": subject.path,
        "title": f"{subject.path} {curve}",
        "dtype": "float32",
        "seed": seed,
        "environment": environment(),
        "settings": settings,
        "figures": [],
        "claims": [],
        "printed": [],
        "optimum": None,
        "runs": [],
    }
    return Record(data, arrays)
