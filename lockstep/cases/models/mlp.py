"""Training runs of the network: every optimizer, with dropout and BatchNorm, and without."""

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any

from lockstep.cases import notebook, optim
from lockstep.cases.models import Training
from lockstep.cases.notebook import Shown

# a bias before BatchNorm has no gradient but rounding (the last case shows it)
DEEP = {"hidden": (64, 32), "batchnorm": True, "bias": False, "dropout": 0.2}
SMALL = {"hidden": (16,), "batchnorm": True, "bias": False, "dropout": 0.2}
NO_DECAY = ({"params": ("*.bias", "batchnorm*"), "weight_decay": 0.0}, {"params": ("*",)})
PLAIN = {"hidden": (32,)}
# L1 is promised by the notebook and never written there; λ and its division by the samples are those of its L2
REGULAR = {"none": "no regularisation", "l2": "L2", "l1": "L1", "dropout": "dropout"}


def with_every_other(first: str) -> Iterator[Training]:
    """The deep network with each optimizer but the first that can train it, as its own cases say: name and settings."""
    for file in pkgutil.iter_modules(optim.__path__):
        trained = importlib.import_module(f"lockstep.cases.optim.{file.name}").TRAINED
        if trained and f"optim.{file.name}" != first:
            name, hyperparameters = trained
            desc = f"digits, {name}, dropout and BatchNorm"
            yield Training(desc, optimizer=f"optim.{file.name}", network=DEEP, **hyperparameters)


def two_clusters(words: str, network: dict[str, Any], **changed: Any) -> Training:
    """The notebook's training, of a network and on samples that may be others."""
    network = {"hidden": (20,), "loss": "probabilities", **network}
    settings = {"data": "two clusters", "batch_size": None, "draws": "notebook", "tested_every": 50, **changed}
    return Training(words, optimizer="optim.sgd", network=network, lr=0.1, **settings)


CASES = [
    Training("digits, Adam, dropout and BatchNorm", optimizer="optim.adam", network=DEEP, lr=3e-3),
    *with_every_other("optim.adam"),
    Training(
        "digits, AdamW, no decay of biases and norms",
        optimizer="optim.adamw",
        network=SMALL,
        groups=NO_DECAY,
        weight_decay=0.1,
        steps=30,
    ),
    Training("digits, AdamW, resumed", optimizer="optim.adamw", network=SMALL, groups=NO_DECAY, resumed=2, steps=30),
    Training(
        "digits, AdamW, resumed by the other side",
        optimizer="optim.adamw",
        network=SMALL,
        groups=NO_DECAY,
        resumed=2,
        crossed=True,
        steps=30,
    ),
    Training("digits, plain network", optimizer="optim.sgd", network=PLAIN, lr=0.1),
    Training("digits, L1 and L2 penalties", optimizer="optim.sgd", network=PLAIN | {"l1": 0.01, "l2": 0.1}, lr=0.1),
    Training("digits, Adam, a bias before BatchNorm", optimizer="optim.adam", network=DEEP | {"bias": True}, lr=3e-3),
    *(two_clusters(f"the notebook's two clusters, {words}", notebook.REGULAR[name]) for name, words in REGULAR.items()),
]

BAD = []

# What a report shows of it, as lockstep/experiments/selection.py takes it.
SHOWN_AS = "digits"  # the data that most of its runs are on
WALKED = {"digits, Adam, dropout and BatchNorm": 1}
CLIMBED = {"digits, Adam, dropout and BatchNorm": 200}
GROWN = {
    "digits, Adam, dropout and BatchNorm": 200,
    "digits, Adam, a bias before BatchNorm": 200,  # its gradient is nothing but rounding
}


def studied() -> Iterator[tuple[str, dict[str, Any]]]:
    """The runs of the notebook's study: its two clusters, then what it says of digits and does not show."""
    whole = {"dtype": "float64", "steps": notebook.ITERATIONS}
    for name, words in REGULAR.items():
        yield (
            f"regular/{name}",
            {"case": f"the notebook's two clusters, {words}", **whole, "judge_every": 250, "drift_every": 50},
        )
    at_its_end = {"tested_every": notebook.ITERATIONS}
    both = two_clusters("L2 and dropout", notebook.REGULAR["l2"] | notebook.REGULAR["dropout"], **at_its_end)
    yield "regular/both", {"case": both, **whole, **notebook.BRIEFLY}
    for name in notebook.LARGE_ONES:
        words, data = f"{notebook.LARGE} samples, {name}", f"two clusters:{notebook.LARGE}"
        case = two_clusters(words, notebook.REGULAR[name], data=data, **at_its_end)
        yield f"large/{name}", {"case": case, **whole, **notebook.BRIEFLY}
    for batchnorm in (False, True):
        words = "with BatchNorm" if batchnorm else "without BatchNorm"
        for lr in notebook.RATES:
            yield f"rates/{int(batchnorm)}/{lr}", on_digits(f"{words}, lr {lr}", notebook.WIDE, batchnorm, lr=lr)
        for name, lr in {"sgd": 0.1, "adam": 3e-3}.items():
            text = f"{len(notebook.DEEP)} hidden layers {words}, {name}"
            yield f"deep/{int(batchnorm)}/{name}", on_digits(text, notebook.DEEP, batchnorm, name, lr=lr)
    for name, steps in {"start": notebook.ADAM_STEPS, "adam": notebook.ADAM_STEPS + notebook.TUNING_STEPS}.items():
        yield f"tuned/{name}", on_digits(f"Adam, {steps} steps", notebook.WIDE, True, "adam", steps, lr=3e-3)


def on_digits(
    words: str, hidden: tuple[int, ...], batchnorm: bool, optimizer: str = "sgd", steps: int = 100, *, lr: float
) -> dict[str, Any]:
    """A run of the network, tried on the held-back samples at its end."""
    network = {"hidden": hidden, "batchnorm": batchnorm, "bias": not batchnorm}
    case = Training(words, tested_every=steps, optimizer=f"optim.{optimizer}", network=network, lr=lr)
    return {"case": case, "steps": steps, **notebook.BRIEFLY}


NOTEBOOK = Shown("regularisation", 3, dict(studied()), {"tuned/start": "optim.sgd"})
