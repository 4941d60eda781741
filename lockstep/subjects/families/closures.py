"""Optimizers whose step calls a closure: the loss and its gradients, at as many points as the step asks for."""

import copy
import functools
import inspect
import itertools
import sys
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, cast

import numpy as np

from lockstep.numerics.bounded import Bounded, widest
from lockstep.numerics.shapes import Array
from lockstep.numerics.snapshot import Snapshot
from lockstep.subjects.families.driven.closures import linear, names_of, points_asked
from lockstep.subjects.families.driven.followed import followed, predictions, within
from lockstep.subjects.families.optim import (
    OptimizerArbiter,
    Optimizers,
    OptimizerSide,
    defaults_of,
    exactly,
    handed_as,
    pair,
    unmoved,
    weak,
)
from lockstep.subjects.side import Bounds, Pair, watched
from lockstep.subjects.subject import Request, Subject


class ClosureSide(OptimizerSide):
    """An optimizer of either side, which evaluates its problem as often as it wants.

    A stream of gradients is the slope of a linear function, at each step of another one. A history is shown with as
    many entries as it can come to have, the newest last and zeros in the place of those that are not there: what is
    kept on one side alone is a difference in numbers, and can be judged.

    Arguments:
        entries: of the state, as the reference declares them.
        length: of a history, and one more.
    """

    stages = ("gradient", "directions")

    def __init__(self, *given: Any, entries: Mapping[str, Any], length: int, **settings: Any) -> None:
        super().__init__(*given, **settings)
        self.histories = [key for key, entry in entries.items() if entry.kind == "history"]
        self.length = length
        self.noted: list[tuple[Any, ...]] = []
        self.note: Callable[..., Any] = lambda *noted: None

    def read(self) -> Snapshot:
        shown = super().read()
        return shown | {
            key: {name: lengthened(array, self.length) for name, array in shown[key].items()}
            for key in self.histories
            if key in shown
        }

    def write(self, quantities: Snapshot) -> None:
        super().write(shortened(quantities, self.histories))

    def rewrite(self, order: str, ops: Any) -> None:
        super().rewrite(order, ops)
        self.optimizer.ops = ops

    def watch(self, note: Callable[..., Any]) -> None:
        """Of a step that goes in one direction: the lines of several are not told apart in what PyTorch runs."""
        self.note = note
        self.optimizer.formula = watched(self.optimizer.formula, self.keep)

    def keep(self, *told: Any) -> None:
        self.noted.append(told)

    def only(self, tensor: str) -> None:
        """A step is one of all tensors."""

    def stepped(self, tensor: str, array: Any) -> np.ndarray:
        whole = np.asarray(array)
        return whole.reshape(-1) if whole.ndim else whole

    @np.errstate(over="ignore", invalid="ignore", divide="ignore")
    def advance(self, stage: str, step: int) -> None:
        if stage == "gradient":
            loss, self.grads = self.evaluated(step)
            self.loss = np.asarray(loss)
            return
        for name, value in self.case.changes(step).items():
            self.optimizer.set(name, value)
        self.noted.clear()
        self.optimizer.step(lambda: self.handed(step))
        for noted in self.noted if len(self.noted) == 1 else ():
            self.note(*noted)

    def evaluated(self, step: int) -> tuple[Any, dict[str, Any]]:
        """The loss at the parameters as they are, and copies of its gradients."""
        params = self.optimizer.params
        grads = self.case.scheduled(self.gradient(params, step), step)
        copies = {name: None if grad is None else np.array(grad) for name, grad in grads.items()}
        return self.value(params) if self.value else linear(params, copies), copies

    def handed(self, step: int) -> tuple[Any, dict[str, Any]]:
        """The same in the layout of the case."""
        loss, grads = self.evaluated(step)
        return loss, handed_as(self.case, grads)


def lengthened(history: Any, length: int) -> np.ndarray:
    """With zeros before its oldest entry; of one that is longer the newest entries."""
    array = np.asarray(history)[-length:]
    return np.concatenate([np.zeros((max(length - len(array), 0), *array.shape[1:]), array.dtype), array])


def shortened(quantities: Snapshot, histories: Iterable[str]) -> Snapshot:
    """Without the entries of a history that are not there: nobody keeps a pair whose ρ is 0."""
    there = {key: quantities[key] for key in histories if key in quantities}
    count = max(
        (np.count_nonzero(array) for named in there.values() for array in named.values() if array.ndim == 1), default=0
    )
    return quantities | {
        key: {name: array[len(array) - count :] for name, array in named.items()} for key, named in there.items()
    }


class ClosureArbiter(OptimizerArbiter):
    """The exact step: the reference's own, closure and all, on error-carrying numbers.

    Where rounding decides which way a test goes, whether of the line search or of an end, nothing is known of the step.
    """

    def __init__(self, *given: Any, seed: int, length: int) -> None:
        super().__init__(*given)
        self.seed, self.length = seed, length

    def update(self, step: int, before: Snapshot) -> Bounds:
        made = [self.made(order, step, before) for order in self.optimizer.ORDERS]
        bounds = {key: widest([one[key] for one in made], f"line {key}") for key in made[0]}
        params = self.optimizer.parts(bounds.pop("param"))
        return {"param": params} | {key: {next(iter(params)): bound} for key, bound in bounds.items()}

    def made(self, order: str, step: int, before: Snapshot) -> dict[str, Bounded]:
        """All parameters as one vector, and each entry of the state, after a step in one order."""
        optimizer = copy.copy(self.optimizer)
        (own,) = self.given
        given = own | self.case.hyperparameters_at(step)
        optimizer.param_groups = [{name: weak(value) for name, value in given.items()}]
        optimizer.formula = optimizer.ORDERS[order]
        params = {name: unmoved(array) for name, array in before["param"].items()}
        first, entries = next(iter(params)), optimizer.STATE
        before = shortened(before, [key for key, entry in entries.items() if entry.kind == "history"])
        ordered = {"order": order} if hasattr(self.problem, "ORDERS") else {}
        dtype = params[first].dtype

        def evaluate(flat: Any) -> Any:
            named = optimizer.parts(flat)
            grads = self.case.scheduled(self.problem.gradient(named, step=step, seed=self.seed, **ordered), step)
            exact = {
                name: grad if grad is None or isinstance(grad, Bounded) else unmoved(grad)
                for name, grad in grads.items()
            }
            value = getattr(self.problem, "value", None)
            loss = value(named, **ordered) if value else linear(named, exact)
            return exactly(loss).item(), optimizer.end_to_end(exact)

        held = {
            key: carrying(before[key][first], entries[key], dtype) for key in entries if first in before.get(key, {})
        }
        flat = cast(Bounded, np.concatenate([array.reshape(-1) for array in params.values()]))  # type: ignore[call-overload]
        param, state, _ = optimizer.stepped(flat, {"func_evals": 0.0, "n_iter": 0.0} | held, evaluate)
        return {"param": param} | {
            key: entry_of(value, entries[key], flat, self.length) for key, value in state.items()
        }


def carrying(array: Array, entry: Any, dtype: np.dtype) -> Any:
    """An entry of the state as a step takes it, in numbers that carry their error."""
    if entry.kind == "count":
        return float(array)
    if entry.kind == "history":
        return tuple(unmoved(array)[place] for place in range(len(array)))
    return unmoved(array) if array.dtype == dtype else Bounded.scalar(float(array))


def entry_of(value: Any, entry: Any, like: Bounded, length: int) -> Bounded:
    """What a step made of an entry, as a side shows it."""
    if entry.kind == "history":
        shape: tuple[int, ...] = entry.shape(like.shape)[1:]
        nothing = unmoved(np.zeros(shape, like.dtype))
        return np.stack([*[nothing] * (length - len(value)), *value])  # type: ignore[return-value]
    bound = exactly(value)
    return bound if entry.kind == "array" else Bounded(bound.value, entry.dtype(like.dtype), error=bound.error)


PROBING = "one direction a step of its full length, himmelblau"  # on which a search has to shorten some


class Around(NamedTuple):
    """What was before a recorded state, and the state."""

    before: Snapshot
    after: Snapshot


class Closures(Optimizers):
    """An update from as many gradients as it asks for, of all tensors together."""

    recorded = "states"

    @property
    def name(self) -> str:
        return "optim"

    def pair(self, request: Request, ours: type | None = None) -> Pair:
        stated, told = request.subject.ours(), request.case.hyperparameters
        known = {name: parameter.default for name, parameter in inspect.signature(stated).parameters.items()} | told
        length = 1 + min(known["history_size"], known["max_iter"] * request.steps)  # one more shows in its own row
        side = functools.partial(ClosureSide, entries=stated.STATE, length=length)
        return pair(request, ours, side, functools.partial(ClosureArbiter, seed=request.seed, length=length))

    def replayed(self, kind: Any, recording: Any, hyperparameters: Mapping[str, Any]) -> Iterator[tuple[int, Bounds]]:
        return followed(kind, recording, hyperparameters)

    def predicted(self, kind: Any, recording: Any, hyperparameters: Mapping[str, Any]) -> Iterator[tuple[int, Any]]:
        """As recorded where that is within the bound: what rounding makes of a small number is no distance here."""
        for count, bounds in followed(kind, recording, hyperparameters):
            seen = recording.steps[count - 1].after["param"]
            named = {
                name: seen[name] if within(seen[name], exact) else exact.value
                for name, exact in bounds.get("param", {}).items()
            }
            yield count, {"param": named} if named else {}

    def names_of(self, target: Any, subject: Subject) -> dict[str, str]:
        """With how many directions a step takes, and points a direction: of one alone nobody is told."""
        names = names_of(target, defaults_of(subject))
        return {"max_iter": "max_iter", "max_eval": "max_eval"} | names

    def recorded_by(
        self, target: Any, subject: Subject, case: Any, hyperparameters: Mapping[str, Any], dtype: str
    ) -> Iterator[Snapshot]:
        return points_asked(target, names_of(target, defaults_of(subject)), hyperparameters, case, dtype)

    def by_itself(self, target: Any, subject: Subject, dtype: str) -> dict[str, Any]:
        """Without an end that it does not know; and with a search, where it follows one further than without."""
        names = names_of(target, defaults_of(subject))
        never = {"tolerance_grad": -np.inf, "tolerance_change": -np.inf, "max_eval": sys.maxsize}
        own: dict[str, Any] = {name: value for name, value in never.items() if name not in names}
        if "line_search_fn" in names:
            return own
        case = next(case for case in subject.cases.CASES if case.desc == PROBING)
        told = defaults_of(subject) | case.hyperparameters | own
        search = {"line_search_fn": "strong_wolfe"}
        try:
            states = [*points_asked(target, names, told, case, dtype)]
        except Exception:  # which the scenarios tell
            return own
        recording = types.SimpleNamespace(steps=[*itertools.starmap(Around, itertools.pairwise(states))])
        with_it, without = (len(predictions(subject.ours(), recording, told | one)) for one in (search, {}))
        return own | (search if with_it > without else {})

    def of_pytorch(self, request: Request) -> Iterator[Snapshot]:
        case, names = request.case, dict(zip(known := defaults_of(request.subject), known, strict=True))
        return points_asked(request.subject.theirs(), names, {**known, **case.hyperparameters}, case, request.dtype)

    def steps(self, case: Any, at_home: bool) -> int:
        return case.steps


CLOSURES = Closures()
