"""Steps from-scratch NumPy code beside PyTorch, and measures, judges and explains every difference."""

from lockstep.api import Run, run
from lockstep.cases import Case
from lockstep.explanation import Explanation, explain
from lockstep.record import BadRecord, Record, load
from lockstep.verdict import Finding, Verdict

__all__ = ["BadRecord", "Case", "Explanation", "Finding", "Record", "Run", "Verdict", "explain", "load", "run"]
