"""The ladders that a report climbs to the last bit, and the runs whose drift it takes apart."""

from collections.abc import Mapping
from typing import Any

from lockstep.explanation.explain import explain
from lockstep.explanation.growth import growth
from lockstep.numerics.environment import environment
from lockstep.records.record import SCHEMA, VERSION, Record
from lockstep.subjects.registry import find

Line = tuple[str, str, str | None, int | None]

# subject, case, PyTorch's path, steps; all in float32, where a rounding is seen soonest
CLIMBED: list[Line] = [
    ("optim.adam", "defaults", "single", 200),
    ("optim.adamw", "defaults", "single", 200),
    ("optim.rmsprop", "defaults", "single", 200),
    ("optim.adagrad", "defaults", "single", 200),
    ("optim.sgd", "momentum", "single", 200),
    ("penalty.l1", "many weights", None, None),
    ("penalty.l2", "many weights", None, None),
    ("layers.linear", "a wide layer", None, None),
    ("layers.activation", "ReLU, zeros among them", None, None),
    ("layers.activation", "Sigmoid, many", None, None),
    ("layers.activation", "Tanh, many", None, None),
    ("layers.batchnorm", "features, in training", None, None),
    ("layers.batchnorm", "images, in training", None, None),
    ("layers.loss", "BCELoss, soft targets, mean", None, None),
    ("layers.loss", "BCEWithLogitsLoss, soft targets, mean", None, None),
    ("layers.loss", "CrossEntropyLoss, 10 classes, mean", None, None),
    ("models.mlp", "digits, Adam, dropout and BatchNorm", "single", 200),
]
# Of an optimizer a problem whose gradient comes back to the parameters, and on which the sides part
GROWN: list[Line] = [
    ("optim.sgd", "the notebook's run", "single", 200),
    ("optim.adagrad", "quadratic", "single", 200),
    ("optim.rmsprop", "quadratic", "single", 200),
    ("optim.adam", "the notebook's run", "single", 200),
    ("optim.adam", "defaults", "single", 200),  # a stream of gradients, to which nothing comes back
    ("optim.adamw", "Rosenbrock", "single", 200),
    ("models.mlp", "digits, Adam, dropout and BatchNorm", "single", 200),
    ("models.mlp", "digits, Adam, a bias before BatchNorm", "single", 200),  # its gradient is nothing but rounding
]


def ladders(path: str) -> dict[str, dict[str, Any]]:
    """Every ladder of a subject: its name here, and the arguments of `lockstep.explain`."""
    return arguments(path, CLIMBED, "to the last bit")


def growths(path: str) -> dict[str, dict[str, Any]]:
    """Every run of a subject whose drift is taken apart: its name here, and the arguments of `lockstep.growth`."""
    return arguments(path, GROWN, "local against accumulated")


def arguments(path: str, table: list[Line], what: str) -> dict[str, dict[str, Any]]:
    cases = {case.desc: case for case in find(path).cases.CASES}
    return {
        f"{path} {desc} {what}": {
            "subject": path,
            "case": cases[desc],
            "dtype": "float32",
            "path": torch_path,
            "steps": steps or cases[desc].steps,
        }
        for subject, desc, torch_path, steps in table
        if subject == path
    }


def climbed(arguments: Mapping[str, Any]) -> Record:
    return explain(**arguments).record


def grown(arguments: Mapping[str, Any]) -> Record:
    """The record of a growth; lockstep/records/record.py documents it."""
    found = growth(**arguments)
    data = dict(arguments) | {
        "schema": SCHEMA,
        "version": VERSION,
        "kind": "growth",
        "case": arguments["case"].described(),
        "seed": 0,
        "environment": environment(),
    }
    names = ("start", "differing", "elements", "classes", "worst", "worst_added", "ill_conditioned")
    series = ("drift", "alone", "defect", "spread")
    return Record(
        data | {name: getattr(found, name) for name in names},
        {f"growth/{name}": getattr(found, name) for name in series},
    )
