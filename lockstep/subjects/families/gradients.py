"""Gradients on their way to the optimizer as sides: what comes in, then what becomes of it."""

import functools
import importlib
import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from lockstep.errors import NoSuchName
from lockstep.numerics import formats
from lockstep.numerics.bounded import Bounded
from lockstep.numerics.shapes import Array
from lockstep.numerics.snapshot import Snapshot
from lockstep.subjects.families.driven.gradients import driven
from lockstep.subjects.families.optim import agreed, problem_of, unmoved, weak
from lockstep.subjects.handed import handed_over
from lockstep.subjects.side import Bounds, Pair, watched
from lockstep.subjects.subject import Family, Request, Subject
from lockstep.text import message

Stream = Callable[[int], dict[str, np.ndarray]]  # a step to what comes in at it: name to array


class TransformationSide:
    """A transformation of either side on a stream of arrays.

    Arguments:
        transformation: has `step(arrays)` and `made`, as reference.gradients' and torch_impl.gradients' do.
        stated: the reference's, for what it says of its quantities; its state before the first step is taken.
        stream: what comes in.
    """

    stages = ("gradient", "transformation")

    def __init__(self, transformation: Any, stated: Any, stream: Stream) -> None:
        self.transformation, self.stated, self.stream = transformation, stated, stream
        self.given = {name: np.zeros_like(array) for name, array in stream(0).items()}
        begun, shapes = stated.start(stream(0)), stated.shapes(self.given)
        nothing = {key: {name: np.zeros_like(array) for name, array in shapes.items()} for key in stated.TENSORS}
        zero = next(iter(self.given.values())).dtype.type(0)
        numbers = {key: np.float64(0) if key in stated.DOUBLES else zero for key in stated.NUMBERS}
        transformation.made = nothing | numbers | begun

    @property
    def moving(self) -> frozenset[str]:
        """What it makes of what comes in."""
        return frozenset(self.stated.TENSORS[:1])

    def produces(self, stage: str, quantity: str, tensor: str) -> bool:
        return (quantity == self.stated.GIVEN) == (stage == "gradient")

    def read(self) -> Snapshot:
        made = self.transformation.made
        numbers = {key: {key: np.asarray(made[key])} for key in self.stated.NUMBERS}
        tensors = {key: dict(made[key]) for key in self.stated.TENSORS}
        return Snapshot({self.stated.GIVEN: self.given} | tensors | numbers)

    def write(self, quantities: Snapshot) -> None:
        self.given = {name: array.copy() for name, array in quantities[self.stated.GIVEN].items()}
        made = {key: {name: np.array(a) for name, a in quantities[key].items()} for key in self.stated.TENSORS}
        made |= {key: np.array(quantities[key][key])[()] for key in self.stated.NUMBERS}
        self.transformation.made = made

    def saved(self) -> dict[str, Any]:
        """What it takes to go on elsewhere."""
        return self.transformation.state_dict()

    def resume(self, saved: Mapping[str, Any]) -> None:
        """Go on from what either side has saved."""
        self.transformation.load_state_dict(saved)

    def rewrite(self, order: str, ops: Any) -> None:
        self.transformation.formula = functools.partial(self.transformation.ORDERS[order], ops=ops)

    def watch(self, note: Callable[..., Any]) -> None:
        self.transformation.formula = watched(self.transformation.formula, note)

    def only(self, tensor: str) -> None:
        """A transformation is one of all tensors."""

    def traces(self) -> dict[str, float]:
        return {key: float(self.transformation.made[key]) for key in self.stated.NUMBERS}

    @np.errstate(over="ignore", invalid="ignore", divide="ignore")  # what is beyond the format is compared, not told
    def advance(self, stage: str, step: int) -> None:
        if stage == "gradient":
            self.given = self.stream(step)
        else:
            self.transformation.step(self.given)


class GradientArbiter:
    """The exact result of the formula on error-carrying numbers, with room for PyTorch's order of it."""

    def __init__(self, stated: Any, written_like: str = "pytorch") -> None:
        self.stated = stated
        self.formulas = [
            stated.ORDERS[name] for name in dict.fromkeys(("paper", written_like)) if name in stated.ORDERS
        ]

    def __call__(self, stage: str, step: int, before: Snapshot) -> Bounds:
        return {} if stage == "gradient" else self.made(before[self.stated.GIVEN], before)

    @np.errstate(over="ignore", invalid="ignore", divide="ignore")
    def made(self, given: Mapping[str, Array], state: Mapping[str, Mapping[str, Any]]) -> Bounds:
        """What becomes of `given`, after the entries of `state`: arrays, or bounds that are carried along."""
        stated = self.stated
        dtype = next(iter(given.values())).dtype
        flat = Bounded(stated.given(given), dtype)
        carried = {key: joined(state[key]) for key in stated.CARRIED if key in stated.TENSORS}
        counted = {key: number(state[key][key]) for key in stated.CARRIED if key not in stated.TENSORS}
        carried |= {key: plain(one) if key in stated.CHOICES else one for key, one in counted.items()}
        told = stated.numbers(given)
        numbers = {name: value if name in stated.CHOICES else weak(value) for name, value in told.items()}
        orders = [formula(flat, **carried, **numbers) for formula in self.formulas]
        bounds: Bounds = {}
        for key in stated.TENSORS:
            split = importlib.import_module("reference.gradients.transformation").split
            bounds[key] = split(agreed(orders, key), stated.shapes(given))
        for key in stated.NUMBERS:
            bounds[key] = {key: agreed(orders, key)}
        return bounds

    @np.errstate(over="ignore", invalid="ignore", divide="ignore")
    def values(self, given: Mapping[str, Array], state: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
        """The same in float64 and in the first order alone, without bounds."""
        stated, moves = self.stated, importlib.import_module("reference.gradients.transformation")
        wide = {name: np.asarray(array, np.float64) for name, array in given.items()}
        carried = {
            key: moves.end_to_end({name: np.asarray(array, np.float64) for name, array in state[key].items()})
            if key in stated.TENSORS
            else float(state[key][key])
            for key in stated.CARRIED
        }
        lines = self.formulas[0](stated.given(wide), **carried, **stated.numbers(wide))
        tensors = {key: moves.split(getattr(lines, key), stated.shapes(wide)) for key in stated.TENSORS}
        return tensors | {key: {key: np.asarray(getattr(lines, key), np.float64)} for key in stated.NUMBERS}


def joined(named: Mapping[str, Any]) -> Bounded:
    """Arrays, or bounds of such, end to end."""
    parts = [part if isinstance(part, Bounded) else unmoved(part) for part in named.values()]
    return np.concatenate([part.reshape(-1) for part in parts])  # type: ignore[return-value]


def plain(count: Any) -> float:
    """A count that chooses what is done, as a Python float."""
    return float(count.value if isinstance(count, Bounded) else count)


def number(value: Any) -> Any:
    """A number of the state: a count is exact, and one kept in a format carries what that rounds."""
    if isinstance(value, Bounded):
        return value
    array = np.asarray(value)
    return unmoved(array) if array.dtype != np.float64 else Bounded.scalar(float(array))


def stream_of(case: Any, dtype: str, seed: int) -> Stream:
    """What comes in at each step of a case; at step 0 what has its shapes."""
    problem = problem_of(case.problem)
    with handed_over():
        start = problem.start(case.shapes_for(problem), formats.named(dtype).dtype, seed)

    def stream(step: int) -> dict[str, np.ndarray]:
        if not step:
            return {name: array.copy() for name, array in start.items()}
        grads = case.scheduled(problem.gradient(start, step=step, seed=seed), step)
        return {name: np.array(grad) * grad.dtype.type(case.scale) for name, grad in grads.items() if grad is not None}

    return stream


def pair(
    request: Request, ours: type | None, streamed: Callable[[Any, str, int], Stream], given: Mapping[str, Any]
) -> Pair:
    """Both sides of a transformation's case, beside PyTorch's first path if none is asked for.

    Arguments:
        streamed: a case, a dtype and a seed to what comes in. given: what both sides are made of besides.
    """
    subject, case = request.subject, request.case
    reference, counterpart = subject.ours(), subject.theirs()
    path = counterpart.paths[0] if request.path is None else request.path
    if path not in counterpart.paths:
        raise NoSuchName(message("error.no-path", subject=subject.path, path=path))
    stream = streamed(case, request.dtype, request.seed)
    settings = {**case.hyperparameters, **given}
    with handed_over():
        stated = reference(**settings)
        counterpart(path=path, **settings)
    made = (*reference.TENSORS, *reference.NUMBERS)
    written_like = path if path in reference.ORDERS else "pytorch"
    return Pair(
        ours=lambda: TransformationSide((ours or reference)(**settings), stated, stream),
        theirs=lambda: TransformationSide(counterpart(path=path, **settings), stated, stream),
        exact=GradientArbiter(stated, written_like),
        lines={key: key for key in made},
        order=tuple(subject.reference.EQUATIONS),
        equations=subject.reference.EQUATIONS,
        path=path,
        still=case.still,
        written_like=written_like,
    )


# what somebody's own may call things
OTHERS = {
    "max_norm": ("max_norm", "clip_norm", "threshold", "max_grad_norm", "clip", "limit", "max_value", "c"),
    "norm_type": ("norm_type", "p", "ord", "order"),
    "clip_value": ("clip_value", "value", "clip", "threshold", "limit", "max_value", "c"),
}


class GradientFamily(Family):
    """What happens to all gradients between the backward pass and the optimizer."""

    place = 3
    watched = ("clipped",)
    symbols = {"max_norm": "N", "norm_type": "p", "clip_value": "c"}

    def pair(self, request: Request, ours: type | None = None) -> Pair:
        return pair(request, ours, stream_of, {})

    def replayed(self, kind: Any, recording: Any, hyperparameters: Mapping[str, Any]) -> Iterator[tuple[int, Bounds]]:
        """What a formula makes of every step; state that is not recorded is carried along."""
        return self.steps_of(kind(**hyperparameters), recording, GradientArbiter.made)

    def predicted(self, kind: Any, recording: Any, hyperparameters: Mapping[str, Any]) -> Iterator[tuple[int, Any]]:
        return self.steps_of(kind(**hyperparameters), recording, GradientArbiter.values)

    def steps_of(self, stated: Any, recording: Any, made_by: Callable[..., Any]) -> Iterator[tuple[int, Any]]:
        arbiter, carried = GradientArbiter(stated), {}
        for count, step in enumerate(recording.steps, 1):
            given = step.after[stated.GIVEN]
            self.tell(stated, step.after)
            fresh = {
                key: value if key in stated.TENSORS else {key: value} for key, value in stated.start(given).items()
            }
            made = made_by(arbiter, given, fresh | carried | step.before)
            carried = {key: made[key] for key in stated.CARRIED}
            yield count, made

    def tell(self, stated: Any, seen: Snapshot) -> None:
        """Tell the formula what a recorded step says beside its arrays."""

    def names_of(self, target: Any, subject: Subject) -> dict[str, str]:
        given, own = inspect.signature(target).parameters, inspect.signature(subject.ours()).parameters
        return {name: called for name in own for called in OTHERS.get(name, (name,)) if called in given}

    def recorded_by(
        self, target: Any, subject: Subject, case: Any, hyperparameters: Mapping[str, Any], dtype: str
    ) -> Iterator[Snapshot]:
        """What comes in and what becomes of it, by somebody's own function; the first are zeros."""
        stated = subject.ours()(**case.hyperparameters)
        names = self.names_of(target, subject)
        told = {names[name]: value for name, value in hyperparameters.items() if name in names}
        stream = stream_of(case, dtype, 0)
        nothing = {name: np.zeros_like(array) for name, array in stream(0).items()}
        fresh = [key for key in stated.NUMBERS if key not in stated.CARRIED]
        none = {key: {key: np.zeros((), formats.named(dtype).dtype)} for key in fresh}
        yield Snapshot({stated.GIVEN: nothing, stated.TENSORS[0]: stated.shapes(nothing), **none})
        transformed = driven(target, told, stated.shapes, together=bool(stated.NUMBERS))
        for step in range(1, case.steps + 1):
            made, numbers = transformed(given := stream(step))
            told_of = zip(stated.NUMBERS, numbers, strict=True) if len(numbers) == len(stated.NUMBERS) else ()
            seen = {key: {key: number} for key, number in told_of}
            yield Snapshot({stated.GIVEN: given, stated.TENSORS[0]: made, **seen})


FAMILY = GradientFamily()
