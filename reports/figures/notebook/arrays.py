"""Where an experiment's arrays stand in its record: `CHAPTER/NAME/SIDE/WHAT`, the notebook's in its own layout."""

from collections.abc import Mapping, Sequence

import numpy as np

from lockstep.records.kinds.experiment import ExperimentRecord
from lockstep.text import Message, message
from reports.facts import apart
from reports.figures.curves import Curve

# The notebook's order and spelling; what it does not have comes last.
OPTIMIZERS = {"sgd": "SGD", "rmsprop": "RMSprop", "adam": "Adam", "adamw": "AdamW", "adagrad": "AdaGrad"}
NAMES = {
    "nb/optim": OPTIMIZERS,
    "digits": OPTIMIZERS,
    "nb/regular": {"none": "∅", "l2": "L2", "dropout": "Dropout", "l1": "L1", "both": "L2 + Dropout"},
}


def pairs(record: ExperimentRecord, chapter: str, what: str) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Name to both sides' arrays, of every experiment of a chapter that has the two."""
    inside = [key.removeprefix(f"{chapter}/") for key in record.arrays if key.startswith(f"{chapter}/")]
    present = {key.split("/")[0] for key in inside if key.endswith(f"/{what}")}
    order = [*NAMES[chapter], *sorted(present - NAMES[chapter].keys())]
    sides = {}
    for name in order:
        ours, theirs = (record.arrays.get(f"{chapter}/{name}/{side}/{what}") for side in ("ours", "theirs"))
        if ours is not None and theirs is not None and ours.shape == theirs.shape and ours.size:
            label = NAMES[chapter].get(name, name)
            sides[label] = np.asarray(ours, np.float64), np.asarray(theirs, np.float64)
    return sides


def curves(record: ExperimentRecord, chapter: str, what: str, first: int = 0) -> list[Curve]:
    """One curve over the iterations, counted from `first`, for every experiment of a chapter."""
    return [
        Curve(name, np.arange(first, first + len(ours)), ours, theirs)
        for name, (ours, theirs) in pairs(record, chapter, what).items()
        if ours.ndim == 1
    ]


def ends(values: Mapping[str, str]) -> list[Message]:
    """`Adam 6.41`, and so on."""
    return [message("figure.end", name=name, value=value) for name, value in values.items()]


def sides(curves: Sequence[Curve]) -> Message:
    """How far NumPy's and PyTorch's curves are apart at most."""
    return apart_by(farthest((curve.ours, curve.theirs) for curve in curves))


def apart_by(most: float) -> Message:
    return message("figure.sides.apart", most=most) if most else message("figure.sides.equal")


def farthest(sides) -> float:
    """The largest difference between the sides over all of `sides`."""
    return max((float(apart(ours, theirs).max()) for ours, theirs in sides), default=0.0)


def norms(record: ExperimentRecord) -> dict[str, tuple[float, float]]:
    """The Euclidean norm of the first layer's weights at the end."""
    return {
        name: (float(np.linalg.norm(ours)), float(np.linalg.norm(theirs)))
        for name, (ours, theirs) in pairs(record, "nb/regular", "W1").items()
    }


def batchnorm(record: ExperimentRecord) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """The worked example, features in rows as the notebook has them: before, after in NumPy, after in PyTorch."""
    before, ours, theirs = (record.arrays.get(f"nb/batchnorm/{name}") for name in ("before", "ours", "theirs"))
    if (
        before is None
        or ours is None
        or theirs is None
        or not (before.shape == ours.shape == theirs.shape)
        or before.ndim != 2
    ):
        return None
    return before.astype(np.float64), ours.astype(np.float64), theirs.astype(np.float64)
