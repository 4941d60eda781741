"""Training runs as sides: draw a batch and its masks, one pass there and back, an update."""

import importlib
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from lockstep.bounded import Bounded, widest
from lockstep.side import Bounds, Pair, Quantities
from lockstep.sides import optim
from lockstep.subject import Subject, find, own_class

DRAWN = ("batch", "mask")
PASSED = ("output", "loss", "grad", "running_mean", "running_var", "num_batches_tracked")


class Data(NamedTuple):
    x: np.ndarray
    t: np.ndarray
    x_test: np.ndarray
    t_test: np.ndarray


class TrainingSide:
    """A model of either side, trained.

    Arguments:
        model: has `params`, `buffers`, `masks(generator, n)`, `loss_and_grads(x, t, masks)`, `predict(x)`.
        optimizer: steps the model's parameters.
        data: what it learns from and is tried on.
        draws: batches and masks, from a generator of this side's own kind.
        case: a `Training`.
    """

    stages = ("draw", "gradient", "update")
    moving = frozenset({"param"})

    def __init__(self, model, optimizer, data: Data, draws: "Draws", case):
        self.model, self.optimizer, self.data, self.draws, self.case = model, optimizer, data, draws, case
        self.batch = np.zeros(0, np.int64)
        self.masks: dict[str, np.ndarray] = {}
        self.grads: dict[str, np.ndarray] = {}
        self.output: np.ndarray | None = None
        self.loss: np.ndarray | None = None

    def produces(self, stage: str) -> Callable[[str], bool]:
        return {
            "draw": lambda quantity: quantity in DRAWN,
            "gradient": lambda quantity: quantity in PASSED,
            "update": lambda quantity: quantity not in DRAWN and quantity not in PASSED,
        }[stage]

    def read(self) -> Quantities:
        quantities: Quantities = {"param": dict(self.model.params)}
        for key, array in self.model.buffers.items():
            layer, name = key.rsplit(".", 1)
            quantities.setdefault(name, {})[layer] = floating(array)
        if self.batch.size:
            quantities["batch"] = {"batch": floating(self.batch)}
        if self.masks:
            quantities["mask"] = self.masks
        if self.output is not None and self.loss is not None:
            quantities |= {"output": {"output": self.output}, "loss": {"loss": self.loss}, "grad": self.grads}
        for name, entries in self.optimizer.state.items():
            for key, value in entries.items():
                if value is not None:
                    quantities.setdefault(key, {})[name] = np.asarray(value)
        return quantities

    def write(self, quantities: Quantities) -> None:
        known = {"param", *DRAWN, *PASSED}
        for name, array in quantities["param"].items():
            self.model.params[name][...] = array
        for key, array in self.model.buffers.items():
            layer, name = key.rsplit(".", 1)
            array[...] = quantities[name][layer]
        if "batch" in quantities:
            self.batch = quantities["batch"]["batch"].astype(np.int64)
        self.masks = {name: mask.copy() for name, mask in quantities.get("mask", {}).items()}
        if "grad" in quantities:
            self.grads = {name: array.copy() for name, array in quantities["grad"].items()}
            self.output, self.loss = quantities["output"]["output"].copy(), quantities["loss"]["loss"].copy()
        state: dict[str, dict[str, np.ndarray]] = {}
        for key, named in quantities.items():
            if key not in known:
                for name, array in named.items():
                    state.setdefault(name, {})[key] = array
        self.optimizer.load_state(state)

    def advance(self, stage: str, step: int) -> None:
        if stage == "draw":
            self.batch = self.draws.batch(step)
            self.masks = self.model.masks(self.draws.generator, self.batch.size)
        elif stage == "gradient":
            result = self.model.loss_and_grads(self.data.x[self.batch], self.data.t[self.batch], self.masks)
            self.output, self.loss = np.array(result.output), np.array(result.loss)
            self.grads = {name: np.array(grad) for name, grad in result.grads.items()}
        else:
            for name, value in self.case.changes(step).items():
                self.optimizer.set(name, value)
            self.optimizer.step(self.grads)

    def traces(self) -> dict[str, float]:
        return {} if self.loss is None else {"loss": float(self.loss), "accuracy": self.accuracy()}

    def accuracy(self) -> float:
        """The share of held-back samples that the model gets right, as it is now."""
        output, t = self.model.predict(self.data.x_test), self.data.t_test
        if t.ndim == 1:
            return float(np.mean(output.argmax(axis=1) == t))
        threshold = 0.5 if self.case.network.get("loss") == "probabilities" else 0.0
        return float(np.mean((output > threshold) == (t > 0.5)))


class Draws:
    """The batches of one run, epoch by epoch, from a generator that has PyTorch's `randperm`."""

    def __init__(self, generator, n: int, batch_size: int | None):
        self.generator, self.n, self.size = generator, n, batch_size
        self.order = np.arange(n)

    def batch(self, step: int) -> np.ndarray:
        """The samples of step `step`; a new order begins every epoch, its incomplete last batch is dropped."""
        if self.size is None:
            return np.arange(self.n)
        place = (step - 1) % (self.n // self.size)
        if place == 0:
            self.order = self.generator.randperm(self.n)
        return self.order[place * self.size : (place + 1) * self.size]


class Arbiter:
    """The exact pass and the exact update, each on error-carrying numbers."""

    def __init__(self, model, optimizer, data: Data, case):
        self.model, self.data = model, data
        self.updates = optim.Arbiter(optimizer, None, case)

    def __call__(self, stage: str, step: int, before: Quantities) -> Bounds:
        if stage == "gradient":
            return self.passed(before)
        return self.updates.update(step, without(before)) if stage == "update" else {}

    def passed(self, before: Quantities) -> Bounds:
        batch = before["batch"]["batch"].astype(np.int64)
        x, t = (unmoved(array[batch]) for array in (self.data.x, self.data.t))
        masks = {name: unmoved(mask) for name, mask in before.get("mask", {}).items()}
        params = {name: unmoved(array) for name, array in before["param"].items()}
        buffers = {}
        for key, array in self.model.buffers.items():
            layer, name = key.rsplit(".", 1)
            buffers[key] = unmoved(before[name][layer].astype(array.dtype))
        orders = [
            self.model.evaluate(x, t, masks, params, buffers, order=lambda layer, order=order: allowed(layer, order))
            for order in ("paper", "pytorch")
        ]
        bounds: Bounds = {
            "output": {"output": widest([one.output for one in orders])},
            "loss": {"loss": widest([one.loss for one in orders])},
            "grad": {name: widest([one.grads[name] for one in orders]) for name in params},
        }
        for key in buffers:
            layer, name = key.rsplit(".", 1)
            values = [one.buffers[key] for one in orders]
            bound = widest(values) if isinstance(values[0], Bounded) else Bounded(values[0], np.float64)
            bounds.setdefault(name, {})[layer] = bound
        return bounds


def allowed(layer, order: str) -> str:
    """`order`, or the paper's where the running error of that order says nothing about the layer."""
    return order if order in layer.ALLOWS else "paper"


def without(before: Quantities) -> Quantities:
    """What an optimizer's arbiter knows of: parameters, gradients and its own state."""
    unknown = {*DRAWN, *PASSED} - {"grad"}
    return {quantity: named for quantity, named in before.items() if quantity not in unknown}


def unmoved(array: np.ndarray) -> Any:
    """Exact numbers; integers (classes, counters) stay as they are."""
    return Bounded(array, array.dtype) if np.issubdtype(array.dtype, np.floating) else array


def floating(array: np.ndarray) -> np.ndarray:
    """Integers as float64, exact up to 2⁵³, so that everything is compared by one measure."""
    return array if np.issubdtype(array.dtype, np.floating) else np.asarray(array, np.float64)


def load_data(name: str, dtype: str) -> Data:
    """The data of a case, in the layout of PyTorch.

    Raises:
        ValueError: for a name that is none of them.
    """
    datasets = importlib.import_module("reference.datasets")
    kind, _, folder = name.partition(":")
    if kind == "two clusters":
        x, t = datasets.two_clusters().rows()
        x, t = x.astype(dtype), t.astype(dtype)
        return Data(x, t, x, t)
    loaders = {"digits": lambda: datasets.digits(), "mnist": lambda: datasets.mnist(folder), "cifar10": lambda: datasets.cifar10(folder)}
    if kind not in loaders or (kind != "digits" and not folder):
        raise ValueError(f"data must be 'digits', 'two clusters', 'mnist:FOLDER' or 'cifar10:FOLDER', not {name!r}")
    data = loaders[kind]()
    x, x_test = (array.reshape(len(array), -1).astype(dtype) for array in (data.x_train, data.x_test))
    return Data(x, data.t_train, x_test, data.t_test)


def pair(subject: Subject, case, dtype: str, path: str | None, seed: int) -> Pair:
    """Both sides of a training run, from one seed."""
    data = load_data(case.data, dtype)
    optimizer = find(case.optimizer)
    ours, theirs = own_class(optimizer.reference), own_class(optimizer.torch_impl)
    path = path or theirs.paths[0]
    model, counterpart = subject.reference.MLP, subject.torch_impl.MLP
    random, torch_random = importlib.import_module("reference.random"), importlib.import_module("torch_impl.random")
    settings = {key: value for key, value in case.network.items() if key != "hidden"}
    classes = 1 if data.t.ndim == 2 else int(data.t.max()) + 1
    widths = (data.x.shape[1], *case.network.get("hidden", ()), classes)

    def start():
        return model(widths, dtype=np.dtype(dtype), generator=random.Generator(seed), **settings)

    def our_side():
        network = start()
        draws = Draws(random.Generator(seed + 1), len(data.x), case.batch_size)
        return TrainingSide(network, ours(network.params, **case.hyperparameters), data, draws, case)

    def their_side():
        network = counterpart(widths, dtype=np.dtype(dtype), **settings)
        for name, array in start().params.items():
            network.params[name][...] = array
        draws = Draws(torch_random.Generator(seed + 1), len(data.x), case.batch_size)
        return TrainingSide(network, theirs(network.tensors, path=path, **case.hyperparameters), data, draws, case)

    network = start()
    return Pair(
        ours=our_side,
        theirs=their_side,
        exact=Arbiter(network, ours(network.params, **case.hyperparameters), data, case),
        lines={"param": "param", **ours.STATE},
        order=("batch", "mask", *subject.reference.EQUATIONS, "step", *optimizer.reference.EQUATIONS),
        equations=subject.reference.EQUATIONS | optimizer.reference.EQUATIONS,
        path=path,
    )
