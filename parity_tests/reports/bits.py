"""Formulas in a page beside NumPy: the same runs on both sides, and what is compared of them, to the bit."""

import ast
import base64
import dataclasses
import functools
import hashlib
import inspect
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from lockstep.cases import Case
from lockstep.causes.cause import Cause, parts
from lockstep.causes.planting import plant
from lockstep.causes.source import exchanged, text_of
from lockstep.causes.tables import causes
from lockstep.experiments.powers import correctly_rounded, misrounded, with_powers
from lockstep.explanation.ladder import advance
from lockstep.subjects.families.layers import LayerSide, drawing, over
from lockstep.subjects.families.optim import handed_as, problem_of
from lockstep.subjects.registry import asked
from lockstep.subjects.subject import Subject
from reference.arithmetic import FUSED, PLAIN
from reports.bundle import bundle
from reports.translation import Untranslatable, script, translated

ARITHMETICS = {"plain": PLAIN, "fused": FUSED}
ROUNDED = {"pytorch": ("plain", "fused")}  # another order is that of a path whose kernels are fused
SEED = 0
HARNESS = Path(__file__).with_suffix(".js")
PAGE = """<!doctype html>
<meta charset="utf-8">
<title>bits</title>
<script type="module">
{modules}
globalThis.laboratory = new Laboratory({{{formulas}}});
</script>
"""


@dataclasses.dataclass(frozen=True)
class Run:
    """One formula on one case.

    order: a key of `ORDERS`. cause: what is planted in it. by_call: each evaluation by itself, of what NumPy's was
    given; else the page keeps the state.
    """

    subject: Subject
    order: str
    rounding: str
    case: Case
    dtype: str
    steps: int
    cause: Cause | None = None
    by_call: bool = False

    @property
    def formula(self) -> str:
        """Its name in the page."""
        return " ".join(
            [self.subject.path, self.stating.__name__, self.order, *([self.cause.name] if self.cause else [])]
        )

    @property
    def label(self) -> str:
        return f"{self.formula}, {self.rounding}, {self.dtype}: {self.case.desc}"

    @property
    def stating(self) -> Any:
        """The class that states the formula, which may be another subject's."""
        return next(one for one in self.subject.ours(self.case).__mro__ if "ORDERS" in vars(one))

    @property
    def own(self) -> Any:
        """The class that runs it."""
        own = self.subject.ours(self.case)
        return plant(self.subject, [self.cause], own) if self.cause else own


def runs(subject: Subject, longest: int | None = None, by_call: bool = False) -> Iterator[Run]:
    """Every order of a subject on every case of its table, in both formats, rounded in every way that it is run in."""
    for case in subject.cases.CASES:
        for order, formula in subject.ours(case).ORDERS.items():
            takes_ops = any("ops" in inspect.signature(half).parameters for half in parts(formula))
            for rounding in ROUNDED.get(order, ("fused",)) if takes_ops else ("plain",):
                for dtype in case.dtypes:
                    yield Run(subject, order, rounding, case, dtype, longest or case.steps, by_call=by_call)


def planted(subject: Subject) -> Iterator[Run]:
    """Every cause that is an edit of the formula, in the scenario that brings it out, where a page can run it."""
    cases = {scenario.name: scenario.case for scenario in subject.causes.SCENARIOS} if subject.causes else {}
    for cause in causes(subject):
        if cause.edits_lines or cause.arguments:
            case = cases[cause.shows]
            planned = [
                Run(subject, "paper", "plain", case, dtype, case.steps, cause) for dtype in ("float32", "float64")
            ]
            if not refused(planned[0]):
                yield from planned


def refused(run: Run) -> str:
    """Why a formula cannot run in a page; empty where it can."""
    try:
        formula(run)
    except Untranslatable as error:
        return str(error)
    return ""


# NumPy's side


def evaluated(run: Run) -> Iterator[bytes]:
    """All numbers of a run: of each step of each tensor every line, parameter and state; of each pass every line."""
    if run.by_call:
        return (noted(value) for _, _, lines in calls(run)[0] for value in lines)
    return stepped(run) if hasattr(run.own, "STATE") else passed(run)


@functools.lru_cache(maxsize=100)  # both sides of a page are made of them
def calls(run: Run) -> tuple[list[tuple[int, dict[str, Any], Any]], list[Any]]:
    """Every evaluation of a formula, there or back, what it was given and its lines; and what `misrounded` tells."""
    made: list[tuple[int, dict[str, Any], Any]] = []
    powers_met: dict[tuple[float, float], float] = {}

    def power_noted(x: Any, exponent: Any) -> Any:
        value = x**exponent
        if isinstance(x, float | int) and isinstance(value, float) and not isinstance(value, np.generic):
            powers_met[float(x), float(exponent)] = value
        return value

    def noting_call(half: int, formula: Callable[..., Any]) -> Callable[..., Any]:
        counted = over(with_powers(formula, power_noted), ARITHMETICS[run.rounding])
        signature = inspect.signature(formula)

        @functools.wraps(formula)
        def noted_call(*args, **kwargs):
            kwargs.pop("ops", None)
            bound = signature.bind(*args, **kwargs)
            bound.apply_defaults()
            bound.arguments.pop("ops", None)
            given = {name: handed(value) for name, value in bound.arguments.items()}
            made.append((half, given, counted(*args, **kwargs)))
            return made[-1][-1]

        return noted_call

    kind = run.subject.ours(run.case)
    order = kind.ORDERS[run.order]
    halves = [noting_call(*numbered) for numbered in enumerate(parts(order))]
    watched = type(order)(*halves) if isinstance(order, tuple) else halves[0]
    own = type(kind.__name__, (kind,), {"ORDERS": dict.fromkeys(kind.ORDERS, watched)})
    side = asked(run.subject, run.case, run.dtype, seed=SEED, steps=run.steps).pair(own).ours()
    with np.errstate(all="ignore"):
        for step in range(1, run.steps + 1):
            advance(side, step)
    return made, [(*pair, value) for pair, value in powers_met.items() if value != correctly_rounded(*pair)]


def handed(value: Any) -> Any:
    """What a formula is given, for a page: lines and tuples part by part, an array packed, all else as it is."""
    if hasattr(value, "_asdict"):
        return {"lines": {name: handed(part) for name, part in value._asdict().items()}}
    if isinstance(value, tuple | list):
        return {"all": [*map(handed, value)]}
    return {"array": packed(value)} if isinstance(value, np.ndarray | np.generic) else value


def stepped(run: Run, given: list[tuple[int, str, Any]] | None = None) -> Iterator[bytes]:
    """The numbers of an optimizer's run; each gradient, with its step and tensor, joins those that are `given`."""
    problem = problem_of(run.case.problem)
    params = problem.start(run.case.shapes_for(problem), run.dtype, SEED)
    optimizer = run.own(params, **run.case.hyperparameters)
    seen: list[bytes] = []
    optimizer.formula = noting(over(run.own.ORDERS[run.order], ARITHMETICS[run.rounding]), seen)
    kept = [key for key, entry in optimizer.STATE.items() if entry.kind != "count"]
    for step in range(1, run.steps + 1):
        for name, value in run.case.changes(step).items():
            optimizer.set(name, value)
        grads = run.case.scheduled(gradient(problem, run, optimizer.params, step), step)
        for name, grad in handed_as(run.case, grads).items():
            if grad is not None:
                if given is not None:
                    given.append((step, name, grad))
                optimizer.step({name: grad})
                yield seen.pop()
                yield noted(optimizer.params[name])
                yield b"".join(noted(optimizer.state[name][key]) for key in kept if key in optimizer.state[name])


def passed(run: Run) -> Iterator[bytes]:
    layer, seen = started(run), []
    formula = layer.ORDERS[run.order]
    halves = formula if run.cause else map(rounded, formula)
    layer.formula = type(formula)(*(noting(over(half, ARITHMETICS[run.rounding]), seen) for half in halves))
    side = LayerSide(layer, run.case, SEED, run.dtype)
    for step in range(1, run.steps + 1):
        side.advance("pass", step)
        yield seen[0]
        yield seen[-1]  # on its way back a penalty goes there once more
        seen.clear()


def noting(formula: Callable[..., Any], seen: list[bytes]) -> Callable[..., Any]:
    """The formula, every line of it noted before a step is written to what a line may be itself."""

    @functools.wraps(formula)  # a layer hands a formula what its signature names
    def watched(*args, **kwargs):
        lines = formula(*args, **kwargs)
        seen.append(b"".join(map(noted, lines)))
        return lines

    return watched


def started(run: Run) -> Any:
    layer = run.own(**run.case.hyperparameters)
    layer.load_state(run.case.start(drawing(SEED, 0), layer.state, run.dtype))
    return layer


def gradient(problem, run: Run, params, step: int) -> Mapping[str, Any]:
    ordered = {"order": function_order(run)} if hasattr(problem, "ORDERS") else {}
    return problem.gradient(params, step=step, seed=SEED, **ordered)


def function_order(run: Run) -> str:
    return "paper" if run.order == "paper" else "pytorch"


def noted(value: Any) -> bytes:
    """A value with its type, bit for bit; of NaN there is one."""
    if value is None:
        return b"\0"
    if not isinstance(value, np.ndarray | np.generic):
        return b"\1" + with_one_nan(np.float64(value))
    if value.dtype == bool:
        return b"\4" + np.uint32(value.size).tobytes() + np.asarray(value).tobytes()
    assert value.dtype in (np.float32, np.float64), value.dtype
    return (b"\2" if value.dtype == np.float32 else b"\3") + np.uint32(value.size).tobytes() + with_one_nan(value)


def with_one_nan(value: Any) -> bytes:
    array = np.asarray(value)
    missing = np.isnan(array)
    return np.where(missing, array.dtype.type("nan"), array).tobytes() if missing.any() else array.tobytes()


def digest(numbers: Iterable[bytes]) -> list[Any]:
    """The fingerprint of all numbers of a run, and of how many bytes it is."""
    made, size = hashlib.sha256(), 0
    with np.errstate(all="ignore"):  # infinities and NaN are numbers here like any
        for part in numbers:
            made.update(part)
            size += len(part)
    return [made.hexdigest(), size]


# A power of an array is a library's of NumPy's, which a page does not have: it is put right on this side


@functools.cache
def rounded(formula: Callable[..., Any]) -> Callable[..., Any]:
    """The formula with every power of an array correctly rounded."""
    return functools.wraps(formula)(with_powers(formula, power))


WORKED_OUT = (3,)


def power(x: Any, exponent: Any) -> Any:
    if not isinstance(x, np.ndarray | np.generic) or exponent == 2:  # a square is a product
        return x**exponent
    assert exponent in WORKED_OUT, exponent
    values = [nearest(Fraction(one) ** exponent, x.dtype) for one in np.ravel(x).tolist()]
    return np.array(values, x.dtype).reshape(np.shape(x))


def nearest(value: Fraction, dtype: np.dtype) -> float:
    """A fraction rounded once: Python's quotients of integers are, and what float32 makes of one rounded to odd is."""
    double = value.numerator / value.denominator
    if dtype == np.float64 or not math.isfinite(double):
        return double
    if Fraction(double) != value and not np.float64(double).view(np.int64) & 1:
        double = math.nextafter(double, math.inf if value > Fraction(double) else -math.inf)
    return float(np.float32(double))


# The page's side


class Handed:
    """What a page is given: runs as data, and each stream of gradients once."""

    def __init__(self):
        self.streams: dict[str, Any] = {}

    def run(self, run: Run) -> dict[str, Any]:
        return {
            "formula": run.formula,
            "rounding": run.rounding,
            **(by_call(run) if run.by_call else self.steps(run) if hasattr(run.own, "STATE") else passes(run)),
        }

    def steps(self, run: Run) -> dict[str, Any]:
        case, problem = run.case, problem_of(run.case.problem)
        optimizer = run.own({"tensor": np.zeros(1, run.dtype)}, **case.hyperparameters)
        starts = {entry.start for entry in optimizer.STATE.values() if isinstance(entry.start, str)}
        is_function = hasattr(problem, "ORDERS")
        start = problem.start(case.shapes_for(problem), run.dtype, SEED)
        steps = range(1, run.steps + 1)
        return {
            "steps": run.steps,
            "hyperparameters": optimizer.hyperparameters | {name: getattr(optimizer, name) for name in starts},
            "start": {name: packed(array) for name, array in start.items()},
            "function": f"{case.problem} {function_order(run)}" if is_function else None,
            "arguments": defaults(problem.ORDERS["paper"]) if is_function else {},
            "stream": None if is_function else self.stream(problem, run),
            "powers": powers(run.subject.ours(), json.dumps(case.hyperparameters), run.steps),
            "changes": {step: {"lr": value} for step, value in case.lr_at.items()},
            "missing": [step for step in steps if case.scheduled({"tensor": np.ones(1)}, step)["tensor"] is None],
            "zero_from": case.zero_from,
            "entries": entries(run) if case.sparse else None,
        }

    def stream(self, problem, run: Run) -> str:
        shapes = run.case.shapes_for(problem)
        key = json.dumps([run.case.problem, shapes, run.dtype, run.steps])
        if key not in self.streams:
            params = problem.start(shapes, run.dtype, SEED)
            grads = [problem.gradient(params, step=step, seed=SEED) for step in range(1, run.steps + 1)]
            self.streams[key] = {name: [packed(grad[name]) for grad in grads] for name in params}
        return key


def entries(run: Run) -> dict[int, dict[str, Any]]:
    """The gradients of a run in which only some entries are there: step and tensor to places and values."""
    given: list[tuple[int, str, Any]] = []
    digest(stepped(run, given))
    made: dict[int, dict[str, Any]] = {}
    for step, name, grad in given:
        if run.own.SPARSE == "whole":
            made.setdefault(step, {})[name] = {"places": None, "values": packed(grad.dense())}
        else:
            once = grad.coalesced()
            axes = grad.shape[: len(once.indices)] or (1,)
            places = np.ravel_multi_index(once.places, axes).tolist()
            made.setdefault(step, {})[name] = {"places": places, "values": packed(once.values)}
    return made


@functools.cache
def powers(kind: Any, hyperparameters: str, steps: int) -> list[Any]:
    """Those of an optimizer's coefficients that the C library does not round correctly."""
    return misrounded(kind, json.loads(hyperparameters), steps)


def by_call(run: Run) -> dict[str, Any]:
    made, misrounded_there = calls(run)
    return {"calls": [{"half": half, "given": given} for half, given, _ in made], "powers": misrounded_there}


def passes(run: Run) -> dict[str, Any]:
    layer, case, made = started(run), run.case, []
    for step in range(1, run.steps + 1):
        rng, training = drawing(SEED, step), case.training(step)
        inputs = case.inputs(rng, step, run.dtype)
        output = np.asarray(layer.train(training).forward(*inputs))
        upstream = case.upstream(rng, output.shape, run.dtype)
        made.append({"inputs": [*map(packed, inputs)], "upstream": packed(upstream), "training": training})
    layer = started(run)
    return {
        "settings": {name: getattr(layer, name) for name in layer.SETTINGS},
        "params": {name: packed(layer.params.get(name)) for name in layer.GRADS},
        "buffers": {name: packed(layer.buffers.get(name)) for name in layer.BUFFERS},
        "passes": made,
    }


def packed(value: Any) -> Any:
    """An array as format, shape and bytes; a count, or nothing, as it is."""
    if value is None:
        return None
    array = np.asarray(value)
    if array.dtype.kind not in "fb":
        return int(array)
    return [array.dtype.name, list(array.shape), base64.b64encode(array.tobytes()).decode()]


def defaults(function: Callable[..., Any]) -> dict[str, Any]:
    parameters = inspect.signature(function).parameters.values()
    return {one.name: one.default for one in parameters if one.default is not inspect.Parameter.empty}


def formula(run: Run) -> str:
    """The formula of a run, in JavaScript."""
    own = run.subject.ours(run.case)
    functions = parts(own.ORDERS[run.order])
    made = [translated(text_of(function)) for function in functions]
    if run.cause:
        fields = [[line.name for line in one.result] for one in made]  # under which a cause may keep something else
        trees = [exchanged(half, [edit]) for half, edit in zip(functions, run.cause.edits(functions), strict=True)]
        made = [translated(ast.unparse(tree), names) for tree, names in zip(trees, fields, strict=True)]
    given = [{"given": one.arguments} for one in made]
    if run.by_call:
        return f"[{', '.join(map(script, made))}]"
    if hasattr(own, "STATE"):
        return joined(script(made[0]), state={key: entry_of(entry) for key, entry in own.STATE.items()})
    there, back = made
    return (
        f"{{there: {joined(script(there), buffers=dict(own.BUFFERS), **given[0])}, "
        f"back: {joined(script(back), **given[1])}}}"
    )


def entry_of(entry: Any) -> dict[str, Any]:
    return {"kind": entry.kind} | dataclasses.asdict(entry)


def joined(text: str, **more: Any) -> str:
    """An object of JavaScript with these fields besides."""
    return f"{{...{text}, {', '.join(f'{key}: {json.dumps(value)}' for key, value in more.items())}}}"


def page(formulas: Mapping[str, str]) -> str:
    """A page that knows these formulas by their names."""
    text = ",\n".join(f"{json.dumps(name)}: {formula}" for name, formula in formulas.items())
    return PAGE.format(modules=bundle(HARNESS.read_text("utf-8")), formulas=text)


class Apart(NamedTuple):
    """The first number of a run that is not NumPy's."""

    run: Run
    part: int
    byte: int

    def __str__(self) -> str:
        return f"{self.run.label}: part {self.part}, byte {self.byte}"
