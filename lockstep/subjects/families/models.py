"""Training runs as sides: draw a batch and its masks, one pass there and back, an update."""

import functools
import importlib
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from lockstep.cases.models import FOLDERS
from lockstep.errors import BadValue
from lockstep.numerics.bounded import widest
from lockstep.numerics.snapshot import Snapshot
from lockstep.subjects.families import optim
from lockstep.subjects.families.draws import SHARED, Draws, generators, same_masks
from lockstep.subjects.families.layers import as_bounded, exact, floating
from lockstep.subjects.handed import handed_over
from lockstep.subjects.registry import find
from lockstep.subjects.side import RESUME, Bounds, Pair, watched
from lockstep.subjects.subject import Family, Request, Subject
from lockstep.text import Message, message

DRAWN = ("batch", "mask")
STATISTICS = ("running_mean", "running_var", "num_batches_tracked")
FRESH, FRESH_SEED = 1000, 43  # samples of the two clusters that no network has seen, and their seed
PASSED = ("output", "loss", "slope", "grad", *STATISTICS)


class Data(NamedTuple):
    x: np.ndarray
    t: np.ndarray
    x_test: np.ndarray
    t_test: np.ndarray


class TrainingSide:
    """A model of either side, trained.

    Arguments:
        model: has `params`, `buffers`, `masks(generator, n)`, `loss_and_grads(x, t, masks)`, `predict(x)`, and,
            unless it is `whole`, `forward_one`, `loss_one`, `backward_one` as reference.models.mlp has.
        optimizer: steps the model's parameters.
        data: what it learns from and is tried on.
        draws: batches and masks, from a generator of this side's own kind.
        case: a `Training`.
        layers: the names of the model's layers, in order.
        whole: the model passes all layers at once (autograd does), in the first stage of the pass.
    """

    moving = frozenset({"param"})
    unmissed = ("draw",)  # a generator goes on at every step, judged or not: its state is nothing to hand over

    def __init__(
        self, model: Any, optimizer: Any, data: Data, draws: Draws, case: Any, layers: list[str], whole: bool
    ) -> None:
        self.model, self.optimizer, self.data, self.draws, self.case = model, optimizer, data, draws, case
        self.layers, self.whole = layers, whole
        self.stages = (
            "draw",
            *(f"forward {name}" for name in layers),
            "loss",
            *(f"backward {name}" for name in reversed(layers)),
            "update",
        )
        self.step = 0
        self.batch = np.zeros(0, np.int64)
        self.masks: dict[str, np.ndarray] = {}
        self.made: dict[str, dict[str, np.ndarray]] = {key: {} for key in ("output", "loss", "slope", "grad")}
        self.rounding: dict[str, Any] = {}  # the order of the layers' formulas, and its arithmetic
        self.ahead: dict[str, np.ndarray] = {}  # buffers as they were, of layers whose stage is still to come
        self.passed: dict[str, Any] = {}  # lines of the layers on the way there, until others' numbers are taken over

    def produces(self, stage: str, quantity: str, tensor: str) -> bool:
        kind, _, name = stage.partition(" ")
        if kind == RESUME and quantity in STATISTICS:
            return True
        if kind == "draw":
            return quantity in DRAWN
        if kind == "forward":
            return quantity in ("output", *STATISTICS) and tensor == name
        if kind == "loss":
            return quantity == "loss" or (quantity == "slope" and tensor == self.layers[-1])
        if kind == "backward":
            before = self.previous(name)
            return (quantity == "slope" and tensor == before) or (quantity == "grad" and tensor.startswith(f"{name}."))
        return quantity not in DRAWN and quantity not in PASSED

    def previous(self, name: str) -> str | None:
        place = self.layers.index(name)
        return self.layers[place - 1] if place else None

    def read(self) -> Snapshot:
        quantities = Snapshot({"param": dict(self.model.params)})
        for key, array in self.model.buffers.items():
            layer, name = key.rsplit(".", 1)
            quantities.setdefault(name, {})[layer] = floating(self.ahead.get(key, array))
        if self.batch.size:
            quantities["batch"] = {"batch": floating(self.batch)}
        if self.masks:
            quantities["mask"] = self.masks
        quantities |= {key: dict(named) for key, named in self.made.items() if named}
        quantities.add_tensors(self.optimizer.state)
        return quantities

    def write(self, quantities: Snapshot) -> None:
        self.passed.clear()
        for name, array in quantities["param"].items():
            self.model.params[name][...] = array
        for key, array in self.model.buffers.items():
            layer, name = key.rsplit(".", 1)
            array[...] = quantities[name][layer]
        if "batch" in quantities:
            self.batch = quantities["batch"]["batch"].astype(np.int64)
        self.masks = {name: mask.copy() for name, mask in quantities.get("mask", {}).items()}
        self.made = {key: {name: array.copy() for name, array in quantities.get(key, {}).items()} for key in self.made}
        state = quantities.picked(lambda key, _: key not in {"param", *DRAWN, *PASSED})
        self.optimizer.load_state(state.by_tensor())

    def saved(self) -> dict[str, Any]:
        """What it takes to go on elsewhere: the model, the optimizer's state, and where batches and masks come from."""
        drawn = {"generator": self.draws.generator.get_state(), "order": self.draws.order}
        model = {**self.model.params, **self.model.buffers}
        return {"step": self.step, "model": model, "optimizer": self.optimizer.state_dict(), **drawn}

    def resume(self, saved: Mapping[str, Any]) -> None:
        """Go on from what either side has saved."""
        for name, array in {**self.model.params, **self.model.buffers}.items():
            array[...] = saved["model"][name]
        self.optimizer.load_state_dict(saved["optimizer"])
        self.draws.generator.set_state(saved["generator"])
        self.draws.order, self.step = saved["order"], saved["step"]

    def advance(self, stage: str, step: int) -> None:
        self.step = step
        kind, _, name = stage.partition(" ")
        if kind == "draw":
            self.passed.clear()
            self.batch = self.draws.batch(step)
            self.masks = self.model.masks(self.draws.generator, self.batch.size)
        elif kind == "update":
            for key, value in self.case.changes(step).items():
                self.optimizer.set(key, value)
            self.optimizer.step(self.made["grad"])
        elif self.whole:
            self.advance_whole(stage, name)
        else:
            self.advance_layer(kind, name)

    def advance_whole(self, stage: str, name: str) -> None:
        """All layers there and back at once, for a side that cannot stop in between; shown stage by stage."""
        if stage != self.stages[1]:
            if self.ahead:
                self.ahead = {key: array for key, array in self.ahead.items() if not key.startswith(f"{name}.")}
            return
        self.ahead = {k: a.copy() for k, a in self.model.buffers.items() if not k.startswith(f"{name}.")}
        result = self.model.loss_and_grads(self.data.x[self.batch], self.data.t[self.batch], self.masks)
        self.made = {
            "output": {name: np.array(array) for name, array in result.output.items()},
            "loss": {"loss": np.array(result.loss)},
            "slope": {name: np.array(array) for name, array in result.slope.items()},
            "grad": {name: np.array(array) for name, array in result.grad.items()},
        }

    def advance_layer(self, kind: str, name: str) -> None:
        """One layer, one way, from what came before it."""
        if kind == "forward":
            given = self.given(name)
            output, buffers = self.model.forward_one(name, given, self.masks, passed=self.passed, **self.rounding)
            self.made["output"][name] = np.asarray(output)
            for key, value in buffers.items():
                self.model.buffers[key][...] = value
        elif kind == "loss":
            output = self.made["output"][self.layers[-1]]
            loss, slope = self.model.loss_one(output, self.data.t[self.batch], **self.rounding)
            self.made["loss"]["loss"], self.made["slope"][self.layers[-1]] = np.asarray(loss), slope
        else:
            given, slope = self.given(name), self.made["slope"][name]
            way = {"passed": self.passed} | self.rounding
            slope, grads = self.model.backward_one(name, given, slope, self.masks, **way)
            self.made["grad"] |= grads
            before = self.previous(name)
            if before:
                self.made["slope"][before] = slope

    def given(self, name: str) -> np.ndarray:
        """The input of a layer."""
        before = self.previous(name)
        return self.made["output"][before] if before else self.data.x[self.batch]

    def rewrite(self, order: str, ops: Any) -> None:
        self.rounding = {"order": "pytorch", "ops": ops}
        self.optimizer.formula = functools.partial(self.optimizer.ORDERS[order], ops=ops)

    def watch(self, note: Callable[..., Any]) -> None:
        self.optimizer.formula = watched(self.optimizer.formula, note)
        for layer in (*self.model.layers.values(), self.model.loss):
            layer.ORDERS = {
                order: type(formula)(*(watched(half, note) for half in formula))
                for order, formula in layer.ORDERS.items()
            }

    def only(self, tensor: str) -> None:
        self.made["grad"] = {tensor: self.made["grad"][tensor]}

    def traces(self) -> dict[str, float]:
        tested = self.step == 1 or self.step % self.case.tested_every == 0
        return {"loss": float(self.made["loss"]["loss"])} | ({"accuracy": self.accuracy()} if tested else {})

    def accuracy(self) -> float:
        """The share of held-back samples that the model gets right, as it is now."""
        output, t = np.asarray(self.model.predict(self.data.x_test)), self.data.t_test
        if t.ndim == 1:
            return float(np.mean(np.equal(output.argmax(axis=1), t)))
        threshold = 0.5 if self.case.network.get("loss") == "probabilities" else 0.0
        return float(np.mean(np.equal(output > threshold, t > 0.5)))


class TrainingArbiter:
    """The exact result of one layer, from PyTorch's own input to it, and of the update."""

    def __init__(self, model: Any, optimizer: Any, data: Data, case: Any, written_like: str) -> None:
        self.model, self.data = model, data
        self.layers = list(model.layers)
        self.updates = optim.OptimizerArbiter(optimizer, None, case, written_like)

    def __call__(self, stage: str, step: int, before: Snapshot) -> Bounds:
        kind, _, name = stage.partition(" ")
        if kind == "update":
            return self.updates.update(step, without(before))
        if kind == "draw":
            return {}
        orders = [self.made(kind, name, before, order) for order in ("paper", "pytorch")]
        return {
            quantity: {
                key: widest([as_bounded(one[quantity][key]) for one in orders], f"{quantity} {key!r}") for key in named
            }
            for quantity, named in orders[0].items()
        }

    def made(self, kind: str, name: str, before: Snapshot, order: str) -> dict[str, dict[str, Any]]:
        batch = before["batch"]["batch"].astype(np.int64)
        masks = {key: exact(mask) for key, mask in before.get("mask", {}).items()}
        prefix = f"{name}."
        params = {key: exact(array) for key, array in before["param"].items() if key.startswith(prefix) or not name}
        buffers = {}
        for key, array in self.model.buffers.items():
            layer, statistic = key.rsplit(".", 1)
            if layer == name:
                buffers[key] = exact(before[statistic][layer].astype(array.dtype))
        if kind == "loss":
            output, t = exact(before["output"][self.layers[-1]]), exact(self.data.t[batch])
            loss, slope = self.model.loss_one(output, t, params, order=order)
            return {"loss": {"loss": loss}, "slope": {self.layers[-1]: slope}}
        place = self.layers.index(name)
        x = exact(before["output"][self.layers[place - 1]] if place else self.data.x[batch])
        order = allowed(self.model.layers[name], order)
        if kind == "forward":
            output, updated = self.model.forward_one(name, x, masks, params, buffers, order=order)
            statistics = {key.rsplit(".", 1)[1]: {name: value} for key, value in updated.items()}
            return {"output": {name: output}} | statistics
        slope = exact(before["slope"][name])
        slope, grads = self.model.backward_one(name, x, slope, masks, params, buffers, order=order)
        return {"grad": grads} | ({"slope": {self.layers[place - 1]: slope}} if place else {})


def allowed(layer: Any, order: str) -> str:
    """`order`, or the paper's where the running error of that order says nothing about the layer."""
    return order if order in layer.ALLOWS else "paper"


def without(before: Snapshot) -> Snapshot:
    """What an optimizer's arbiter knows of: parameters, gradients and its own state."""
    unknown = {*DRAWN, *PASSED} - {"grad"}
    return before.picked(lambda quantity, _: quantity not in unknown)


def load_data(name: str, dtype: str) -> Data:
    """The data of a case, in the layout of PyTorch.

    Raises:
        ValueError: for a name that is none of them.
    """
    datasets = importlib.import_module("reference.datasets")
    kind, _, folder = name.partition(":")
    if kind == "two clusters":
        with handed_over():
            known = datasets.two_clusters(n_samples=count(folder))
        fresh = datasets.two_clusters(FRESH_SEED, FRESH)
        return Data(*(array.astype(dtype) for array in (*known.rows(), *fresh.rows())))
    loaders = {
        "digits": digits,
        "mnist": lambda: datasets.mnist(folder),
        "cifar10": lambda: datasets.cifar10(folder),
    }
    if kind not in loaders or (kind != "digits" and not folder):
        known = "'digits', 'two clusters', 'two clusters:SAMPLES', 'mnist:FOLDER', 'cifar10:FOLDER'"
        raise BadValue(message("error.data", known=known, given=name))
    with handed_over():
        data = loaders[kind]()
    x, x_test = (array.reshape(len(array), -1).astype(dtype) for array in (data.x_train, data.x_test))
    return Data(x, data.t_train, x_test, data.t_test)


@functools.cache
def digits() -> Any:
    """The digits, read once: they come with a package, and no run changes them."""
    return importlib.import_module("reference.datasets").digits()


def count(text: str) -> int:
    """How many samples "two clusters:SAMPLES" asks for; the notebook's 40 if it doesn't."""
    if text and not text.isdecimal():
        raise BadValue(message("error.data-count", given=text))
    return int(text or 40)


def pair(request: Request, ours: type | None = None) -> Pair:
    """Both sides of a training run, from one seed; `ours` stands in for the reference's network."""
    subject, case, dtype, seed = request.subject, request.case, request.dtype, request.seed
    data = load_data(case.data, dtype)
    optimizer = find(case.optimizer)
    stepper, theirs = optimizer.ours(), optimizer.theirs()
    path = optim.path_of(optimizer, theirs, request.path)
    model, counterpart = subject.ours(), subject.theirs()
    settings = {key: value for key, value in case.network.items() if key != "hidden"}
    classes = 1 if data.t.ndim == 2 else int(data.t.max()) + 1
    widths = (data.x.shape[1], *case.network.get("hidden", ()), classes)

    def start(generator: Any, kind: Any = model) -> Any:
        return kind(widths, dtype=np.dtype(dtype), generator=generator, **settings)

    def our_side() -> TrainingSide:
        first, rest = generators(case.draws, "reference", seed)
        network = start(first, ours or model)
        draws = Draws(rest, len(data.x), case.batch_size)
        optimizer = stepper(case.grouped(network.params), **case.hyperparameters)
        return TrainingSide(network, optimizer, data, draws, case, list(network.layers), whole=False)

    def their_side() -> TrainingSide:
        first, rest = generators(case.draws, "torch_impl", seed)
        network, twin = counterpart(widths, dtype=np.dtype(dtype), **settings), start(first)
        for name, array in twin.params.items():
            network.params[name][...] = array
        draws = Draws(rest, len(data.x), case.batch_size)
        optimizer = theirs(case.grouped(network.tensors), path=path, **case.hyperparameters)
        return TrainingSide(network, optimizer, data, draws, case, list(twin.layers), whole=True)

    counts = [entry.line for entry in stepper.STATE.values() if entry.kind == "count"]
    with handed_over():
        network = start(generators(case.draws, "reference", seed)[0])
        stepper(case.grouped(network.params), **case.hyperparameters)
        theirs({"one": np.zeros(1)}, path=path, **case.hyperparameters)
    written_like = path if path in stepper.ORDERS else "pytorch"
    return Pair(
        ours=our_side,
        theirs=their_side,
        exact=TrainingArbiter(
            network, stepper(case.grouped(network.params), **case.hyperparameters), data, case, written_like
        ),
        lines={"param": "param", **{key: entry.line for key, entry in stepper.STATE.items()}},
        order=("batch", "mask", *subject.reference.EQUATIONS, *counts, *optimizer.reference.EQUATIONS),
        equations=subject.reference.EQUATIONS | optimizer.reference.EQUATIONS,
        path=path,
        written_like=written_like,
    )


class Models(Family):
    """A training run, stage by stage."""

    place = 5
    recorded = "passes"
    stands_in = False  # PyTorch passes all layers at once

    def pair(self, request: Request, ours: type | None = None) -> Pair:
        return pair(request, ours)

    def paths(self, subject: Subject, case: Any) -> tuple[None]:
        return (None,)  # those of its optimizer are climbed with the optimizer

    def steps(self, case: Any, at_home: bool) -> int:
        return 200 if at_home else 20

    def symbols_at(self, stage: str) -> Mapping[str, str]:
        return optim.FAMILY.symbols if stage == "update" else self.symbols

    def check_data(self, kind: str, folder: Any) -> None:
        if kind not in FOLDERS:
            raise BadValue(message("error.data-kind", known=", ".join(FOLDERS), given=kind))
        load_data(f"{kind}:{folder}", "float32")

    def notes(self, case: Any) -> list[Message]:
        masked = bool(case.network.get("dropout")) and case.draws == "pytorch"
        return [SHARED] if masked and not same_masks() else []


FAMILY = Models()
