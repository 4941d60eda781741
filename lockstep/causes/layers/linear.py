"""Causes of layers.linear."""

from lockstep.cases.layers.linear import linear
from lockstep.causes.cause import Cause, First, Scenario
from lockstep.causes.tables import table

SCENARIOS = [
    Scenario(linear("plain"), "a linear layer"),
    Scenario(linear("without bias", bias=False), "a linear layer"),
    Scenario(linear("a batch of 1", shape=(1, 7)), "a batch of 1"),
    Scenario(linear("a batch of sequences", shape=(3, 5, 7)), "a batch of sequences"),
    Scenario(linear("inputs of many sizes", kind="many sizes"), "inputs of many sizes"),
]

CAUSES = table(
    "layers.linear",
    SCENARIOS,
    [
        Cause(
            id="gradients-averaged",
            backward={"dweight": "was / rows.shape[0]", "dbias": "was if bias is None else (was) / rows.shape[0]"},
            formula=r"\partial W = \tfrac1n\,\partial Y^\top X, \quad \partial b = \tfrac1n \sum_i \partial Y_i",
            seen="d2l-ai/d2l-en#1000",
        ),
        Cause(
            id="bias-gradient-averaged",
            backward={"dbias": "was if bias is None else (was) / rows.shape[0]"},
            formula=r"\partial b = \tfrac1n \sum_i \partial Y_i",
            seen="deeplearning4j/deeplearning4j#366, kvfrans/notes#5",
        ),
        Cause(
            id="bias-gradient-of-one-sum",
            backward={"dbias": "was if bias is None else 0 * (was) + drows.sum()"},
            formula=r"\partial b_j = \sum_{ik} \partial Y_{ik}",
            seen="rasbt/stat453-deep-learning-ss21#5",
        ),
        Cause(
            id="bias-forgotten",
            lines={"y": "product"},
            formula=r"Y = X W^\top",
            first=First(1, "y"),
        ),
    ],
    line="dweight",
)
