"""What PyTorch ran for a line of a formula: looked up among the operations that were recorded while it took its step.

What becomes a quantity (a state, an output, a gradient) is found by its very bits; any other line by the name of the
operation it is written with, the nearest in value among those between its neighbours. What PyTorch does not show (it
is worked out inside a fused kernel) is said not to be shown, and nothing is claimed about it.
"""

import ast
import functools
import importlib
import inspect
import textwrap
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from lockstep.errors import NoSuchName
from lockstep.explanation.ladder import Rewrite, kernels, primitives
from lockstep.numerics import probe
from lockstep.numerics.shapes import Array, OtherArray
from lockstep.numerics.snapshot import Snapshot
from lockstep.subjects.side import Pair, Side
from lockstep.text import message

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
OF_VECTORS = {"mm": "dot"}  # the same of two vectors

Evaluated = tuple[Callable[..., Any], dict[str, np.ndarray]]  # a formula and its lines


class OurLine(NamedTuple):
    """One line of the formula as our side worked it out. calls: what the code may have called last for it."""

    name: str
    source: str
    calls: frozenset[str]
    value: np.ndarray


class Match(NamedTuple):
    """What PyTorch has of a line: its value, and the number of the operation that made it; None where not shown."""

    value: np.ndarray | None
    place: int | None


def updated(side: Side, wanted: str | None) -> str:
    """The tensor that an update is taken of: `wanted`, or the first that has a gradient.

    Raises:
        ValueError: for a tensor that there is not, or that has no gradient at this step.
    """
    known = list(side.read().get("grad", {}))
    if wanted is not None and wanted not in known:
        there = ", ".join(known) or message("error.none")
        raise NoSuchName(message("error.no-tensor", name=wanted, known=there))
    if not known:
        raise NoSuchName(message("error.no-gradient"))
    return wanted or known[0]


def rewriting(pair: Pair, rounding: str) -> Rewrite:
    """PyTorch's order over one of the arithmetics."""
    plain = importlib.import_module("reference.arithmetic").PLAIN
    ops = plain if rounding == "plain" else probe.arithmetic(probe.findings())
    if rounding == "kernels":
        ops = ops.replacing(**{name: getattr(kernels(), name) for name in primitives(ops) if hasattr(kernels(), name)})
    return Rewrite(message(f"ledger.{rounding}"), pair.written_like, ops)


def recording(side: Side, stage: str, step: int) -> list[Any]:
    recorder = importlib.import_module("torch_impl.ledger")
    return recorder.recorded(lambda: side.advance(stage, step))


def kept(lines) -> dict[str, np.ndarray]:
    """Copies of the lines that are numbers: a line may be the parameter itself, which is written to in the end.

    A history that has no entry yet has none to be shown.
    """
    return {
        name: np.array(value)
        for name, value in lines._asdict().items()
        if value is not None and np.asarray(value).dtype.kind == "f" and np.size(value)
    }


def lines_of(evaluated: list[Evaluated], shape: tuple[int, ...] | None) -> list[OurLine]:
    """The lines of the formulas our side went through, in order.

    What was evaluated block by block is put together to a tensor of `shape`; of what was evaluated again, if there
    is no such shape, the last counts.
    """
    pieces: dict[tuple[Any, str], list[np.ndarray]] = {}
    for formula, lines in evaluated:
        for name, value in lines.items():
            pieces.setdefault((written_as(formula), name), []).append(value)
    lines_made = []
    for (function, name), values in pieces.items():
        source, calls = assignments(function).get(name, ("", frozenset()))
        whole = len(values) == 1 or shape is None or not values[-1].ndim  # a number is the same in every block
        lines_made.append(OurLine(name, source, calls, values[-1] if whole else np.concatenate(values).reshape(shape)))
    return lines_made


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
        name = NAMES.get(node.func.attr, node.func.attr)
    elif isinstance(node, ast.UnaryOp | ast.BinOp):
        name = NAMES.get(type(node.op).__name__, "")
    else:
        return set()
    return {name, OF_VECTORS.get(name, name)}


def matched(
    stage: str, lines: list[OurLine], operations: list[Any], before: Snapshot, mine: Side, theirs: Side
) -> list[Match]:
    """What PyTorch's operations show of each line of the formula in its order, as `mine` has just worked it out."""
    made, ours, other = {}, mine.read(), theirs.read()
    stepped = getattr(mine, "stepped", lambda _, array: np.asarray(array))
    for quantity, name, array in ours.each():
        if mine.produces(stage, quantity, name):
            made.setdefault(bits_of(stepped(name, array)), stepped(name, other[quantity][name]))
    given = {bits_of(part): part for _, name, array in before.each() for part in [stepped(name, array)]}
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


def by_kernel(line: OurLine, operations: list[Any]) -> np.ndarray | None:
    """PyTorch's value of a line that one of its kernels is known to show."""
    shown = [value for operation in operations if (value := operation.shows(line.name)) is not None]
    return shown[0].reshape(line.value.shape) if shown and shown[0].size == line.value.size else None


def place_of(value: Array, operations: list[Any]) -> int | None:
    """The first operation with this very result, in whatever shape."""
    content = value.tobytes()
    places = (k for k, one in enumerate(operations) if any(result.tobytes() == content for result in one.results))
    return next(places, None)


def by_name(line: OurLine, operations: list[Any], low: int, high: int) -> int | None:
    """The operation of the line's own name, shape and dtype that came nearest; of any name without its source."""
    kind = [(line.value.shape, line.value.dtype)]
    alike = [k for k in range(low, high) if [(one.shape, one.dtype) for one in operations[k].results] == kind]
    called = [k for k in alike if operations[k].base in line.calls or not line.source]
    return min(called, key=lambda k: (distance(operations[k].results[0], line.value), -k), default=None)


def result_of(operation: Any, line: OurLine, value: Array | None = None) -> np.ndarray | None:
    """The result in the line's shape; of several the one that is `value`."""
    shape = line.value.shape
    alike = [result for result in operation.results if result.shape == shape]
    alike += [result.reshape(shape) for result in operation.results if reshaped(result, shape)]
    same = [result for result in alike if value is not None and result.tobytes() == value.tobytes()]
    return next(iter(same + alike), None)


def reshaped(result: OtherArray, shape: tuple[int, ...]) -> bool:
    """Whether a result is of another shape but for axes of one element: a sum that kept its axis."""
    return result.shape != shape and [k for k in result.shape if k != 1] == [k for k in shape if k != 1]


def distance(a: Array, b: Array) -> float:
    """The largest relative difference of two arrays."""
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        apart = np.where(a == b, 0, np.abs(a - b) / np.maximum(np.abs(a), np.abs(b)))
    return float(np.max(np.nan_to_num(apart, nan=np.inf), initial=0.0))
