"""Causes of layers.activation."""

from lockstep.cases.layers import LayerCase
from lockstep.causes.cause import Cause, First, Scenario
from lockstep.causes.tables import table

SCENARIOS = [
    *(Scenario(LayerCase(layer, layer=layer)) for layer in ("ReLU", "Sigmoid", "Tanh")),
    *(
        Scenario(
            LayerCase(f"{layer}, zeros among them", layer=layer, kind="zeros among them"), "zeros among the inputs"
        )
        for layer in ("ReLU", "Sigmoid", "Tanh")
    ),
    *(
        Scenario(LayerCase(f"{layer}, many sizes", layer=layer, kind="many sizes"), "inputs of many sizes")
        for layer in ("ReLU", "Sigmoid", "Tanh")
    ),
    *(
        Scenario(LayerCase(f"{layer}, extreme", layer=layer, kind="extreme logits"), "extreme inputs")
        for layer in ("ReLU", "Sigmoid", "Tanh")
    ),
]

CAUSES = table(
    "layers.activation",
    SCENARIOS,
    [
        Cause(
            id="slope-at-zero",
            layer="ReLU",
            backward={"dx": "np.where(x >= 0, dy, 0)"},
            formula=r"\partial x = \partial y \cdot [x \ge 0]",
            seen="eriklindernoren/ML-From-Scratch, uptake/numpynet#35, pytorch/tutorials#269",
            shows="ReLU, zeros among them",
            first=First(1, "dx"),
        ),
        Cause(
            id="gradient-let-through",
            layer="ReLU",
            backward={"dx": "dy"},
            formula=r"\partial x = \partial y",
            seen="chainer/chainer#5898",
            shows="ReLU",
            first=First(1, "dx"),
        ),
        Cause(
            id="gradient-from-above-missing",
            layer="ReLU",
            backward={"dx": "np.where(x > 0, 1 + 0 * dy, 0)"},
            formula=r"\partial x = [x > 0]",
            seen="haifengl/smile#528",
            shows="ReLU",
            first=First(1, "dx"),
        ),
        *(
            Cause(
                id="slope-of-the-input",
                variant=layer,
                layer=layer,
                backward={"slope": text},
                formula=formula,
                seen="BoltzmannEntropy/interviews.ai#4, dwhitena/gophernet#6",
                shows=layer,
                first=First(1, "dx"),
            )
            for layer, text, formula in (
                ("Sigmoid", "x * (1 - x)", r"s = x\,(1 - x)"),
                ("Tanh", "1 - x * x", r"s = 1 - x^2"),
            )
        ),
    ],
)
