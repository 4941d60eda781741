"""Cases of the penalties, which are layers whose input is a weight."""

from typing import Any

from lockstep.cases.layers import LayerCase


def weights(layer: str, **hyperparameters: Any) -> list[LayerCase]:
    """The weights that any penalty has to stand."""
    return [
        LayerCase("a weight matrix", layer=layer, lam=0.1, **hyperparameters),
        LayerCase("the notebook's λ and 40 samples", layer=layer, lam=0.1, m=40, shape=(20, 2)),
        LayerCase("zeros among the weights", layer=layer, lam=0.1, m=40, kind="zeros among them"),
        LayerCase("λ is 0", layer=layer, lam=0.0, m=40),
        LayerCase("λ is large", layer=layer, lam=1e3, m=3),
        LayerCase("one weight", layer=layer, lam=0.1, shape=(1,)),
        LayerCase("a weight without axes", layer=layer, lam=0.1, shape=()),
        LayerCase("no weight", layer=layer, lam=0.1, shape=(0, 3)),
        LayerCase("weights of a convolution", layer=layer, lam=0.1, m=7, shape=(4, 3, 3, 3)),
        LayerCase("many weights", layer=layer, lam=0.1, m=64, shape=(4099,)),
        LayerCase("weights of many sizes", layer=layer, lam=0.1, m=64, kind="many sizes"),
        LayerCase("tiny weights", layer=layer, lam=0.1, m=64, kind="tiny"),
        LayerCase("large offset", layer=layer, lam=0.1, m=64, kind="large offset"),
    ]


# What a report shows of any penalty, as lockstep/experiments/selection.py takes it.
# What a laboratory begins with: how many steps, down which function, from where, and with which numbers.
TRIED = {
    "down a bowl": (60, "quadratic", (4.0, 1.5), {"lam": 0.5, "m": 1, "lr": 0.1}),
    "Rosenbrock": (200, "rosenbrock", (-1.0, 1.0), {"lam": 0.5, "m": 1, "lr": 1e-3}),
    "the penalty alone": (40, "zero", (1.0, -0.25), {"lam": 0.1, "m": 1, "lr": 0.5}),
    "zeros among the weights": (12, "quadratic", (0.0, 2.0), {"lam": 0.1, "m": 40, "lr": 0.1}),
}
WALKED = {"the notebook's λ and 40 samples": 2}
CLIMBED = {"many weights": None}
