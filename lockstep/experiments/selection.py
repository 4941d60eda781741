"""The runs that a report shows of every subject: a few telling cases each."""

from typing import Any

from lockstep.cases import DTYPES
from lockstep.subjects.registry import Subject, own_class

LONGER = {"defaults": 40, "the notebook's run": 100, "Rosenbrock": 100}  # steps, where a curve is worth having

# case, dtype, PyTorch's path; a subject runs those that its table and its dtypes have
OPTIMIZER = [
    ("defaults", "float32", "single"),
    ("defaults", "float64", "single"),
    ("defaults", "float32", "fused"),
    ("defaults", "float32", "foreach"),
    ("tensors of every size", "float32", "fused"),
    ("weight decay", "float32", "single"),
    ("a step without gradient, with weight decay", "float32", "single"),
    ("lr changes between steps", "float32", "single"),
    ("gradients near eps", "float32", "single"),
    ("gradients near eps", "float64", "single"),
    ("sparse gradients", "float32", "single"),
    ("quadratic", "float32", "single"),
    ("ill-conditioned quadratic", "float32", "single"),
    ("the notebook's run", "float32", "single"),
    ("the notebook's run", "float64", "single"),
    ("amsgrad, gradients shrink", "float32", "single"),
    ("nesterov", "float32", "single"),
    ("dampening", "float32", "single"),
    ("momentum", "float32", "single"),
    ("centered", "float32", "single"),
    ("centered, gradients with a large offset", "float32", "single"),
    ("lr decay", "float32", "single"),
    ("initial accumulator", "float32", "single"),
    ("everything at once", "float32", "single"),
]
OWN = {
    "optim.adamw": ["Rosenbrock"],
    "layers.linear": ["plain", "digits into 64 units", "large offset"],
    "layers.activation": ["ReLU, many", "Sigmoid, many", "Tanh, many", "Sigmoid, extreme"],
    "layers.dropout": ["p = 0.3, shared masks", "training, then evaluation"],
    "layers.batchnorm": [
        "features, in training",
        "features, training, then evaluation",
        "features, large offset",
        "images, in training",
        "images, cumulative average",
        "the notebook's worked example",
    ],
    "layers.loss": [
        "BCELoss, soft targets, mean",
        "BCELoss, probabilities of 0 and 1",
        "BCEWithLogitsLoss, extreme logits, soft targets, mean",
        "CrossEntropyLoss, 10 classes, mean",
        "CrossEntropyLoss, large offset",
    ],
    "penalty.l1": ["the notebook's λ and 40 samples", "zeros among the weights"],
    "penalty.l2": ["the notebook's λ and 40 samples", "many weights"],
}


def plan(subject: Subject) -> dict[str, dict[str, Any]]:
    """Every run of a subject: its name here, and the arguments of `lockstep.run`; the plain case at least."""
    table = {case.desc: case for case in subject.cases.CASES}
    first = next(iter(table))
    optimizer = subject.family == "optim"
    others = OWN.get(subject.path, [] if optimizer and "defaults" in table else [first])
    wanted = [*(OPTIMIZER if optimizer else []), *((desc, dtype, None) for desc in others for dtype in DTYPES)]
    paths = own_class(subject.torch_impl).paths if optimizer else ()
    found = {}
    for desc, dtype, path in wanted:
        case = table.get(desc)
        if case is None or dtype not in case.dtypes or (path and path not in (case.paths or paths)):
            continue
        name = " ".join(part for part in (subject.path, desc, dtype, path) if part)
        found[name] = {"subject": subject.path, "case": case, "dtype": dtype, "path": path}
        found[name] |= {"steps": LONGER[desc]} if desc in LONGER else {}
    return found
