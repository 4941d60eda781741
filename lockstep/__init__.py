"""Steps from-scratch NumPy code beside PyTorch, and measures, judges and explains every difference."""

from lockstep.adapters.adapter import Adapter, CannotCheck, NotTaken
from lockstep.adapters.layer.adapter import LayerAdapter, Made
from lockstep.cases import Case
from lockstep.checking.answer import Check
from lockstep.checking.check import check, check_recordings
from lockstep.engine.run import Run, run
from lockstep.explanation.explain import Explanation, explain
from lockstep.explanation.growth import growth
from lockstep.explanation.ledger import Ledger, ledger
from lockstep.numerics.verdict import Finding, Verdict
from lockstep.recordings.recording import BadRecording, Recording
from lockstep.records.kinds.growth import Growth
from lockstep.records.loading import load
from lockstep.records.record import BadRecord, Record

__all__ = [
    "Adapter",
    "BadRecord",
    "BadRecording",
    "CannotCheck",
    "Case",
    "Check",
    "Explanation",
    "Finding",
    "Growth",
    "LayerAdapter",
    "Ledger",
    "Made",
    "NotTaken",
    "Record",
    "Recording",
    "Run",
    "Verdict",
    "check",
    "check_recordings",
    "explain",
    "growth",
    "ledger",
    "load",
    "run",
]
