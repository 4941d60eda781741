"""The ledger of one step: the lines of the formula beside the operations that PyTorch really ran.

PyTorch's side is recorded live, from its own parameters and state. A line is looked up among the operations: what
becomes a quantity (a state, an output, a gradient) by its very bits; any other by the name of the operation it is
written with, the nearest in value among those between its neighbours. What PyTorch does not show (it is worked out
inside a fused kernel) is said not to be shown, and nothing is claimed about it.
"""

import ast
import dataclasses
import functools
import importlib
import inspect
import textwrap
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from lockstep import probe
from lockstep.api import settled
from lockstep.cases import Case
from lockstep.compare import compare, ulp_distance
from lockstep.ladder import Rewrite, advance, kernels, primitives, rewritten
from lockstep.message import label
from lockstep.side import Pair, Quantities, Side, copied, each
from lockstep.subject import find, own_class

ROUNDINGS = {
    "plain": "as NumPy does",
    "fused": "as this CPU's kernels contract and add up",
    "kernels": "by PyTorch's kernels",
    "paper": "as NumPy does, in the paper's order",
}
# an operator or a NumPy function to ATen's name for it
NAMES = {
    "USub": "neg",
    "Add": "add",
    "Sub": "sub",
    "Mult": "mul",
    "Div": "div",
    "MatMult": "mm",
    "Pow": "pow",
    "absolute": "abs",
    "matmul": "mm",
}


Evaluated = tuple[Callable[..., Any], dict[str, np.ndarray]]  # a formula and its lines


class Line(NamedTuple):
    """One line of the formula as our side worked it out. calls: what the code may have called last for it."""

    name: str
    source: str
    calls: frozenset[str]
    value: np.ndarray


class Match(NamedTuple):
    """What PyTorch has of a line: its value, and the number of the operation that made it; None where not shown."""

    value: np.ndarray | None
    place: int | None


@dataclasses.dataclass(frozen=True)
class Entry:
    """A line of the ledger.

    line, equation, source: its name, its LaTeX, the line of code. index: the element shown, the first that differs.
    numpy, torch: its value. operations: (name, value) of each operation that PyTorch ran for it, in order. shown:
    PyTorch shows the line.
    differing, elements, ulp: between the sides, over the whole tensor; nothing where it is not shown.
    """

    line: str
    equation: str
    source: str
    index: tuple[int, ...]
    numpy: float
    torch: float | None
    operations: tuple[tuple[str, float | None], ...]
    shown: bool
    differing: int = 0
    elements: int = 0
    ulp: float = 0.0


@dataclasses.dataclass(frozen=True)
class Ledger:
    """One stage of a step, line by line. first: the first line that differs, or None. operations: all that ran."""

    label: str
    step: int
    stage: str
    rounding: str
    dtype: str
    entries: tuple[Entry, ...]
    first: str | None
    operations: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """The ledger in plain data."""
        return dataclasses.asdict(self)

    def state(self, entry: Entry) -> str:
        """What is said of an entry: not shown, identical, or how far apart."""
        if not entry.shown:
            return "not shown"
        if not entry.differing:
            return "identical"
        mark = "   <- first" if entry.line == self.first else ""
        return f"{entry.ulp:.0f} ulp in {entry.differing} of {entry.elements}{mark}"

    def __str__(self) -> str:
        digits = 9 if self.dtype == "float32" else 17
        width = digits + 8
        lines = [f"{self.label}: step {self.step}, {self.stage}, numpy rounding {ROUNDINGS[self.rounding]}"]
        for entry in self.entries:
            place = f"[{', '.join(map(str, entry.index))}]" if entry.index else ""
            lines.append(f"  {entry.line + place:<24} {self.state(entry)}")
            lines.append(f"    numpy  {entry.numpy:<{width}.{digits}g} {entry.source}")
            for name, value in entry.operations:
                text = "" if value is None else f"{value:.{digits}g}"
                lines.append(f"    torch  {text:<{width}} {name}")
        return "\n".join(lines)


def ledger(
    subject: str,
    *,
    step: int = 1,
    case: str | Case | None = None,
    problem: Any = None,
    dtype: str = "float32",
    seed: int = 0,
    path: str | None = None,
    tensor: str | None = None,
    rounding: str = "fused",
    hyperparameters: Mapping[str, Any] | None = None,
    ours: type | None = None,
) -> list[Ledger]:
    """One step of both sides from PyTorch's own state, line by line; a ledger a stage.

    Arguments:
        subject, case, problem, dtype, seed, path, hyperparameters: as for `lockstep.run`.
        step: which, from 1.
        tensor: of an optimizer, which parameter; of a network, which layer; the first if None.
        rounding: "plain" (NumPy's own), "fused" (as this CPU's kernels contract and add up), "kernels" (PyTorch's
            kernel for every primitive that has one), all in PyTorch's order; or "paper", the lines of the paper's.
        ours: a class in place of the reference's, with the same `ORDERS`.

    Raises:
        ValueError: for anything that makes no sense, before a step is taken.
    """
    found, chosen, count = settled(subject, case, problem, step, dtype, hyperparameters)
    if rounding not in ROUNDINGS:
        raise ValueError(f"rounding must be one of {', '.join(ROUNDINGS)}, not {rounding!r}")
    pair = found.sides.pair(found, chosen, dtype, path, seed, ours)
    title = label(found.path, chosen.desc, dtype, pair.path, {})
    if rounding == "paper":
        walked = importlib.import_module("lockstep.walk")  # which stands on this module
        return walked.ledgers(walked.walk(pair, count, tensor), title, dtype)
    mine, theirs = rewritten(pair, rewriting(pair, rounding)), pair.theirs()
    for earlier in range(1, count):
        advance(mine, earlier)
        advance(theirs, earlier)
    evaluated: list[Evaluated] = []
    mine.watch(lambda formula, lines, _: evaluated.append((formula, kept(lines))))
    made, ran = [], []
    for stage in theirs.stages:
        before = copied(theirs.read())
        mine.write(before)
        name = ""
        if stage == "update":
            name = updated(theirs, tensor)
            mine.only(name)
            theirs.only(name)
            ran.clear()
        evaluated.clear()
        ran += [operation for operation in recording(theirs, stage, count) if not operation.silent]
        mine.advance(stage, count)
        if evaluated:
            lines = lines_of(evaluated, before["grad"][name].shape if stage == "update" else None)
            entries, used = written(pair, stage, lines, ran, before, mine, theirs)
            first = next((entry.line for entry in entries if entry.differing), None)
            names = tuple(operation.name for operation in ran[:used])
            made.append(Ledger(title, count, stage, rounding, dtype, tuple(entries), first, names))
            del ran[:used]  # what a network's later stages ran is recorded with its first
        else:
            ran.clear()
    return made


def updated(side: Side, wanted: str | None) -> str:
    """The tensor that an update is taken of: `wanted`, or the first that has a gradient.

    Raises:
        ValueError: for a tensor that there is not, or that has no gradient at this step.
    """
    known = list(side.read().get("grad", {}))
    if wanted is not None and wanted not in known:
        raise ValueError(f"no tensor {wanted!r} with a gradient at this step; there are {', '.join(known) or 'none'}")
    if not known:
        raise ValueError("no tensor has a gradient at this step, so nothing is updated")
    return wanted or known[0]


def rewriting(pair: Pair, rounding: str) -> Rewrite:
    """PyTorch's order over one of the arithmetics."""
    plain = importlib.import_module("reference.arithmetic").PLAIN
    ops = plain if rounding == "plain" else probe.arithmetic(probe.findings())
    if rounding == "kernels":
        ops = ops.replacing(**{name: getattr(kernels(), name) for name in primitives(ops) if hasattr(kernels(), name)})
    return Rewrite(rounding, pair.written_like, ops)


def recording(side: Side, stage: str, step: int) -> list[Any]:
    recorder = importlib.import_module("torch_impl.ledger")
    return recorder.recorded(lambda: side.advance(stage, step))


def kept(lines) -> dict[str, np.ndarray]:
    """Copies of the lines that are numbers: a line may be the parameter itself, which is written to in the end."""
    return {
        name: np.array(value)
        for name, value in lines._asdict().items()
        if value is not None and np.asarray(value).dtype.kind == "f"
    }


def lines_of(evaluated: list[Evaluated], shape: tuple[int, ...] | None) -> list[Line]:
    """The lines of the formulas our side went through, in order.

    What was evaluated block by block is put together to a tensor of `shape`; of what was evaluated again, if there
    is no such shape, the last counts.
    """
    pieces: dict[tuple[Any, str], list[np.ndarray]] = {}
    for formula, lines in evaluated:
        for name, value in lines.items():
            pieces.setdefault((written_as(formula), name), []).append(value)
    found = []
    for (function, name), values in pieces.items():
        source, calls = assignments(function).get(name, ("", frozenset()))
        whole = len(values) == 1 or shape is None
        found.append(Line(name, source, calls, values[-1] if whole else np.concatenate(values).reshape(shape)))
    return found


def written_as(formula) -> Callable[..., Any]:
    while isinstance(formula, functools.partial):
        formula = formula.func
    return formula


@functools.cache
def assignments(function: Callable[..., Any]) -> dict[str, tuple[str, frozenset[str]]]:
    """Name to its line of code, and to ATen's names of what the line may do last; nothing for code without source."""
    try:
        body = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    except (OSError, TypeError, SyntaxError):
        return {}
    return {
        target.id: (ast.unparse(node), frozenset(outermost(node.value)))
        for node in ast.walk(body)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def outermost(node: ast.expr) -> set[str]:
    """What an expression does last, on whichever of its branches."""
    if isinstance(node, ast.IfExp):
        return outermost(node.body) | outermost(node.orelse)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return {NAMES.get(node.func.attr, node.func.attr)}
    if isinstance(node, ast.UnaryOp | ast.BinOp):
        return {NAMES.get(type(node.op).__name__, "")}
    return set()


def written(
    pair: Pair,
    stage: str,
    lines: list[Line],
    operations: list[Any],
    before: Quantities,
    mine: Side,
    theirs: Side,
) -> tuple[list[Entry], int]:
    """Each line beside PyTorch's value of it and the operations since the line before; and how many those are."""
    entries, done = [], 0
    for line, match in zip(lines, matched(stage, lines, operations, before, mine, theirs), strict=True):
        ran = [] if match.place is None else operations[done : match.place + 1]
        done = max(done, done if match.place is None else match.place + 1)
        entries.append(entry(line, pair.equations.get(line.name, ""), match.value, ran))
    return entries, done if stage != "update" else len(operations)


def matched(
    stage: str, lines: list[Line], operations: list[Any], before: Quantities, mine: Side, theirs: Side
) -> list[Match]:
    """What PyTorch's operations show of each line of the formula in its order, as `mine` has just worked it out."""
    made, ours, other = {}, mine.read(), theirs.read()
    for quantity, name, array in each(ours):
        if mine.produces(stage, quantity, name):
            made.setdefault(bits_of(array), np.asarray(other[quantity][name]))
    given = {bits_of(array): np.asarray(array) for _, _, array in each(before)}
    values = [made.get(bits_of(line.value)) for line in lines]
    values = [
        by_kernel(line, operations) if value is None else value for line, value in zip(lines, values, strict=True)
    ]
    places = [None if value is None else place_of(value, operations) for value in values]
    # a line that nothing had to be done for is what the step began with
    values = [
        given.get(bits_of(line.value)) if value is None else value for line, value in zip(lines, values, strict=True)
    ]
    for number, line in enumerate(lines):
        if values[number] is None:
            low = max((place for place in places[:number] if place is not None), default=-1)
            high = min((place for place in places[number:] if place is not None), default=len(operations))
            place = places[number] = by_name(line, operations, low + 1, high)
            values[number] = None if place is None else result_of(operations[place], line)
    return [Match(value, place) for value, place in zip(values, places, strict=True)]


def bits_of(array) -> tuple[tuple[int, ...], bytes]:
    """What makes two arrays the same to the last bit."""
    return np.shape(array), np.asarray(array).tobytes()


def by_kernel(line: Line, operations: list[Any]) -> np.ndarray | None:
    """PyTorch's value of a line that one of its kernels is known to show."""
    shown = [value for operation in operations if (value := operation.shows(line.name)) is not None]
    return shown[0].reshape(line.value.shape) if shown and shown[0].size == line.value.size else None


def place_of(value: np.ndarray, operations: list[Any]) -> int | None:
    """The first operation with this very result, in whatever shape."""
    content = value.tobytes()
    places = (k for k, one in enumerate(operations) if any(result.tobytes() == content for result in one.results))
    return next(places, None)


def by_name(line: Line, operations: list[Any], low: int, high: int) -> int | None:
    """The operation of the line's own name and shape that came nearest to its value; of any name without its source."""
    alike = [k for k in range(low, high) if [result.shape for result in operations[k].results] == [line.value.shape]]
    called = [k for k in alike if operations[k].base in line.calls or not line.source]
    return min(called, key=lambda k: (distance(operations[k].results[0], line.value), -k), default=None)


def result_of(operation: Any, line: Line, value: np.ndarray | None = None) -> np.ndarray | None:
    """The result in the line's shape; of several the one that is `value`."""
    shape = line.value.shape
    alike = [result for result in operation.results if result.shape == shape]
    alike += [result.reshape(shape) for result in operation.results if reshaped(result, shape)]
    same = [result for result in alike if value is not None and result.tobytes() == value.tobytes()]
    return next(iter(same + alike), None)


def reshaped(result: np.ndarray, shape: tuple[int, ...]) -> bool:
    """Whether a result is of another shape but for axes of one element: a sum that kept its axis."""
    return result.shape != shape and [k for k in result.shape if k != 1] == [k for k in shape if k != 1]


def distance(a: np.ndarray, b: np.ndarray) -> float:
    """The largest relative difference of two arrays."""
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        apart = np.where(a == b, 0, np.abs(a - b) / np.maximum(np.abs(a), np.abs(b)))
    return float(np.max(np.nan_to_num(apart, nan=np.inf), initial=0.0))


def entry(line: Line, equation: str, value: np.ndarray | None, ran: list[Any]) -> Entry:
    ours = np.ascontiguousarray(line.value)
    apart = None if value is None or value.dtype != ours.dtype else compare(ours, np.ascontiguousarray(value))
    place = 0
    if value is not None and apart is not None and apart.differing:
        place = int(np.argmax(ulp_distance(ours.reshape(-1), np.ascontiguousarray(value).reshape(-1)) > 0))
    results = [result_of(one, line, value) for one in ran]
    return Entry(
        line=line.name,
        equation=equation,
        source=line.source,
        index=tuple(int(k) for k in np.unravel_index(place, ours.shape)) if ours.size else (),
        numpy=float(ours.reshape(-1)[place]) if ours.size else float("nan"),
        torch=float(value.reshape(-1)[place]) if value is not None and value.size else None,
        operations=tuple(
            (one.name, float(result.reshape(-1)[place]) if result is not None and result.size else None)
            for one, result in zip(ran, results, strict=True)
        ),
        shown=value is not None,
        differing=apart.differing if apart else 0,
        elements=apart.elements if apart else 0,
        ulp=apart.ulp if apart else 0.0,
    )


def operations(subject: str) -> dict[str, list[str]]:
    """What PyTorch runs for a subject: "CLASS or PATH: STAGE" to ATen's names, in order, in a plain second step.

    Kept as a snapshot, it tells when another PyTorch takes another way.
    """
    found = find(subject)
    classes = {getattr(case, "layer", ""): case for case in reversed(found.cases.CASES)}
    paths = own_class(found.torch_impl).paths if found.family == "optim" else [None]
    return {
        f"{name or path or found.path}: {one.stage}": list(one.operations)
        for name, case in classes.items()
        for path in paths
        for one in ledger(subject, step=2, case=case, path=path)
    }
