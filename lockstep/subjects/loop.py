"""Training loops as sides: the gradients of a step's micro-batches, then all that the loop does with them."""

import importlib
import inspect
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, cast

import numpy as np

from lockstep.errors import Departs, TheirCode
from lockstep.numerics import formats
from lockstep.numerics.snapshot import Snapshot
from lockstep.subjects.gradients import Gradients, Stream, pair
from lockstep.subjects.side import Pair
from lockstep.subjects.subject import Request, Subject
from lockstep.text import message

# what somebody's own loop may call things
PARAMS = ("params", "parameters", "weights", "theta", "w", "model", "net", "network")
BATCHES = ("batches", "data", "loader", "dataloader", "train_loader", "train_data", "dataset", "data_loader")
GRADIENT = ("gradient", "grad_fn", "grads_fn", "gradients", "grad", "value_and_grad", "loss_and_grad", "loss_and_grads",
            "loss_fn", "criterion", "loss", "backward", "compute_gradients")  # fmt: skip
EPOCHS = ("epochs", "n_epochs", "num_epochs", "max_epochs")
SETTINGS = {
    "base_lr": ("lr", "learning_rate", "base_lr", "alpha", "eta", "step_length"),
    "momentum": ("momentum", "mu", "mass"),
    "accumulation": ("accumulation", "accumulation_steps", "accum_steps", "accumulate", "grad_accum",
                     "gradient_accumulation_steps", "grad_accumulation_steps"),
    "scale": ("scale", "loss_scale", "init_scale"),
    "max_norm": ("max_norm", "clip_norm", "grad_clip", "max_grad_norm", "clip_grad_norm", "clip"),
    "norm_type": ("norm_type",),
    "step_size": ("step_size", "decay_every", "decay_steps", "drop_every"),
    "gamma": ("gamma", "lr_decay", "drop"),
    "decay": ("ema_decay", "decay", "ema", "average_decay"),
}  # fmt: skip


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


def mean(grads: np.ndarray, batch: Any) -> np.ndarray:
    """The gradient of a batch's mean loss."""
    return np.asarray(grads[np.asarray(batch, int)].mean(axis=0), grads.dtype)


class Watched:
    """The data and the gradients that a loop is given, which note what it asks for and where its parameters are.

    Attributes:
        calls: of each call the samples of the batch, the parameters as they were, and the gradients they got.
    """

    def __init__(self, data: Samples) -> None:
        self.data = data
        self.calls: list[tuple[np.ndarray, dict[str, np.ndarray], dict[str, np.ndarray]]] = []

    def gradient(self, params: Any, batch: Any, *others: Any) -> dict[str, np.ndarray]:
        """The gradient of the mean loss of a batch, by name."""
        x = np.asarray(parts(batch)[0]).astype(int)
        grads = {name: mean(array, x) for name, array in self.data.grads.items()}
        self.calls.append((x, {name: np.array(array) for name, array in params.items()}, grads))
        return {name: array.copy() for name, array in grads.items()}

    def module(self) -> Any:
        """A model of PyTorch's of these parameters, whose output is one loss a sample."""
        return importlib.import_module("torch_impl.loop.model").Linear(self.data.grads, self.data.start, self.note)

    def note(self, x: np.ndarray, params: dict[str, np.ndarray]) -> None:
        grads = {name: mean(array, x) for name, array in self.data.grads.items()}
        self.calls.append((x, params, grads))


class Loops(Gradients):
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
        given = inspect.signature(target).parameters
        return {name: own for name, known in SETTINGS.items() for own in reversed(known) if own in given}

    def recorded_by(
        self, target: Any, subject: Subject, case: Any, hyperparameters: Mapping[str, Any], dtype: str
    ) -> Iterator[Snapshot]:
        """The parameters before each step and after the last, as the loop asks for gradients; its average, if it tells.

        Raises:
            TheirCode: for a loop that cannot be driven, or does not take the batches in their order.
        """
        case = case.replaced(**hyperparameters)  # whose data are in as many batches a step as the loop is told
        data = samples_of(case, dtype, 0)
        watched, count = Watched(data), len(case.samples)
        epochs = case.steps * count // len(data.batches)
        settings = told(target, self.names_of(target, subject), hyperparameters, subject.ours())
        params, answer = driven(target, watched, epochs, settings)
        check_order(watched.calls, data.batches, epochs)
        before = [{"param": called, "samples": {}} for _, called, _ in watched.calls[::count]]
        yield Snapshot({**before[0], "averaged": before[0]["param"]})
        average = averaged(answer, data.start)
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


def told(target: Any, names: Mapping[str, str], hyperparameters: Mapping[str, Any], kind: Any) -> dict[str, Any]:
    """What a loop is told, under its own names; not of a piece that is left out, where it leaves it out by itself."""
    own, known = inspect.signature(target).parameters, inspect.signature(kind).parameters
    return {
        names[name]: value
        for name, value in hyperparameters.items()
        if name in names and (value != known[name].default or own[names[name]].default not in FAMILY.nothing)
    }


def driven(target: Any, watched: Watched, epochs: int, settings: Mapping[str, Any]) -> tuple[dict[str, Any], Any]:
    """Run somebody's loop to its end: the parameters then, and what it returns.

    Raises:
        TheirCode: for one that needs what nobody here knows.
    """
    given = inspect.signature(target).parameters
    arguments: dict[str, Any] = dict(settings)
    batches = [(x.astype(np.float64), np.zeros(len(x))) for x in watched.data.batches]
    model = next((name for name in PARAMS if name in given), None)
    torch_like = model in ("model", "net", "network")
    params = {name: array.copy() for name, array in watched.data.start.items()}
    module = watched.module() if torch_like else None
    tensors = importlib.import_module("torch_impl.loop.model") if torch_like else None
    for name in given:
        if name == model:
            arguments[name] = module if torch_like else params
        elif name in BATCHES:
            arguments[name] = tensors.loader(batches) if tensors else Epochs(batches, epochs, given)
        elif name in GRADIENT:
            arguments[name] = tensors.mean if tensors else watched.gradient
        elif name in EPOCHS:
            arguments[name] = epochs
    needed = [name for name, one in given.items() if one.default is one.empty and name not in arguments]
    if needed or model is None:
        raise TheirCode(message("recognise.loop", names=", ".join(needed) or "params"))
    answer = target(**arguments)
    if module is not None:
        return module.arrays(), answer
    returned = next((part for part in parts(answer) if like(part, params)), params)
    return {name: np.array(array) for name, array in returned.items()}, answer


class Epochs(Sequence[Any]):
    """The batches of one epoch; where a loop is not told how many there are, of all of them, end to end."""

    def __init__(self, batches: list[Any], epochs: int, given: Mapping[str, Any]) -> None:
        self.batches = batches if any(name in given for name in EPOCHS) else batches * epochs

    def __len__(self) -> int:
        return len(self.batches)

    def __getitem__(self, place: Any) -> Any:
        return self.batches[place]


def parts(answer: Any) -> tuple[Any, ...]:
    return cast("tuple[Any, ...]", answer) if isinstance(answer, tuple) else (answer,)


def like(part: Any, params: Mapping[str, Any]) -> bool:
    return isinstance(part, Mapping) and part.keys() == params.keys()


def averaged(answer: Any, start: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """The average that a loop returns beside the parameters; nothing where it returns none."""
    alike = [part for part in parts(answer) if like(part, start)]
    return {name: np.array(array) for name, array in alike[1].items()} if len(alike) > 1 else {}


def alike(one: Mapping[str, np.ndarray], other: Mapping[str, np.ndarray]) -> bool:
    return all(array.tobytes() == other[name].tobytes() for name, array in one.items())


def check_order(calls: list[Any], batches: list[np.ndarray], epochs: int) -> None:
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


FAMILY = Loops()
