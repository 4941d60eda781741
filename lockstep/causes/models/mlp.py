"""Causes of models.mlp: what is put together wrongly of right parts."""

from typing import Any

from lockstep.cases.models import Training
from lockstep.causes.behaviour import penalises_biases
from lockstep.causes.cause import Cause, Scenario
from lockstep.causes.harness import Fault
from lockstep.causes.tables import table
from lockstep.numerics.verdict import Verdict
from lockstep.subjects.side import Pair

SCENARIOS = [
    Scenario(
        Training(
            "two clusters, L2",
            optimizer="optim.sgd",
            data="two clusters",
            network={"hidden": (20,), "loss": "probabilities", "l2": 0.1},
            batch_size=None,
            lr=0.1,
            steps=3,
        ),
    ),
]

CAUSES = table(
    "models.mlp",
    SCENARIOS,
    [
        Cause(
            id="penalty-includes-bias",
            behaviour=penalises_biases,
            formula=r"R = \frac{\lambda}{2m}\Big(\sum_i w_i^2 + \sum_j b_j^2\Big)",
        )
    ],
    line="loss",
)


def network(desc: str, **settings: Any) -> Training:
    return Training(
        desc,
        optimizer="optim.adam",
        data="two clusters",
        network={"hidden": (20,), "loss": "probabilities", **settings},
        batch_size=None,
        steps=2,
        lr=0.01,
    )


def as_it_is(pair: Pair) -> Pair:
    """Nothing is wrong with either side: it is the problem that has no answer."""
    return pair


FAULTS = [
    Fault(
        id="null-gradient",
        seen="xopt-org/Xopt#450, marin-community/marin#4755",
        subject="models.mlp",
        case=network("a bias before BatchNorm, Adam", batchnorm=True),
        without=network("no BatchNorm, Adam"),
        spoil=as_it_is,
        verdict=Verdict.ILL_CONDITIONED,
    ),
]
