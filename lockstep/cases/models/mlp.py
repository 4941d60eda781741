"""Training runs of the network: every optimizer, with dropout and BatchNorm, and without."""

import importlib
import pkgutil
from collections.abc import Iterator

from lockstep.cases import optim
from lockstep.cases.models import Training

# a bias before BatchNorm has no gradient but rounding (the last case shows it)
DEEP = {"hidden": (64, 32), "batchnorm": True, "bias": False, "dropout": 0.2}
SMALL = {"hidden": (16,), "batchnorm": True, "bias": False, "dropout": 0.2}
NO_DECAY = ({"params": ("*.bias", "batchnorm*"), "weight_decay": 0.0}, {"params": ("*",)})
PLAIN = {"hidden": (32,)}
# L1 is promised by the notebook and never written there; λ and its division by the samples are those of its L2
NOTEBOOK = {"no regularisation": {}, "L2": {"l2": 0.1}, "L1": {"l1": 0.1}, "dropout": {"dropout": 0.3}}


def with_every_other(first: str) -> Iterator[Training]:
    """The deep network with each optimizer but the first that can train it, as its own cases say: name and settings."""
    for file in pkgutil.iter_modules(optim.__path__):
        trained = importlib.import_module(f"lockstep.cases.optim.{file.name}").TRAINED
        if trained and f"optim.{file.name}" != first:
            name, hyperparameters = trained
            desc = f"digits, {name}, dropout and BatchNorm"
            yield Training(desc, optimizer=f"optim.{file.name}", network=DEEP, **hyperparameters)


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
    *(
        Training(
            f"the notebook's two clusters, {words}",
            optimizer="optim.sgd",
            data="two clusters",
            network={"hidden": (20,), "loss": "probabilities", **settings},
            batch_size=None,
            draws="notebook",
            tested_every=50,
            lr=0.1,
        )
        for words, settings in NOTEBOOK.items()
    ),
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
