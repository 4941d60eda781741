"""The runs that a report walks through line by line: a small case of every subject, to follow one number."""

from collections.abc import Mapping
from typing import Any

from lockstep.engine.run import command
from lockstep.explanation.walk import walk
from lockstep.numerics.environment import environment
from lockstep.records.record import SCHEMA, VERSION, Record
from lockstep.subjects.registry import find, own_class

Line = tuple[str, str, str | None, int]

# subject, case, PyTorch's path, steps; all in float32, where a rounding is seen soonest. Of an optimizer the case that
# the notebook has, where the sides part within these steps.
WALKED: list[Line] = [
    ("optim.sgd", "the notebook's run", "single", 12),
    ("optim.adagrad", "the notebook's run", "single", 12),
    ("optim.rmsprop", "Rosenbrock", "single", 12),
    ("optim.adam", "the notebook's run", "single", 12),
    ("optim.adamw", "Rosenbrock", "single", 12),
    ("penalty.l1", "the notebook's λ and 40 samples", None, 2),
    ("penalty.l2", "the notebook's λ and 40 samples", None, 2),
    ("layers.linear", "one input feature", None, 2),
    ("layers.activation", "ReLU, zeros among them", None, 2),
    ("layers.activation", "Sigmoid", None, 2),
    ("layers.activation", "Tanh", None, 2),
    ("layers.dropout", "p = 0.3, shared masks", None, 2),
    ("layers.batchnorm", "the notebook's worked example", None, 2),
    ("layers.loss", "BCELoss, soft targets, mean", None, 2),
    ("layers.loss", "BCEWithLogitsLoss, soft targets, mean", None, 2),
    ("layers.loss", "CrossEntropyLoss, 10 classes, mean", None, 2),
    ("models.mlp", "digits, Adam, dropout and BatchNorm", "single", 1),
]


def walks(path: str) -> dict[str, dict[str, Any]]:
    """Every run of a subject to walk through: its name here, and the arguments of `walked`."""
    cases = {case.desc: case for case in find(path).cases.CASES}
    return {
        f"{path} {desc} step by step": {"subject": path, "case": cases[desc], "path": torch_path, "steps": steps}
        for subject, desc, torch_path, steps in WALKED
        if subject == path
    }


def walked(arguments: Mapping[str, Any], dtype: str = "float32", seed: int = 0) -> Record:
    """The record of a walk; lockstep/records/record.py documents it."""
    subject, case, path, steps = find(arguments["subject"]), arguments["case"], arguments["path"], arguments["steps"]
    pair = subject.sides.pair(subject, case, dtype, path, seed)
    found = walk(pair, steps)
    last = found.first_step or steps
    again = command("ledger", subject, case, dtype, pair.path, last, seed, count="--step")
    data = {
        "schema": SCHEMA,
        "version": VERSION,
        "kind": "walk",
        "subject": subject.path,
        "case": case.described(),
        "dtype": dtype,
        "path": pair.path,
        "seed": seed,
        "steps": steps,
        "environment": environment(),
        "equations": dict(pair.equations),
        "state": {key: entry.line for key, entry in getattr(own_class(subject.reference), "STATE", {}).items()}
        if subject.family == "optim"
        else {},
        "source": found.source,
        "first_step": found.first_step,
        "walked": [
            {
                "step": step,
                "stages": [stage._asdict() | {"lines": [row._asdict() for row in stage.lines]} for stage in stages],
            }
            for step, stages in enumerate(found.steps, 1)
        ],
        "rerun": f"{again} --rounding paper",
    }
    return Record(data, {})
