"""Causes of both penalties, stated once."""

from lockstep.cases.layers import LayerCase
from lockstep.causes.cause import Cause, First, Scenario


def situations(layer: str) -> list[Scenario]:
    """The scenarios of the penalty of that class."""
    return [
        Scenario(LayerCase("a weight matrix", layer=layer, lam=0.1, m=40)),
        Scenario(LayerCase("zeros among the weights", layer=layer, lam=0.1, m=40, kind="zeros among them")),
    ]


AVERAGED = [
    Cause(
        id="penalty-averaged",
        variant="by the count",
        words="count",
        lines={"penalty": "was / w.size"},
        backward={"dw": "was / w.size"},
        formula=r"R = \tfrac1n\,R",
        shows="a weight matrix",
        first=First(1, "penalty"),
    ),
    Cause(
        id="penalty-averaged",
        variant="by the batch",
        words="batch",
        arguments={"lam": "lam / batch"},
        free={"batch": 32},
        formula=r"R = \tfrac{1}{32}\,R",
        shows="a weight matrix",
        first=First(1, "penalty"),
    ),
]
