"""Training runs of the network: every optimizer, with dropout and BatchNorm, and without."""

from lockstep.cases.models import Training

# a bias before BatchNorm has no gradient but rounding (the last case shows it)
DEEP = {"hidden": (64, 32), "batchnorm": True, "bias": False, "dropout": 0.2}
PLAIN = {"hidden": (32,)}
# L1 is promised by the notebook and never written there; λ and its division by the samples are those of its L2
NOTEBOOK = {"no regularisation": {}, "L2": {"l2": 0.1}, "L1": {"l1": 0.1}, "dropout": {"dropout": 0.3}}

CASES = [
    Training("digits, Adam, dropout and BatchNorm", optimizer="optim.adam", network=DEEP, lr=3e-3),
    Training("digits, AdamW, dropout and BatchNorm", optimizer="optim.adamw", network=DEEP, lr=3e-3),
    Training("digits, RMSprop, dropout and BatchNorm", optimizer="optim.rmsprop", network=DEEP, lr=1e-3),
    Training(
        "digits, SGD with momentum, dropout and BatchNorm", optimizer="optim.sgd", network=DEEP, lr=0.05, momentum=0.9
    ),
    Training("digits, Adagrad, dropout and BatchNorm", optimizer="optim.adagrad", network=DEEP, lr=0.05),
    Training("digits, Adadelta, dropout and BatchNorm", optimizer="optim.adadelta", network=DEEP, lr=1.0),
    Training("digits, Adamax, dropout and BatchNorm", optimizer="optim.adamax", network=DEEP, lr=3e-3),
    Training("digits, ASGD, dropout and BatchNorm", optimizer="optim.asgd", network=DEEP, lr=0.1),
    Training("digits, NAdam, dropout and BatchNorm", optimizer="optim.nadam", network=DEEP, lr=3e-3),
    Training("digits, RAdam, dropout and BatchNorm", optimizer="optim.radam", network=DEEP, lr=3e-3),
    # made for whole batches: on mini-batches it learns, but its loss does not settle
    Training("digits, Rprop, dropout and BatchNorm", optimizer="optim.rprop", network=DEEP, lr=1e-3),
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
