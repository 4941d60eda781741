"""Causes of both penalties, stated once."""

from lockstep.cases.layers import LayerCase
from lockstep.causes.cause import Cause, First, Scenario


def situations(layer: str) -> list[Scenario]:
    """The scenarios of the penalty of that class."""
    return [
        Scenario(LayerCase("a weight matrix", layer=layer, lam=0.1, m=40), "factors, and what is divided by"),
        Scenario(
            LayerCase("zeros among the weights", layer=layer, lam=0.1, m=40, kind="zeros among them"),
            "the subgradient at exactly 0",
        ),
    ]


AVERAGED = [
    Cause(
        id="penalty-averaged",
        variant="by the count",
        lines={"penalty": "was / w.size"},
        backward={"dw": "was / w.size"},
        formula=r"R = \tfrac1n\,R",
        first_shows="at step 1",
        fix="add the terms up; do not average them over the weights",
        shows="a weight matrix",
        first=First(1, "penalty"),
    ),
    Cause(
        id="penalty-averaged",
        variant="by the batch",
        arguments={"lam": "lam / batch"},
        free={"batch": 32},
        formula=r"R = \tfrac{1}{32}\,R",
        first_shows="at step 1",
        fix="divide by m once",
        note="their λ is that of the reference times the batch size",
        shows="a weight matrix",
        first=First(1, "penalty"),
    ),
]
