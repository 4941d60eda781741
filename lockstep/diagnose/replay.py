"""Holds a recording against a formula: the same steps, on numbers that carry their error.

The reference's formula, or one with causes planted in it, is run from the recorded parameters and gradients.
State is taken from the recording where it can be seen and agrees; otherwise it is carried along, with the
error it may have by then. So every observed number has an exact value and an allowance, and nothing about
the implementation has to be known but what it did.
"""

import functools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from lockstep.causes.cause import Cause
from lockstep.causes.planting import plant
from lockstep.diagnose.effort import BOUNDED, PLAIN, spend
from lockstep.numerics import formats
from lockstep.numerics.bounded import Bounded, widest
from lockstep.numerics.shapes import Array
from lockstep.numerics.verdict import Finding, Verdict, differing, distance, share, uncertain
from lockstep.recordings.recording import Pass, Recording, Step
from lockstep.subjects.families.layers import as_bounded, floating
from lockstep.subjects.families.optim import as_kept, exactly, weak
from lockstep.subjects.registry import find
from lockstep.subjects.subject import own_class

# A buffer that PyTorch does not know by this name may be kept with lr or a sign in it.
SCALES = {"": lambda lr: 1.0, "-lr": lambda lr: -lr, "lr": lambda lr: lr, "-": lambda lr: -1.0}


# The orders of PyTorch's own formula, each of which is allowed for. A planted formula has the first alone.
ORDERS = ("paper", "pytorch")


class Residual(NamedTuple):
    """What is left between a recording and a formula.

    used: the largest share of its allowance that any number uses, parameters and visible state alike; at
        most 1 means that the formula explains the recording down to rounding.
    param, state: the same of parameters alone (of a layer, of all it makes but buffers), and of each
        visible state entry or buffer.
    first: the first number beyond its allowance, or None: ours is the recorded one, theirs what the formula makes of it
        from the same place.
    compared, undecided: how many numbers were compared, and of how many the allowance is infinite.
    uncertain: the first number of a tensor that differs and of which no digit is certain, or None.
    scales: state entry to what it is kept multiplied by ("-lr"), where that is not 1.
    """

    used: float
    param: float
    state: dict[str, float]
    first: Finding | None
    compared: int
    undecided: int
    uncertain: Finding | None
    scales: dict[str, str]

    @property
    def explains(self) -> bool:
        """Whether every number is within its allowance."""
        return self.used <= 1


def replay(
    recording: Recording,
    causes: Iterable[Cause] = (),
    hyperparameters: Mapping[str, Any] | None = None,
    rounded: bool = False,
) -> Residual:
    """What is left between `recording` and the formula of its subject.

    Arguments:
        recording: of an optimizer or a layer.
        causes: to plant in the formula; none for PyTorch's.
        hyperparameters: under PyTorch's names, in place of the recorded ones at every step.
        rounded: whether the inputs of a layer stand for everything that rounds to them, and its other forms count.

    Raises:
        BadEdit: for causes that cannot be planted together.
        TypeError, ValueError: for hyperparameters the class refuses.
    """
    return tallied(recording, observe(recording, tuple(causes), hyperparameters or {}, bounded=True, rounded=rounded))


def tallied(recording: Recording, observed: "Iterable[Observed]") -> Residual:
    """What is left of a recording, of which this was observed beside what a formula makes of it."""
    tallies: dict[str, dict[str, QuantityTally]] = {}
    with np.errstate(all="ignore"):  # a wrong formula may divide by zero
        for seen in observed:
            by_scale = tallies.setdefault(seen.quantity, {})
            for scale, exact in seen.predicted.items():
                by_scale.setdefault(scale, QuantityTally()).add(seen, exact)
    return residual(recording, tallies)


def judge(recording: Recording) -> Residual:
    """What is left of a recording under PyTorch's formula, in any form that is stable.

    Another form may round what no order of ours rounds, such as the argument of an exponential. It is stable if that
    does no more than rounding the inputs would, which nobody can know better (N. J. Higham, section 1.5), on top of
    what the forms round that a subject states. That is tried where the orders do not explain a layer, and holds if it
    leaves nothing undecided that they decide.
    """
    left = replay(recording)
    if left.explains or not recording.is_layer:
        return left
    stable = replay(recording, rounded=True)
    sure = stable.undecided <= left.undecided and stable.uncertain == left.uncertain
    return stable if stable.explains and sure else left


def overflows_alone(recording: Recording) -> bool:
    """Whether whatever is beyond its allowance is no finite number, where the formula's is one."""
    with np.errstate(all="ignore"):
        for seen in observe(recording, (), {}, bounded=True):
            exact = seen.predicted[""]
            beyond = ~(distance(seen.found, exact.value) <= exact.error)
            if np.any(beyond & (np.isfinite(seen.found) | ~np.isfinite(exact.value))):
                return False
    return True


def screen(
    recording: Recording, causes: Iterable[Cause] = (), hyperparameters: Mapping[str, Any] | None = None
) -> float:
    """The same, fast and without bounds: the largest difference as a share of the tensor's largest change.

    Of layers, buffers and state as a share of the largest magnitude. NaN where it should not be is infinite.
    It orders candidates; `replay` decides.

    Arguments:
        recording: of an optimizer or a layer.
        causes: to plant in the formula; none for PyTorch's.
        hyperparameters: under PyTorch's names, in place of the recorded ones at every step.

    Raises:
        BadEdit: for causes that cannot be planted together.
        TypeError, ValueError: for hyperparameters the class refuses.
    """
    worst: dict[tuple[str, str], float] = {}
    with np.errstate(all="ignore"):
        for seen in observe(recording, tuple(causes), hyperparameters or {}, bounded=False):
            for scale, value in seen.predicted.items():
                apart = distance(seen.found, np.asarray(value, np.longdouble))
                apart = np.where(np.isnan(seen.found) & np.isnan(value), 0, apart)
                share_of = np.max(apart, initial=0) / seen.size if np.any(apart) else 0.0
                key = seen.quantity, scale
                worst[key] = max(worst.get(key, 0.0), float(share_of))
    return max((least(worst, quantity) for quantity, _ in worst), default=0.0)


def least(worst: Mapping[tuple[str, str], float], quantity: str) -> float:
    return min(value for (name, _), value in worst.items() if name == quantity)


class Observed(NamedTuple):
    """One tensor of one step beside what the formula makes of it, at each scale it may be kept in."""

    step: int
    quantity: str
    tensor: str
    line: str
    found: np.ndarray
    predicted: dict[str, Any]
    size: float  # of the largest change, or magnitude


class ObservedElement(NamedTuple):
    """An element of what was observed, beside what the formula makes of it."""

    of: Observed
    place: int
    exact: Bounded
    used: float

    def finding(self, verdict: Verdict) -> Finding:
        """As it is told."""
        with np.errstate(all="ignore"):  # what a wrong formula makes may be beyond the dtype
            theirs = self.exact.value.astype(self.of.found.dtype).reshape(self.of.found.shape)
        return Finding.at(
            self.place,
            self.of.found,
            theirs,
            step=self.of.step,
            line=self.of.line,
            quantity=self.of.quantity,
            tensor=self.of.tensor,
            differing=differing(self.of.found, theirs).size,
            exact=float(self.exact.value.reshape(-1)[self.place]),
            allowed=float(np.broadcast_to(self.exact.error, self.exact.shape).reshape(-1)[self.place]),
            used=self.used,
            nearer="theirs" if verdict is Verdict.DIFFERENT else "unknown",
            verdict=verdict,
        )


class QuantityTally:
    """What has been compared of one quantity."""

    def __init__(self):
        self.used, self.compared, self.undecided = 0.0, 0, 0
        self.first: ObservedElement | None = None
        self.uncertain: ObservedElement | None = None

    def add(self, seen: Observed, exact: Bounded) -> None:
        held, value = seen.found.reshape(-1), exact.value.reshape(-1)
        room = np.broadcast_to(exact.error, exact.shape).reshape(-1)
        if not held.size:
            return
        error = np.where(np.isnan(held) & np.isnan(value), 0, distance(held, value))
        undecided = np.isposinf(room)
        used = np.where(undecided, 0.0, share(error, room))
        used = np.where(np.isnan(used), np.inf, used)
        self.compared += held.size
        self.undecided += int(undecided.sum())
        pick = int(np.argmax(used))
        self.used = max(self.used, float(used[pick]))
        if self.first is None and used[pick] > 1:
            self.first = ObservedElement(seen, pick, exact, float(used[pick]))
        if self.uncertain is None and not used[pick] > 1:
            differs = (held != value.astype(held.dtype)) & (error > 0)
            unsure = differs if room.max() > 0 and uncertain(value, room) else differs & undecided
            if unsure.any():
                place = int(np.argmax(unsure))
                self.uncertain = ObservedElement(seen, place, exact, float(used[place]))


def residual(recording: Recording, tallies: dict[str, dict[str, QuantityTally]]) -> Residual:
    """All quantities together, each in the scale that fits it best."""
    order = list(equations(recording))
    scales = {quantity: min(by_scale, key=lambda s: by_scale[s].used) for quantity, by_scale in tallies.items()}
    chosen = {quantity: by_scale[scales[quantity]] for quantity, by_scale in tallies.items()}
    seen = seen_of(recording)

    def place(spot: ObservedElement) -> tuple[int, bool, int]:
        own = bool(scales[spot.of.quantity])  # what is kept in a way of its own shows least
        return spot.of.step, own, order.index(spot.of.line) if spot.of.line in order else -1

    firsts = [tally.first for tally in chosen.values() if tally.first]
    unsure = [tally.uncertain for tally in chosen.values() if tally.uncertain]
    first, uncertain = (min(spots, key=place, default=None) for spots in (firsts, unsure))
    return Residual(
        used=max((tally.used for tally in chosen.values()), default=0.0),
        param=max((tally.used for name, tally in chosen.items() if name not in seen), default=0.0),
        state={name: tally.used for name, tally in chosen.items() if name in seen},
        first=first and first.finding(Verdict.DIFFERENT),
        compared=sum(tally.compared for tally in chosen.values()),
        undecided=sum(tally.undecided for tally in chosen.values()),
        uncertain=uncertain and uncertain.finding(Verdict.ILL_CONDITIONED),
        scales={name: scale for name, scale in scales.items() if scale},
    )


def equations(recording: Recording) -> Mapping[str, str]:
    stated = find(recording.subject).reference.EQUATIONS
    return stated.get(recording.layer, stated)


def seen_of(recording: Recording) -> frozenset[str]:
    """The state entries or buffers that can be seen."""
    if recording.is_layer:
        return frozenset(name for step in recording.steps for name in step.buffers)
    if recording.holds == "states":
        return frozenset()
    return frozenset(key for step in recording.steps for key in step.state)


def observe(
    recording: Recording,
    causes: tuple[Cause, ...],
    hyperparameters: Mapping[str, Any],
    bounded: bool,
    rounded: bool = False,
    free: Mapping[str, float] | None = None,
    narrow: bool = False,
) -> Iterator[Observed]:
    """Everything observed, in order, beside what the formula makes of it; `free` numbers are arguments of it.

    Without bounds that is worked out in float64; of a layer, if `narrow`, in the recording's own format.
    """
    if recording.is_layer:
        number = exact_number if bounded else np.asarray if narrow else wide_number
        of_input = rounded_number if rounded else number
        return passes(recording, causes, dict(hyperparameters), number, of_input, free)
    followed = steps if recording.holds == "steps" else states
    return followed(recording, told(planted(recording.subject, "", causes), free), dict(hyperparameters), bounded)


def told(kind: Any, free: Mapping[str, float] | None) -> Any:
    """The class whose formula is told its free numbers."""
    orders = {name: functools.partial(formula, **free) for name, formula in kind.ORDERS.items()} if free else {}
    return type(kind.__name__, (kind,), {"ORDERS": orders}) if free else kind


# which class


PLANTED: dict[tuple, type] = {}


def planted(subject: str, layer: str, causes: tuple[Cause, ...]) -> Any:
    """The reference's class with the causes in it; made once."""
    key = subject, layer, tuple((cause.name, tuple(cause.free.items())) for cause in causes)
    if key not in PLANTED:
        base = own_class(find(subject).reference, layer or None)
        base = functional(base) if find(subject).family.recorded == "steps" else base
        PLANTED[key] = plant(find(subject), causes, base) if causes else base
    return PLANTED[key]


def functional(base: Any) -> type:
    """The optimizer on numbers of any kind: it replaces parameters and state instead of writing into them."""

    class Functional(base):
        bounded = False

        @property
        def hyperparameters(self):
            plain = super().hyperparameters
            return {name: weak(value) for name, value in plain.items()} if self.bounded else plain

        def checked(self, grads):
            return grads

        def no_gradient(self, name):
            return np.zeros_like(self.params[name])

        def new_state(self, param):
            if not self.bounded:
                return super().new_state(param)
            return numbers(self, super().new_state(np.zeros(param.shape, param.dtype)), exact_number)

        def step_one(self, name, grad):
            param = self.params[name]
            entries, state = self.entries(param), self.begun(param, self.state[name])
            held = {key: state[key] for key, entry in entries.items() if entry.kind == "array"}
            known = {key: array for key, array in held.items() if array is not None}
            lines = self.formula(param, grad, **known, **self.constants(state))
            self.params[name] = lines.param
            made = {key: getattr(lines, entry.line) for key, entry in entries.items() if entry.kind != "count"}
            made |= {key: self.as_kept(key, made[key]) for key, entry in entries.items() if entry.kind == "number"}
            if self.SPARSE == "alone":  # a row of zeros has no entry, and nothing of it is stepped
                made |= {key: np.where(self.kept(grad), made[key], array) for key, array in known.items()}
                self.params[name] = np.where(self.kept(grad), lines.param, param)
            self.state[name] = state | made

        def as_kept(self, key, number):
            """A number a tensor in the dtype it is kept in; of many, one a hypothesis, each."""
            dtype = self.STATE[key].dtype(np.dtype(np.float64))
            return as_kept(exactly(number), np.empty((), dtype)) if self.bounded else np.asarray(number, dtype)

    Functional.__name__ = base.__name__
    Functional.__module__ = base.__module__
    return Functional


# optimizers


def steps(recording: Recording, kind: Any, hyperparameters, bounded: bool) -> Iterator[Observed]:
    first: Step = recording.steps[0]
    start = {name: np.array(array) for name, array in first.before.items()}
    own = kind is planted(recording.subject, "", ())
    orders = [order for order in ORDERS if order in kind.ORDERS] if bounded and own else ["paper"]
    sides = [kind(start, **(recording.hyperparameters | hyperparameters)) for _ in orders]
    number = (lambda array: Bounded(array, array.dtype)) if bounded else (lambda array: array.astype(np.float64))
    for side, order in zip(sides, orders, strict=True):
        side.bounded, side.formula = bounded, side.ORDERS[order]
    main, *others = sides
    for key, named in recording.start.items():
        for name, array in named.items():
            main.state[name][key] = array
    main.state = {name: numbers(main, entries, number) for name, entries in main.state.items()}
    now = recording.hyperparameters | hyperparameters
    cost = len(sides) * len(start) * (BOUNDED if bounded else PLAIN)
    for count, step in enumerate(recording.steps, 1):
        spend(cost)
        wanted = step.hyperparameters | hyperparameters
        grads = {name: None if grad is None else number(grad) for name, grad in step.grads.items()}
        if count == recording.resumed and hasattr(main, "resumes"):
            main.resumes()
        carried = {name: any(errs(value) for value in entries.values()) for name, entries in main.state.items()}
        for side in others:
            side.state = {name: numbers(main, entries, as_exact) for name, entries in main.state.items()}
        for side in sides:
            for name, value in wanted.items():
                if now.get(name) != value:
                    side.set(name, value)
            side.params = {name: number(array) for name, array in step.before.items()}
            side.step(grads)
        now = wanted
        if others:
            for name in step.before:
                allow_for(others, main, name, carried[name])
        yield from observed(recording, count, step, main, number)


def as_exact(value: Any) -> Any:
    """The same number without its error."""
    return Bounded(value.value, value.dtype) if isinstance(value, Bounded) else value


def errs(value: Any) -> bool:
    return isinstance(value, Bounded) and bool(np.any(value.error))


def allow_for(others: list[Any], main: Any, name: str, carried: bool) -> None:
    """Let one tensor's numbers allow for what the other orders round in this step.

    They start from exact numbers, because error-carrying ones do not know that x + w·(y - x) forgets x. What is
    carried along is in the first order already; what this step rounds comes on top of it.
    """
    parts = [side.params[name] for side in others]
    main.params[name] = together(main.params[name], parts, carried)
    for key, value in main.state[name].items():
        parts = [side.state[name].get(key) for side in others]
        if isinstance(value, Bounded) and all(isinstance(part, Bounded) for part in parts):
            main.state[name][key] = together(value, parts, carried)


def together(main: Bounded, others: list[Bounded], carried: bool) -> Bounded:
    """One number of what the orders of a formula make of it."""
    if not carried:
        return widest([main, *others])
    return main.like(main.value, main.error + widest(others).error, main.sure)


def numbers(side: Any, entries: Mapping[str, Any], number) -> dict[str, Any]:
    """State entries as numbers of that kind; counts stay as they are, and without bounds what is one number a tensor.

    So that goes on rounding to its own dtype, which may be a coarser one than its tensor's.
    """
    as_is = {key for key, entry in side.STATE.items() if entry.kind in ("count", "" if side.bounded else "number")}
    return {key: value if key in as_is or value is None else number(value) for key, value in entries.items()}


def observed(recording: Recording, count: int, step: Step, side: Any, number) -> Iterator[Observed]:
    """The parameters and the visible state after a step; state that agrees is where the next step starts."""
    bounded = side.bounded
    for name, held in step.after.items():
        changed = np.max(np.abs(held.astype(np.float64) - step.before[name]), initial=0)
        exact = side.params[name]
        exact = coefficient_rounded(exact, step.before[name]) if bounded else exact
        yield Observed(count, "param", name, "param", held, {"": exact}, float(changed))
    lr = step.hyperparameters.get("lr", 1.0)
    for key, named in step.state.items():
        own = recording.names.get(key, key) != key and key == "momentum_buffer"
        for name, held in named.items():
            exact = side.state[name].get(key)
            if exact is None:
                continue  # the formula has no such entry, or not yet
            exact = number(exact) if bounded and not isinstance(exact, Bounded) else exact  # a count
            predicted = {
                scale: exact if not scale else exact * of(lr) for scale, of in SCALES.items() if not scale or own
            }
            size = float(np.max(np.abs(held.astype(np.float64)), initial=0))
            yield Observed(count, key, name, side.STATE[key].line, held, predicted, size)
            if bounded and side.STATE[key].kind != "count" and within(held, exact):
                side.state[name][key] = number(held)


def coefficient_rounded(exact: Bounded, before: Array) -> Bounded:
    """Once more at the parameter's magnitude: an equal order may make one factor of it, (1 - lr·λ), and round that."""
    return exact.like(exact.value, exact.error + formats.of(before.dtype).unit * np.abs(before), exact.sure)


def within(found: Array, exact: Bounded) -> bool:
    return bool(np.all(distance(found, exact.value) <= exact.error))


# anything else


def states(recording: Recording, kind: Any, hyperparameters, bounded: bool) -> Iterator[Observed]:
    """Every quantity that the formula makes, as its family replays it."""
    family = find(recording.subject).family
    made = (family.replayed if bounded else family.predicted)(
        kind, recording, recording.hyperparameters | hyperparameters
    )
    for (count, predicted), step in zip(made, recording.steps, strict=True):
        for quantity, tensors in predicted.items():
            for name, exact in tensors.items():
                seen = step.after.get(quantity, {}).get(name)
                if seen is not None:
                    size = float(np.max(np.abs(seen.astype(np.float64)), initial=0)) or 1.0
                    number = exact if bounded else np.asarray(exact, np.float64)
                    yield Observed(count, quantity, name, quantity, seen, {"": number}, size)


# layers


def passes(
    recording: Recording, causes, hyperparameters, number: Any, of_input: Any, free: Mapping[str, float] | None
) -> Iterator[Observed]:
    kind = planted(recording.subject, recording.layer, causes)
    bounded = number is exact_number
    names = [order for order in (kind.ALLOWS if bounded else ("paper",)) if order in kind.ORDERS]
    orders = [*(kind.FORMS if of_input is rounded_number else ()), *(kind.ORDERS[name] for name in names)]
    layers = [kind(**(recording.hyperparameters | hyperparameters)) for _ in orders]
    carried: list[dict[str, Any]] = [{} for _ in orders]
    for count, passed in enumerate(recording.steps, 1):
        made = []
        for place, (layer, order) in enumerate(zip(layers, orders, strict=True)):
            lines, carried[place] = lines_of(layer, order, passed, carried[place], number, of_input, free)
            made.append(lines)
        yield from made_by(kind, count, passed, made, carried, bounded)


def lines_of(
    layer,
    order: Any,
    passed: Pass,
    carried: dict[str, Any],
    number: Any,
    of_input: Any,
    free: Mapping[str, float] | None = None,
):
    """Forward and backward lines of a pass by one order, and the buffers after it; `free` numbers are arguments."""
    layer.formula = order if isinstance(order, tuple) else layer.ORDERS[order]
    layer.train(passed.training)
    dtype = passed.output.dtype
    layer.params = {name: fit(array, dtype) for name, array in layer.params.items()}
    fresh = {name: fit(array, dtype) for name, array in layer.buffers.items()}
    before = {name: number(array) for name, array in (fresh | passed.buffers_before).items()}
    buffers = {
        name: carried.get(name, before[name]) if name not in passed.buffers_before else before[name] for name in fresh
    }
    params = {name: number(array) for name, array in (layer.params | passed.params).items() if name in layer.params}
    inputs = tuple(of_input(array) for array in layer.accepted(passed.inputs))
    upstream = None if passed.upstream is None else number(passed.upstream)
    forward, backward = layer.evaluate(inputs, upstream, params, buffers, training=layer.training, **(free or {}))
    updated = {name: getattr(forward, line) for name, line in layer.BUFFERS.items() if name in fresh}
    return (forward, backward), updated if layer.training else buffers


def fit(array, dtype) -> np.ndarray:
    array = np.asarray(array)
    return array.astype(dtype) if array.dtype.kind == "f" else array


def exact_number(array) -> Any:
    array = np.asarray(array)
    return Bounded(array, array.dtype) if array.dtype.kind == "f" else array


def rounded_number(array) -> Any:
    """A number that was rounded to this one, which is all that is known of it."""
    array = np.asarray(array)
    if array.dtype.kind != "f":
        return array
    return Bounded(array, array.dtype, error=formats.of(array.dtype).unit * np.abs(array))


def wide_number(array) -> Any:
    array = np.asarray(array)
    return array.astype(np.float64) if array.dtype.kind == "f" else array


def made_by(kind, count: int, passed: Pass, made, carried, bounded: bool) -> Iterator[Observed]:
    """What a pass made and can be seen, beside the formula's; a buffer that agrees is where the next starts."""
    shown: list[tuple[str, str, str, Any, list[Any]]] = []
    forward, backward = [lines[0] for lines in made], [lines[1] for lines in made]
    shown.append(("output", "output", kind.OUTPUT, passed.output, [getattr(lines, kind.OUTPUT) for lines in forward]))
    if passed.grad_input is not None and backward[0] is not None:
        parts = [getattr(lines, kind.GRAD_INPUT) for lines in backward]
        shown.append(("grad_input", "input", kind.GRAD_INPUT, passed.grad_input, parts))
    if backward[0] is not None:
        for name, line in kind.GRADS.items():
            if name in passed.grads:
                shown.append(("grad", name, line, passed.grads[name], [getattr(lines, line) for lines in backward]))
    for name, line in kind.BUFFERS.items():
        if name in passed.buffers:
            shown.append((name, name, line, passed.buffers[name], [buffers[name] for buffers in carried]))
    for quantity, tensor, line, seen, parts in shown:
        array = floating(seen)
        exact = allowed_by([as_bounded(part) for part in parts]) if bounded else parts[0]
        size = float(np.max(np.abs(array.astype(np.float64)), initial=0)) or 1.0
        yield Observed(count, quantity, tensor, line, array, {"": exact}, size)
        if bounded and quantity in kind.BUFFERS and passed.buffers[quantity].dtype.kind == "f" and within(array, exact):
            for buffers in carried:
                buffers[quantity] = exact_number(array)


def allowed_by(orders: list[Bounded]) -> Bounded:
    """What the orders of a formula allow for together; where they are two formulas, PyTorch's, which is the last.

    It is also where PyTorch's order is bounded and another cannot bound itself.
    """
    last = orders[-1]
    with np.errstate(invalid="ignore"):
        bounded = [np.isfinite(exact.error) | ~np.isfinite(last.error) for exact in orders]
        alike = [~(np.abs(exact.value - last.value) > exact.error + last.error) for exact in orders]
    counts = [same & sure for same, sure in zip(alike, bounded, strict=True)]
    if all(map(np.all, counts)):
        return widest(orders)
    errors = [np.where(counted, exact.error, 0) for exact, counted in zip(orders, counts, strict=True)]
    return last.like(last.value, functools.reduce(np.maximum, errors, last.error), last.sure)


def exact_step(recording: Recording) -> dict[str, np.ndarray]:
    """The exact parameters after the first step of an optimizer's recording, in a wider type."""
    params = {}
    first = Recording(**{**vars(recording), "steps": recording.steps[:1]})
    with np.errstate(all="ignore"):
        for seen in observe(first, (), {}, bounded=True):
            if seen.quantity == "param":
                params[seen.tensor] = seen.predicted[""].value.reshape(seen.found.shape)
    return params
