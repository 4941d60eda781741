"""Somebody's own training loop, driven: a function, or a class whose constructor and method are given what it needs."""

import functools
import importlib
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, cast

import numpy as np

from lockstep.errors import Departs, LockstepError, TheirCode
from lockstep.numerics.shapes import Array, Arrays
from lockstep.text import message

# what somebody's own loop may call things
MODELS = ("model", "net", "network")
ROLES = {
    "params": (*MODELS, "params", "parameters", "weights", "theta", "w"),
    "batches": ("batches", "loader", "dataloader", "data_loader", "train_loader", "train_dataloader", "train_dl",
                "train_iter", "data_iter", "trainloader", "data", "train_data", "dataset"),
    "samples": ("dataset", "train_dataset", "train_set", "trainset", "data", "train_data"),
    "x": ("x", "X", "x_train", "X_train", "inputs", "features"),
    "t": ("t", "y", "Y", "t_train", "y_train", "Y_train", "targets", "labels"),
    "batch_size": ("batch_size", "mini_batch_size", "minibatch_size", "bs"),
    "held_back": ("test_loader", "val_loader", "valid_loader", "validation_loader", "eval_loader", "test_iter",
                  "test_dataloader", "val_dataloader", "valid_dl", "val_dl", "test_data", "val_data", "testloader"),
    "gradient": ("gradient", "grad_fn", "grads_fn", "gradients", "grad", "backward", "compute_gradients"),
    "value_and_gradient": ("value_and_grad", "loss_and_grad", "loss_and_grads", "value_and_gradient"),
    "loss": ("loss_fn", "criterion", "loss", "loss_func", "loss_function"),
    "epochs": ("epochs", "n_epochs", "num_epochs", "max_epochs", "nepochs"),
    "epoch": ("epoch", "epoch_index", "epoch_idx"),
    "optimizer": ("optimizer", "optimiser", "optim", "opt", "updater", "trainer"),
    "scheduler": ("scheduler", "lr_scheduler", "sched", "schedule"),
    "scaler": ("scaler", "grad_scaler"),
    "device": ("device",),
}  # fmt: skip
SETTINGS = {
    "base_lr": ("lr", "learning_rate", "base_lr", "alpha", "eta", "step_length"),
    "momentum": ("momentum", "mu", "mass"),
    "accumulation": ("accumulation", "accumulation_steps", "accum_steps", "accumulate", "grad_accum", "accum_iter",
                     "gradient_accumulation_steps", "grad_accumulation_steps", "accumulate_grad_batches"),
    "scale": ("scale", "loss_scale", "init_scale"),
    "max_norm": ("max_norm", "clip_norm", "grad_clip", "max_grad_norm", "clip_grad_norm", "clip", "grad_norm_clip",
                 "gradient_clip_val"),
    "norm_type": ("norm_type",),
    "step_size": ("step_size", "decay_every", "decay_steps", "drop_every"),
    "gamma": ("gamma", "lr_decay", "drop", "decay_rate"),
    "decay": ("ema_decay", "decay", "ema", "average_decay"),
}  # fmt: skip
# what each of them is made of, where a loop is given it
HOLDS = {"optimizer": ("base_lr", "momentum"), "scheduler": ("step_size", "gamma"), "scaler": ("scale",)}
RUNS = ("fit", "train", "train_model", "run", "training_loop", "train_loop", "optimize", "__call__")
EPOCHS = ("train_epoch", "train_one_epoch", "run_epoch", "one_epoch", "fit_epoch")
BATCHES = ("train_step", "train_batch", "train_on_batch", "training_step")
METHODS = (*RUNS, *EPOCHS, *BATCHES)
AVERAGES = ("ema", "ema_model", "ema_params", "ema_weights", "averaged", "average", "averaged_model", "avg_model",
            "avg_params", "shadow", "swa_model", "averaged_params")  # fmt: skip
REFUSED = (TypeError, AttributeError, LookupError, ValueError)  # what arrays that are held otherwise make of it


class Taken(NamedTuple):
    """What a loop takes: its arguments, the role of each, and the method that it runs by, if it is a class."""

    arguments: Mapping[str, inspect.Parameter]
    roles: dict[str, str]
    method: str

    def has(self, *roles: str) -> bool:
        return any(role in self.roles.values() for role in roles)

    @property
    def whole(self) -> bool:
        """Whether it makes the batches itself, of all samples."""
        return self.has("batch_size")

    @property
    def torch_like(self) -> bool:
        """Whether what it trains is a module of PyTorch's."""
        own = next((name for name, role in self.roles.items() if role == "params"), "")
        return own in MODELS and not self.has("gradient", "value_and_gradient")


def taken(target: Any) -> Taken:
    """What a loop takes, by the names of its arguments; no method where a class has none that trains."""
    arguments: dict[str, inspect.Parameter] = dict(inspect.signature(target).parameters)
    method = ""
    if inspect.isclass(target):
        own = {name for kind in target.__mro__ for name in vars(kind)}
        method = next((name for name in METHODS if name in own), "")
        if method and method not in BATCHES:
            arguments |= dict(list(inspect.signature(getattr(target, method)).parameters.items())[1:])  # without self
    listed = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    arguments = {name: argument for name, argument in arguments.items() if argument.kind not in listed}
    whole = any(name in ROLES["batch_size"] for name in arguments)
    known = {role: names for role, names in ROLES.items() if role != ("batches" if whole else "samples")}
    roles = {
        name: role
        for role, names in known.items()
        for name in arguments
        if name in names and not isinstance(arguments[name].default, str)  # "SGD" chooses, and is no optimizer
    }
    return Taken(arguments, {name: roles[name] for name in arguments if name in roles}, method)


def names_of(target: Any) -> dict[str, str]:
    """PyTorch's hyperparameters that a loop takes, each to its own name for it or for what is made with it."""
    loop = taken(target)
    held = {name: own for own, role in loop.roles.items() for name in HOLDS.get(role, ())}
    return held | {name: own for name, known in SETTINGS.items() for own in reversed(known) if own in loop.arguments}


class Form(NamedTuple):
    """How arrays are handed over, and what is handed back as arrays by name; nothing where it is none."""

    out: Callable[[Arrays], Any]
    back: Callable[[Any], Arrays]


def forms(start: Arrays) -> Iterator[Form]:
    """By name; in a list; as one vector, end to end."""
    ends = np.cumsum([array.size for array in start.values()])

    def named(part: Any) -> Arrays:
        known = cast("Mapping[str, Any]", part if isinstance(part, Mapping) else {})
        return {name: np.asarray(array) for name, array in known.items()} if known.keys() == start.keys() else {}

    def listed(part: Any) -> Arrays:
        several = cast("Sequence[Any]", part if isinstance(part, list | tuple) else ())
        shapes = [np.shape(array) for array in several if not isinstance(array, Mapping | list | tuple)]
        whole = len(several) == len(shapes) and shapes == [array.shape for array in start.values()]
        return {name: np.asarray(array) for name, array in zip(start, several, strict=True)} if whole else {}

    def split(part: Any) -> Arrays:
        vector = cast("np.ndarray", part if isinstance(part, np.ndarray) else np.zeros(0))
        if vector.shape != (ends[-1],):
            return {}
        pieces = np.split(vector, ends[:-1])
        return {name: piece.reshape(start[name].shape) for name, piece in zip(start, pieces, strict=True)}

    def in_a_list(arrays: Arrays) -> list[np.ndarray]:
        return list(arrays.values())

    def end_to_end(arrays: Arrays) -> np.ndarray:
        return np.concatenate([array.reshape(-1) for array in arrays.values()])

    yield Form(dict, named)
    yield Form(in_a_list, listed)
    yield Form(end_to_end, split)


def driven(target: Any, watched: Any, epochs: int, measure: Mapping[str, Any], told: set[str]) -> tuple[Arrays, Arrays]:
    """Run somebody's loop to its end: the parameters then, and their average where it shows.

    Arguments:
        watched: the data; it notes every gradient that is asked for.
        measure: all hyperparameters. told: those that the loop is told of.

    Raises:
        TheirCode: for one that needs what nobody here knows.
    """
    loop = taken(target)
    if inspect.isclass(target) and not loop.method:
        raise TheirCode(message("recognise.no-loop", methods=", ".join(METHODS)))
    needed = {name for name, argument in loop.arguments.items() if argument.default is argument.empty}
    names = names_of(target)
    lacking = needed - loop.roles.keys() - {names[name] for name in measure if name in names}
    if lacking or not loop.has("params"):
        raise TheirCode(message("recognise.loop", names=", ".join(sorted(lacking)) or "params"))
    if loop.whole and len({len(batch) for batch in watched.data.batches}) > 1:
        raise TheirCode(message("recognise.unequal-batches"))
    ways: list[Callable[[], Plain]] = [
        functools.partial(Plain, loop, watched, measure, told, form) for form in forms(watched.data.start)
    ]
    if loop.torch_like:
        ways = [functools.partial(Modules, loop, watched, measure, told)]
    problems: list[Exception] = []
    for way in ways:
        watched.calls.clear()
        try:
            return way().trained(target, epochs)
        except LockstepError:
            raise
        except REFUSED as problem:
            problems.append(problem)
    raise problems[0]


class Plain:
    """What a loop over arrays is given."""

    def __init__(self, loop: Taken, watched: Any, measure: Mapping[str, Any], told: set[str], form: Form) -> None:
        self.loop, self.watched, self.measure, self.told, self.form = loop, watched, measure, told, form
        self.params = form.out({name: array.copy() for name, array in watched.data.start.items()})
        self.begun = form.back(self.params)
        self.first = {name: array.copy() for name, array in self.begun.items()}

    def trained(self, target: Any, epochs: int) -> tuple[Arrays, Arrays]:
        loop = self.loop
        named = inspect.isroutine(target) and target.__name__ in EPOCHS
        apart = named or loop.method or loop.has("epoch", "optimizer")  # so that what it has kept goes on
        by_epoch = bool(apart) and not loop.has("epochs")
        given = self.given(1 if by_epoch or loop.has("epochs") else epochs) | {
            name: epochs for name, role in loop.roles.items() if role == "epochs"
        }
        held, answer = target, None
        if loop.method:
            held = target(**picked(target, given))
        call = getattr(held, loop.method) if loop.method else held
        if loop.method in BATCHES:
            for x, t in self.part("batches", epochs):
                call(x, t)
            return self.ended(answer, held)
        for epoch in range(epochs if by_epoch else 1):
            given |= {name: epoch for name, role in loop.roles.items() if role == "epoch"}
            answer = call(**picked(call, given))
            given |= self.carried(answer)
        return self.ended(answer, held if loop.method else None)

    def given(self, times: int) -> dict[str, Any]:
        """Its arguments by name, but for what is left out by itself where the case leaves it out."""
        names = {own: name for name, own in names_of_taken(self.loop).items()}
        given = {own: self.measure[name] for own, name in names.items() if name in self.told}
        for own, role in self.loop.roles.items():
            made = self.part(role, times)
            optional = self.loop.arguments[own].default is None
            left_out = role in ("scheduler", "scaler") and not any(name in self.told for name in HOLDS[role])
            if made is not None and not (optional and left_out):
                given[own] = made
        return given

    def part(self, role: str, times: int) -> Any:
        made: dict[str, Callable[[], Any]] = {
            "params": lambda: self.params,
            "batches": lambda: self.batches(times),
            "held_back": lambda: self.batches(1),
            "samples": lambda: [(x, t) for xs, ts in self.batches(1) for x, t in zip(xs, ts, strict=True)],
            "x": lambda: np.concatenate([x for x, _ in self.batches(1)]).reshape(-1, 1),
            "t": lambda: np.concatenate([t for _, t in self.batches(1)]),
            "batch_size": lambda: len(self.watched.data.batches[0]),
            "gradient": lambda: self.gradient,
            "value_and_gradient": lambda: self.value_and_gradient,
            "loss": lambda: self.loss if self.loop.has("gradient", "value_and_gradient") else self.gradient,
            "optimizer": lambda: Stepper(self),
        }
        return made[role]() if role in made else None

    def batches(self, times: int) -> list[Any]:
        return [(x.astype(np.float64), np.zeros(len(x))) for x in self.watched.data.batches] * times

    def asked(self, arguments: tuple[Any, ...]) -> tuple[Arrays, Any]:
        """The parameters among the arguments of a gradient, and the batch, which stands first among the others."""
        place = next(place for place, argument in enumerate(arguments) if self.form.back(argument))
        others = [argument for number, argument in enumerate(arguments) if number != place]
        return self.form.back(arguments[place]), parts(others[0])[0]

    def gradient(self, *arguments: Any, **named: Any) -> Any:
        """The gradient of the mean loss of a batch, held as the parameters are."""
        return self.form.out(self.watched.gradient(*self.asked((*arguments, *named.values()))))

    def loss(self, *arguments: Any, **named: Any) -> float:
        """The mean loss of a batch."""
        return self.watched.loss(*self.asked((*arguments, *named.values())))

    def value_and_gradient(self, *arguments: Any, **named: Any) -> tuple[float, Any]:
        return self.loss(*arguments, **named), self.gradient(*arguments, **named)

    def carried(self, answer: Any) -> dict[str, Any]:
        """The parameters that the next epoch is given, where this one returned some."""
        returned = next((part for part in returned_by(answer, self.form) if self.form.back(part)), None)
        return {name: returned for name, role in self.loop.roles.items() if role == "params" and returned is not None}

    def ended(self, answer: Any, held: Any) -> tuple[Arrays, Arrays]:
        back = self.form.back
        returned = [part for part in returned_by(answer, self.form) if back(part)]
        kept: dict[str, Any] = getattr(held, "__dict__", {})
        own = [kept[name] for name in ROLES["params"] if name in kept and back(kept[name])]
        means = [kept[name] for name in AVERAGES if name in kept and back(kept[name])]
        moved = not alike(self.begun, self.first)
        if len(returned) == 1 and "decay" in self.told and moved and returned[0] is not self.params:
            returned, means = [], returned  # the parameters were changed in place: what it returns is something else
        params, average = (*returned[:1], *own, self.params)[0], [*returned[1:2], *means]
        return copied(back(params)), copied(back(average[0])) if average else {}


class Modules(Plain):
    """What a loop of PyTorch's is given."""

    def __init__(self, loop: Taken, watched: Any, measure: Mapping[str, Any], told: set[str]) -> None:
        super().__init__(loop, watched, measure, told, next(forms(watched.data.start)))
        self.made = importlib.import_module("torch_impl.loop.model")
        self.module = watched.module()
        self.steps: Any = None

    def part(self, role: str, times: int) -> Any:
        measure = self.measure
        if role in ("optimizer", "scheduler") and self.steps is None:
            self.steps = self.made.optimizer(self.module, measure["base_lr"], measure["momentum"])
        made: dict[str, Callable[[], Any]] = {
            "params": lambda: self.module,
            "batches": lambda: self.made.loader(self.batches(times)),
            "held_back": lambda: self.made.loader(self.batches(1)),
            "samples": lambda: self.made.loader(self.batches(1)).dataset,
            "x": lambda: self.made.samples(self.batches(1))[0],
            "t": lambda: self.made.samples(self.batches(1))[1],
            "batch_size": lambda: len(self.watched.data.batches[0]),
            "loss": lambda: self.made.mean,
            "optimizer": lambda: self.steps,
            "scheduler": lambda: self.made.scheduler(self.steps, measure["step_size"], measure["gamma"]),
            "scaler": lambda: self.made.scaler(measure["scale"]),
            "device": lambda: "cpu",
        }
        return made[role]() if role in made else None

    def carried(self, answer: Any) -> dict[str, Any]:
        return {}

    def ended(self, answer: Any, held: Any) -> tuple[Arrays, Arrays]:
        if self.watched.in_evaluation:
            raise Departs("left-in-evaluation", message("recognise.left-in-evaluation"))
        params: Arrays = self.module.arrays()
        kept: dict[str, Any] = getattr(held, "__dict__", {})
        known = [*returned_by(answer, self.form), *(kept[name] for name in AVERAGES if name in kept)]
        named = [self.made.named(part) for part in known if part is not self.module]
        whole = [copied(self.form.back(part)) for part in named if self.form.back(part)]
        several = len(whole) > 1
        average = whole[1] if several else whole[0] if whole and not alike(whole[0], params) else {}
        return params, average


class Stepper:
    """SGD of arrays, for a loop that is given its optimizer: `step` or `update` of parameters and their gradients."""

    def __init__(self, given: Plain) -> None:
        self.given, self.lr, self.momentum = given, given.measure["base_lr"], given.measure["momentum"]
        self.buffers: Arrays = {}

    def step(self, *arguments: Any) -> Any:
        back, live = self.given.form.back, [one for one in arguments if self.given.form.back(one)]
        params = live[0] if len(live) > 1 else self.given.params
        held = back(params)
        for name, grad in back(live[-1]).items():
            self.buffers[name] = self.momentum * self.buffers[name] + grad if name in self.buffers else grad.copy()
            held[name] -= self.lr * self.buffers[name]
        return params

    update = __call__ = apply = step

    def zero_grad(self) -> None:
        """Gradients are handed over anew."""


def names_of_taken(loop: Taken) -> dict[str, str]:
    """Hyperparameters to the arguments that are numbers, without those that something is made of."""
    return {name: own for name, known in SETTINGS.items() for own in reversed(known) if own in loop.arguments}


def picked(call: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    """What of all that is given a function, or a constructor, takes."""
    own = inspect.signature(call).parameters
    return {name: value for name, value in given.items() if name in own}


def parts(several: Any) -> Sequence[Any]:
    """A tuple or a list, or what is alone as one."""
    return cast("Sequence[Any]", several) if isinstance(several, tuple | list) else (several,)


def returned_by(answer: Any, form: Form) -> Sequence[Any]:
    """What a loop returned, one by one."""
    several = isinstance(answer, tuple) and not form.back(answer)
    return parts(answer) if several else [answer]


def copied(arrays: Arrays) -> Arrays:
    return {name: np.array(array) for name, array in arrays.items()}


def alike(one: Mapping[str, Array], other: Mapping[str, Array]) -> bool:
    return all(array.tobytes() == other[name].tobytes() for name, array in one.items())
