"""Steps from-scratch NumPy code beside PyTorch, and measures, judges and explains every difference."""

from lockstep.amplification import Growth, growth
from lockstep.answer import Check
from lockstep.api import Run, run
from lockstep.cases import Case
from lockstep.checking import check, check_recordings
from lockstep.explanation import Explanation, explain
from lockstep.foreign.adapter import Adapter
from lockstep.foreign.layer import LayerAdapter
from lockstep.ledger import Ledger, ledger
from lockstep.record import BadRecord, Record, load
from lockstep.recording import BadRecording, Recording
from lockstep.verdict import Finding, Verdict

__all__ = [
    "Adapter",
    "BadRecord",
    "BadRecording",
    "Case",
    "Check",
    "Explanation",
    "Finding",
    "Growth",
    "LayerAdapter",
    "Ledger",
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
