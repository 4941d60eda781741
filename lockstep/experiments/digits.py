"""Networks on real data, in lockstep: the digits with every optimizer, and MNIST or CIFAR-10 from a folder."""

import importlib
from collections.abc import Mapping
from typing import Any

from lockstep.cases.models import FOLDERS, Training
from lockstep.errors import BadValue
from lockstep.subjects.registry import find

STEPS, PLAIN_STEPS = 160, 100
JUDGED = 32  # judged at every so-manyth step, compared at each
FOLDER_STEPS = 300


def plan(data: Mapping[str, Any] | None = None) -> dict[str, dict[str, Any]]:
    """Every run: its name here, and the arguments of `lockstep.run`.

    Arguments:
        data: "mnist" or "cifar10" to a folder with its files; its runs come last.
    """
    found = {}
    for case in find("models.mlp").cases.CASES:
        if case.data == "digits":
            deep = bool(case.network.get("batchnorm")) and not case.network["bias"]
            found[case.desc] = arguments(case, STEPS if deep else PLAIN_STEPS, JUDGED)
    for kind, folder in (data or {}).items():
        for case in with_every_optimizer():
            other = case.replaced(data=f"{kind}:{folder}", tested_every=50)
            found[other.title] = arguments(other, FOLDER_STEPS, 50)
    return found


def check(data: Mapping[str, Any]) -> None:
    """Read the files of `data`, so that a fault in them is told at once.

    Raises:
        ValueError: for a key that is neither "mnist" nor "cifar10", and for a file that is not what it should be.
        OSError: for one that is missing.
    """
    for kind, folder in data.items():
        if kind not in FOLDERS:
            raise BadValue(f"data must be of {' or '.join(FOLDERS)}, not {kind!r}")
        importlib.import_module("lockstep.subjects.models").load_data(f"{kind}:{folder}", "float32")


def with_every_optimizer() -> list[Training]:
    """One network with dropout and BatchNorm for each optimizer."""
    cases = [case for case in find("models.mlp").cases.CASES if case.data == "digits" and case.network.get("dropout")]
    return list({case.optimizer: case for case in reversed(cases)}.values())[::-1]


def arguments(case: Training, steps: int, judge_every: int) -> dict[str, Any]:
    return {"subject": "models.mlp", "case": case, "steps": steps, "judge_every": judge_every}
