"""What a page's laboratory is held against: PyTorch on two numbers, in the settings that tell formulas apart."""

import inspect
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from lockstep.cases import DTYPES, Case
from lockstep.causes import scenarios
from lockstep.experiments.powers import Known, misrounded
from lockstep.explanation.ladder import advance
from lockstep.numerics.environment import environment
from lockstep.records.laboratory import NUMBERS, Kept, LaboratoryRecord, Setting
from lockstep.records.schema import plain
from lockstep.subjects.optim import problem_of
from lockstep.subjects.registry import asked
from lockstep.subjects.side import Side
from lockstep.subjects.subject import Request, Subject
from lockstep.text import Message

STREAMED = 24  # steps of what brings causes out
TWO = {"theta": (NUMBERS,)}


def laboratories(subject: Subject) -> dict[str, dict[str, Any]]:
    """The laboratory of a subject: its name here, and the arguments of `recorded`.

    Two numbers stand for themselves where a formula takes each of a tensor's for itself, and every one at each step.
    """
    shown = subject.table("TRIED") and subject.ours().ELEMENTWISE and subject.ours().SPARSE != "alone"
    return {f"{subject.path} laboratory": {"subject": subject.path}} if shown else {}


def tried(subject: Subject) -> Iterator[tuple[Case, int, Message | None]]:
    """The cases of a laboratory: those that its table names, each with its steps, then what brings its causes out."""
    cases = {case.desc: case for case in subject.cases.CASES}
    for desc, (steps, changes) in subject.table("TRIED").items():
        if desc in cases:
            yield cases[desc].replaced(**changes), steps, None
    for scenario in scenarios(subject):
        yield scenario.case.replaced(shapes=TWO), STREAMED, scenario.why


def recorded(arguments: Mapping[str, Any]) -> LaboratoryRecord:
    """The record of a subject's laboratory."""
    subject = asked(arguments["subject"]).subject
    settings, arrays = [], {}
    for case, steps, why in tried(subject):
        for dtype in DTYPES:
            request = asked(subject, case, dtype, steps=steps)
            pair = request.pair()
            request = request.beside(pair)
            arrays |= {f"{len(settings)}/{name}": array for name, array in followed(request, pair.theirs()).items()}
            settings.append(setting(request, why))
    kind = subject.ours()
    return LaboratoryRecord(
        subject=subject.path,
        environment=environment(),
        equations=dict(subject.reference.EQUATIONS),
        state={key: kept(entry) for key, entry in kind.STATE.items()},
        source={order: inspect.getsource(kind.ORDERS[order]) for order in ("paper", "pytorch")},
        functions=dict(functions(setting.case["problem"] for setting in settings)),
        settings=tuple(settings),
        powers=tuple(powers(kind, settings)),
        arrays=arrays,
    )


def powers(kind: Any, settings: Iterable[Setting]) -> Iterator[Known]:
    """The powers in the coefficients of these settings that are not correctly rounded, each once."""
    longest: dict[str, tuple[dict[str, Any], int]] = {}
    for run in settings:
        given = dict(run.case["hyperparameters"])
        _, steps = longest.get(repr(given), (given, 0))
        longest[repr(given)] = given, max(steps, run.steps)
    yield from dict.fromkeys(known for given, steps in longest.values() for known in misrounded(kind, given, steps))


def functions(names: Iterable[str]) -> Iterator[tuple[str, dict[str, str]]]:
    """The problems of those names that are functions, each with the text of its orders."""
    for name in dict.fromkeys(names):
        orders = getattr(problem_of(name), "ORDERS", {})
        if orders:
            yield name, {order: inspect.getsource(function) for order, function in orders.items()}


def kept(entry: Any) -> Kept:
    """What the reference declares of an entry of its state."""
    return Kept(line=entry.line, kind=entry.kind, start=entry.start, when=entry.when)


def setting(request: Request, why: Message | None) -> Setting:
    """What a run of two numbers was made with."""
    case = request.case
    optimizer = request.subject.ours()({"theta": np.zeros(NUMBERS)}, **case.hyperparameters)
    return Setting(
        name=case.desc,
        why=why,
        case=plain(case.described()),
        dtype=request.dtype,
        path=request.path,
        seed=request.seed,
        steps=request.steps,
        hyperparameters=plain(optimizer.hyperparameters),
    )


def followed(request: Request, side: Side) -> dict[str, np.ndarray]:
    """What PyTorch makes of the two numbers, before the first step and after each; of several points the first."""
    keys = [key for key, entry in request.subject.ours().STATE.items() if entry.kind != "count"]
    rows: dict[str, list[np.ndarray]] = {name: [] for name in ("param", "grad", *(f"state/{key}" for key in keys))}
    for step in range(request.steps + 1):
        if step:
            advance(side, step)
        read = {quantity: next(iter(named.values())) for quantity, named in side.read().items()}
        for name, values in rows.items():
            if name != "grad" or step:
                values.append(two(read.get(name.removeprefix("state/")), request.dtype))
    return {name: np.stack(values) for name, values in rows.items()}


def two(array: Any, dtype: str) -> np.ndarray:
    """The two numbers of an array; NaN where there is none."""
    if array is None:
        return np.full(NUMBERS, np.nan, dtype)
    array = np.asarray(array)
    return np.broadcast_to(array[:, 0] if array.ndim > 1 else array, NUMBERS).astype(dtype)
