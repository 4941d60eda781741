"""A formula taken apart into its lines, each compiled by itself, so that a thousand wrong ones cost little.

Where something of a step can be seen, the lines after it start from what was seen, so that each line is judged given
the numbers that went into it: the first wrong one does not spoil the others. Nothing is decided here; what comes near
is replayed on numbers that carry their error (`lockstep.diagnose.replay`).
"""

import ast
import functools
import types
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from lockstep.causes.cause import Cause, First, parts
from lockstep.causes.planting import in_order, norm_of
from lockstep.causes.source import (
    BEFORE,
    HELPERS,
    NORM_OF_ALL,
    UPDATES,
    WAS,
    BadEdit,
    Replace,
    everywhere,
    expression,
    parsed,
)
from lockstep.diagnose.effort import spend
from lockstep.diagnose.replay import Observed, observe, planted
from lockstep.diagnose.solve import CANNOT, LIMIT, fits
from lockstep.numerics import formats
from lockstep.numerics.bounded import Bounded
from lockstep.numerics.shapes import Array
from lockstep.numerics.verdict import distance, share
from lockstep.recordings.recording import Recording
from lockstep.subjects.families.optim import weak

# what a wrong line raises where it is no formula at all
NO_FORMULA = (ArithmeticError, AttributeError, BadEdit, LookupError, NameError, TypeError, ValueError)

Numbers = dict[str, Any]  # by name, what a function of the formula has made so far
Free = tuple[tuple[str, Any], ...]  # names that stand for a number, with it
Edits = tuple[tuple[str, Free], ...]  # of a line: what replaces it, one after the other


class Line(NamedTuple):
    """One assignment. function: which of the formula's it stands in. names: what it makes."""

    function: int
    names: tuple[str, ...]
    tree: ast.expr
    code: Any


class Exchange(NamedTuple):
    """What a hypothesis exchanges. lines: number of a line to its code. arguments: a function's, name and code.

    kept: line to the code of what is stored in its place. first: the number of the first line that may differ.
    free: arguments that every function of the formula gets, for numbers that are sought.
    """

    lines: Mapping[int, Any]
    arguments: tuple[tuple[int, str, Any], ...]
    kept: Mapping[str, Any]
    first: int
    free: tuple[str, ...] = ()


class Seen(NamedTuple):
    """What was observed of a line: the numbers, and how far a prediction may be off to be near."""

    found: np.ndarray
    room: np.ndarray
    size: float


class Call(NamedTuple):
    """One evaluation: what each function of the formula is given, and what was seen of which line."""

    given: list[Numbers]
    seen: dict[str, Seen]


class Trail(NamedTuple):
    """What one tensor of a recording went through, or a layer.

    carried: argument to the line that becomes it, of state that cannot be seen; what can be is in `given`.
    lines: those of which something was seen. state: those that become state, seen or not.
    """

    label: str
    calls: list[Call]
    carried: dict[str, str]
    lines: tuple[str, ...]
    state: tuple[str, ...] = ()


class Script:
    """The formula of a class of the reference, line by line; of a layer the way there and the way back.

    Arguments:
        kind: the class.
    """

    def __init__(self, kind: Any):
        self.functions = parts(kind.ORDERS["paper"])
        self.definitions = [parsed(function) for function in self.functions]
        self.lines = [line for number, one in enumerate(self.definitions) for line in lines_of(number, one)]
        self.worlds = [
            {**function.__globals__, **HELPERS, **(function.__kwdefaults__ or {}), **defaults(function)}
            for function in self.functions
        ]
        self.places = {(line.function, name): at for at, line in enumerate(self.lines) for name in line.names}
        self.everything = range(len(self.lines))
        self.modes = [
            any("training" in line.code.co_names for line in self.lines if line.function == number)
            for number in range(len(self.functions))
        ]
        self.plans: dict[tuple, list[int]] = {}
        self.made: dict[tuple, Exchange] = {}
        self.edited: dict[tuple, Any] = {}
        self.compiled: dict[tuple, Any] = {}

    def exchange(self, causes: Sequence[Cause]) -> Exchange:
        """What the causes exchange, together.

        Raises:
            BadEdit: where one of them fits no line, or is no matter of lines.
        """
        key = tuple((cause.name, tuple(cause.free.items())) for cause in causes)
        if key not in self.made:
            self.made[key] = self.exchanged(causes)
        return self.made[key]

    def exchanged(self, causes: Sequence[Cause]) -> Exchange:
        edits: dict[int, Edits] = {}
        kept: dict[str, Any] = {}
        arguments: list[tuple[int, str, Any]] = []
        for cause in in_order(causes):
            if cause.behaviour:
                raise BadEdit(f"{cause} is no matter of lines")
            free = tuple(cause.free.items())
            for function, edited in enumerate((cause.lines, cause.backward)):
                for name, text in edited.items():
                    at = self.places[function, name]
                    edits[at] = (*edits.get(at, ()), (text, free))
            kept |= {name: self.code(text, free) for name, text in cause.kept.items()}
            for name, text in cause.arguments.items():
                arguments += self.replaced(name, text, free)
        everywhere_of = tuple((old, new) for cause in causes for old, new in cause.everywhere.items())
        touched = self.everything if everywhere_of else edits
        lines = {at: code for at in touched if (code := self.line(at, edits.get(at, ()), everywhere_of))}
        first = min([*lines, *(0 for _ in arguments)], default=len(self.lines) if kept else 0)
        sought = tuple(name for cause in causes for name in cause.free.values() if isinstance(name, str))
        return Exchange(lines, tuple(arguments), kept, first, sought)

    def line(self, at: int, edits: Edits, everywhere_of: tuple[tuple[str, str], ...]) -> Any:
        """A line after its edits, compiled; None where that is the line as it was. Each is made once."""
        key = at, edits, everywhere_of
        if key not in self.edited:
            tree = self.lines[at].tree
            for text, free in edits:
                tree = Replace({WAS: tree}).visit(expression(text, dict(free)))
            now = everywhere(tree, dict(everywhere_of))
            same = not edits and ast.dump(now) == ast.dump(tree)
            self.edited[key] = None if same else compiled(now)
        return self.edited[key]

    def code(self, text: str, free: Free, instead: Mapping[str, str] = {}) -> Any:
        """An expression compiled, with some names `instead` of others; each is made once."""
        key = text, free, *instead.items()
        if key not in self.compiled:
            others: dict[str, ast.expr] = {old: ast.Name(new, ast.Load()) for old, new in instead.items()}
            self.compiled[key] = compiled(Replace(others).visit(expression(text, dict(free))))
        return self.compiled[key]

    def replaced(self, name: str, text: str, free: Free) -> list[tuple[int, str, Any]]:
        """An argument of every function that has it, and what it was at the step before."""
        having = [number for number, one in enumerate(self.definitions) if name in taken_by(one)]
        then = self.code(text, free, {name: name + BEFORE})
        return [*((number, name, self.code(text, free)) for number in having), (0, name + BEFORE, then)]

    def plan(self, wanted: Sequence[str], exchange: Exchange, call: Call) -> frozenset[int]:
        """The lines that some lines are made of; one that was seen is made of nothing else, and is ~ its number."""
        ends = {max(at for (_, name), at in self.places.items() if name == one) for one in wanted}
        reading = {f"{self.lines[at].function}.{name}" for at in ends for name in self.lines[at].names}
        changed = set()
        for at in range(max(ends), -1, -1):
            line = self.lines[at]
            own = {f"{line.function}.{name}" for name in line.names}
            if own & reading:
                made = at in ends or line.names[0] not in call.seen
                changed.add(at if made else ~at)
                reading -= own
                reading |= self.read_by(line, exchange.lines.get(at)) if made else set()
        return frozenset(changed)

    def read_by(self, line: Line, code: Any) -> set[str]:
        """The names that a line reads, each behind the number of the function it is of."""
        names = (code or line.code).co_names
        before = {f"{line.function - 1}.{name}" for name in names} if "lines" in names else set()
        return {f"{line.function}.{name}" for name in names} | before

    # evaluation

    def begun(self, call: Call, carried: Numbers, exchange: Exchange, function: int = 0) -> Numbers:
        """What a function of the formula has before its first line."""
        numbers = {**self.worlds[function], **call.given[function], **carried}
        for number, name, code in exchange.arguments:
            if number == function and (name in numbers):
                numbers[name] = eval(code, numbers)
        return numbers

    def go(
        self, state: list[Numbers], plan: Iterable[int], call: Call, exchange: Exchange, trace: list | None = None
    ) -> dict[str, Any]:
        """What the lines of the plan make of each line that was seen; `trace` gets what there was before each line.

        A line that was seen goes on as what was seen of it.
        """
        spend(1)
        made: dict[str, Any] = {}
        lines, exchanged, seen, kept = self.lines, exchange.lines, call.seen, exchange.kept
        for place in plan:
            function, (name, *others), _, code = lines[place if place >= 0 else ~place]
            if function == len(state):
                if function == len(call.given):
                    break  # no gradient came from above
                back = self.begun(call, {free: state[0][free] for free in exchange.free}, exchange, function)
                back["lines"] = types.SimpleNamespace(**state[-1])
                state.append(back)
            numbers = state[function]
            if trace is not None:
                trace.append([*state[:-1], dict(state[-1])])
            if place < 0:
                numbers[name] = seen[name].found
                continue
            value = eval(exchanged.get(place, code), numbers)
            if others:
                numbers.update(zip((name, *others), value, strict=True))
                continue
            numbers[name] = value
            if name in seen and name not in kept:
                made[name] = value
                numbers[name] = seen[name].found
        for name, code in kept.items():
            state[0][name] = made[name] = eval(code, state[0])
        return made

    def walked(self, trail: Trail, exchange: Exchange, calls: int | None = None, wanted: str = "", **free: float):
        """Call by call what is made of each line that was seen, or of one of them alone, with these `free` numbers."""
        carried: Numbers = dict(free)
        ends = (wanted, *trail.carried.values())
        plan: Sequence[int] = self.everything
        if wanted and not exchange.kept:
            key = ends, id(exchange), tuple(trail.calls[0].seen)
            if key not in self.plans:
                self.plans[key] = in_order_of(self.plan(ends, exchange, trail.calls[0]))
            plan = self.plans[key]
        for call in trail.calls[:calls]:
            state = [self.begun(call, carried, exchange)]
            made = self.go(state, plan, call, exchange)
            yield call, made
            carried = free | {
                key: state[0][line] for key, line in trail.carried.items() if state[0].get(line) is not None
            }

    def near(
        self, trail: Trail, causes: Sequence[Cause], wanted: Iterable[str] = (), lenient: bool = False
    ) -> frozenset[str]:
        """The lines that are near what was seen throughout; none as soon as one that is `wanted` is not.

        `lenient`: what is no number on one side alone, the root of what cancelled, is taken for near.
        """
        left, wanted = set(trail.lines), set(wanted)
        try:
            for line in wanted if len(wanted) < len(left) else ():
                for call, made in self.walked(trail, self.exchange(causes), None, line):
                    if line in call.seen and not near(call.seen[line], made.get(line), lenient):
                        return frozenset()
            for call, made in self.walked(trail, self.exchange(causes)):
                for name, seen in call.seen.items():
                    if name in left and not (name in made and near(seen, made[name], lenient)):
                        left.discard(name)
                        if name in wanted or not left:
                            return frozenset()
        except NO_FORMULA:
            return frozenset()
        return frozenset(left)

    def used(self, trail: Trail, causes: Sequence[Cause], dtype: str) -> dict[str, tuple[float, int]]:
        """Of each line that was seen, the largest share of its allowance and the call it is in, given what was seen.

        On numbers that carry their error. A line that cannot be worked out, or of which no digit is certain, uses
        infinitely much.
        """
        shares: dict[str, tuple[float, int]] = {}
        calls = [exactly(call, dtype, bool(self.definitions[1:])) for call in trail.calls]
        try:
            for number, (call, made) in enumerate(self.walked(trail._replace(calls=calls), self.exchange(causes)), 1):
                for name in call.seen:
                    share = share_used(trail.calls[number - 1].seen[name].found, made.get(name))
                    if name not in shares or share > shares[name][0]:
                        shares[name] = share, number
        except CANNOT:
            return dict.fromkeys(trail.lines, (np.inf, 1))
        return shares

    def signature(self, trail: Trail, causes: Sequence[Cause], wanted: str, calls: int) -> tuple | None:
        """What tells the causes from others that make the same of a line; None where they are no formula."""
        try:
            return tuple(
                rounded(made[wanted])
                for call, made in self.walked(trail, self.exchange(causes), calls, wanted)
                if wanted in call.seen
            )
        except NO_FORMULA:
            return None


def near(seen: Seen, value: Any, lenient: bool = False) -> bool:
    """Whether a prediction is within `LIMIT` roundings of what was seen."""
    if value is None:
        return False
    apart = np.abs(seen.found - value)
    if apart.shape != seen.found.shape:
        return False
    if (apart <= seen.room).all():
        return True
    if not lenient and (apart > seen.room).any():
        return False
    predicted = np.asarray(value, np.float64)
    undefined = np.isnan(seen.found) != np.isnan(predicted)
    if lenient and undefined.any() and not undefined.all():
        return True
    agree = (seen.found == predicted) | (np.isnan(seen.found) & np.isnan(predicted))
    return bool((agree | (apart <= seen.room)).all())


def exactly(call: Call, dtype: str, of_layer: bool) -> Call:
    """The call on numbers that carry their error; what was seen is exact."""

    def number(name: str, value: Any) -> Any:
        if isinstance(value, np.ndarray) and value.dtype.kind == "f" and value.ndim:
            return Bounded(value, dtype)
        return value if of_layer or name == "step" else weak(value)

    given = [{name: number(name, value) for name, value in one.items()} for one in call.given]
    seen = {name: one._replace(found=Bounded(one.found, dtype)) for name, one in call.seen.items()}
    return Call(given, seen)


def share_used(held: Array, exact: Any) -> float:
    """The largest share of its allowance that any number uses."""
    if not isinstance(exact, Bounded) or exact.shape != held.shape:
        return np.inf
    apart = np.where(np.isnan(held) & np.isnan(exact.value), 0, distance(held, exact.value))
    room = np.broadcast_to(exact.error, exact.shape)
    if np.isposinf(room).all():
        return np.inf
    used = np.where(np.isposinf(room), 0.0, share(apart, room))
    return float(np.max(np.where(np.isnan(used), np.inf, used), initial=0.0))


def in_order_of(plan: Iterable[int], begin: int = 0) -> list[int]:
    """The lines of a plan from line `begin` on; what is made for one reason need not be seen for another."""
    plan = set(plan)
    return sorted(
        (at for at in plan if max(at, ~at) >= begin and not (at < 0 and ~at in plan)), key=lambda at: max(at, ~at)
    )


def rounded(value: Any) -> bytes:
    """The bits of the numbers but for the last that rounding may change."""
    return (np.asarray(value, np.float64).view(np.int64) + (1 << 15) >> 16).tobytes()


def compiled(tree: ast.expr) -> Any:
    return compile(ast.fix_missing_locations(ast.Expression(tree)), "<line>", "eval")


def defaults(function) -> Numbers:
    """The defaults of its positional arguments."""
    code = function.__code__
    names = code.co_varnames[: code.co_argcount]
    given = function.__defaults__ or ()
    return dict(zip(names[len(names) - len(given) :], given, strict=True))


def taken_by(definition: ast.FunctionDef) -> set[str]:
    return {one.arg for one in (*definition.args.args, *definition.args.kwonlyargs)}


def lines_of(function: int, definition: ast.FunctionDef) -> list[Line]:
    lines = []
    for statement in definition.body:
        if isinstance(statement, ast.Assign):
            target: Any = statement.targets[0]
            names = (target,) if isinstance(target, ast.Name) else target.elts
            lines.append(Line(function, tuple(name.id for name in names), statement.value, compiled(statement.value)))
    return lines


class Quick:
    """Tries hypotheses on recordings, line by line where that can be done.

    Arguments:
        recordings: of one implementation.
    """

    def __init__(self, recordings: Sequence[Recording]):
        self.scripts: dict[Any, Script] = {}
        self.trails: dict[str, tuple[Script, Trail] | None] = {}
        self.known = {one.label for one in recordings}

    def of(self, recording: Recording) -> tuple[Script, Trail] | None:
        """The formula and what was recorded of it; None where no call of it is one of a tensor."""
        if recording.label not in self.trails:
            trail = trail_of(recording)
            formula = planted(recording.subject, recording.layer, ()).ORDERS["paper"]
            if formula not in self.scripts:
                self.scripts[formula] = Script(planted(recording.subject, recording.layer, ()))
            self.trails[recording.label] = (self.scripts[formula], trail) if trail else None
        return self.trails[recording.label]

    def fits(self, recording: Recording, causes: Sequence[Cause]) -> bool:
        """Whether the recording is within `LIMIT` roundings of the hypothesis; False where it cannot be planted."""
        there = None if any(cause.behaviour for cause in causes) else self.of(recording)
        if there is None:
            return fits(recording, tuple(causes))
        script, trail = there
        with np.errstate(all="ignore"):
            return script.near(trail, causes, trail.lines, lenient=True) == set(trail.lines)


# what was recorded, as calls


def trail_of(recording: Recording) -> Trail | None:
    """The recording as calls of the formula; None where a call is none of one tensor, or only states were recorded."""
    if recording.holds == "states":
        return None
    heard: list[tuple[tuple, Numbers]] = planted(recording.subject, recording.layer, (LISTENER,)).heard
    heard.clear()
    observed: list[list[Observed]] = [[] for _ in recording.steps]
    until = [0 for _ in recording.steps]
    room: dict[tuple[int, str, str], Any] = {}
    with np.errstate(all="ignore"):
        for quantity in observe(recording, (), {}, bounded=True) if recording.is_layer else ():
            # Where terms cancel, that is more.
            room[quantity.step, quantity.quantity, quantity.tensor] = quantity.predicted[""].error
        for quantity in observe(recording, (LISTENER,), {}, bounded=False):
            observed[quantity.step - 1].append(quantity)
            until[quantity.step - 1] = len(heard)
    between = list(zip([0, *until], until, strict=False))
    made = layer_calls if recording.is_layer else tensor_calls
    return made(recording, planted(recording.subject, recording.layer, ()), heard, observed, between, room)


def listening(base: Any) -> type:
    """The class, noting every call of its formula in the list that is its `heard`."""

    def noting(function):
        @functools.wraps(function)
        def noted(*args, **kwargs):
            made.heard.append((args, kwargs))
            return function(*args, **kwargs)

        return noted

    formula = base.ORDERS["paper"]
    functions = [noting(function) for function in parts(formula)]
    order = functions[0] if callable(formula) else type(formula)(*functions)
    made: Any = type(base.__name__, (base,), {"ORDERS": {"paper": order}, "heard": []})
    return made


LISTENER = Cause(id="listener", behaviour=listening, formula="", shows="", first=First(1, ""))


def seen_of(quantity: Observed, allowed: Any = 0.0) -> Seen:
    """`allowed`: what the formula itself needs there."""
    held = quantity.found.astype(np.float64)
    room = LIMIT * (formats.of(quantity.found.dtype).unit * (np.abs(held) + quantity.size) + np.finfo(np.float64).tiny)
    room = np.maximum(room, np.where(np.isfinite(allowed), 2 * np.asarray(allowed, np.float64), 0))
    return Seen(held, room, quantity.size)


def tensor_calls(recording: Recording, kind: Any, heard, observed, between, room) -> Trail | None:
    """Of an optimizer: a tensor that misses a gradient where one does, the largest of those that step alike."""
    if kind.SPARSE == "alone":
        return None  # a line holds for what has an entry, another at each step
    first = recording.steps[0]
    taken = {name: sum(step.grads.get(name) is not None for step in recording.steps) for name in first.before}
    name = max(taken, key=lambda tensor: (taken[tensor] > 0, -taken[tensor], first.before[tensor].size))
    visible = {
        key
        for key, entry in kind.STATE.items()
        if entry.kind != "count" and all(name in step.state.get(key, {}) for step in recording.steps)
    }
    calls: list[Call] = []
    held: Mapping[str, Any] = {}
    then: Numbers = {}
    for step, (begin, end), there in zip(recording.steps, between, observed, strict=True):
        stepping = [tensor for tensor, grad in step.grads.items() if grad is not None]
        if end - begin != len(stepping):
            return None
        if name in stepping:
            args, kwargs = heard[begin + stepping.index(name)]
            given = dict(zip(("param", "grad"), args, strict=False)) | kwargs
            given |= {key: np.asarray(held[key][name], np.float64) for key in visible if key in held}
            now = {key: value for key, value in given.items() if isinstance(value, float | int | tuple)}
            given |= {key + BEFORE: value for key, value in (then or now).items()}
            given |= {UPDATES: len(calls) + 1, NORM_OF_ALL: norm_of(step.grads.values())}
            then = now
            seen = {
                quantity.line: seen_of(quantity)
                for quantity in there
                if quantity.tensor == name and len(quantity.predicted) == 1
            }
            calls.append(Call([given], seen))
        elif step.after[name].tobytes() != step.before[name].tobytes():
            return None  # it moved without a gradient, which no line of the formula tells
        held = step.state
    in_use = {key for call in calls for key, value in call.given[0].items() if value is not None}
    state = {key: entry.line for key, entry in kind.STATE.items() if entry.kind != "count" and key in in_use}
    carried = {key: line for key, line in state.items() if key not in visible}
    return Trail(recording.label, calls, carried, lines_seen(calls), tuple(state.values())) if calls else None


def layer_calls(recording: Recording, kind: Any, heard, observed, between, room) -> Trail | None:
    """Of a layer: every pass."""
    definitions = [parsed(function) for function in parts(kind.ORDERS["paper"])]
    calls = []
    held: Mapping[str, Any] = {}
    for one_pass, (begin, end), there in zip(recording.steps, between, observed, strict=True):
        given = []
        for (args, kwargs), definition in zip(heard[begin:end], definitions, strict=False):
            given.append(dict(zip([argument.arg for argument in definition.args.args], args, strict=False)) | kwargs)
        for name, array in held.items():  # what it went on from, which need not be what the formula makes of it
            if name in given[0] and name not in one_pass.buffers_before and array.dtype.kind == "f":
                given[0][name] = np.asarray(array, np.float64)
        held = one_pass.buffers
        seen = {
            quantity.line: seen_of(quantity, room[quantity.step, quantity.quantity, quantity.tensor])
            for quantity in there
        }
        calls.append(Call(given, seen))
    return Trail(recording.label, calls, {}, lines_seen(calls))


def lines_seen(calls: list[Call]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for call in calls for name in call.seen))
