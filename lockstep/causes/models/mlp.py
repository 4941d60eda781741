"""Causes of models.mlp: what is put together wrongly of right parts."""

from lockstep.cases.models import Training
from lockstep.causes.behaviour import penalises_biases
from lockstep.causes.cause import Cause, Scenario
from lockstep.causes.tables import table

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
