"""`lockstep.run`, and what it returns."""

import os
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from lockstep.cases import Case
from lockstep.engine.resuming import resumed
from lockstep.engine.series import Series
from lockstep.engine.stepping import Outcome, run_pair
from lockstep.engine.wording import headline, wording
from lockstep.numerics.verdict import Finding, Verdict
from lockstep.records.kinds.run import Quantity, RunRecord
from lockstep.subjects.registry import asked, check_count
from lockstep.subjects.subject import Request
from lockstep.text import ENGLISH, Message, Voice
from lockstep.text.rows import row


class Run:
    """A finished run of one case.

    verdict: identical, rounding, ill-conditioned, different or broken.
    first_difference: None, or the first element that differs after one step from the same place.
    evidence: None, or the element that the verdict rests on. used: the largest share of an allowance.
    drift, defect: quantity to the largest absolute difference, a value a step, of the free and of the
        resynchronised run; `series` has the other figures.
    """

    def __init__(self, request: Request, outcome: Outcome):
        self.request, self.outcome = request, outcome
        self.drift = absolute(outcome.drift)
        self.defect = absolute(outcome.defect)

    @property
    def verdict(self) -> Verdict:
        """The worst of all quantities."""
        return self.outcome.verdict

    @property
    def first_difference(self) -> Finding | None:
        """The first element that differs after one step from the same place, or None."""
        return self.outcome.first_difference

    @property
    def evidence(self) -> Finding | None:
        """The element that the verdict rests on, or None."""
        return self.outcome.evidence

    @property
    def used(self) -> float:
        """The largest share of its allowance that any element used."""
        return self.outcome.used

    @property
    def label(self) -> str:
        """Subject, dtype, path and case in one line."""
        return self.request.label

    @property
    def notes(self) -> list[Message]:
        """What a reader must know besides the settings: for instance that both sides were given one mask."""
        return self.request.subject.family.notes(self.request.case)

    @property
    def rerun(self) -> str:
        """The command that runs it again."""
        return self.request.command("run")

    def __str__(self) -> str:
        return self.told()

    def told(self, voice: Voice = ENGLISH) -> str:
        """What a person reads of it, in a language."""
        text = wording(self.label, self.verdict, self.evidence, self.outcome.broken, self.rerun, voice=voice)
        return "\n".join([text, *(row(voice, "note", note) for note in self.notes)])

    def __repr__(self) -> str:
        return f"<{headline(self.label, self.verdict, self.evidence, self.outcome.broken)}>"

    def series(self, mode: str, quantity: str, figure: str) -> np.ndarray:
        """A value a step of `figure`: absolute, relative, ulp, scaled_ulp, differing, used, band, …"""
        return getattr(self.outcome, mode).columns[quantity][figure]

    @property
    def landscape(self) -> dict[str, np.ndarray]:
        """The values x, y, z of a function of two variables around the path; nothing for any other problem."""
        path = self.outcome.traces.get("path/ours")
        return {} if path is None else self.request.subject.family.landscape(self.request.case, path)

    @property
    def record(self) -> RunRecord:
        """What is saved."""
        outcome = self.outcome
        arrays = {f"window/{key}": array for key, array in outcome.window.items()}
        arrays |= {f"trace/{key}": array for key, array in outcome.traces.items()}
        arrays |= {f"trace/contour/{key}": array for key, array in self.landscape.items()}
        for mode in ("drift", "defect"):
            series: Series = getattr(outcome, mode)
            arrays |= {f"heat/{mode}/{quantity}": heat for quantity, heat in series.heat.items()}
            arrays |= {
                f"{mode}/{quantity}/{figure}": column
                for quantity, columns in series.columns.items()
                for figure, column in columns.items()
            }
        return RunRecord(
            **self.request.header,
            verdict=outcome.verdict,
            used=outcome.used,
            broken=outcome.broken,
            first_difference=outcome.first_difference,
            evidence=outcome.evidence,
            closest_call=outcome.closest_call,
            first_drift=outcome.first_drift,
            quantities={
                name: Quantity(verdict=verdict, line=outcome.lines.get(name, name))
                for name, verdict in outcome.verdicts.items()
            },
            equations=dict(outcome.equations),
            notes=tuple(self.notes),
            rerun=self.rerun,
            arrays=arrays,
        )

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the record as NAME.json with its arrays beside it, whole or not at all."""
        self.record.save(path)


def absolute(series: Series) -> dict[str, np.ndarray]:
    return {quantity: columns["absolute"] for quantity, columns in series.columns.items()}


def run(
    subject: str,
    *,
    case: str | Case | None = None,
    problem: Any = None,
    steps: int | None = None,
    dtype: str | None = None,
    seed: int = 0,
    path: str | None = None,
    hyperparameters: Mapping[str, Any] | None = None,
    judge_every: int = 1,
    drift_every: int = 1,
    on_step: Callable[[int], Any] | None = None,
) -> Run:
    """Step a subject in NumPy beside PyTorch, free and resynchronised, and judge every difference.

    Arguments:
        subject: its path, "optim.adam".
        case: the text of one of its cases, or a Case; a plain one if None.
        problem: for optimizers, a name of reference.functions.PROBLEMS, a callable (params to gradients),
            or an array of gradients, one a step.
        steps: how many; if None, as many as there are gradients, or the case's own number.
        dtype: the name of a format, "float32" for one; the first that the case makes sense in if None.
        seed: of the problem's random numbers.
        path: "single", "foreach" or "fused" for optimizers; the first the subject has if None.
        hyperparameters: under PyTorch's names, added to the case's.
        judge_every: resynchronise and judge the first step and every so-manyth only; the free runs take all.
        drift_every: compare the free runs after the first step, every so-manyth, each judged one and the last;
            what was not measured is NaN.
        on_step: called with the number of each finished step.

    Raises:
        ValueError, TypeError: for anything that makes no sense, before a step is taken.
    """
    request = asked(subject, case, dtype, path, seed, steps, problem=problem, hyperparameters=hyperparameters)
    for name, value in (("judge_every", judge_every), ("drift_every", drift_every)):
        check_count(name, value)
    pair = resumed(request)
    outcome = run_pair(pair, request.steps, on_step, judge_every=judge_every, drift_every=drift_every)
    return Run(request.beside(pair), outcome)
