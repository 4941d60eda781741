"""Two curves of layers: the running variance over the size of a batch, and the share of units that dropout keeps."""

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from importlib import import_module
from typing import Any

import numpy as np

from lockstep.numerics.environment import environment
from lockstep.records.record import SCHEMA, VERSION, Record
from lockstep.subjects.registry import find, own_class

SIZES = (2, 3, 4, 8, 16, 32, 64, 128, 256)
RATES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
UNITS = (64, 64)
SHOWN, CORNER = 0.3, 24  # the notebook's rate; of its mask so many rows and columns are kept to be seen
SIDES = {"numpy": "reference", "torch": "torch_impl"}


def curves(path: str) -> dict[str, dict[str, Any]]:
    """The curve of a subject that has one: its name here, and the arguments of `drawn`."""
    return {title: {"subject": path, "title": title} for title, (subject, _) in KNOWN.items() if subject == path}


def drawn(arguments: Mapping[str, Any], seed: int = 0) -> Record:
    """The record of a curve; lockstep/records/record.py documents it."""
    title = arguments["title"]
    settings, arrays = KNOWN[title][1](seed)
    data = {
        "schema": SCHEMA,
        "version": VERSION,
        "kind": "experiment",
        "subject": arguments["subject"],
        "title": title,
        "dtype": "float32",
        "seed": seed,
        "environment": environment(),
        "settings": settings,
        "figures": [],
        "claims": [],
        "printed": [],
        "optimum": None,
        "runs": [],
    }
    return Record(data, arrays)


Curve = tuple[dict[str, Any], dict[str, np.ndarray]]


def batch_sizes(seed: int) -> Curve:
    """The running variance after one training step on the first n of one row of numbers.

    With momentum 1 it is what the batch alone puts there.
    """
    subject, settings = find("layers.batchnorm"), {"num_features": 1, "momentum": 1.0}
    x = np.random.default_rng(seed).standard_normal((max(SIZES), 1)).astype(np.float32)
    kept = {side: [] for side in SIDES}
    for size in SIZES:
        for side in SIDES:
            layer: Any = own_class(counterpart(subject, side), "BatchNorm1d")(**settings)
            layer.train()
            layer.forward(x[:size])
            kept[side].append(np.array(layer.buffers["running_var"][0]))
    sizes = np.array(SIZES)
    arrays = {f"batch/{side}": np.array(values) for side, values in kept.items()}
    return settings, arrays | {
        "batch/size": sizes,
        "batch/biased": np.array([x[:size].astype(np.float64).var() for size in SIZES]),
        "batch/ratio": sizes / (sizes - 1),
    }


def keep_rates(seed: int) -> Curve:
    """The share of the units that a training dropout keeps, each side with a generator of its own from one seed."""
    subject, masks = find("layers.dropout"), {side: [] for side in SIDES}
    for p in RATES:
        for side, tree in SIDES.items():
            generator = import_module(f"{tree}.random").Generator(seed)
            masks[side].append(mask(own_class(counterpart(subject, side), "Dropout"), p, generator))
    arrays: dict[str, np.ndarray] = {f"keep/{side}": np.array([m.mean() for m in masks[side]]) for side in SIDES}
    place = RATES.index(SHOWN)
    arrays |= {f"keep/mask/{side}": masks[side][place][:CORNER, :CORNER].astype(np.uint8) for side in SIDES}
    same = [np.array_equal(one, other) for one, other in zip(masks["numpy"], masks["torch"], strict=True)]
    settings = {"units": UNITS, "p": SHOWN}
    return settings, arrays | {"keep/p": np.array(RATES), "keep/equal": np.array(same, np.uint8)}


def mask(layer: Callable[..., Any], p: float, generator: Any) -> np.ndarray:
    """Which units a layer keeps; PyTorch's draws from the global generator, in whose place this one is put."""
    as_default = getattr(generator, "as_default", None)
    made = layer(p) if as_default else layer(p, generator=generator)
    with as_default() if as_default else nullcontext():
        made.train()
        made.forward(np.ones(UNITS, np.float32))
    return np.asarray(made.mask, np.float64)


def counterpart(subject: Any, side: str) -> Any:
    return getattr(subject, SIDES[side])


KNOWN: dict[str, tuple[str, Callable[[int], Curve]]] = {
    "layers.batchnorm batch sizes": ("layers.batchnorm", batch_sizes),
    "layers.dropout keep rate": ("layers.dropout", keep_rates),
}
