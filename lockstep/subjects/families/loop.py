"""Training loops as sides: the gradients of a step's micro-batches, then all that the loop does with them."""

import importlib
import inspect
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from lockstep.errors import Departs, TheirCode
from lockstep.numerics import formats
from lockstep.numerics.shapes import Array, Flat, Stack
from lockstep.numerics.snapshot import Snapshot
from lockstep.subjects.families.driven.loops import alike, driven, names_of, taken
from lockstep.subjects.families.gradients import GradientFamily, Stream, pair
from lockstep.subjects.side import Pair
from lockstep.subjects.subject import Request, Subject
from lockstep.text import message


class Samples(NamedTuple):
    """Data whose gradients are known: name to one a sample, and the samples of each micro-batch of an epoch."""

    grads: dict[str, np.ndarray]
    start: dict[str, np.ndarray]
    batches: list[np.ndarray]


def samples_of(case: Any, dtype: str, seed: int) -> Samples:
    """The data of a case: an epoch of `per_epoch` steps, the same in every epoch."""
    rng, kind = np.random.default_rng([seed, 1]), formats.named(dtype).dtype
    counts: tuple[int, ...] = case.samples * case.hyperparameters.get("per_epoch", PER_EPOCH)
    ends: list[int] = np.cumsum(counts).tolist()
    batches: list[Any] = [np.arange(end - count, end) for count, end in zip(counts, ends, strict=True)]
    grads = {name: rng.standard_normal((ends[-1], *shape)) * case.scale_of for name, shape in case.shapes.items()}
    start = {name: rng.standard_normal(tuple(shape)).astype(kind) for name, shape in case.shapes.items()}
    return Samples({name: array.astype(kind) for name, array in grads.items()}, start, batches)


PER_EPOCH = 2


def stream_of(case: Any, dtype: str, seed: int) -> Stream:
    """The gradients of a step's micro-batches, one beside the other; at step 0 the parameters, as often."""
    data = samples_of(case, dtype, seed)
    count = len(case.samples)

    def stream(step: int) -> dict[str, np.ndarray]:
        if not step:
            return {name: np.stack([array] * count) for name, array in data.start.items()}
        first = (step - 1) * count % len(data.batches)
        batches = data.batches[first : first + count]
        return {name: np.stack([mean(array, batch) for batch in batches]) for name, array in data.grads.items()}

    return stream


def mean(grads: Stack, batch: Any) -> np.ndarray:
    """The gradient of a batch's mean loss."""
    return np.asarray(grads[np.asarray(batch, int)].mean(axis=0), grads.dtype)


class WatchedData:
    """The data and the gradients that a loop is given, which note what it asks for and where its parameters are.

    Attributes:
        calls: of each call the samples of the batch, the parameters as they were, and the gradients they got.
        in_evaluation: whether a module was differentiated that does not train.
    """

    def __init__(self, data: Samples) -> None:
        self.data, self.in_evaluation = data, False
        self.calls: list[tuple[np.ndarray, dict[str, np.ndarray], dict[str, np.ndarray]]] = []

    def gradient(self, params: Mapping[str, Any], batch: Any) -> dict[str, np.ndarray]:
        """The gradient of the mean loss of a batch, by name."""
        self.note(x := places(batch), {name: np.array(array) for name, array in params.items()})
        return {name: mean(array, x) for name, array in self.data.grads.items()}

    def loss(self, params: Mapping[str, Any], batch: Any) -> float:
        """The mean loss of a batch: the sum over all parameters of each times its gradient."""
        x = places(batch)
        return sum(float(np.sum(params[name] * mean(array, x))) for name, array in self.data.grads.items())

    def module(self) -> Any:
        """A model of PyTorch's of these parameters, whose output is one loss a sample."""
        return importlib.import_module("torch_impl.loop.model").Linear(self.data.grads, self.data.start, self)

    def note(self, x: Flat, params: dict[str, Array]) -> None:
        self.calls.append((x, params, {name: mean(array, x) for name, array in self.data.grads.items()}))


def places(batch: Any) -> np.ndarray:
    """The samples of a batch, which are numbers in whatever shape."""
    return np.asarray(batch).reshape(-1).astype(int)


class Loops(GradientFamily):
    """All that a training loop does between one gradient and the next."""

    place = 4.5
    watched = ("param",)
    nothing = (None, False, 0, 1, float("inf"))
    symbols = {"base_lr": r"\eta_0", "momentum": r"\mu", "scale": "S", "max_norm": "N", "norm_type": "p",
               "step_size": "s", "gamma": r"\gamma", "decay": r"\beta", "per_epoch": "E"}  # fmt: skip

    def pair(self, request: Request, ours: type | None = None) -> Pair:
        return pair(request, ours, stream_of, {"samples": request.case.samples})

    def accepts(self, kind: Any, recording: Any) -> None:
        kind(**{"base_lr": 0.1, **recording.hyperparameters})

    def beside(self, case: Any) -> dict[str, Any]:
        return {"samples": {"samples": np.array(case.samples, np.float64)}}

    def tell(self, stated: Any, seen: Snapshot) -> None:
        """Of how many samples each micro-batch was; as many in each where a recording says nothing of it."""
        counts = seen.get("samples", {}).get("samples")
        stated.samples = None if counts is None else [int(number) for number in counts]

    def names_of(self, target: Any, subject: Subject) -> dict[str, str]:
        return names_of(target)

    def told(self, target: Any, hyperparameters: Mapping[str, Any], kind: Any) -> set[str]:
        """What a loop is told; not of a piece that is left out, where it leaves it out by itself."""
        own, names, known = taken(target).arguments, names_of(target), standard(kind)
        there = [name for name in hyperparameters if name in names]
        return {
            name
            for name in there
            if hyperparameters[name] != known[name] or own[names[name]].default not in self.nothing
        }

    def recorded_by(
        self, target: Any, subject: Subject, case: Any, hyperparameters: Mapping[str, Any], dtype: str
    ) -> Iterator[Snapshot]:
        """The parameters before each step and after the last, as the loop asks for gradients; its average, if it tells.

        Raises:
            TheirCode: for a loop that cannot be driven, or does not take the batches in their order.
        """
        case = case.replaced(**hyperparameters)  # whose data are in as many batches a step as the loop is told
        data = samples_of(case, dtype, 0)
        watched, count = WatchedData(data), len(case.samples)
        epochs = case.steps * count // len(data.batches)
        told = self.told(target, hyperparameters, subject.ours())
        measure = standard(subject.ours()) | dict(hyperparameters)
        params, average = driven(target, watched, epochs, measure, told)
        (check_samples if taken(target).whole else check_order)(watched.calls, data.batches, epochs)
        if measure["max_norm"] == np.inf:
            check_steps(watched.calls, params, measure["base_lr"])
        before = [{"param": called, "samples": {}} for _, called, _ in watched.calls[::count]]
        yield Snapshot({**before[0], "averaged": before[0]["param"]})
        if case.hyperparameters.get("decay") and not average:
            raise TheirCode(message("recognise.average-unseen"))
        for step in range(case.steps):
            calls = watched.calls[step * count : (step + 1) * count]
            last = step + 1 == case.steps
            moved = [call for call in calls[1:] if not alike(call[1], calls[0][1])]
            if moved:
                raise Departs("accumulation-ignored", message("recognise.steps-between", count=count))
            grads = {name: np.stack([grads[name] for _, _, grads in calls]) for name in data.grads}
            sizes = np.array([len(x) for x, _, _ in calls], np.float64)
            seen = {"param": params if last else before[step + 1]["param"]}
            seen |= {"averaged": average} if last and average else {}
            yield Snapshot({"grads": grads, "samples": {"samples": sizes}, **seen})


def standard(kind: Any) -> dict[str, Any]:
    """The defaults of a class."""
    return {name: one.default for name, one in inspect.signature(kind).parameters.items()}


def check_order(calls: list[Any], batches: list[Flat], epochs: int) -> None:
    """Refuse a loop that leaves batches out, takes some twice, or in another order.

    Raises:
        Departs: naming the first.
    """
    wanted = batches * epochs
    for place, (batch, expected) in enumerate(zip([x for x, _, _ in calls], wanted, strict=False)):
        if not np.array_equal(batch, expected):
            where = {"epoch": place // len(batches) + 1, "place": place % len(batches) + 1}
            raise Departs("data-order", message("recognise.data-order", **where))
    if len(calls) != len(wanted):
        raise Departs("data-order", message("recognise.batches", count=len(calls), wanted=len(wanted)))


def check_samples(calls: list[Any], batches: list[Flat], epochs: int) -> None:
    """Refuse a loop that makes batches itself, and leaves samples of an epoch out or takes some twice.

    Raises:
        Departs: naming the first such epoch.
    """
    if len(calls) != len(batches) * epochs:
        raise Departs("data-order", message("recognise.batches", count=len(calls), wanted=len(batches) * epochs))
    for epoch in range(epochs):
        own = np.concatenate([x for x, _, _ in calls[epoch * len(batches) : (epoch + 1) * len(batches)]])
        if not np.array_equal(np.sort(own), np.concatenate(batches)):
            raise Departs("data-order", message("recognise.samples", epoch=epoch + 1))


def check_steps(calls: list[Any], params: Mapping[str, Array], lr: float) -> None:
    """Refuse a loop whose parameters rest where the first gradient moves them by more than a rounding.

    Raises:
        Departs: for one.
    """
    _, begun, grads = calls[0]
    pushed = any(np.any(lr * abs(grads[name]) > np.spacing(abs(array))) for name, array in begun.items())
    if pushed and all(alike(seen, begun) for _, seen, _ in calls) and alike(params, begun):
        raise Departs("zeroed-before-the-step", message("recognise.zeroed-before-the-step"))


FAMILY = Loops()
