"""What a page's laboratory is held against: PyTorch on two numbers, in the settings that tell formulas apart."""

import ast
import inspect
import math
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from lockstep.cases import DTYPES, Case
from lockstep.causes import scenarios
from lockstep.causes.source import parsed
from lockstep.experiments.powers import Known, misrounded
from lockstep.explanation.ladder import advance
from lockstep.numerics.environment import environment
from lockstep.records.kinds.laboratory import NUMBERS, KeptEntry, LaboratoryRecord, Lead, Setting
from lockstep.records.schema import plain
from lockstep.subjects.families.optim import problem_of
from lockstep.subjects.registry import asked
from lockstep.subjects.side import Side
from lockstep.subjects.subject import Request, Subject
from lockstep.text import Message

KINDS = {"array", "number", "count"}  # of state that a page keeps
STREAMED = 24  # steps of what brings causes out
DOWN = r"w_i \leftarrow w_i - \alpha\,(\partial_i f + \partial w_i)"
ENDINGS = {  # of a step down, in the orders of the reference
    "paper": "param = w - lr * (grad + {slope})",
    "pytorch": "param = ops.add(w, ops.add({slope}, grad), alpha=-lr)",
}


def laboratories(subject: Subject) -> dict[str, dict[str, Any]]:
    """The laboratory of a subject: its name here, and the arguments of `equipped`; of one that a page can work out."""
    known = (
        {entry.kind for entry in getattr(subject.ours(), "STATE", {}).values()} <= KINDS
        if subject.table("TRIED")
        else False
    )
    return {f"{subject.path} laboratory": {"subject": subject.path}} if known else {}


def tried(subject: Subject) -> Iterator[tuple[Case, int, Message | None]]:
    """The cases of a laboratory: those that its table names, each with its steps, then what brings its causes out.

    Two numbers stand for a tensor; `LAID_OUT` says in which shape, where that is not a vector.
    """
    two = {"theta": subject.table("LAID_OUT") or (NUMBERS,)}
    cases = {case.desc: case for case in subject.cases.CASES}
    for desc, (steps, changes) in subject.table("TRIED").items():
        if desc in cases:
            yield cases[desc].replaced(**changes), steps, None
    for scenario in scenarios(subject):
        yield scenario.case.replaced(shapes=two), STREAMED, scenario.why


def equipped(arguments: Mapping[str, Any]) -> LaboratoryRecord:
    """The record of a subject's laboratory."""
    subject = asked(arguments["subject"]).subject
    kind = subject.ours()
    if not hasattr(kind, "STATE"):
        return penalised(subject)
    settings, arrays = [], {}
    for case, steps, why in tried(subject):
        for dtype in DTYPES:
            request = asked(subject, case, dtype, steps=steps)
            pair = request.pair()
            request = request.beside(pair)
            arrays |= {f"{len(settings)}/{name}": array for name, array in followed(request, pair.theirs()).items()}
            settings.append(setting(request, why))
    return LaboratoryRecord(
        subject=subject.path,
        environment=environment(),
        equations=dict(subject.reference.EQUATIONS),
        state={key: kept(entry) for key, entry in kind.STATE.items()},
        source={order: inspect.getsource(kind.ORDERS[order]) for order in ("paper", "pytorch")},
        functions=dict(functions(setting.case["problem"] for setting in settings)),
        settings=tuple(settings),
        powers=tuple(powers(kind, settings)),
        sparse=kind.SPARSE == "alone",
        lead=lead(subject),
        arrays=arrays,
    )


def penalised(subject: Subject) -> LaboratoryRecord:
    """The record of a penalty's laboratory: two weights that go down a function and the penalty, by PyTorch's SGD."""
    settings, arrays = [], {}
    for name, (steps, problem, start, hyperparameters) in subject.table("TRIED").items():
        given = dict(hyperparameters)
        for dtype in DTYPES:
            penalty = subject.theirs()(given["lam"], given["m"])
            function = problem_of(problem)
            params, grads = [np.array(start, dtype)], []
            for step in range(1, steps + 1):
                ordered = {"order": "pytorch"} if hasattr(function, "ORDERS") else {}
                grads.append(function.gradient({"theta": params[-1]}, step=step, **ordered)["theta"])
                params.append(penalty.descended(params[-1], grads[-1], given["lr"]))
            arrays |= {f"{len(settings)}/param": np.stack(params), f"{len(settings)}/grad": np.stack(grads)}
            own = {key: given[key] for key in subject.ours().SETTINGS}
            case = {"desc": name, "problem": problem, "hyperparameters": own}
            settings.append(
                Setting(
                    name=name,
                    why=None,
                    case=case,
                    dtype=dtype,
                    path=None,
                    seed=0,
                    steps=steps,
                    hyperparameters={**given, "dpenalty": 1.0},
                    shape=(NUMBERS,),
                )
            )
    orders = subject.ours().ORDERS
    return LaboratoryRecord(
        subject=subject.path,
        environment=environment(),
        equations={**subject.reference.EQUATIONS, "param": DOWN},
        state={},
        source={order: descent(orders[order], subject.ours().GRAD_INPUT, ending) for order, ending in ENDINGS.items()},
        functions=dict(functions(setting.case["problem"] for setting in settings)),
        settings=tuple(settings),
        powers=(),
        sparse=False,
        lead=lead(subject),
        arrays=arrays,
    )


def lead(subject: Subject) -> Lead | None:
    """What a report begins with, where a subject's cases declare it (`LEAD`): a format and a cause."""
    declared = subject.table("LEAD")
    return Lead(dtype=declared[0], cause=declared[1]) if declared else None


def descent(formula: Any, slope: str, ending: str) -> str:
    """The text of a step down a function and a penalty: the penalty, its slope, and plain gradient descent."""
    halves = [parsed(half) for half in formula]
    lines = [node for half in halves for node in half.body if isinstance(node, ast.Assign)]
    named = [node.targets[0].id for node in lines if isinstance(node.targets[0], ast.Name)]
    text = "\n".join(map(ast.unparse, lines)) + "\n" + ending.format(slope=slope)
    settings = ", ".join(argument.arg for argument in halves[0].args.kwonlyargs if argument.arg != "ops")
    return f"def step(param, grad, *, {settings}, lr, dpenalty, ops):\n" + textwrap.indent(
        f"w = param\n{text}\nreturn Lines(w, {', '.join(named)}, param)\n", "    "
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


def kept(entry: Any) -> KeptEntry:
    """What the reference declares of an entry of its state."""
    most = None if math.isinf(entry.most_axes) else int(entry.most_axes)
    axes = {"least_axes": entry.least_axes, "most_axes": most, "axis": getattr(entry, "axis", None)}
    return KeptEntry(line=entry.line, kind=entry.kind, start=entry.start, when=entry.when, **axes)


def setting(request: Request, why: Message | None) -> Setting:
    """What a run of two numbers was made with."""
    case = request.case
    shape = (NUMBERS,) if problem_of(case.problem).shapes else tuple(case.shapes["theta"])
    optimizer = request.subject.ours()({"theta": np.zeros(shape, request.dtype)}, **case.hyperparameters)
    return Setting(
        name=case.desc,
        why=why,
        case=plain(case.described()),
        dtype=request.dtype,
        path=request.path,
        seed=request.seed,
        steps=request.steps,
        hyperparameters=plain(optimizer.hyperparameters),
        shape=shape,
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
