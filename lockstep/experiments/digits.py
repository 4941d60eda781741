"""Networks on real data, in lockstep: the digits with every optimizer, and MNIST or CIFAR-10 from a folder."""

from collections.abc import Mapping
from typing import Any

from lockstep.cases.models import Training
from lockstep.subject import find

STEPS, PLAIN_STEPS = 160, 100
JUDGED = 32  # judged at every so-manyth step, compared at each
FOLDERS = {"mnist": "MNIST", "cifar10": "CIFAR-10"}
FOLDER_STEPS = 300


def plan(data: Mapping[str, Any] | None = None) -> dict[str, dict[str, Any]]:
    """Every run: its name here, and the arguments of `lockstep.run`.

    Arguments:
        data: "mnist" or "cifar10" to a folder with its files; its runs come last.

    Raises:
        ValueError: for another key.
    """
    found = {}
    for case in find("models.mlp").cases.CASES:
        if case.data == "digits":
            deep = bool(case.network.get("batchnorm")) and not case.network["bias"]
            found[case.desc] = arguments(case, STEPS if deep else PLAIN_STEPS, JUDGED)
    for kind, folder in (data or {}).items():
        if kind not in FOLDERS:
            raise ValueError(f"data must be of {' or '.join(FOLDERS)}, not {kind!r}")
        if folder is not None:
            for case in with_every_optimizer():
                words = case.desc.replace("digits", FOLDERS[kind])
                other = case.replaced(desc=words, data=f"{kind}:{folder}", tested_every=50)
                found[words] = arguments(other, FOLDER_STEPS, 50)
    return found


def with_every_optimizer() -> list[Training]:
    """One network with dropout and BatchNorm for each optimizer."""
    cases = [case for case in find("models.mlp").cases.CASES if case.data == "digits" and case.network.get("dropout")]
    return list({case.optimizer: case for case in reversed(cases)}.values())[::-1]


def arguments(case: Training, steps: int, judge_every: int) -> dict[str, Any]:
    return {"subject": "models.mlp", "case": case, "steps": steps, "judge_every": judge_every}
