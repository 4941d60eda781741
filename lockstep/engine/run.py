"""The Python face: `lockstep.run`."""

import shlex
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from lockstep.cases import Case
from lockstep.engine.series import Series
from lockstep.engine.stepping import Outcome, run_pair
from lockstep.engine.wording import headline, label, message
from lockstep.errors import BadArgument, BadValue, NoSuchName
from lockstep.numerics.environment import environment
from lockstep.numerics.verdict import Finding, Verdict
from lockstep.records.record import SCHEMA, VERSION, Record
from lockstep.subjects.registry import Subject, find
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

    def __init__(self, subject: Subject, case: Case, dtype: str, path: str | None, seed: int, outcome: Outcome):
        self.subject, self.case, self.dtype, self.path, self.seed = subject, case, dtype, path, seed
        self.outcome = outcome
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
        return label(self.subject.path, self.case.title, self.dtype, self.path, {})

    @property
    def notes(self) -> list[Message]:
        """What a reader must know besides the settings: for instance that both sides were given one mask."""
        said = getattr(self.subject.sides, "notes", None)
        return said(self.case) if said else []

    @property
    def rerun(self) -> str:
        """The command that runs it again."""
        return command("run", self.subject, self.case, self.dtype, self.path, self.outcome.steps, self.seed)

    def __str__(self) -> str:
        return self.told()

    def told(self, voice: Voice = ENGLISH) -> str:
        """What a person reads of it, in a language."""
        text = message(self.label, self.verdict, self.evidence, self.outcome.broken, self.rerun, voice=voice)
        return "\n".join([text, *(row(voice, "note", note) for note in self.notes)])

    def __repr__(self) -> str:
        return f"<{headline(self.label, self.verdict, self.evidence, self.outcome.broken)}>"

    def series(self, mode: str, quantity: str, figure: str) -> np.ndarray:
        """A value a step of `figure`: absolute, relative, ulp, scaled_ulp, differing, used, band, …"""
        return getattr(self.outcome, mode).columns[quantity][figure]

    @property
    def landscape(self) -> dict[str, np.ndarray]:
        """The values x, y, z of a function of two variables around the path; nothing for any other problem."""
        around, path = getattr(self.subject.sides, "landscape", None), self.outcome.traces.get("path/numpy")
        return around(self.case, path) if around and path is not None else {}

    @property
    def record(self) -> Record:
        """What is saved; lockstep/records/record.py documents it."""
        outcome = self.outcome
        data = {
            "schema": SCHEMA,
            "version": VERSION,
            "kind": "run",
            "subject": self.subject.path,
            "case": self.case.described(),
            "dtype": self.dtype,
            "path": self.path,
            "seed": self.seed,
            "steps": outcome.steps,
            "environment": environment(),
            "verdict": outcome.verdict,
            "used": outcome.used,
            "broken": outcome.broken,
            "first_difference": outcome.first_difference,
            "evidence": outcome.evidence,
            "closest_call": outcome.closest_call,
            "first_drift": outcome.first_drift,
            "quantities": {
                name: {"verdict": verdict, "line": outcome.lines.get(name, name)}
                for name, verdict in outcome.verdicts.items()
            },
            "equations": dict(outcome.equations),
            "notes": self.notes,
            "rerun": self.rerun,
        }
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
        return Record(data, arrays)

    def save(self, path) -> None:
        """Write the record as NAME.json with its arrays beside it, whole or not at all."""
        self.record.save(path)


def command(
    word: str, subject: Subject, case: Case, dtype: str, path: str | None, steps: int, seed: int, count: str = "--steps"
) -> str:
    """The call of the command line that does it again, where one can say it; `count` is its option for the steps."""
    if not isinstance(case.problem, str):
        return f"lockstep.{word} with the problem it was given"
    words = ["lockstep", word, subject.path]
    table = subject.cases.CASES
    known = {case.desc: case for case in table}.get(case.desc)
    base = known or table[0]
    again = base.replaced(desc=case.desc, problem=case.problem, **case.hyperparameters)
    if again.described() != case.described():
        return f"lockstep.{word} with the case it was given"
    words += ["--case", case.desc] if known else []
    words += ["--problem", case.problem] if base.problem != case.problem else []
    for name, value in case.hyperparameters.items():
        if name not in base.hyperparameters or base.hyperparameters[name] != value:
            words += ["--set", f"{name}={value}"]
    words += ["--dtype", dtype, count, str(steps)]
    words += ["--path", path] if path else []
    words += ["--seed", str(seed)] if seed else []
    return shlex.join(words)


def absolute(series: Series) -> dict[str, np.ndarray]:
    return {quantity: columns["absolute"] for quantity, columns in series.columns.items()}


def run(
    subject: str,
    *,
    case: str | Case | None = None,
    problem: Any = None,
    steps: int | None = None,
    dtype: str = "float32",
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
        dtype: "float32" or "float64".
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
    found, chosen, count = settled(subject, case, problem, steps, dtype, hyperparameters)
    for name, value in (("judge_every", judge_every), ("drift_every", drift_every)):
        check_count(name, value)
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise BadArgument(f"seed must be a whole number, not {seed!r}")
    pair = found.sides.pair(found, chosen, dtype, path, seed)
    outcome = run_pair(pair, count, on_step, judge_every=judge_every, drift_every=drift_every)
    return Run(found, chosen, dtype, pair.path, seed, outcome)


def settled(
    subject: str,
    case: str | Case | None,
    problem: Any,
    steps: int | None,
    dtype: str,
    hyperparameters: Mapping[str, Any] | None,
) -> tuple[Subject, Case, int]:
    """The subject, the case with its changes, and the number of steps that a call asks for.

    Raises:
        ValueError: for a subject, a case, a dtype or a number of steps that there is not.
        TypeError: for a hyperparameter that is none.
    """
    found = find(subject)
    chosen = choose(found, case)
    changes = dict(hyperparameters or {})
    for name in changes:
        if name in vars(chosen):
            raise BadArgument(f"{name!r} belongs to the case and is no hyperparameter")
    if problem is not None:
        changes["problem"] = problem
    if changes:
        chosen = chosen.replaced(**changes)
    if dtype not in ("float32", "float64"):
        raise BadValue(f"dtype must be 'float32' or 'float64', not {dtype!r}")
    check_range(chosen.hyperparameters, dtype)
    recorded = given_steps(chosen.problem)
    count = (recorded or chosen.steps) if steps is None else steps
    check_count("steps", count)
    if recorded is not None and count > recorded:
        raise BadValue(f"there are gradients for {recorded} steps, not for {count}")
    return found, chosen, count


def given_steps(problem: Any) -> int | None:
    """For how many steps the caller's own arrays have gradients; None where the problem is no arrays."""
    arrays = problem.values() if isinstance(problem, Mapping) else [problem]
    return min((len(array) for array in arrays if isinstance(array, np.ndarray) and array.ndim), default=None)


def check_count(name: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise BadValue(f"{name} must be a whole number from 1 on, not {value!r}")


def check_range(hyperparameters: Mapping[str, Any], dtype: str) -> None:
    """Refuse a number that PyTorch does not take beside tensors of this dtype, in its words.

    Raises:
        BadValue: which it does in the middle of a step.
    """
    for name, value in hyperparameters.items():
        for part in value if isinstance(value, tuple) else (value,):
            if isinstance(part, float) and np.isfinite(part) and abs(part) > float(np.finfo(dtype).max):
                kind = "float" if dtype == "float32" else dtype
                raise BadValue(f"{name}={value!r}: value cannot be converted to type {kind} without overflow")


def choose(subject: Subject, case: str | Case | None) -> Case:
    """The case of that text, or the first of the table."""
    table = subject.cases.CASES
    if case is None:
        return table[0]
    if isinstance(case, Case):
        return case
    for known in table:
        if known.desc == case:
            return known
    raise NoSuchName(f"{subject.path} has no case {case!r}; there are: {'; '.join(known.desc for known in table)}")
